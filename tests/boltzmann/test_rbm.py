"""Machines of units of any kind: enumeration, integrals, data, options."""

import pickle
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.integrate import quad
from scipy.special import gammaln, logsumexp
from sklearn.datasets import load_digits

from skdgm import RBM, BernoulliRBM, GaussianRBM, load, save
from skdgm.base import MissingCapability
from skdgm.distributions import (
    Bernoulli,
    Binomial,
    Gaussian,
    Interval,
    Normal,
    Poisson,
    Rectified,
    Sites,
    Truncated,
    UnitNormal,
)
from skdgm.distributions.counts import draw_poisson
from skdgm.energies import Params, contrast, layered
from skdgm.exceptions import DataRangeWarning, DivergenceError, PrecisionWarning
from skdgm.metrics import partition_bracket
from skdgm.options import PCD, SGD, Columns, Penalty
from skdgm.partition import exact
from tests.numerical import assert_means, assert_trees, numerical_gradient
from tests.options import grouped

RNG = np.random.default_rng(0)
N = 60
BITS = (RNG.random((N, 2)) < 0.4).astype(float)
CODES = RNG.integers(0, 3, (N, 1)).astype(float)
COUNTS = RNG.poisson(2.0, (N, 1)).astype(float)
FEW = RNG.binomial(4, 0.3, (N, 1)).astype(float)
SHARES = RNG.random((N, 1))
AMOUNTS = abs(RNG.normal(0, 5, (N, 1)))
NUMBERS = RNG.normal(100, 20, (N, 2))

KINDS = (
    *("poisson", "bernoulli", "gaussian", "categorical", "bernoulli", "binomial(4)"),
    *("rectified", "interval", "gaussian"),
)
TABLE = np.hstack(
    [
        *(COUNTS, BITS[:, :1], NUMBERS[:, :1], CODES, BITS[:, 1:], FEW),
        *(AMOUNTS, SHARES, NUMBERS[:, 1:]),
    ]
)
# Columns of finitely many values.
FINITE = "bernoulli", "categorical", "binomial(4)"
STATES = np.array(list(product((0, 1), range(3), range(5))), float)
SHORT = {"n_iter": 5, "random_state": 0}


def holed(X, share=0.3, seed=1):
    return np.where(np.random.default_rng(seed).random(X.shape) < share, np.nan, X)


def grown(rbm, factor=15.0):
    """A machine with larger weights, in which units depend on each other."""
    rbm.components_ *= factor
    rbm._forget()
    return rbm


def finite(hidden="bernoulli", n_components=3):
    X = np.hstack([BITS[:, :1], CODES, FEW])
    rbm = grouped(RBM, n_components, column_types=FINITE, hidden=hidden, **SHORT)
    return grown(rbm.fit(X), 5.0)


def hidden_states(hidden, n):
    """All values of hidden units and their log base measures; integrals on a grid."""
    if hidden == "bernoulli":
        h = np.array(list(product((0, 1), repeat=n)), float)
        return h, np.zeros(len(h))
    if hidden == "binomial(3)":
        h = np.array(list(product(range(4), repeat=n)), float)
        return h, (gammaln(4) - gammaln(h + 1) - gammaln(4 - h)).sum(axis=1)
    if hidden == "categorical(3)":
        h = np.array(list(product(np.eye(3), repeat=n))).reshape(-1, 3 * n)
        return h, np.zeros(len(h))
    if hidden == "poisson":
        h = np.array(list(product(range(60), repeat=n)), float)
        return h, -gammaln(h + 1).sum(axis=1)
    step = 0.05
    line = np.arange(0 if hidden == "rectified" else -12, 14, step)
    weight = np.full(len(line), np.log(step))
    if hidden == "rectified":
        weight[0] += np.log(0.5)
    h = np.array(list(product(line, repeat=n)))
    grid = np.array(list(product(weight, repeat=n))).sum(axis=1)
    return h, grid - 0.5 * (h**2).sum(axis=1)


