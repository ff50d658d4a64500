"""Exact likelihoods: enumerated, integrated, and worked out once more in NumPy."""

from itertools import permutations

import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp

from skdgm import MADE, RNADE, EoNADE
from tests.autoregressive.models import (
    CHAINS,
    FAMILIES,
    ORDERLESS,
    SIZES,
    data,
    given_known,
    inside,
    made,
    model,
    probabilities,
    rnade,
    states,
)
from tests.suites import DTYPES

ORDERINGS = list(permutations(range(4)))
REAL = [name for name in FAMILIES if name != "fvbn"]
SHAPES = ["gaussian", "laplace"]


def reordered(estimator, kind, ordering):
    """A model of another order with as much noise, and as little training."""
    if isinstance(estimator, EoNADE):
        return estimator.set_params(ordering=ordering)
    return estimator.set_params(ordering=ordering).fit(data(kind))


def wide(n):
    """Numbers that are far apart where they are large, and how far."""
    u = np.linspace(-7.5, 7.5, n)
    return np.sinh(u), np.cosh(u) * (u[1] - u[0])


@pytest.mark.exhaustive(default=["eonade", "nade-bits", "deep-bits", "fvbn"])
@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("name", FAMILIES)
def test_probabilities_add_up_to_one_in_every_order(name, kind):
    found = []
    for ordering in ORDERINGS[:: 1 if kind == "bits" else 5]:
        own = made(name, kind, ordering=ordering)
        assert own.density_kind_ == "exact"
        p = probabilities(own, kind)
        assert p.sum() == pytest.approx(1, abs=1e-12)
        assert p.std() > 0.01
        found.append(p)
    assert len(np.unique(np.round(found, 6), axis=0)) == len(found)


@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("name", FAMILIES)
def test_probabilities_of_ensembles(name, kind):
    own = made(name, kind, n_orders=3, ordering="random")
    assert own.density_kind_ == "estimate"
    X = states(kind)
    assert probabilities(own, kind).sum() == pytest.approx(1, abs=1e-12)
    inner, params = inside(own)
    parts = [inner.log_likelihood(params, X, k, None) for k in range(3)]
    for part in parts:
        assert np.exp(part).sum() == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(
        own.score_samples(X), logsumexp(parts, axis=0) - np.log(3), rtol=1e-10
    )
    assert np.std(parts, axis=0).min() > 1e-6
    # Which is no less than the mean of logs.
    assert (own.score_features(X).sum(axis=1) < own.score_samples(X)).all()


@pytest.mark.parametrize("name", ORDERLESS)
def test_as_many_orders_as_are_asked_for_of_a_net_that_has_learned(name):
    own = made(name, "bits")
    one = own.score_samples(states("bits"))
    own.set_params(n_orderings=24)
    p = probabilities(own, "bits")
    assert own.density_kind_ == "estimate"
    assert p.sum() == pytest.approx(1, abs=1e-12)
    inner, params = inside(own)
    first = inner.log_likelihood(params, states("bits"), 0, None)
    np.testing.assert_array_equal(first, one)
    np.testing.assert_array_equal(
        own.set_params(n_orderings=1).score_samples(states("bits")), one
    )


