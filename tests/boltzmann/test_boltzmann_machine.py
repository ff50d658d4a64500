"""Machines of which any two units may be linked, against sums over all states."""

import pickle
import warnings
from copy import deepcopy
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.feature_extraction.image import grid_to_graph

from skdgm import BernoulliRBM, BoltzmannMachine, load, save
from skdgm.base import MissingCapability
from skdgm.boltzmann.learning.state import InitialData, TrainState
from skdgm.boltzmann.structure.connected import GraphObjective
from skdgm.energies import Params
from skdgm.gradients.sampling_free.pseudo import pseudo_likelihood
from skdgm.metrics import log_conditionals
from skdgm.optim import Clock
from skdgm.options import PCD
from skdgm.partition import exact
from skdgm.training import Run
from skdgm.utils.random import stream
from tests.connected import CASES, all_states, log_weights, machine, mask_of, moments
from tests.numerical import numerical_gradient
from tests.options import assign, grouped

DIGITS = (load_digits().data > 7).astype(np.float64)
ROWS = DIGITS[:400, 18:26]
CODES = np.digitize(load_digits().data[:400, 18:24], [3, 8, 13]).astype(np.float64)
CODES[:, 1] = np.minimum(CODES[:, 1], 1)
MASK = mask_of(8, 3, 0.6)
HOLES = np.random.default_rng(0).random(ROWS.shape) < 0.2

MACHINES = {
    "ising": BoltzmannMachine(random_state=0),
    "hidden": BoltzmannMachine(3, random_state=0),
    "masked": BoltzmannMachine(edges=MASK, random_state=0),
    "masked hidden": BoltzmannMachine(2, edges=mask_of(10, 1), random_state=0),
    "pseudo": BoltzmannMachine(objective="pseudo-likelihood", random_state=0),
    "potts": BoltzmannMachine(column_types="categorical", random_state=0),
    "hidden potts": BoltzmannMachine(2, column_types="categorical", random_state=0),
    "masked potts": BoltzmannMachine(
        column_types="categorical", edges=mask_of(6, 2), random_state=0
    ),
}


def rows_of(estimator):
    """Training rows, and the same with missing entries."""
    codes = estimator.column_types == "categorical"
    X = CODES if codes else ROWS
    return X, np.where(HOLES[:, : X.shape[1]], np.nan, X)


@cache
def learned(name):
    estimator = clone(MACHINES[name]).set_params(n_iter=5)
    return estimator.fit(rows_of(estimator)[0])


@pytest.fixture(params=MACHINES)
def fitted(request):
    return deepcopy(learned(request.param))


class Truth:
    """All states of a fitted machine, from its public attributes."""

    def __init__(self, estimator):
        J, own = estimator.coupling_, estimator.intercept_visible_
        b = np.concatenate([own, getattr(estimator, "intercept_hidden_", [])])
        x = all_states(estimator.density_.energy)
        rows = np.concatenate(x, axis=1)
        log_w = rows @ b + 0.5 * ((rows @ J) * rows).sum(axis=1)
        self.log_Z, n = logsumexp(log_w), len(own)
        self.log_p, self.h = log_w - self.log_Z, rows[:, n:]
        self.v = estimator._domain.to_data(estimator._columns, rows[:, :n])

    def agree(self, row):
        return (np.isnan(row) | (self.v == row)).all(axis=1)

    def log_prob(self, row):
        return logsumexp(self.log_p[self.agree(row)])


@pytest.mark.exhaustive(default=["ising", "masked hidden", "hidden potts"])
def test_log_likelihoods_are_exact(fitted):
    truth = Truth(fitted)
    assert fitted.log_Z_ == pytest.approx(truth.log_Z, abs=1e-6)
    assert (fitted.log_Z_se_, fitted.density_kind_) == (0, "exact")
    X, holed = rows_of(fitted)
    for rows in X[:20], holed[:20], np.full_like(X[:1], np.nan):
        expected = np.array([truth.log_prob(row) for row in rows])
        np.testing.assert_allclose(fitted.score_samples(rows), expected, atol=1e-6)
        energy = fitted.free_energy(rows)
        np.testing.assert_allclose(energy, -(expected + fitted.log_Z_), atol=1e-6)


@pytest.mark.exhaustive(default=["masked", "ising", "pseudo"])
def test_learning_beats_independent_columns(fitted):
    X, _ = rows_of(fitted)
    alone = clone(fitted).set_params(n_iter=0).fit(X)
    assert fitted.score(X) > alone.score(X)
    assert fitted.loss_curve_[-1] < fitted.loss_curve_[0]