def entries(v):
    """Rows of STATES with their codes one-hot."""
    return np.hstack([v[:, :1], np.eye(3)[v[:, 1].astype(int)], v[:, 2:]])


def log_joint(rbm, v, hidden, n):
    """Log of the unnormalized probability of each row with each hidden state, from the
    fitted attributes alone."""
    h, base = hidden_states(hidden, n)
    x = entries(v)
    own = x @ rbm.intercept_visible_ + gammaln(5) - gammaln(v[:, 2] + 1)
    own -= gammaln(5 - v[:, 2])
    above = h @ rbm.intercept_hidden_ + base
    return own[:, None] + above + x @ rbm.components_.T @ h.T, h


HIDDEN = (
    *("bernoulli", "binomial(3)", "categorical(3)"),
    *("gaussian", "rectified", "poisson"),
)


@pytest.mark.exhaustive(default=["poisson", "bernoulli", "categorical(3)"])
@pytest.mark.parametrize("hidden", HIDDEN)
def test_everything_agrees_with_enumeration(hidden):
    n = 2
    rbm = finite(hidden, n)
    joint, h = log_joint(rbm, STATES, hidden, n)
    log_p = logsumexp(joint, axis=1)
    near = {"atol": 1e-4 if hidden == "rectified" else 1e-6}
    np.testing.assert_allclose(rbm.free_energy(STATES), -log_p, **near)
    log_p -= logsumexp(log_p)
    assert rbm.density_kind_ == "exact"
    np.testing.assert_allclose(rbm.score_samples(STATES), log_p, **near)
    posterior = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
    np.testing.assert_allclose(rbm.transform(STATES), posterior @ h, rtol=1e-3)
    # Missing entries are summed out.
    X = STATES.copy()
    X[::2, 0], X[::3, 1], X[1::4, 2] = np.nan, np.nan, np.nan
    agree = (np.isnan(X)[:, None] | (X[:, None] == STATES)).all(axis=2)
    expected = [logsumexp(log_p[rows]) for rows in agree]
    np.testing.assert_allclose(rbm.score_samples(X), expected, atol=1e-4)


@pytest.mark.parametrize("hidden", HIDDEN)
def test_samples_have_the_distribution(hidden):
    rbm = finite(hidden, 2)
    p = np.exp(rbm.score_samples(STATES))
    X = rbm.sample(4000, random_state=0, n_steps=60)
    code = X @ [15, 5, 1]
    counts = np.bincount(code.astype(int), minlength=30)
    se = np.sqrt(p * (1 - p) / 4000)
    assert (abs(counts / 4000 - p) < 4.5 * se + 1e-3).all()


@pytest.mark.exhaustive(default=["bernoulli"])
@pytest.mark.parametrize("hidden", HIDDEN)
def test_filling_in_is_exact_on_average(hidden):
    rbm = finite(hidden, 2)
    p = np.exp(rbm.score_samples(STATES))
    X = np.array([[1.0, 2.0, np.nan]])
    known = (STATES[:, :2] == X[:, :2]).all(axis=1)
    own = p[known] / p[known].sum()
    drawn = rbm.impute(np.repeat(X, 4000, axis=0), method="sample", random_state=0)
    assert_means(drawn[:, 2], own @ STATES[known, 2])
    mean = rbm.impute(X, n_steps=5000)[0, 2]
    assert mean == pytest.approx(own @ STATES[known, 2], rel=0.05)


def mixed_energy():
    units = [
        [
            *(Bernoulli(1), Sites((3,)), Gaussian(2), Truncated(1)),
            *(Interval(1, 2.0), Poisson(1, (0.5,)), Binomial(2, (3, 5), (0.5, 0.25))),
        ],
        [Binomial(2, 3, 0.5)],
    ]
    energy = layered(units)
    rng = np.random.default_rng(2)
    params = energy.init(rng, scale=0.5)
    own = tuple(
        Normal(*(0.5 * rng.normal(size=(2, unit.size))))
        if isinstance(unit, Gaussian)
        else 0.5 * rng.normal(size=unit.size)
        for unit in energy.units
    )
    return energy, Params(own, params.couplings), rng