@pytest.mark.exhaustive(default=["nade-", "network"])
@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("name", FAMILIES)
def test_float32_is_float64_but_for_rounding(name, kind):
    own, X = made(name, kind, n_orders=2), states(kind)
    expected = own.score_samples(X)
    found = made(name, kind, n_orders=2).score_samples(X.astype(np.float32))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.exhaustive(default=["rnade-laplace"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", [*REAL, "rnade"])
def test_densities_integrate_to_one(name, shape):
    options = {"conditional": shape, "scale": 0.4, "min_variance": 0.05}
    options["ordering"] = (1, 0)
    own = made(name, "real", **options) if name in REAL else rnade(**options)
    X = data("real")
    mean, scale = X.mean(axis=0), X.std(axis=0)
    ticks, width = wide(501)
    grids, widths = mean + scale * ticks[:, None], scale * width[:, None]
    rows = np.stack(np.meshgrid(*grids.T, indexing="ij"), axis=-1).reshape(-1, 2)
    p = np.exp(own.score_samples(rows)).reshape(501, 501) * widths[:, 0, None]
    # The first in order alone: what comes later is missing.
    line = np.column_stack([np.full(501, np.nan), grids[:, 1]])
    marginal = np.exp(own.score_samples(line))
    assert marginal @ widths[:, 1] == pytest.approx(1, abs=1e-3)
    np.testing.assert_allclose(p.sum(axis=0), marginal, atol=2e-3 * marginal.max())
    assert p.sum(axis=0) @ widths[:, 1] == pytest.approx(1, abs=1e-3)


def test_densities_of_one_column():
    X = data("real")[:, 0]
    ticks, width = wide(2001)
    for shape in SHAPES:
        p = np.exp(rnade(1, conditional=shape).score_samples(X.mean() + ticks[:, None]))
        assert p @ width == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("ordering", [(0, 1, 2), (2, 1, 0)])
def test_tables_of_bits_codes_and_numbers_add_up_to_one(name, ordering):
    own = made(name, "table", ordering=ordering, scale=0.4, min_variance=0.05)
    X = data("table")
    mean, scale = X[:, 1].mean(), X[:, 1].std()
    grid, width = mean + scale * wide(2001)[0], scale * wide(2001)[1]
    parts = np.meshgrid([0.0, 1.0], grid, [0.0, 1.0, 2.0], indexing="ij")
    rows = np.stack(parts, axis=-1).reshape(-1, 3)
    log_p = own.score_samples(rows)
    p = np.exp(log_p).reshape(2, 2001, 3).sum(axis=(0, 2))
    assert p @ width == pytest.approx(1, abs=1e-4)
    np.testing.assert_allclose(own.score_features(rows).sum(axis=1), log_p, rtol=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["network", "nade", "orderless", "rnade"])
def test_a_tenth_of_the_scale_is_ten_times_the_density(name, shape):
    X, options = data("real"), {"conditional": shape}
    own = made(name, "real", **options) if name in REAL else rnade(**options)
    expected = own.score_features(X)
    wide = own.set_params(random_state=0).fit(X * [10, 1])
    narrow = own.__class__(**own.get_params(deep=False)).fit(X)
    found = wide.score_features(X * [10, 1]) + np.log([10, 1])
    np.testing.assert_allclose(found, narrow.score_features(X), rtol=1e-6, atol=1e-9)
    assert abs(found - expected).max() > 0.1


def assert_steps(own, kind):
    """Column by column a net says what it says of all of them at once."""
    chains, params = inside(own)
    v = own._rows(data(kind)).take(slice(None))
    for k, chain in enumerate(chains.members):
        own_params = chain.placed(params[0 if chains.shared else k])
        x = chain.conditionals.inputs(v[:, chain.order])
        ready = chain.prepared(own_params)
        state, found = chain.begin(ready, len(v)), []
        for t, place in enumerate(chain.inputs):
            found.append(chain.output(ready, state, t))
            chain.absorb(ready, state, t, x[:, place])
        expected = chain.apply(own_params, x)
        found = np.concatenate(found, axis=1)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", [*SIZES, "table"])
@pytest.mark.parametrize("name", CHAINS)
def test_steps_are_what_one_pass_gives(name, kind):
    n = data(kind).shape[1]
    for ordering in [tuple(range(n)), tuple(range(n))[::-1], "random"]:
        assert_steps(made(name, kind, ordering=ordering, n_orders=2), kind)


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic"])
def test_steps_of_rnade_are_what_one_pass_gives(activation):
    for ordering in [(0, 1), (1, 0)]:
        assert_steps(rnade(activation=activation, ordering=ordering), "real")


@pytest.mark.exhaustive(default=["nade-"])
@pytest.mark.parametrize("kind", [*SIZES, "table"])
@pytest.mark.parametrize("name", FAMILIES)
def test_what_comes_later_does_not_matter(name, kind):
    """Bits are gray here: products of rows with as many zeros take the same way."""
    rng, n = np.random.default_rng(3), data(kind).shape[1]
    one, other = data(kind, seed=4), data(kind, seed=5)
    bits = [j for j in range(n) if kind in ("bits", "mixed", "table") and j % 2 == 0]
    bits = [0] if kind == "table" else list(range(4)) if kind == "bits" else bits
    for X in (one, other):
        X[:, bits] = 0.2 + 0.6 * rng.random((len(X), len(bits)))
    for ordering in [tuple(range(n)), tuple(rng.permutation(n).tolist())]:
        own = made(name, kind, ordering=ordering)
        before = own.score_features(one)
        for t in range(1, n):
            changed = one.copy()
            changed[:, ordering[t:]] = other[:, ordering[t:]]
            found = own.score_features(changed)
            kept = list(ordering[:t])
            np.testing.assert_array_equal(found[:, kept], before[:, kept])
            assert (found[:, ordering[t]] != before[:, ordering[t]]).any() or (
                SIZES.get(kind, (2, 2, 2))[ordering[t]] == 1
            )


@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("name", FAMILIES)
def test_what_comes_before_does(name, kind):
    own, X = model(name, kind, ordering=(3, 1, 0, 2)), states(kind)
    found = own.score_features(X)
    for j, earlier in [(1, 3), (0, 3), (0, 1)]:
        other = X.copy()
        other[:, earlier] = (X[:, earlier] + 1) % SIZES[kind][earlier]
        assert (abs(own.score_features(other) - found)[:, j] > 1e-3).mean() > 0.5


@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("name", FAMILIES)
def test_score_features_are_conditionals(name, kind):
    order = (2, 0, 3, 1)
    own, X = model(name, kind, ordering=order), states(kind)
    p, found = probabilities(own, kind), own.score_features(X)
    np.testing.assert_allclose(found.sum(axis=1), own.score_samples(X), rtol=1e-9)
    for row, scores in zip(X, found):
        known = np.full(4, np.nan)
        for j in order:
            expected = given_known(p, X, known)[X[:, j] == row[j]].sum()
            assert scores[j] == pytest.approx(np.log(expected), abs=1e-9)
            known[j] = row[j]


@pytest.mark.exhaustive(default=["-bits", "nade-"])
@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("name", FAMILIES)
def test_what_is_missing_at_the_end_is_left_out(name, kind):
    order = (2, 0, 3, 1)
    own, X = model(name, kind, ordering=order), states(kind)
    p = probabilities(own, kind)
    for n in (0, 1, 2, 3):
        holed = X.copy()
        holed[:, order[n:]] = np.nan
        same = ((X[:, None] == holed) | np.isnan(holed)).all(axis=2)
        np.testing.assert_allclose(
            own.score_samples(holed), np.log(p @ same), rtol=1e-9, atol=1e-9
        )
        np.testing.assert_array_equal(own.score_features(holed)[:, order[n:]], 0)


def log_sigmoid(z):
    return -np.logaddexp(0, -z)


def bits_given(z, X):
    return log_sigmoid(np.where(X == 1, z, -z))


def layers(own):
    return zip(own.coefs_, own.intercepts_, strict=True)


def test_fvbn_is_logistic_regressions():
    own, X, order = (
        model("fvbn", "bits", ordering=(1, 3, 0, 2)),
        states("bits"),
        [1, 3, 0, 2],
    )
    ((W, b),) = layers(own)
    ordered, W, b = X[:, order], W[order][:, order], b[order]
    found = bits_given(ordered @ np.triu(W, 1) + b, ordered).sum(axis=1)
    np.testing.assert_allclose(own.score_samples(X), found, rtol=1e-10)


def test_fvbn_is_softmax_regressions():
    own, X = model("fvbn", "codes"), states("codes")
    ((W, b),), sizes = layers(own), SIZES["codes"]
    ends, total = np.cumsum(sizes), 0.0
    eye = np.concatenate([np.eye(n)[x.astype(int)] for n, x in zip(sizes, X.T)], axis=1)
    for end, n in zip(ends, sizes):
        z = eye[:, : end - n] @ W[: end - n, end - n : end] + b[end - n : end]
        total += (log_softmax(z, axis=1) * eye[:, end - n : end]).sum(axis=1)
    np.testing.assert_allclose(own.score_samples(X), total, rtol=1e-10)


@pytest.mark.parametrize("activation", ["logistic", "tanh", "relu"])
def test_nade_is_its_formula(activation):
    own, X = model("nade", "bits", activation=activation), states("bits")
    (W, c), (V, b) = layers(own)
    f = {"logistic": lambda a: 1 / (1 + np.exp(-a)), "tanh": np.tanh}.get(
        activation, lambda a: np.maximum(a, 0)
    )
    hidden = [f(c + X[:, :t] @ W[:t]) for t in range(5)]
    z = np.stack([b[t] + hidden[t] @ V[t] for t in range(4)], axis=1)
    found = bits_given(z, X).sum(axis=1)
    np.testing.assert_allclose(own.score_samples(X), found, rtol=1e-10)
    np.testing.assert_allclose(own.transform(X), hidden[4], rtol=1e-10)


@pytest.mark.parametrize("name", ["network", "indirect"])
def test_networks_are_their_formula(name):
    own, X = model(name, "bits"), states("bits")
    (W, c), (V, b) = layers(own)
    n = own.n_components
    h = np.concatenate(
        [
            np.tanh(
                X[:, : i + 1] @ W[: i + 1, n * i : n * i + n] + c[n * i : n * i + n]
            )
            for i in range(3)
        ],
        axis=1,
    )
    z = np.tile(b, (16, 1))
    for t in range(4):
        z[:, t] += h[:, : n * t] @ V[: n * t, t]
        if own.direct:
            z[:, t] += X[:, :t] @ V[3 * n : 3 * n + t, t]
    np.testing.assert_allclose(own.transform(X), h, rtol=1e-10)
    found = bits_given(z, X).sum(axis=1)
    np.testing.assert_allclose(own.score_samples(X), found, rtol=1e-10)


def test_made_is_its_formula():
    own, X = model("made", "bits"), states("bits")
    (W, c), (V, b) = layers(own)
    (degree,) = inside(own)[0].members[0].degrees
    assert set(degree) <= {0, 1, 2}
    numbers = np.arange(4)
    h = np.tanh(X @ (W * (numbers[:, None] <= degree)) + c)
    below = np.append(degree, numbers)[:, None] < numbers
    found = bits_given(np.hstack([h, X]) @ (V * below) + b, X).sum(axis=1)
    np.testing.assert_allclose(own.score_samples(X), found, rtol=1e-10)
    np.testing.assert_allclose(own.transform(X), h, rtol=1e-10)


def test_features_of_an_fvbn_are_what_is_expected_of_each_column():
    own, X = model("fvbn", "bits", ordering=(1, 3, 0, 2)), states("bits")
    expected = np.exp(own.score_features(X))
    expected = np.where(X == 1, expected, 1 - expected)
    np.testing.assert_allclose(own.transform(X), expected, rtol=1e-9)


def test_layers_of_made_begin_with_the_lowest_degree_below():
    """However few units are below: others would see nothing of some columns."""
    X = np.random.default_rng(0).integers(0, 2, (9, 12))
    for seed in range(5):
        own = MADE((3, 400, 400), n_iter=0, random_state=seed, n_masks=2).fit(X)
        for member in inside(own)[0].members:
            first, second, third = member.degrees
            assert first.max() <= 10
            assert second.min() == third.min() == first.min()
            assert second.max() == third.max() == 10
            assert (np.diff(second) >= 0).all()


def test_factors_of_rnade_start_as_those_of_sums():
    own = RNADE(2, n_iter=0).fit(data("real"))
    rho = own._training.learned[0].rho
    np.testing.assert_allclose(rho, 1 / np.sqrt([1, 2]), rtol=1e-6)


def test_factors_of_rnade():
    own, X = rnade(activation="tanh"), data("real")
    (W, c), (V, b) = layers(own)
    rho = own._training.learned[0].rho
    v = (X - own._columns.mean) / own._columns.scale
    np.testing.assert_allclose(
        own.transform(X), np.tanh(rho[-1] * (v @ W + c)), rtol=1e-9
    )
    chain = inside(own)[0].members[0]
    z = chain.apply(chain.placed(own._training.learned[0]), v)
    for t in range(2):
        h = np.tanh(rho[t] * (v[:, :t] @ W[:t] + c))
        place = slice(6 * t, 6 * t + 6)
        expected = (h @ V[place].T + b[place]) * chain.factor[place] + chain.scales[
            place
        ]
        # Means are added to those of a regression.
        expected[:, 2:4] += v[:, :t] @ chain.U[:t, [t]]
        np.testing.assert_allclose(z[:, place], expected, rtol=1e-9)


@pytest.mark.parametrize("name", FAMILIES)
def test_training_begins_with_how_frequent_values_are(name):
    X = data("codes")
    own = made(name, "codes", scale=0.0)
    p = own._domain.frequencies(own._columns)
    order, first = own.density_.model, np.exp(own.score_features(X)[:, 0])
    assert order.n_orders == 1
    np.testing.assert_allclose(first, p[X[:, 0].astype(int)], rtol=0.5)


@pytest.mark.exhaustive(default=["nade", "deep", "made"])
@pytest.mark.parametrize("name", FAMILIES)
def test_scores_belong_to_rows(name):
    own, X = model(name, "mixed", n_orders=2), states("mixed")
    X[::3, 1] = X[1::5, 0] = np.nan
    scores = own.score_samples(X)
    np.testing.assert_allclose(own.score_samples(X[5:20:3]), scores[5:20:3], rtol=1e-9)
    np.testing.assert_allclose(own.score_samples(X[::-1])[::-1], scores, rtol=1e-9)
    assert own.score(X) == pytest.approx(scores.mean())


@pytest.mark.parametrize("name", ["fvbn", "nade", "orderless"])
def test_gray_values_are_so_much_of_a_1(name):
    """Given those before them as they are."""
    own, gray = model(name, "bits"), np.array([[0.3, 0.9, 0.0, 0.6]])
    found = own.score_features(gray)[0]
    for j, g in enumerate(gray[0]):
        ends = [gray.copy(), gray.copy()]
        ends[0][0, j], ends[1][0, j] = 0, 1
        no, yes = (own.score_features(end)[0, j] for end in ends)
        assert found[j] == pytest.approx((1 - g) * no + g * yes, rel=1e-9)


@pytest.mark.exhaustive(default=["eonade"])
@pytest.mark.filterwarnings("ignore::skdgm.exceptions.FewDrawsWarning")
@pytest.mark.parametrize("at", [1e6, 1e30])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", REAL)
def test_what_is_far_away_is_improbable_and_no_more(name, dtype, at):
    """Nor does it matter to what nothing is known of."""
    own = made(name, "real", scale=0.4)
    far = np.array([[at, np.nan], [np.nan, -at], [at, -at], [1, -3]], dtype)
    found = own.score_samples(far)
    assert np.isfinite(found).all()
    assert (found[:3] < found[3] - 5).all()
    for method in ("mean", "mode", "sample"):
        assert np.isfinite(own.impute(far, method=method, random_state=0)).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", [*SIZES, "real", "table"])
@pytest.mark.parametrize("name", FAMILIES)
def test_columns_add_up_to_rows(name, kind, dtype):
    """As sums of float64, whatever their terms are."""
    own = made(name, kind)
    X = np.tile(data(kind), (2, 1)).astype(dtype)
    found = own.score_features(X).sum(axis=1)
    np.testing.assert_allclose(own.score_samples(X), found, rtol=1e-6, atol=1e-6)
