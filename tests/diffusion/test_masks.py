"""Masked and flipped columns of diffusions: bounds and draws by enumeration, and mixed
tables."""

from itertools import permutations, product
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm

from skdgm import Diffusion
from skdgm.data.columns import ColumnStatistics
from skdgm.diffusion import _flips
from skdgm.diffusion._covariates import Covariates
from skdgm.diffusion._density import DiffusionDensity
from skdgm.diffusion._field import N_TIMES
from skdgm.diffusion._guided import Guide
from skdgm.diffusion._layout import ColumnLayout, UnmaskingOrder, masked
from skdgm.diffusion._matching import Denoiser
from skdgm.diffusion._noise import NoiseSchedule, Whitening
from skdgm.exceptions import MissingCapability
from skdgm.nets.layers import Net
from skdgm.utils.random import stream
from tests.options import grouped

RNG = np.random.default_rng(0)
SMALL = {"hidden_layer_sizes": (24, 24), "batch_size": 50, "learning_rate": 0.01}
SMALL |= {"random_state": 0}
STATES = np.array(list(product([0.0, 1.0], repeat=3)))
P = np.array([0.1, 0.3, 0.15, 0.05, 0.02, 0.18, 0.12, 0.08])
BITS = ColumnLayout.of(ColumnStatistics(np.ones(3), np.ones(3)), "bernoulli")
NOTHING = Whitening.of(np.zeros(0), None)


def exact_bits(params, statistics, x, train=False):
    """Log odds of each bit given those that are seen, by enumeration."""
    values, seen = x[:, -6:-3], x[:, -3:]
    match = ((STATES[None] == values[:, None]) | (seen[:, None] == 0)).all(axis=2)
    with np.errstate(divide="ignore"):
        p = np.log(match * P)
        parts = [
            logsumexp(np.where(STATES[:, j] == v, p, -np.inf), axis=1)[:, None]
            for j in range(3)
            for v in (1, 0)
        ]
    odds = [high - low for high, low in zip(parts[::2], parts[1::2])]
    return np.concatenate(odds, axis=1), ()


EXACT = Net(None, exact_bits)


def every_order(n):
    """Times of each number of masked columns of n, and orders of columns."""
    for k, order in product(range(n), permutations(range(n))):
        yield (k + 0.5) / n, np.array(order) / n


def test_the_bound_of_exact_distributions_is_the_log_probability():
    found, parts, nothing = 0.0, list(every_order(3)), np.zeros((8, 0))
    denoiser = Denoiser(EXACT, BITS, (), (), NOTHING, NoiseSchedule(NOTHING.size))
    for time, uniform in parts:
        order = np.tile(uniform, (8, 1))
        found += denoiser.bounds(nothing, STATES, np.full(8, time), nothing, order)
    np.testing.assert_allclose(-found / len(parts), np.log(P))


def test_masks_hide_as_many_columns_as_time_says():
    v = np.array([[0.0, 1, 1], [1, np.nan, 0], [np.nan] * 3])
    for time, n_hidden in ((0.2, (1, 1, 0)), (0.5, (2, 1, 0)), (1.0, (3, 2, 0))):
        uniform = np.random.default_rng(0).random((3, 3))
        seen, hidden, factor = masked(v, np.full(3, time), uniform)
        lost = ~np.isnan(hidden)
        assert tuple(lost.sum(axis=1)) == n_hidden
        np.testing.assert_array_equal(np.where(lost, hidden, seen), v)
        expected = [3 / n_hidden[0], 2 / n_hidden[1], 0]
        np.testing.assert_allclose(factor, expected)