def test_log_Z_is_a_sum_of_integrals():
    energy, params, _ = mixed_energy()

    def weight(block, place, h, x):
        """Weight of a value of one unit given hidden units."""
        unit = energy.units[block]
        state = (*(None,) * (len(energy.units) - 1), h[None])
        eta = energy.field(params, block, energy.received(params, state, block))
        part = (
            type(eta)(*(np.ravel(p)[[place]] for p in eta))
            if isinstance(eta, tuple)
            else np.ravel(eta)[[place]]
        )
        return np.exp(unit.only(np.array([place])).log_weight(part, np.array([x])))

    total = 0.0
    for h in product(range(4), repeat=2):
        h = np.array(h, float)
        own = np.exp(-energy.energy(params, zeros(energy, h))[0])
        state = (*(None,) * (len(energy.units) - 1), h[None])
        lone = energy.unit_log_weight(params, state, len(energy.units) - 1)[0]
        value = np.exp(lone)
        value *= sum(weight(0, 0, h, x) for x in (0, 1))
        eta = energy.field(params, 1, energy.received(params, state, 1))
        value *= np.exp(eta).sum()
        for place in (0, 1):
            value *= quad(lambda x: weight(2, place, h, x), -30, 30)[0]  # noqa: B023
        value *= quad(lambda x: weight(3, 0, h, x), 0, 30)[0]  # noqa: B023
        value *= quad(lambda x: weight(4, 0, h, x), 0, 1)[0]  # noqa: B023
        value *= sum(weight(5, 0, h, x) for x in range(100))
        for place, n in enumerate((3, 5)):
            value *= sum(weight(6, place, h, x) for x in range(n + 1))
        assert own > 0
        total += value
    assert exact.log_partition(energy, params) == pytest.approx(np.log(total))


def zeros(energy, h):
    return (*(np.zeros((1, unit.size)) for unit in energy.units[:-1]), h[None])


def test_gradients_agree_with_differences():
    energy, params, rng = mixed_energy()
    draws = [
        np.array([[1.0], [0], [1]]),
        np.eye(3),
        rng.normal(size=(3, 2)),
        abs(rng.normal(size=(3, 1))),
        rng.random((3, 1)),
        np.array([[0.0], [3], [1]]),
        np.array([[0.0, 5], [3, 1], [2, 2]]),
        np.array([[0.0, 3], [1, 2], [3, 0]]),
    ]
    x, other = tuple(draws), tuple(part[:2] for part in draws)

    def gap(params):
        below = -energy.energy(params, x).mean()
        return below + energy.energy(params, other).mean()

    found = contrast(energy, params, x, other)
    assert_trees(found, numerical_gradient(gap, params), atol=1e-6)


@pytest.mark.exhaustive(default=["unit0", "unit1"])
@pytest.mark.parametrize(
    "unit", [Interval(2, 2.0), Poisson(2, (0.5, 1.0)), Truncated(2), Binomial(2, 6)]
)
def test_annealing_finds_log_Z(unit):
    """From both sides, of a machine whose log Z is known."""
    kind = {Interval: "interval", Poisson: "poisson", Truncated: "rectified"}
    name = kind.get(type(unit), "binomial(6)")
    X = {"interval": RNG.random((N, 2)), "rectified": abs(RNG.normal(size=(N, 2)))}
    X = X.get(name, RNG.binomial(6, 0.4, (N, 2)).astype(float))
    rbm = grown(grouped(RBM, 4, column_types=name, **SHORT).fit(X), 10.0)
    found = rbm.density_.bracket(max_bits=0)
    assert found.log_Z == pytest.approx(rbm.log_Z_, abs=5 * found.se + 0.02)


