"""BernoulliRBM as a model: what it computes is what enumeration says."""

from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.callback import ScoringMonitor
from sklearn.datasets import load_digits
from sklearn.neural_network import BernoulliRBM as ScikitRBM

from skdgm import BernoulliRBM
from skdgm.energies import Params
from skdgm.options import PCD
from skdgm.partition import exact
from tests.options import assign
from tests.reference import Enumeration, standard_error

N_VISIBLE, N_HIDDEN = 5, 3
STATES = np.array(list(product([0.0, 1.0], repeat=N_VISIBLE)))
RNG = np.random.default_rng(0)


def random_rbm(n_visible=N_VISIBLE, n_hidden=N_HIDDEN, seed=0, scale=1.5):
    """An estimator with random parameters."""
    rng = np.random.default_rng(seed)
    start = (rng.random((40, n_visible)) < 0.5).astype(float)
    rbm = BernoulliRBM(n_hidden, n_iter=0, random_state=0).fit(start)
    rbm.components_ = scale * rng.normal(size=(n_hidden, n_visible))
    rbm.intercept_visible_ = rng.normal(size=n_visible)
    rbm.intercept_hidden_ = rng.normal(size=n_hidden)
    return rbm


def enumerated(rbm):
    """All states of an estimator's model."""
    hidden, visible = rbm.components_.shape
    biases = rbm.intercept_visible_, rbm.intercept_hidden_
    return Enumeration([[visible], [hidden]], Params(biases, (rbm.components_.T,)))


def noisy_patterns(n, noise=0.05):
    """Rows near one of four patterns, and the entropy of their distribution."""
    patterns = np.array(
        [[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1], [1, 0, 1, 0, 1, 0], [0, 1, 1, 0, 0, 1]]
    )
    states = np.array(list(product([0.0, 1.0], repeat=6)))
    flips = abs(states[:, None] - patterns).sum(axis=2)
    p = (noise**flips * (1 - noise) ** (6 - flips)).mean(axis=1)
    data = states[np.random.default_rng(0).choice(64, n, p=p)]
    return data, -(p * np.log(p)).sum()


@pytest.fixture(scope="module")
def machine():
    rbm = random_rbm()
    return rbm, enumerated(rbm)


@pytest.fixture(scope="module")
def digits():
    return (load_digits().data > 7).astype(np.float64)


def test_likelihood(machine):
    rbm, truth = machine
    assert rbm.density_kind_ == "exact"
    assert rbm.log_Z_ == pytest.approx(truth.log_Z)
    assert rbm.log_Z_se_ == 0
    log_p = rbm.score_samples(STATES)
    assert logsumexp(log_p) == pytest.approx(0, abs=1e-10)
    np.testing.assert_allclose(log_p, [truth.log_prob({0: v}) for v in STATES])
    np.testing.assert_allclose(rbm.free_energy(STATES), -log_p - truth.log_Z)


@pytest.mark.parametrize("shape", [(5, 3), (3, 22)])
def test_likelihood_of_what_was_observed(shape):
    # Of the second machine the completions are enumerated, not the hidden units.
    rbm = random_rbm(*shape)
    states = np.array(list(product([0.0, 1.0, np.nan], repeat=shape[0])))
    found = rbm.score_samples(states)
    whole = {tuple(v): p for v, p in zip(states, found) if not np.isnan(v).any()}
    for v, log_p in zip(states, found):
        parts = [p for s, p in whole.items() if (np.isnan(v) | (v == s)).all()]
        assert log_p == pytest.approx(logsumexp(parts), abs=1e-9)


def test_large_machines_bound_what_was_observed(monkeypatch):
    rbm = random_rbm()
    truth = enumerated(rbm)
    holed = np.where(RNG.random(STATES.shape) < 0.4, np.nan, STATES)
    expected = rbm.score_samples(holed)
    monkeypatch.setattr(exact, "MAX_BITS", 0)
    bounds = -rbm.free_energy(holed) - truth.log_Z
    assert (bounds <= expected + 1e-9).all()
    whole = ~np.isnan(holed).any(axis=1)
    np.testing.assert_allclose(bounds[whole], expected[whole])