def test_conditional_probabilities(fitted):
    truth, (X, holed) = Truth(fitted), rows_of(fitted)
    sums = []
    for row in X[:10]:
        parts = []
        for i in range(len(row)):
            rest = row.copy()
            rest[i] = np.nan
            parts.append(truth.log_prob(row) - truth.log_prob(rest))
        sums.append(sum(parts))
    np.testing.assert_allclose(fitted.pseudo_likelihood(X[:10]), sums, atol=1e-5)
    assert np.isfinite(fitted.pseudo_likelihood(holed)).all()


@pytest.mark.exhaustive(default=["ising", "masked hidden", "hidden potts"])
def test_samples_have_the_moments(fitted):
    truth, n = Truth(fitted), 4000
    S = fitted.sample(n, random_state=0, n_steps=60).astype(float)
    p = np.exp(truth.log_p)
    for function in (lambda v: v, lambda v: v * v[:, [0]]):
        # Errors of the truth: a rare state may not be among the draws.
        mean, square = p @ function(truth.v), p @ function(truth.v) ** 2
        se = np.sqrt((square - mean**2) / n) + 1e-9
        assert (abs(function(S).mean(axis=0) - mean) / se).max() < 4.5


@pytest.mark.exhaustive(default=["ising", "masked hidden", "hidden potts"])
def test_imputation(fitted):
    truth, (_, holed) = Truth(fitted), rows_of(fitted)
    row = holed[np.isnan(holed).sum(axis=1) == 2][:1]
    p = np.where(truth.agree(row[0]), np.exp(truth.log_p), 0)
    expected = p @ truth.v / p.sum()
    drawn = fitted.impute(np.repeat(row, 1000, axis=0), method="sample", random_state=1)
    variance = p @ truth.v**2 / p.sum() - expected**2
    se = np.sqrt(np.maximum(variance, 0) / 1000) + 1e-9
    assert (abs(drawn.mean(axis=0) - expected) / se).max() < 4.5
    if fitted.column_types_[0].kind == "bernoulli":
        filled = fitted.impute(row, n_steps=4000)
        np.testing.assert_allclose(filled[0], expected, atol=0.05)
    else:
        assert set(fitted.impute(row).ravel()) <= {0, 1, 2, 3}


def test_hidden_means_and_back(fitted):
    X, _ = rows_of(fitted)
    H = fitted.transform(X[:30])
    if fitted.n_hidden == 0:
        back = fitted.inverse_transform(H)
        assert back.shape == X[:30].shape
        return
    truth = Truth(fitted)
    for row, found in zip(X[:5], H):
        p = np.where(truth.agree(row), np.exp(truth.log_p), 0)
        np.testing.assert_allclose(found, p @ truth.h / p.sum(), atol=0.05)
    assert fitted.inverse_transform(H).shape == X[:30].shape


@pytest.mark.parametrize("case", ["bits", "masked bits", "potts"])
@pytest.mark.parametrize("holes", [False, True])
def test_gradient_of_the_pseudo_likelihood(case, holes):
    energy, params = CASES[case]
    rng = np.random.default_rng(0)
    x = all_states(energy)[0]
    x = x[rng.integers(len(x), size=7)]
    first = energy.layout.first
    sites = np.full((7, len(first) - 1), True)
    if holes:
        sites = rng.random(sites.shape) < 0.6
    counts = np.repeat(sites, np.diff(first), axis=1)

    def value(p):
        return (energy.log_sites(p, x) * sites).sum() / len(x)

    def symmetric(p):
        (J,) = p.couplings
        return value(Params(p.units, (np.triu(J) + np.triu(J, 1).T,)))

    found = pseudo_likelihood(energy, params, x, counts if holes else None)
    slopes = numerical_gradient(symmetric, params)
    np.testing.assert_allclose(found.units[0], slopes.units[0], atol=1e-7)
    expected = np.triu(slopes.couplings[0], 1) * energy.couplings[0].mask
    np.testing.assert_allclose(
        np.triu(np.asarray(found.couplings[0]), 1), expected, atol=1e-7
    )


def drawn_from(energy, params, n, seed=0):
    x = all_states(energy)
    log_w = log_weights(params, x)
    p = np.exp(log_w - logsumexp(log_w))
    return x[0][np.random.default_rng(seed).choice(len(p), size=n, p=p)]