def test_a_density_integrates_to_one():
    X = np.hstack([SHARES, AMOUNTS])
    rbm = grown(
        grouped(RBM, 2, column_types=("interval", "rectified"), **SHORT).fit(X), 5.0
    )
    u, v = np.linspace(0, 1, 401), np.linspace(0, 60, 1201)
    grid = np.array(list(product(u, v)))
    density = np.exp(rbm.score_samples(grid)).reshape(401, 1201)
    assert np.trapezoid(np.trapezoid(density, v), u) == pytest.approx(1, abs=1e-3)
    assert np.isneginf(
        rbm.density_.energy.units[0].log_weight(
            rbm.density_.energy.field(rbm.density_.params, 0, 0.0), np.array([[-1.0]])
        )
    ).all()


@pytest.mark.release
@pytest.mark.parametrize("hidden", ["gaussian", "rectified"])
def test_hidden_units_without_limits_learn_counts(hidden):
    X = load_digits().data[:600]
    given = {"column_types": "binomial(16)", "hidden": hidden, "n_iter": 8}
    losses = grouped(RBM, 10, random_state=0, **given).fit(X).loss_curve_
    # Steps that were damped as if nothing saturated learned nothing at all.
    assert losses[-1] < 0.85 * losses[0]


@pytest.mark.release
def test_hidden_units_without_limits_learn_shares():
    X = load_digits().data / 16
    given = {"column_types": "interval", "hidden": "gaussian", "n_iter": 5}
    losses = grouped(RBM, 32, random_state=0, **given).fit(X).loss_curve_
    # Steps as long as those of counts diverge.
    assert losses[-1] < losses[0]


def test_counts_that_diverge_are_told_what_helps():
    X = np.floor(np.random.default_rng(0).pareto(1.1, size=(1000, 5)) * 2)
    rbm = RBM(16, column_types="poisson", random_state=0)
    with pytest.raises(DivergenceError, match="logarithms of large counts"):
        rbm.fit(X)


def test_one_kind_is_the_plain_machine():
    bits = np.hstack([BITS, BITS[::-1]])
    one = grouped(RBM, 4, gradient=PCD(n_chains=50), centering=None, **SHORT).fit(bits)
    other = grouped(BernoulliRBM, 4, solver=SGD(schedule="linear"), **SHORT).fit(bits)
    np.testing.assert_array_equal(one.components_, other.components_)
    np.testing.assert_array_equal(one.score_samples(bits), other.score_samples(bits))
    pcd = {"gradient": "pcd", "n_chains": 50}
    one = grouped(
        RBM, 4, column_types="gaussian", penalty=Penalty(max_norm=4.0), **pcd, **SHORT
    ).fit(NUMBERS)
    other = grouped(GaussianRBM, 4, **SHORT).fit(NUMBERS)
    np.testing.assert_array_equal(one.components_, other.components_)
    np.testing.assert_allclose(one.precision_, other.precision_)
    found = one.score_samples(NUMBERS)
    np.testing.assert_allclose(found, other.score_samples(NUMBERS))


def test_tables_of_all_kinds():
    rbm = grouped(RBM, 4, column_types=KINDS, **SHORT).fit(TABLE)
    assert rbm.components_.shape == (4, 11)
    assert len(rbm.precision_) == 3
    assert np.isfinite(rbm.score_samples(holed(TABLE))).all()
    X = rbm.sample(200, random_state=0)
    assert X.shape == (200, 9)
    for j in (0, 1, 3, 4, 5):
        np.testing.assert_array_equal(X[:, j], np.rint(X[:, j]))
    assert X.min(axis=0)[[0, 1, 3, 4, 5, 6, 7]].min() >= 0
    assert (X.max(axis=0)[[1, 3, 4, 5, 7]] <= [1, 2, 1, 4, 1]).all()
    filled = rbm.impute(holed(TABLE))
    known = ~np.isnan(holed(TABLE))
    np.testing.assert_array_equal(filled[known], TABLE[known])
    assert not np.isnan(filled).any()
    assert rbm.reconstruct(TABLE).shape == TABLE.shape
    assert rbm.inverse_transform(rbm.transform(TABLE)).shape == TABLE.shape
    np.testing.assert_allclose(rbm.score_samples(X), rbm.score_samples(X))
    again = pickle.loads(pickle.dumps(rbm))
    np.testing.assert_array_equal(again.score_samples(X), rbm.score_samples(X))