def test_gray_values_are_a_lower_bound(machine):
    rbm, _ = machine
    gray = RNG.random((6, N_VISIBLE))
    log_p = rbm.score_samples(STATES)
    for v, score in zip(gray, rbm.score_samples(gray)):
        weight = np.prod(np.where(STATES == 1, v, 1 - v), axis=1)
        assert score <= weight @ log_p


def test_pseudo_likelihood(machine):
    rbm, truth = machine
    expected = np.zeros(len(STATES))
    for r, v in enumerate(STATES):
        for i in range(N_VISIBLE):
            without = v.copy()
            without[i] = np.nan
            expected[r] += truth.log_prob({0: v}) - truth.log_prob({0: without})
    np.testing.assert_allclose(rbm.pseudo_likelihood(STATES), expected)


def test_transform_and_back(machine):
    rbm, truth = machine
    hidden = [truth.mean(1, {0: v}) for v in STATES]
    np.testing.assert_allclose(rbm.transform(STATES), hidden)
    h = np.array(list(product([0.0, 1.0], repeat=N_HIDDEN)))
    visible = [truth.mean(0, {1: row}) for row in h]
    np.testing.assert_allclose(rbm.inverse_transform(h), visible)


@pytest.mark.parametrize("init", ["chains", "noise", STATES[:3]], ids=str)
def test_samples_follow_the_model(machine, init):
    rbm, truth = machine
    n = 20000
    sample = rbm.sample(n, random_state=1, init=init, n_steps=60)
    for mean, expected in (
        (sample.mean(axis=0), truth.mean(0)),
        (sample.T @ sample / n, truth.x[0].T @ (truth.p[:, None] * truth.x[0])),
    ):
        assert (abs(mean - expected) <= 4.5 * standard_error(expected, n) + 1e-9).all()


def test_thinned_chains_follow_the_model(machine):
    rbm, truth = machine
    n = 20000
    sample = rbm.sample(
        n, random_state=1, init="noise", n_steps=1000, burn_in=50, thin=20
    )
    expected = truth.mean(0)
    assert (
        abs(sample.mean(axis=0) - expected) <= 6 * standard_error(expected, n)
    ).all()


def test_rows_of_a_sample_are_in_order_of_chain_and_time(machine):
    rbm, _ = machine
    options = {"random_state": 3, "init": STATES[:4], "thin": 1}
    rows = rbm.sample(12, n_steps=3, **options)
    np.testing.assert_array_equal(rbm.sample(4, n_steps=1, **options), rows[::3])
    np.testing.assert_array_equal(rbm.sample(7, n_steps=3, **options)[:6], rows[:6])


def test_gibbs_goes_on_and_leaves_the_distribution(machine):
    rbm, truth = machine
    v = truth.draw(20000, seed=0)[0]
    once, twice = rbm.gibbs(v), rbm.gibbs(v)
    assert once.dtype == bool
    assert (once != twice).any()
    expected = truth.mean(0)
    for sample in (once, twice):
        error = abs(sample.mean(axis=0) - expected)
        assert (error <= 4.5 * standard_error(expected, len(v))).all()


def test_imputed_means_are_conditional_means(machine):
    rbm, truth = machine
    holed = STATES[3:].copy()
    holed[:, 1] = np.nan
    holed[::2, 4] = np.nan
    filled = rbm.impute(holed, n_steps=4000)
    for row, full in zip(holed, filled):
        expected = truth.mean(0, {0: row})
        np.testing.assert_allclose(full, expected, atol=0.06)


def test_imputed_samples_are_conditional_samples(machine):
    rbm, truth = machine
    row = np.array([1.0, np.nan, 0.0, np.nan, 1.0])
    n = 10000
    filled = rbm.impute(
        np.tile(row, (n, 1)), method="sample", random_state=0, n_steps=40
    )
    assert set(np.unique(filled)) == {0, 1}
    expected = truth.mean(0, {0: row})
    error = abs(filled.mean(axis=0) - expected)
    assert (error <= 4.5 * standard_error(expected, n) + 1e-12).all()