@pytest.mark.exhaustive(default=["pseudo"])
@pytest.mark.parametrize("objective", ["likelihood", "pseudo-likelihood"])
def test_objectives_find_the_model_that_rows_come_from(objective):
    energy, params = machine(scale=0.7)
    X = drawn_from(energy, params, 20_000)
    found = BoltzmannMachine(
        objective=objective,
        n_iter=20,
        batch_size=200,
        gradient=PCD(n_chains=400),
        learning_rate=0.3,
        random_state=0,
    ).fit(X)
    true = params.couplings[0]
    upper = np.triu_indices(len(true), 1)
    np.testing.assert_allclose(found.coupling_[upper], true[upper], atol=0.2)
    exact = (
        found.score(X),
        log_weights(params, (X,)).mean()
        - logsumexp(log_weights(params, all_states(energy))),
    )
    assert abs(exact[0] - exact[1]) < 0.003
    mean, second = moments(*_parts(found))
    np.testing.assert_allclose(mean, X.mean(axis=0), atol=0.02)
    np.testing.assert_allclose(second, X.T @ X / len(X), atol=0.02)


def _parts(estimator):
    return estimator.density_.energy, estimator.density_.params


def test_missing_entries_are_drawn():
    energy, params = machine(scale=0.7)
    X = drawn_from(energy, params, 6000)
    X[np.random.default_rng(1).random(X.shape) < 0.3] = np.nan
    true = params.couplings[0][np.triu_indices(5, 1)]
    for objective in "likelihood", "pseudo-likelihood":
        found = BoltzmannMachine(
            objective=objective,
            n_iter=20,
            batch_size=200,
            gradient=PCD(n_chains=400, n_steps=3),
            learning_rate=0.2,
            random_state=0,
        ).fit(X)
        J = found.coupling_[np.triu_indices(5, 1)]
        assert np.corrcoef(J, true)[0, 1] > 0.95


def test_couplings_keep_to_the_edges(fitted):
    J, columns = fitted.coupling_, fitted.density_.energy
    widths = np.diff(columns.layout.first)
    np.testing.assert_array_equal(J, J.T)
    edges = ~np.eye(len(widths), dtype=bool)
    edges = edges if fitted.edges is None else np.asarray(fitted.edges)
    mask = np.repeat(np.repeat(edges, widths, axis=0), widths, axis=1)
    assert not J[~mask].any()
    assert fitted.n_colors_ == len(set(fitted.colors_))
    for color in range(fitted.n_colors_):
        own = fitted.colors_ == color
        assert not edges[np.ix_(own, own)].any()


def test_a_grid_has_two_colors():
    grid = grid_to_graph(8, 8)
    machine = BoltzmannMachine(edges=grid, n_colors=2, n_iter=2, random_state=0)
    machine.fit(DIGITS[:200])
    assert machine.n_colors_ == 2
    assert np.count_nonzero(machine.coupling_) == grid.nnz - 64
    dense = clone(machine).set_params(edges=grid.toarray()).fit(DIGITS[:200])
    np.testing.assert_array_equal(dense.coupling_, machine.coupling_)
    with pytest.raises(ValueError, match="take 64 colors"):
        BoltzmannMachine(n_colors=9).fit(DIGITS[:200])


def test_a_mask_between_layers_makes_a_restricted_machine():
    n, m = ROWS.shape[1], 3
    edges = np.zeros((n + m, n + m), bool)
    edges[:n, n:] = edges[n:, :n] = True
    found = BoltzmannMachine(m, edges=edges, n_iter=3, random_state=0).fit(ROWS)
    rbm = BernoulliRBM(m, n_iter=0).fit(ROWS)
    rbm.components_ = found.coupling_[n:, :n].copy()
    rbm.intercept_visible_ = found.intercept_visible_
    rbm.intercept_hidden_ = found.intercept_hidden_
    np.testing.assert_allclose(rbm.score_samples(ROWS), found.score_samples(ROWS))
    np.testing.assert_allclose(rbm.transform(ROWS), found.transform(ROWS), atol=1e-4)
    missing = np.where(HOLES, np.nan, ROWS)
    np.testing.assert_allclose(rbm.score_samples(missing), found.score_samples(missing))


def test_bounds_are_below_the_likelihood():
    machine = BoltzmannMachine(20, n_iter=2, random_state=0)
    machine.fit(DIGITS[:200, 18:22])
    machine.coupling_ = machine.coupling_ * 20
    density = machine.density_
    log_p, _, kind = density.numerator(DIGITS[:20, 18:22])
    assert kind == "lower bound"
    x, clamp = density.clamp_rows(DIGITS[:20, 18:22])
    true = exact.log_evidence(density.energy, density.params, x, clamp)
    assert (log_p <= true + 1e-4).all()


