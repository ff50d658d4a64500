"""Predictability minimization: gradients, fixed points, factorial codes."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsRegressor

import skdgm
from skdgm import PredictabilityMinimization
from skdgm.data import tabulate
from skdgm.nets import Layer, Variables, predictors, vjp
from skdgm.nets.predictors import UnitPredictors, squared_gap
from skdgm.optim import Clock
from skdgm.options import Convolutions
from tests.nets.recipes import assert_slopes
from tests.numerical import assert_trees
from tests.options import assign, grouped

CASES = {
    "linear": PredictabilityMinimization(3, reconstruction=1.0),
    "deep": PredictabilityMinimization(
        3, (4,), predictor_layer_sizes=(3, 2), reconstruction=1.0
    ),
    "real": PredictabilityMinimization(
        3, (4,), codes="real", predictor_layer_sizes=3, reconstruction=1.0
    ),
    "conv": PredictabilityMinimization(
        3, architecture=Convolutions(layer_sizes=2), reconstruction=1.0
    ),
}


def objective_of(net, X):
    net.set_params(column_types="bernoulli", random_state=0, n_iter=1).fit(X)
    return net._objective(tabulate(net._rows(X), None), 0), net._state()


@pytest.mark.parametrize("case", CASES)
def test_gradients_are_central_differences(case):
    X = np.random.default_rng(0).random((6, 4))
    X[0, 2] = np.nan
    objective, state = objective_of(CASES[case], X)
    given = objective.prepare(state, np.arange(6), Clock(0, 1, 0, 1))

    def losses(params):
        return objective.forward(params, given)[0]

    assert_slopes(losses, state.params)
    # Those of the predictors, which see no unit of their own.
    h = objective.coder.encode(Variables(state.params, state.statistics), given[2])
    part = state.predictors

    def gaps(params):
        return objective.gaps(params, part.statistics, h)

    assert_slopes(gaps, part.params)


def test_the_encoder_heeds_the_decoder_by_a_weight():
    X, found = np.random.default_rng(0).random((6, 5)), {}
    objective, state = objective_of(CASES["linear"], X)
    given = objective.prepare(state, np.arange(6), Clock(0, 1, 0, 1))
    for weight in 0.0, 0.5, 1.0:
        objective.options.reconstruction = weight
        forward = lambda params: objective.forward(params, given)[0]  # noqa: E731
        _, found[weight] = vjp(forward, state.params, np.ones_like)
    for own in zip(*(found[weight].decoder for weight in (0.0, 0.5, 1.0))):
        assert_trees(own[0], own[1])
        assert_trees(own[1], own[2])
    none, half, whole = (found[weight].encoder[0].W for weight in (0.0, 0.5, 1.0))
    assert np.abs(whole - none).max() > 1e-3
    np.testing.assert_allclose(half, (none + whole) / 2, rtol=1e-10, atol=1e-12)


def test_no_predictor_sees_its_own_unit():
    rng = np.random.default_rng(0)
    net = UnitPredictors(5, (4, 3))
    params, statistics, _ = net.init(rng, np.float64)
    h = rng.normal(size=(1, 5))
    before = net.apply(params, statistics, h)
    for k in range(5):
        moved = h.copy()
        moved[0, k] += 1
        changed = net.apply(params, statistics, moved) != before
        np.testing.assert_array_equal(changed[0], np.arange(5) != k)


def all_bits(n):
    return (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(float)


def test_the_best_guess_of_independent_units_errs_by_their_variance():
    # Codes of all states of three bits, and a fourth that is the first.
    h = all_bits(3)[:, [0, 1, 2, 0]]
    net = PredictabilityMinimization(4)
    objective, state = objective_of(net, h)
    part, W = state.predictors, np.zeros((4, 4))
    W[0, 3] = W[3, 0] = 1.0
    best = (Layer(W, np.array([0, 0.5, 0.5, 0])),)

    def gaps(params):
        return objective.gaps(params, part.statistics, h)

    np.testing.assert_allclose(gaps(best), h.var(axis=0)[1:3].sum())
    _, grads = vjp(gaps, best, np.ones_like)
    np.testing.assert_allclose(grads[0].W, 0, atol=1e-12)
    np.testing.assert_allclose(grads[0].b, 0, atol=1e-12)
    # Those of a fit are least squares, cross-validated.
    density, many = net.density_, np.tile(h, (40, 1))
    np.testing.assert_allclose(density.explained(many), [1, 0, 0, 1], atol=0.05)
    # Of a constant unit nothing is left to tell.
    np.testing.assert_allclose(density.explained(0 * h + 0.5), 1)
    # By a regressor, cross-validated: linear ones see no product of the others.
    h = np.tile(all_bits(3), (40, 1))
    h[:, 2] = h[:, 0] != h[:, 1]
    np.testing.assert_allclose(density.explained(h, LinearRegression()), 0, atol=0.05)
    np.testing.assert_allclose(density.explained(h, KNeighborsRegressor(3)), 1)


@pytest.mark.parametrize("sizes", [(), (3,)])
def test_outputs_of_predictors_are_least_squares(sizes, monkeypatch):
    monkeypatch.setattr(predictors, "_RIDGE_HIDDEN", 1e-9)
    rng = np.random.default_rng(0)
    h = rng.normal(size=(50, 4)) @ rng.normal(size=(4, 4))
    net = UnitPredictors(4, sizes)
    params, statistics, moments = net.init(rng, np.float64)
    # Of batches that make up the rows.
    for batch in np.split(h, 5):
        now = net.moments(params, statistics, batch)
        moments = moments.followed(now, len(batch))
    net.solve(params, *moments[1:])

    def gaps(params):
        return squared_gap(net.apply(params, statistics, h), h)

    _, grads = vjp(gaps, params, np.ones_like)
    assert np.abs(grads[-1].W).max() < 1e-3
    assert np.abs(grads[-1].b).max() < 1e-3
    if not sizes:
        for k in range(4):
            rest = np.delete(h, k, axis=1)
            best = LinearRegression().fit(rest, h[:, k]).predict(rest)
            found = net.apply(params, statistics, h)[:, k]
            np.testing.assert_allclose(found, best, atol=1e-4)


PREDICTORS = {
    "linear": {},
    "deep": {"predictor_layer_sizes": 3},
    "real": {"codes": "real"},
}


@pytest.mark.parametrize("case", PREDICTORS)
def test_predictability_is_no_less_than_that_of_least_squares(case):
    # More units than columns, which codes of few updates cannot keep apart.
    X = load_wine().data[:, :3]
    net = grouped(
        PredictabilityMinimization, 5, n_iter=30, random_state=0, **PREDICTORS[case]
    )
    net.set_params(column_types="gaussian").fit(X)
    best = net.predictability(X, LinearRegression())
    assert best.max() > 0.5
    for found in net.predictability_, net.predictability(X):
        assert (found > best - 0.1).all()
        if case != "deep":
            np.testing.assert_allclose(found, np.maximum(best, 0), atol=0.1)


def test_a_default_fit_ends_with_units_that_do_not_tell_each_other():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 6)) @ rng.normal(size=(6, 6))
    net = PredictabilityMinimization(3, column_types="gaussian", random_state=0).fit(X)
    H = net.transform(X)
    assert np.abs(np.corrcoef(H.T) - np.eye(3)).max() < 0.2
    assert net.predictability(X, LinearRegression()).max() < 0.05
    # Codes keep what three numbers can.
    kept = LinearRegression().fit(H, X).score(H, X)
    assert kept > 0.8 * PCA(3).fit(X).explained_variance_ratio_.sum()


def matched(H, S):
    """Correlations of sources with the unit that matches each best, one to one."""
    n = S.shape[1]
    found = np.abs(np.corrcoef(H.T, S.T)[:-n, -n:])
    return found[linear_sum_assignment(-found)]


@pytest.mark.exhaustive
def test_bits_that_were_mixed_are_found_again():
    rng = np.random.default_rng(2)
    S = (rng.random((500, 3)) < 0.5).astype(float)
    X = S @ rng.normal(size=(3, 3))
    net = PredictabilityMinimization(
        3,
        column_types="gaussian",
        predictor_layer_sizes=8,
        learning_rate=0.01,
        batch_size=50,
        n_iter=100,
        random_state=2,
    ).fit(X)
    assert matched(net.transform(X), S).min() > 0.99
    assert matched(PCA(3).fit_transform(X), S).max() < 0.97
    assert (np.abs(net.predictability_) < 0.03).all()


@pytest.mark.release
def test_patterns_get_codes_of_bits():
    # The first task of the paper: four patterns, a column for each, that are equally
    # frequent. A run may end at three codes: one of the first ten does.
    X, n_found = np.tile(np.eye(4), (5, 1)), 0
    for seed in range(5):
        net = PredictabilityMinimization(
            2, reconstruction=0.3, learning_rate=0.05, n_iter=600, random_state=seed
        ).fit(X)
        H = net.transform(X[:4])
        found = len(np.unique(H.round(), axis=0)) == 4
        if found:
            assert np.abs(H - 0.5).min() > 0.45
            np.testing.assert_allclose(net.predictability_, 0, atol=0.01)
        n_found += found
    assert n_found >= 4


def test_real_codes_have_unit_variance_and_files_have_all(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 5)) @ rng.normal(size=(5, 5))
    net = PredictabilityMinimization(
        3, column_types="gaussian", codes="real", n_iter=20, random_state=0
    ).fit(X)
    np.testing.assert_allclose(net.transform(X).var(axis=0), 1, atol=0.2)
    skdgm.save(net, tmp_path / "net.skdgm")
    again = skdgm.load(tmp_path / "net.skdgm")
    for method in "transform", "predictability", "score_samples":
        found = (getattr(each, method)(X) for each in (net, again))
        np.testing.assert_array_equal(*found)
    assert len(again.partial_fit(X).loss_curve_) == 21


def test_predictors_descend_the_mean_of_their_errors():
    """By plain steps, which Adam would make of one size."""
    net = PredictabilityMinimization(3, predictor_layer_sizes=4, solver="sgd")
    assign(net, momentum=0.0, schedule="constant", learning_rate=0.1)
    net.set_params(n_predictor_steps=1)
    X = np.random.default_rng(0).random((6, 4))
    objective, state = objective_of(net, X)
    given = objective.prepare(state, np.arange(6), Clock(0, 1, 0, 1))
    h = objective.coder.encode(Variables(state.params, state.statistics), given[2])
    part = state.predictors

    def gaps(params):
        return objective.gaps(params, part.statistics, h) / 6

    _, slopes = vjp(gaps, part.params, np.ones_like)
    before = part.params[0].W.copy()
    after = objective.step(state, np.arange(6), Clock(0, 1, 0, 1)).predictors
    expected = -0.1 * slopes[0].W
    assert np.abs(expected).max() > 1e-6
    np.testing.assert_allclose(after.params[0].W - before, expected, atol=1e-12)