def test_files_keep_machines(tmp_path):
    rbm = grouped(RBM, 4, column_types=KINDS, hidden="binomial(2)", **SHORT).fit(TABLE)
    save(rbm, tmp_path / "rbm.skdgm")
    again = load(tmp_path / "rbm.skdgm")
    np.testing.assert_array_equal(again.score_samples(TABLE), rbm.score_samples(TABLE))
    a, b = rbm.partial_fit(TABLE), again.partial_fit(TABLE)
    np.testing.assert_array_equal(a.components_, b.components_)


def test_densities_are_of_the_data():
    """Scales of real columns change densities by their volume."""
    kinds = "gaussian", "rectified", "interval"
    X = np.hstack([NUMBERS[:, :1], AMOUNTS, SHARES])
    one = grown(RBM(3, column_types=kinds, n_iter=0, random_state=0).fit(X))
    other = RBM(3, column_types=kinds, n_iter=0, random_state=0).fit(X * [8, 4, 1])
    other = grown(other)
    gap = one.score_samples(X) - other.score_samples(X * [8, 4, 1])
    np.testing.assert_allclose(gap, np.log(32), rtol=1e-6)


def frame():
    return pd.DataFrame(
        {
            "size": NUMBERS[:, 0],
            "ok": BITS[:, 0] > 0,
            "color": pd.Categorical(
                np.array(["red", "green", "blue"])[CODES[:, 0].astype(int)]
            ),
            "visits": COUNTS[:, 0].astype(int),
        }
    )


@pytest.mark.exhaustive
def test_data_frames_say_kinds():
    X = frame()
    rbm = grouped(RBM, 3, column_types={"visits": "poisson"}, **SHORT).fit(X)
    assert list(rbm._columns.kinds) == [
        "gaussian",
        "bernoulli",
        "categorical",
        "poisson",
    ]
    drawn = rbm.sample(20, random_state=0)
    assert list(drawn.columns) == list(X.columns)
    assert drawn.dtypes.equals(X.dtypes)
    lost = X.copy()
    lost.loc[::4, "size"] = np.nan
    lost.loc[1::4, "color"] = np.nan
    filled = rbm.impute(lost)
    assert not filled.isna().any().any()
    assert filled["color"].dtype == X["color"].dtype
    pd.testing.assert_frame_equal(filled.loc[2::4], X.loc[2::4])
    assert np.isfinite(rbm.score_samples(lost)).all()
    assert isinstance(rbm.reconstruct(X), pd.DataFrame)
    # Numbers of few values are categories.
    few = grouped(RBM, 3, column_types="mixed", **SHORT).fit(pd.concat([X] * 3))
    assert few._columns.kinds[3] == "ordinal"
    assert set(few.sample(50, random_state=0)["visits"]) <= set(X["visits"])


@pytest.mark.exhaustive
def test_numbers_of_few_values_are_read_by_rank():
    n = 300
    often = RNG.random(n) < 0.9
    X = pd.DataFrame(
        {
            "from 1": np.where(often, 1, 2),
            "apart": np.where(often, -3.0, 7.5),
            "constant": np.full(n, 5),
            "name": RNG.choice(["a", "b", "c"], n),
        }
    )
    # Rows are read as lists where few entries of the one-hot rows are on.
    for columns in (["from 1", "name"], list(X)):
        own = X[columns]
        rbm = RBM(3, column_types="mixed", n_iter=20, random_state=0).fit(own)
        drawn = rbm.sample(500, random_state=0)
        for name in set(columns) - {"name"}:
            known, share = np.unique(drawn[name], return_counts=True)
            given, frequency = np.unique(X[name], return_counts=True)
            np.testing.assert_array_equal(known, given)
            np.testing.assert_allclose(share / 500, frequency / n, atol=0.06)
        lost = own.head(20).copy()
        lost.loc[::2, "from 1"] = np.nan
        assert rbm.impute(lost)["from 1"].isin([1, 2]).all()