@pytest.mark.exhaustive
def test_scores_of_pairs():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, (3000, 5)).astype(float)
    X[:, 3] = np.where(rng.random(3000) < 0.7, X[:, 0], X[:, 3])
    X[:, 4] = np.minimum(X[:, 4], 1)
    for kw in {}, {"objective": "pseudo-likelihood"}:
        machine = grouped(
            BoltzmannMachine,
            column_types="categorical",
            batch_size=50,
            random_state=0,
            **kw,
        ).fit(X)
        for method in "frobenius", "direct-information":
            for apc in False, True:
                scores = machine.pair_scores(method, apc=apc)
                assert scores.shape == (5, 5)
                np.testing.assert_array_equal(scores, scores.T)
                assert not np.diag(scores).any()
                assert np.unravel_index(scores.argmax(), (5, 5)) == (0, 3)
    table = np.array(
        [[np.mean((X[:, 0] == a) & (X[:, 3] == b)) for b in range(3)] for a in range(3)]
    )
    f, g = table.sum(axis=1), table.sum(axis=0)
    mutual = (table * np.log(table / np.outer(f, g))).sum()
    found = machine.pair_scores("direct-information")[0, 3]
    assert found == pytest.approx(mutual, rel=0.1)
    with pytest.raises(ValueError, match="method must be"):
        machine.pair_scores("mutual")


def test_gauges_do_not_change_scores():
    machine = clone(MACHINES["potts"]).set_params(n_iter=3).fit(CODES)
    found = [
        machine.pair_scores(method) for method in ("frobenius", "direct-information")
    ]
    unit = machine.density_.energy.units[0]
    a = slice(0, unit.widths[0])
    b = slice(unit.starts[2], unit.starts[2] + unit.widths[2])
    # A number for each state of one column is as well its bias.
    shift = np.random.default_rng(0).normal(size=unit.widths[0])
    log_p = machine.score_samples(CODES)
    machine.coupling_[a, b] += shift[:, None]
    machine.coupling_[b, a] += shift
    machine.intercept_visible_[a] -= shift
    machine.log_Z_ = machine.density_.log_partition()[0]
    np.testing.assert_allclose(machine.score_samples(CODES), log_p, atol=1e-6)
    for before, method in zip(found, ("frobenius", "direct-information")):
        np.testing.assert_allclose(machine.pair_scores(method), before, atol=1e-6)


def test_bits_as_two_categories_score_the_same():
    bits = BoltzmannMachine(n_iter=0).fit(ROWS)
    rng = np.random.default_rng(0)
    J = rng.normal(size=(8, 8))
    bits.coupling_ = np.triu(J, 1) + np.triu(J, 1).T
    scores = bits.pair_scores()
    np.testing.assert_allclose(scores[0, 1], abs(bits.coupling_[0, 1]) / 2)