def drawn_by(net, layout, n, n_steps, n_beside, known=None, n_resamplings=1):
    """Draws of masked columns by a net, without estimators."""
    density = object.__new__(DiffusionDensity)
    density.net, density.params, density.statistics = net, (), ()
    density.layout, density.whitening = layout, NOTHING
    density.covariates = Covariates()
    density.schedule = NoiseSchedule(NOTHING.size)
    density.options = SimpleNamespace(n_steps=n_steps, guidance=0, sampler="flow")
    density.options.n_resamplings = n_resamplings
    rng = stream(0).rows(n)
    if known is not None:
        return density._clamped(np.tile(known, (n, 1)), rng, np.zeros((n, 0)))
    type(density).dtype, kept = np.float64, type(density).dtype
    try:
        return density._drawn(rng, np.zeros((n, 0)))
    finally:
        type(density).dtype = kept


def test_draws_one_by_one_have_the_exact_distribution():
    n = 6000
    drawn = drawn_by(EXACT, BITS, n, 6, 0)
    found = np.bincount((drawn @ [4, 2, 1]).astype(int), minlength=8) / n
    assert (abs(found - P) < 5 * np.sqrt(P / n)).all()
    # In one step bits are independent.
    drawn = drawn_by(EXACT, BITS, n, 1, 0)
    found, p = drawn.mean(axis=0), P @ STATES
    assert (abs(found - p) < 5 * np.sqrt(p / n)).all()
    both, expected = (drawn[:, 0] * drawn[:, 2]).mean(), p[0] * p[2]
    assert abs(both - expected) < 5 * np.sqrt(expected / n)


def test_draws_given_others_have_the_exact_distribution():
    n = 6000
    drawn = drawn_by(EXACT, BITS, n, 4, 0, np.array([np.nan, 1.0, np.nan]))
    assert (drawn[:, 1] == 1).all()
    p = P * (STATES[:, 1] == 1) / P[STATES[:, 1] == 1].sum()
    found = np.bincount((drawn @ [4, 2, 1]).astype(int), minlength=8) / n
    assert (abs(found - p) < 5 * np.sqrt(p / n) + 1e-12).all()


# A bit and a code of two, and a real column whose mean depends on both.
SHARES = np.array([[0.1, 0.4], [0.3, 0.2]])
CENTERS, ROOT = np.array([[-1.5, 0.2], [0.6, 1.4]]), 0.5
BOTH = ColumnLayout(np.array([0]), np.array([1, 2]), BITS.whole.take([0, 1]), None)
MEAN = (SHARES * CENTERS).sum()
SPREAD = (SHARES * (CENTERS - MEAN) ** 2).sum() + ROOT**2
WHITENING = Whitening.of(np.array([MEAN]), np.array([[SPREAD]]))
SCHEDULE = NoiseSchedule(WHITENING.size)