@pytest.mark.exhaustive
def test_many_fits_of_few_rows_of_a_constant_column():
    # Codes beyond the categories have been places beyond an array.
    X = pd.DataFrame({"a": np.ones(20, int)})
    for seed in range(20):
        rbm = RBM(2, column_types="mixed", n_iter=1, random_state=seed).fit(X)
        assert (rbm.sample(3, random_state=0)["a"] == 1).all()


def test_weights_are_repetitions():
    weight = RNG.integers(0, 3, N)
    one = grouped(RBM, 3, column_types=KINDS, **SHORT).fit(TABLE, sample_weight=weight)
    other = grouped(RBM, 3, column_types=KINDS, **SHORT).fit(
        np.repeat(TABLE, weight, axis=0)
    )
    np.testing.assert_allclose(one.components_, other.components_)


def test_partial_fit_does_what_fit_does():
    one = grouped(
        RBM, 3, column_types=KINDS, solver=SGD(schedule="constant"), **SHORT
    ).fit(TABLE)
    other = grouped(
        RBM, 3, column_types=KINDS, solver=SGD(schedule="constant"), **SHORT
    )
    for _ in range(5):
        other.partial_fit(TABLE)
    np.testing.assert_array_equal(one.components_, other.components_)
    np.testing.assert_array_equal(one.precision_, other.precision_)


@pytest.mark.parametrize("hidden", ["gaussian", "rectified", "poisson"])
@pytest.mark.parametrize("kind", ["gaussian", "rectified", "poisson"])
def test_machines_without_a_partition_function_are_refused(kind, hidden):
    kinds = "bernoulli", kind
    rbm = RBM(2, column_types=kinds, hidden=hidden)
    with pytest.raises(ValueError, match=r"no limits, nor have columns \[1\].*finite"):
        rbm.fit(np.hstack([BITS[:, :1], COUNTS]))
    assert not hasattr(rbm, "n_iter_")


def test_a_refused_fit_leaves_the_machine():
    rbm = grouped(RBM, 2, column_types="poisson", **SHORT).fit(COUNTS)
    before = rbm.score_samples(COUNTS)
    with pytest.raises(ValueError, match="no limits"):
        rbm.set_params(hidden="gaussian").fit(COUNTS)
    np.testing.assert_array_equal(rbm.score_samples(COUNTS), before)
    rbm.set_params(hidden="binomial(2)", warm_start=True)
    with pytest.raises(ValueError, match="hidden changed since"):
        rbm.fit(COUNTS)


@pytest.mark.parametrize(
    ("options", "X", "message"),
    [
        ({"column_types": "normal"}, BITS, "column_types must be .*got 'normal'"),
        ({"column_types": ("poisson", "mixed")}, BITS, "got 'mixed'"),
        ({"column_types": "binomial(0)"}, BITS, r"got 'binomial\(0\)'"),
        ({"column_types": ("poisson",)}, BITS, "1 entries, but X has 2"),
        ({"column_types": "poisson"}, -BITS, "is negative"),
        ({"column_types": "rectified"}, -BITS, "is negative"),
        ({"column_types": "interval"}, 2 * BITS, "more than"),
        ({"column_types": "binomial(2)"}, 3 * BITS, "highest"),
        ({"column_types": "categorical"}, BITS + 0.5, "is no code"),
        ({"column_types": {"a": "poisson"}}, BITS, "no DataFrame"),
        ({"hidden": "binomial"}, BITS, r"hidden must be .*'binomial\(n\)'"),
        ({"hidden": "interval"}, BITS, "hidden must be"),
    ],
)
def test_bad_input_is_named(options, X, message):
    with pytest.raises(ValueError, match=message):
        grouped(RBM, 2, **options).fit(X)


def test_categories_may_be_declared():
    rbm = grouped(RBM, 2, column_types="categorical(5)", **SHORT).fit(CODES)
    assert rbm.components_.shape == (2, 5)
    p = np.exp(rbm.score_samples(np.arange(5.0)[:, None]))
    assert p.sum() == pytest.approx(1)