BAD = {
    "wrong shape": ({"edges": np.ones((3, 3))}, ROWS, "a row and a column for each"),
    "text": ({"edges": np.full((8, 8), "0")}, ROWS, "edges must be a matrix of numb"),
    "objects": ({"edges": np.full((8, 8), None)}, ROWS, "edges must be a matrix of"),
    "missing": ({"edges": np.full((8, 8), np.nan)}, ROWS, "numbers: Input edges conta"),
    "infinite": ({"edges": np.full((8, 8), np.inf)}, ROWS, "edges contains infinity"),
    "ragged": ({"edges": [[0, 1], [1]]}, ROWS, "edges must be a matrix of numbers"),
    "one row": ({"edges": np.ones(8)}, ROWS, "edges must be a matrix of numbers"),
    "not symmetric": ({"edges": np.triu(np.ones((8, 8)))}, ROWS, "symmetric"),
    "hidden": (
        {"n_hidden": 2, "objective": "pseudo-likelihood"},
        ROWS,
        "without hidden units",
    ),
    "colors": ({"n_colors": 3}, ROWS, "take 8 colors"),
    "fractions": ({"column_types": "categorical"}, CODES + 0.5, "is no code"),
    "negative": ({}, ROWS - 1, "Negative values"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named(case):
    options, X, message = BAD[case]
    estimator = grouped(BoltzmannMachine, n_iter=1, **options)
    with pytest.raises(ValueError, match=message):
        estimator.fit(X)
    assert not hasattr(estimator, "coupling_")


def test_what_was_learned_cannot_change_its_form():
    machine = BoltzmannMachine(2, n_iter=1, random_state=0).fit(ROWS)
    for options, message in (
        ({"n_hidden": 3}, "n_hidden changed"),
        ({"edges": mask_of(10)}, "edges changed"),
        ({"column_types": "categorical"}, "column_types changed"),
    ):
        other = assign(pickle.loads(pickle.dumps(machine)), **options)
        with pytest.raises(ValueError, match=message):
            other.partial_fit(ROWS)
    machine.set_params(n_hidden=0).fit(ROWS)
    assert not hasattr(machine, "h_samples_")
    assert machine.coupling_.shape == (8, 8)


def test_codes_weights_and_sparse_rows():
    machine = assign(clone(MACHINES["potts"]), n_iter=3, n_chains=7)
    weight = np.random.default_rng(0).integers(0, 3, len(CODES))
    one = clone(machine).fit(np.repeat(CODES, weight, axis=0))
    other = clone(machine).fit(CODES, sample_weight=weight)
    sparse = clone(machine).fit(sp.csr_array(CODES), sample_weight=weight)
    for found in other, sparse:
        np.testing.assert_array_equal(found.coupling_, one.coupling_)
    np.testing.assert_array_equal(
        one.score_samples(CODES), one.score_samples(sp.csr_array(CODES))
    )
    with pytest.raises(ValueError, match="was not seen"):
        one.score_samples(CODES + 1)
    wide = assign(clone(machine), min_categories=5).fit(CODES)
    assert wide.coupling_.shape == (30, 30)


def test_files(fitted, tmp_path):
    save(fitted, tmp_path / "machine.skdgm")
    again = load(tmp_path / "machine.skdgm")
    X, _ = rows_of(fitted)
    np.testing.assert_array_equal(again.score_samples(X), fitted.score_samples(X))
    np.testing.assert_array_equal(
        again.partial_fit(X).coupling_, fitted.partial_fit(X).coupling_
    )


@pytest.mark.exhaustive
def test_large_machines_are_estimated():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        machine = BoltzmannMachine(random_state=0).fit(DIGITS[::2])
        assert machine.density_kind_ == "estimate"
        score = machine.score(DIGITS[1::2])
    assert -19.5 < score < -18
    assert 0 < machine.log_Z_se_ < 0.1
    with pytest.raises(MissingCapability, match="visible units independent"):
        machine.density_.visible_fields(3, None, 1)


def test_conditionals_of_chosen_units(fitted):
    density, (X, _) = fitted.density_, rows_of(fitted)
    x, _ = density.clamp_rows(X[:10])
    given = density.energy, density.params, x
    whole = log_conditionals(*given)
    units = np.random.default_rng(0).integers(0, X.shape[1], (10, 3))
    some = log_conditionals(*given, units)
    np.testing.assert_allclose(some, np.take_along_axis(whole, units, axis=1))


@pytest.mark.parametrize("case", ["hidden", "masked potts, hidden"])
def test_both_phases_have_the_moments_that_the_likelihood_takes(case):
    energy, params = CASES[case]
    n = 20_000
    x = all_states(energy)
    v = np.repeat(x[0][[3, 40]], n // 2, axis=0)
    options = SimpleNamespace(
        solver="sgd",
        n_steps=20,
        n_chains=n,
        batch_size=n,
        gradient="pcd",
        positive="gibbs",
        negative="samples",
        objective="likelihood",
        centering=None,
        learning_rate=0.1,
        sparsity_target=None,
        mean_field_steps=50,
    )
    rows = SimpleNamespace(dtype=np.float64)
    nothing = (None,) * len(energy.units)
    initial_data = InitialData(missing_values=None, moments=nothing, nonzero_share=1.0)
    objective = GraphObjective(
        Run(options, rows, 0), energy=energy, initial_data=initial_data
    )
    state = objective.resume(TrainState(params, (), ()))
    given = stream(0), state, (v, None), (True, None), Clock(0, 1, 0, 1)
    grad, _ = objective.gradient(*given)

    def log_likelihood(p):
        log_w = log_weights(p, x)
        total = -logsumexp(log_w)
        for row in v[[0, -1]]:
            total += 0.5 * logsumexp(log_w[(x[0] == row).all(axis=1)])
        return total

    slopes = numerical_gradient(log_likelihood, params)
    for found, expected in zip(grad.units, slopes.units):
        np.testing.assert_allclose(found, expected, atol=0.025)
    parts = zip(grad.couplings, slopes.couplings, energy.couplings)
    for part, slope, coupling in parts:
        whole = slope + slope.T if part.within else slope
        whole = whole if coupling.mask is None else whole * coupling.mask
        np.testing.assert_allclose(np.asarray(part), whole, atol=0.025)