def test_estimated_log_Z_is_within_its_error(digits, monkeypatch):
    rbm = BernoulliRBM(12, n_iter=20, random_state=0).fit(digits)
    expected = rbm.log_Z_
    rbm = BernoulliRBM(12, n_iter=20, random_state=0).fit(digits)
    monkeypatch.setattr(exact, "MAX_BITS", 0)
    assert rbm.density_kind_ == "estimate"
    assert abs(rbm.log_Z_ - expected) < 4 * rbm.log_Z_se_
    assert 0 < rbm.log_Z_se_ < 0.2


@pytest.mark.exhaustive
def test_a_machine_that_mixes_badly_is_not_flattered(monkeypatch):
    rbm = random_rbm(30, 14, seed=0, scale=8.0)
    rbm.intercept_visible_ = -rbm.components_.sum(axis=0) / 2
    rbm.intercept_hidden_ = -rbm.components_.sum(axis=1) / 2
    expected = exact.log_partition(rbm.density_.energy, rbm.density_.params)
    monkeypatch.setattr(exact, "MAX_BITS", 0)
    # Gibbs sampling alone leaves the two sides dozens of nats apart.
    assert abs(rbm.log_Z_ - expected) < 1


@pytest.mark.release(default=["{}", "'cd'"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"gradient": "cd"},
        {"gradient": "fpcd", "n_steps": 1, "fast_learning_rate": 0.02},
        {"gradient": "tempering", "n_temperatures": 3, "n_steps": 1},
        {"centering": "start"},
        {"centering": "data"},
        {"centering": "moving"},
        {"solver": "adam", "momentum": 0.9, "learning_rate": 0.02},
    ],
    ids=str,
)
def test_learns_a_distribution(options):
    data, entropy = noisy_patterns(4000)
    rbm = BernoulliRBM(
        6, n_iter=20, gradient=PCD(n_steps=5), batch_size=50, learning_rate=0.25
    )
    assign(rbm, random_state=0, **options).fit(data)
    independent = BernoulliRBM(6, n_iter=0, random_state=0).fit(data).score(data)
    assert independent < -entropy - 0.5
    assert rbm.score(data) > -entropy - 0.05


@pytest.mark.release
def test_learns_from_what_was_observed():
    data, entropy = noisy_patterns(4000)
    holed = np.where(np.random.default_rng(1).random(data.shape) < 0.2, np.nan, data)
    rbm = BernoulliRBM(
        6, n_iter=24, gradient=PCD(n_steps=3), batch_size=50, learning_rate=0.4
    )
    rbm.set_params(random_state=0)
    assert rbm.fit(holed).score(data) > -entropy - 0.05


def test_exact_likelihood_rises_on_digits(digits):
    monitor = ScoringMonitor(scoring={"nats": lambda rbm, X, y: rbm.score(X)})
    rbm = BernoulliRBM(16, learning_rate=0.02, n_iter=20, random_state=0)
    rbm.set_callbacks(monitor).fit(digits)
    epochs = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    scores = [row["nats"] for row in epochs]
    assert (np.diff(scores) > -0.02).all()
    assert scores[-1] > scores[0] + 2


def test_is_a_drop_in_replacement(digits):
    ours, theirs = BernoulliRBM(), ScikitRBM()
    assert theirs.get_params().keys() <= ours.get_params().keys()
    ours.set_params(n_components=10, random_state=0).fit(digits[:300])
    theirs.set_params(n_components=10, random_state=0).fit(digits[:300])
    for name, value in vars(theirs).items():
        if name.endswith("_") and name != "h_samples_":
            assert np.shape(getattr(ours, name)) == np.shape(value)
    assert ours.h_samples_.shape[1] == theirs.h_samples_.shape[1]
    assert ours.gibbs(digits[:3]).dtype == theirs.gibbs(digits[:3]).dtype
    np.testing.assert_allclose(
        ours.free_energy(digits),
        ScikitRBM._free_energy(ours, digits.astype(float)),
        rtol=1e-4,
    )