def test_later_values_beyond_limits_are_clipped():
    X = np.hstack([FEW, SHARES])
    rbm = grouped(RBM, 2, column_types=("binomial(4)", "interval"), **SHORT).fit(X)
    with pytest.warns(DataRangeWarning, match=r"limits of columns \[0, 1\]"):
        found = rbm.score_samples(np.array([[9.0, -2.0]]))
    np.testing.assert_array_equal(found, rbm.score_samples(np.array([[4.0, 0.0]])))


@pytest.mark.release
def test_learning_finds_the_distribution():
    """Of counts and shares that depend on each other."""
    rng = np.random.default_rng(0)
    which = rng.integers(0, 2, 1500)
    X = np.column_stack(
        [
            rng.poisson(np.array([2.0, 9.0])[which]),
            rng.binomial(10, np.array([0.2, 0.7])[which]),
            rng.beta(1, 1 + 5 * which),
            rng.gamma(2.0, 1 + 3 * which),
            rng.normal(3 * which, 1),
        ]
    )
    kinds = "poisson", "binomial(10)", "interval", "rectified", "gaussian"
    start = RBM(4, column_types=kinds, n_iter=0, random_state=0).fit(X)
    rbm = RBM(4, column_types=kinds, batch_size=50, learning_rate=0.4, random_state=0)
    rbm.fit(X)
    assert rbm.score(X) > start.score(X) + 1.0
    drawn = rbm.sample(2000, random_state=0, n_steps=200)
    found, expected = np.corrcoef(drawn.T), np.corrcoef(X.T)
    np.testing.assert_allclose(found, expected, atol=0.15)
    rate = rbm.sample(3000, random_state=1)[:, 0].mean()
    assert rate == pytest.approx(X[:, 0].mean(), rel=0.15)


def test_hidden_categories_are_components_of_a_mixture():
    """One categorical unit: a mixture, whose density is known."""
    rbm = grown(
        grouped(RBM, 1, column_types="poisson", hidden="categorical(3)", **SHORT).fit(
            COUNTS
        )
    )
    rates = np.exp(rbm.intercept_visible_ + rbm.components_)[:, 0]
    share = rbm.intercept_hidden_ + rates
    share = np.exp(share - logsumexp(share))
    x = np.arange(8.0)
    expected = np.log(stats.poisson(rates).pmf(x[:, None]) @ share)
    np.testing.assert_allclose(rbm.score_samples(x[:, None]), expected, rtol=1e-6)


def test_several_kinds_have_no_single_field():
    rbm = grouped(RBM, 3, column_types=KINDS, **SHORT).fit(TABLE)
    with pytest.raises(MissingCapability, match="one kind"):
        rbm.density_.visible_fields(3, None, 1)
    with pytest.raises(MissingCapability, match="pseudo-likelihood"):
        rbm.density_.pseudo_likelihood(TABLE)


def test_brackets_know_tables():
    rbm = grouped(RBM, 3, column_types=KINDS, **SHORT).fit(TABLE)
    found = partition_bracket(rbm, random_state=0)
    assert found.log_Z == pytest.approx(rbm.log_Z_)


@pytest.mark.exhaustive
def test_precise_columns_are_named():
    rng = np.random.default_rng(0)
    u = np.repeat([0.0, 10.0], 100)[:, None]
    X = np.hstack([u + 0.01 * rng.normal(size=(200, 1)), u > 5])
    rbm = RBM(
        3,
        column_types=Columns(("gaussian", "bernoulli"), min_variance=0.3),
        n_iter=50,
        learning_rate=0.2,
        random_state=0,
    )
    with pytest.warns(PrecisionWarning, match=r"columns \[0\]"):
        rbm.fit(X)


def test_units_that_hidden_ones_are():
    assert isinstance(finite("rectified").density_.energy.units[-1], Rectified)
    assert isinstance(finite("gaussian").density_.energy.units[-1], UnitNormal)