def exact_both(params, statistics, x, train=False):
    """Velocity and log odds given the noisy column and the bits that are seen; of the
    waves of time, a cosine tells it."""
    angles = SCHEDULE(np.arccos(x[:, 1 + N_TIMES // 2].clip(-1, 1)) / np.pi, float)
    cos, sin, y = (
        angles.cos[:, :, None],
        angles.sin[:, :, None],
        x[:, 0] / angles.view[:, 0],
    )
    values, seen = x[:, 1 + N_TIMES :][:, :2], x[:, 1 + N_TIMES :][:, 2:4]
    m, q = (CENTERS - MEAN) / np.sqrt(SPREAD), ROOT / np.sqrt(SPREAD)
    y, variance = y[:, None, None], cos**2 * q**2 + sin**2
    log_p = np.log(SHARES) + norm.logpdf(y, cos * m, np.sqrt(variance))
    for j in range(2):
        own = np.arange(2).reshape((2, 1) if j == 0 else (1, 2))
        other = (seen[:, j, None, None] == 1) & (own != values[:, j, None, None])
        log_p = np.where(other, -np.inf, log_p)
    log_p -= logsumexp(log_p, axis=(1, 2), keepdims=True)
    p = np.exp(log_p)
    z = m + cos * q**2 / variance * (y - cos * m)
    v = (p * (cos * (y - cos * z) / np.maximum(sin, 1e-9) - sin * z)).sum(axis=(1, 2))
    odds = [
        logsumexp(log_p.take(1, axis), axis=1) - logsumexp(log_p.take(0, axis), axis=1)
        for axis in (1, 2)
    ]
    size = angles.sin / np.sqrt(angles.sin**2 + 0.1**2)
    return np.column_stack([v / np.maximum(size[:, 0], 1e-9), *odds]), ()


def test_the_bound_of_real_and_masked_columns_is_the_log_density():
    n = 4000
    rng = np.random.default_rng(0)
    denoiser = Denoiser(Net(None, exact_both), BOTH, (), (), WHITENING, SCHEDULE)
    time = (np.arange(n) + 0.5) / n
    for code in np.ndindex(2, 2):
        x = CENTERS[code] + 0.3
        v, categories = np.full((n, 1), x), np.tile(np.array(code, float), (n, 1))
        noise, uniform = rng.normal(size=(n, 1)), rng.random((n, 2))
        with np.errstate(divide="ignore"):
            losses = denoiser.bounds(v, categories, time, noise, uniform)
        expected = np.log(SHARES[code]) + norm.logpdf(x, CENTERS[code], ROOT)
        error = losses.std() / np.sqrt(n)
        assert abs(-losses.mean() - expected) < 5 * error < 0.3


def test_bounds_of_masked_columns_alone_are_their_log_probability():
    """Without the real column, or without a bit either."""
    density = object.__new__(DiffusionDensity)
    density.net, density.params, density.statistics = Net(None, exact_both), (), ()
    density.layout, density.covariates = BOTH, Covariates()
    density.whitening, density.schedule, density.width = WHITENING, SCHEDULE, 10
    density.options = SimpleNamespace(n_steps=20, guidance=0, n_draws=8)
    rows = [[np.nan, *code] for code in np.ndindex(2, 2)]
    rows += [[np.nan, 0, np.nan], [np.nan, np.nan, np.nan]]
    v, covariates = np.repeat(rows, 50, axis=0), np.zeros((300, 0))
    with np.errstate(divide="ignore"):
        found = density._bounds(v, stream(0).rows(300), covariates).reshape(6, 50)
    expected = [*np.log(SHARES).ravel(), np.log(SHARES[0].sum()), 0]
    error = found.std(axis=1) / 50**0.5
    assert (abs(found.mean(axis=1) - expected) <= 4 * error).all()
    assert (error < 0.02).all()


@pytest.mark.exhaustive(default=["1"])
@pytest.mark.parametrize("n_codes", [1, 2])
def test_numbers_are_learned_given_all_masked_columns(n_codes):
    """Moments of numbers given codes alone, which joint draws never see known."""
    rng = np.random.default_rng(0)
    code = rng.choice(2, (400, n_codes), p=[0.6, 0.4])
    X = np.c_[code, 3.0 * code[:, 0] + 0.3 * rng.normal(size=400)]
    kinds = *("categorical",) * n_codes, "gaussian"
    quick = {"n_iter": 40, "early_stopping": False, "n_steps": 10}
    model = grouped(Diffusion, column_types=kinds, **SMALL | quick).fit(X)
    for value in (0, 1):
        given = dict.fromkeys(range(n_codes), value)
        drawn = model.sample(300, random_state=0, conditions=given)[:, -1]
        assert abs(drawn.mean() - 3 * value) < 0.15
        assert 0.25 < drawn.std() < 0.45
        row = [[value] * n_codes + [np.nan]]
        share = (code == value).all(axis=1).mean()
        assert abs(model.score_samples(row)[0] - np.log(share)) < 0.2


@pytest.fixture(scope="module")
def bits():
    X = STATES[np.random.default_rng(0).choice(8, 1500, p=P)]
    return grouped(Diffusion, column_types="bernoulli", n_iter=20, **SMALL).fit(X), X


@pytest.mark.exhaustive
def test_bounds_of_bits_are_below_what_draws_have(bits):
    model, X = bits
    density = model.density_
    field, log_p = density.field(np.float64), []
    for order in permutations(range(3)):
        total, seen = np.zeros(8), np.full((8, 3), np.nan)
        for j in order:
            out = field.out(np.zeros((8, 0)), 0.0, density.layout.extra_inputs(seen))
            total -= np.logaddexp(0, np.where(STATES[:, j] == 1, -1, 1) * out[:, j])
            seen[:, j] = STATES[:, j]
        log_p.append(total)
    exact = logsumexp(log_p, axis=0) - np.log(6)
    np.testing.assert_allclose(np.exp(exact).sum(), 1, rtol=1e-6)
    bound = model.set_params(n_draws=300).score_samples(STATES)
    model.set_params(n_draws=20)
    np.testing.assert_allclose(bound, np.mean(log_p, axis=0), atol=0.15)
    assert (np.mean(log_p, axis=0) <= exact + 1e-12).all()
    assert abs(np.exp(exact) - P).max() < 0.05
    assert model.density_kind_ == "lower bound"
    n = 4000
    drawn = model.sample(n, random_state=0)
    assert drawn.dtype == X.dtype
    found = np.bincount((drawn @ [4, 2, 1]).astype(int), minlength=8) / n
    assert (abs(found - np.exp(exact)) < 5 * np.sqrt(np.exp(exact) / n)).all()


@pytest.mark.exhaustive
def test_gradients_are_of_real_columns_alone(bits):
    model, X = bits
    with pytest.raises(ValueError, match="require real columns"):
        model.log_density_gradient(X)


def test_codes_of_masked_columns_and_back():
    rng = np.random.default_rng(0)
    bit, level = rng.integers(0, 2, 80), rng.integers(0, 5, 80)
    X = np.column_stack([rng.normal(size=80) + 2 * bit, bit, 10.0 * level])
    model = Diffusion((8,), n_iter=3, n_steps=40, random_state=0).fit(X)
    layout = model.density_.layout
    assert layout.masked.tolist() == [1, 2]
    Z = model.transform(X)
    assert Z.shape == (80, model.density_.n_features_out)
    categories = model.density_.read(X).present(np.arange(80))[:, 1:]
    np.testing.assert_array_equal(Z[:, 1:], layout.output.inputs(categories))
    back = model.inverse_transform(Z)
    np.testing.assert_array_equal(back[:, 1:], X[:, 1:])
    np.testing.assert_allclose(back[:, 0], X[:, 0], atol=0.02)
    # The code of a missing entry is the mean over draws of it.
    holed = np.where([False, False, True], np.nan, X)
    found = model.transform(holed)
    np.testing.assert_allclose(found[:, 1], Z[:, 1], atol=1e-12)
    assert np.isfinite(found).all()
    with pytest.raises(ValueError, match="require real columns"):
        model.log_density_gradient(X)
    flips = grouped(Diffusion, (8,), column_types="bernoulli", bits="flips", n_iter=1)
    with pytest.raises(MissingCapability, match="Diffusion"):
        flips.fit(X[:, [1, 1]]).transform(X[:, [1, 1]])


def flip_odds(z, time):
    """Exact log odds of the bits of rows, given bits at a time."""
    same = z[:, None] == STATES
    p = P * np.where(same, 1 - time / 2, time / 2).prod(axis=2)
    p /= p.sum(axis=1, keepdims=True)
    share = p @ STATES
    return np.log(share) - np.log1p(-share)


def test_the_bound_of_exact_flips_is_the_log_probability():
    nodes, weights = np.polynomial.legendre.leggauss(200)
    # Densest at the ends.
    times, weights = 0.5 * (1 + np.sin(0.5 * np.pi * nodes)), 0.25 * np.pi * weights
    weights = weights * np.cos(0.5 * np.pi * nodes)
    found = np.zeros(8)
    for time, weight in zip(times, weights):
        odds = flip_odds(STATES, time)
        for number, x in enumerate(STATES):
            p = np.where(x == STATES, 1 - time / 2, time / 2).prod(axis=1)
            each = np.tile(x, (8, 1)), np.full(8, time)
            found[number] += weight * p @ _flips.bound(odds, STATES, *each).sum(axis=1)
    np.testing.assert_allclose(-found, np.log(P), atol=1e-3)


@pytest.mark.parametrize("n_both", [3, 2])
def test_a_few_times_tell_the_bound_of_exact_flips(n_both, monkeypatch):
    """Terms of flipped bits grow without limit towards time 0."""
    monkeypatch.setattr(_flips, "BOTH", n_both)
    n_times, n = 20, 200
    rng = np.random.default_rng(0)
    odds = {}

    def odds_of(z, time):
        if time[0] not in odds:
            odds[time[0]] = flip_odds(STATES, time[0])
        return odds[time[0]][(z @ [4, 2, 1]).astype(int)]

    x, found = np.repeat(STATES, n, axis=0), np.zeros((8, n))
    for k in range(n_times):
        time, weight = _flips.spread(np.full(8 * n, (k + rng.random()) / n_times), 3)
        z = _flips.flipped(x, rng.random(x.shape), time)
        found -= (weight * _flips.bound_of_rows(odds_of, z, x, time)).reshape(
            8, n
        ) / n_times
    mean, error = found.mean(axis=1), found.std(axis=1)
    assert (abs(mean - np.log(P)) < 4 * error / n**0.5 + 0.1).all()
    assert error.max() < (0.5 if n_both == 3 else 2)


def test_bits_before_have_the_exact_distribution():
    now, after = 0.7, 0.3
    uniform = np.random.default_rng(0).random((8, 40_000, 1))
    for number, z in ((2, 0.0), (5, 1.0)):
        odds, share = np.array([[-0.4]]), 1 / (1 + np.exp(0.4))
        x = (uniform[number] < share).astype(float)
        earlier = _flips.flipped(x, uniform[0], after)
        later = _flips.flipped(earlier, uniform[1], now, after)
        np.testing.assert_allclose((later != x).mean(), now / 2, atol=0.01)
        # Given the row, as the net gives it: x has its own share at every z.
        found = _flips.reverse_probability(odds, np.array([[z]]), now, after)[0, 0]
        expected = sum(
            own * earlier[(later == z) & (x == value)].mean()
            for value, own in ((0, 1 - share), (1, share))
        )
        assert abs(found - expected) < 0.02


def exact_flips(params, statistics, x, train=False):
    """What exact log odds differ by from those of each bit alone."""
    time = np.arccos(x[0, N_TIMES // 2].clip(-1, 1)) / np.pi
    odds = flip_odds(STATES, time) - _flips.offset(STATES, time)
    return odds[(x[:, -6:-3] @ [4, 2, 1]).astype(int)], ()


@pytest.mark.parametrize("known", [None, [np.nan, 1.0, np.nan]])
def test_bits_that_are_turned_back_have_the_exact_distribution(known):
    """And known bits, as the net sees them, the flips of each time."""
    layout, n, seen = BITS._replace(flips=True), 3000, {}

    def apply(params, statistics, x, train=False):
        time = np.arccos(x[0, N_TIMES // 2].clip(-1, 1)) / np.pi
        seen.setdefault(round(time, 6), []).append(1 - x[:, -5])
        return exact_flips(params, statistics, x, train)

    given = np.full(3, np.nan) if known is None else np.array(known)
    drawn = drawn_by(Net(None, apply), layout, n, 24, 0, given, n_resamplings=4)
    match = (np.isnan(given) | (given == STATES)).all(axis=1)
    p = P * match / P[match].sum()
    found = np.bincount((drawn @ [4, 2, 1]).astype(int), minlength=8) / n
    slack = 0.01 if known is None else 0.04
    assert (abs(found - p) <= 4 * np.sqrt(p / n) + slack * match).all()
    assert len(seen) == 24
    if known is not None:
        for time, flips in seen.items():
            assert len(flips) == 4
            for own in flips:
                assert abs(own.mean() - time / 2) < 5 * np.sqrt(time / 2 / n)


@pytest.fixture(scope="module")
def flips(bits):
    X = bits[1]
    how = SMALL | {"column_types": "bernoulli", "bits": "flips", "n_steps": 30}
    return grouped(Diffusion, n_iter=40, **how).fit(X)


@pytest.mark.release
def test_flips_are_learned(flips, bits):
    n = 20_000
    drawn = flips.sample(n, random_state=0)
    found = np.bincount((drawn @ [4, 2, 1]).astype(int), minlength=8) / n
    assert abs(found - P).max() < 0.05
    flips.set_params(n_draws=500)
    bound = flips.score_samples(STATES)
    flips.set_params(n_draws=20)
    assert 0.98 < np.exp(bound).sum() < 1.02
    # Of rare rows, too, bounds are near the log frequencies of its own draws, which
    # those of few training rows are not.
    assert abs(bound - np.log(found)).max() < 0.15
    holes = np.tile([np.nan, 1.0, np.nan], (800, 1))
    filled = flips.impute(holes, method="sample", random_state=0)
    p = P * (STATES[:, 1] == 1) / P[STATES[:, 1] == 1].sum()
    found = np.bincount((filled @ [4, 2, 1]).astype(int), minlength=8) / 800
    assert abs(found - p).max() < 0.12
    assert np.isfinite(flips.score_samples(holes[:3])).all()
    given = flips.sample(20, random_state=0, conditions={0: 1, 2: [0, 1]})
    assert (given[:, 0] == 1).all()
    with pytest.raises(ValueError, match="tables of bits alone"):
        Diffusion(bits="flips", column_types="gaussian").fit(STATES)


N = 1200
CODE = RNG.choice(3, N, p=[0.5, 0.3, 0.2])
FLAG = RNG.random(N) < 0.1 + 0.4 * CODE
FRAMED = pd.DataFrame(
    {
        "code": np.array(["x", "y", "z"])[CODE],
        "flag": FLAG,
        "real": RNG.normal(size=N) * 0.3 + 2.0 * CODE - FLAG,
        "count": RNG.poisson(3 + CODE),
    }
)


@pytest.fixture(scope="module")
def mixed():
    quick = {"n_steps": 10, "n_resamplings": 2, "n_draws": 5}
    return grouped(Diffusion, column_types="mixed", n_iter=15, **quick, **SMALL).fit(
        FRAMED
    )


@pytest.mark.exhaustive
def test_mixed_frames(mixed):
    layout = mixed.density_.layout
    assert layout.noisy.tolist() == [2]
    drawn = mixed.sample(1000, random_state=0)
    assert (drawn.dtypes == FRAMED.dtypes).all()
    for name in "xyz":
        own, expected = drawn[drawn.code == name], FRAMED[FRAMED.code == name]
        share = len(expected) / N
        assert abs(len(own) / 1000 - share) < 0.08
        assert abs(own.real.mean() - expected.real.mean()) < 0.35
        assert abs(own.flag.mean() - expected.flag.mean()) < 0.15
    assert np.isfinite(mixed.score_samples(FRAMED)).all()


@pytest.mark.exhaustive
def test_mixed_frames_given_columns(mixed):
    drawn = mixed.sample(100, random_state=0, conditions={"code": "z"})
    assert (drawn.code == "z").all()
    assert abs(drawn.real.mean() - FRAMED.real[FRAMED.code == "z"].mean()) < 0.5
    given = {"code": ["y", "z"], "real": slice(0.5, None)}
    drawn = mixed.sample(20, random_state=0, conditions=given)
    assert set(drawn.code) <= {"y", "z"}
    assert (drawn.real >= 0.5).all()
    holes = FRAMED.head(60).copy()
    holes.loc[:29, "code"], holes.loc[20:49, "real"] = None, np.nan
    filled = mixed.impute(holes)
    assert not filled.isna().any().any()
    known = holes.notna()
    assert (filled.where(known) == FRAMED.head(60).where(known))[known].sum().sum() == (
        known.sum().sum()
    )
    # The real column says which code it was.
    assert (filled.code[:20] == FRAMED.code[:20]).mean() > 0.6
    assert np.isfinite(mixed.score_samples(holes)).all()


@pytest.mark.parametrize("kinds", ["categorical", ("gaussian", "categorical")])
def test_few_and_ugly_rows(kinds):
    X = np.array([[3.0, 0], [3, 7], [5, 7]])
    X[0, 0] = np.nan
    model = Diffusion((8,), column_types=kinds, n_iter=4, n_draws=3, n_steps=3).fit(X)
    assert np.isfinite(model.score_samples(X)).all()
    drawn = model.sample(20, random_state=0)
    assert np.isfinite(drawn).all()
    assert set(drawn[:, 1]) <= set(range(8))
    assert np.isfinite(model.impute(X)).all()
    with pytest.raises(ValueError, match="the value 9 of column 1 was not seen"):
        model.score_samples([[0.0, 9.0]])


def test_turns_put_conditions_first():
    categories = np.full((50, 3), np.nan)
    categories[:, 1] = 1
    order = UnmaskingOrder(BITS, categories, stream(0).rows(50), {2: None})
    assert (order.rank[:, 2] == 1).all()
    assert (order.rank[:, 0] == 0).all()
    np.testing.assert_array_equal(order.due(categories, 0.5)[:, 2], True)
    assert not order.due(categories, 0.5)[:, 0].any()


@pytest.mark.exhaustive
def test_seasons_are_learned_from_phases_of_dates():
    """Dates are masked, since noise blurs their phases, and drawn before others."""
    pd, rng = pytest.importorskip("pandas"), np.random.default_rng(0)
    day = pd.Series(pd.date_range("2020-01-01", periods=800))
    warm = -np.cos(2 * np.pi * day.dt.day_of_year / 365.25)
    noise = 0.2 * rng.normal(size=800)
    X = pd.DataFrame({"day": day, "warm": warm + noise, "bit": rng.random(800) < 0.5})
    options = {"n_iter": 40, "n_steps": 20, "random_state": 0}
    model = grouped(Diffusion, (32,), column_types="mixed", **options).fit(X)
    drawn = model.sample(400, random_state=0)
    season = -np.cos(2 * np.pi * drawn["day"].dt.day_of_year / 365.25)
    # .4 where dates have noise.
    assert np.corrcoef(season, drawn["warm"])[0, 1] > 0.75
    layout = model.density_.layout
    assert layout.masked.tolist() == [0, 2]
    assert layout.noisy.tolist() == [1]
    categories = np.full((9, 2), np.nan)
    assert (UnmaskingOrder(layout, categories, stream(0).rows(9)).rank == [1, 0]).all()
    order = UnmaskingOrder(layout, categories, stream(0).rows(9), {1: None})
    assert (order.rank == [0, 1]).all()


@pytest.mark.parametrize("covariance", [None, [[2.0, 1, 0], [1, 2, 1], [0, 1, 1]]])
def test_rows_that_are_known_or_unknown_as_a_whole_have_no_likelihood(covariance):
    covariance = None if covariance is None else np.array(covariance)
    whitening = Whitening.of(np.array([0.0, 1, 2]), covariance)
    v = np.array([[1.0, 2, 3], [np.nan] * 3, [1, np.nan, 3]])
    guide, z = Guide(whitening, v), np.random.default_rng(0).normal(size=(3, 4, 3))
    log_p, drawn = guide.log_density(z, np.ones(3)), guide.drawn(z, np.full(3, 0.1))
    np.testing.assert_array_equal(log_p[:2], 0)
    np.testing.assert_array_equal(drawn[:2], z[:2])
    # Draws agree with observed entries, whose likelihood is that of Gaussians.
    rows = whitening.rows(drawn[2])
    np.testing.assert_allclose(rows[:, [0, 2]], np.tile([1.0, 3], (4, 1)), atol=1e-4)
    mean = whitening.rows(z[2])[:, [0, 2]]
    known = np.eye(2) if covariance is None else covariance[np.ix_([0, 2], [0, 2])]
    expected = multivariate_normal(cov=known).logpdf(np.array([1, 3]) - mean)
    np.testing.assert_allclose(log_p[2], expected, rtol=1e-5)