DIGITS = load_digits().data[:300, 8:56]
BINNED = {
    "bernoulli": (DIGITS > 7).astype(float),
    "categorical(3)": np.digitize(DIGITS, [4, 12]).astype(float),
    "binomial(4)": np.round(DIGITS / 4),
    "binomial(16)": DIGITS,
    "poisson": DIGITS,
    "interval": DIGITS / 16,
    "rectified": DIGITS,
}
# Columns that vary, few enough to list the rows where hidden units have no limits.
VARYING = [2, 10, 12, 18, 28, 34, 45]
LIMITED = {"bernoulli": 8, "binomial(2)": 6, "categorical(3)": 6}
UNLIMITED = "gaussian", "rectified", "poisson"


def trained(kind, hidden, **options):
    listed = hidden in UNLIMITED
    X = BINNED[kind][:, VARYING] if listed else BINNED[kind]
    size = 5 if listed else LIMITED[hidden]
    alone = RBM(1, column_types=kind, hidden="categorical(1)", n_iter=0)
    # Pixels that are always 0 would have the highest precisions, which is warned of.
    options["precision"] = "fixed"
    rbm = grouped(
        RBM, size, column_types=kind, hidden=hidden, random_state=0, **options
    )
    return rbm.fit(X), X, alone.fit(X).score(X)


@pytest.mark.release
@pytest.mark.parametrize(
    "kind, hidden",
    [
        *product(BINNED, LIMITED),
        *product(["bernoulli", "categorical(3)", "binomial(4)"], UNLIMITED),
    ],
)
def test_machines_of_every_pair_learn_and_are_inside_their_bracket(kind, hidden):
    """Without a warning; beside enumeration."""
    rbm, X, alone = trained(kind, hidden, n_iter=10)
    assert rbm.density_kind_ == "exact"
    assert rbm.score(X) > alone - 0.1
    found = partition_bracket(rbm, max_bits=0, burn_in=100, n_steps=50)
    assert found.lower - 0.02 <= rbm.log_Z_ <= found.upper + 0.02


@pytest.mark.release
@pytest.mark.parametrize("kind", ["binomial(16)", "poisson"])
def test_rare_counts_do_not_have_all_of_the_weights(kind):
    """Pixels that are above 0 in a few rows of many have a small deviation, but not
    where a hidden unit turns them on."""
    X = load_digits().data
    rbm = RBM(10, column_types=kind, n_iter=3, random_state=0).fit(X)
    rare = (X > 0).mean(axis=0) < 0.01
    assert rare.any()
    assert abs(rbm.components_).max() < 5
    gains = rbm._columns.units.gains
    assert gains.max() <= (0.5 if kind == "binomial(16)" else 1.0)


@pytest.mark.exhaustive(default=["X0"])
@pytest.mark.parametrize(
    "X, size, options",
    [
        (DIGITS > 7, 10, {"hidden": "poisson"}),
        (DIGITS, 256, {"column_types": "poisson"}),
        (DIGITS, 10, {"column_types": "binomial(16)", "hidden": "poisson"}),
    ],
)
def test_unlimited_counts_learn_by_default(X, size, options):
    """Their rates neither diverge nor become NaN."""
    X = X.astype(float)
    rbm = grouped(RBM, size, n_iter=5, random_state=0, **options).fit(X)
    assert np.isfinite(rbm.transform(X)).all()
    assert rbm.loss_curve_[-1] < rbm.loss_curve_[0]


def test_rates_that_are_no_numbers_end():
    uniform = np.full((2, 3), 0.5)
    for other in 1e15, 2.0:
        found = draw_poisson(np.array([[1.0, np.nan, other], [2.0, 3.0, 4.0]]), uniform)
        assert np.isnan(found[0, 1])
        np.testing.assert_array_equal(found[1], [2, 3, 4])


def test_rates_that_diverge_are_named():
    rbm = RBM(10, hidden="poisson", learning_rate=1e30, solver="adam", n_iter=2)
    with pytest.raises(DivergenceError, match="Lower learning_rate"):
        rbm.fit((DIGITS > 7).astype(float))
