"""What there is beyond plain PCD, alone and all at once."""

from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.datasets import load_digits

from skdgm import BernoulliRBM
from skdgm.options import PCD
from tests.options import asked_value, assign, grouped

DIGITS = load_digits().data[:400]
GRAY = (DIGITS / 16)[:, 8:40]
BITS = (DIGITS > 7).astype(np.float64)
RNG = np.random.default_rng(0)


def fit(X=GRAY, **options):
    rbm = BernoulliRBM(8, n_iter=3, random_state=0)
    return assign(rbm, **options).fit(X)


def covering(first, second, third):
    """Any two values of different options together, if not any three."""
    for (i, a), (j, b) in product(enumerate(first), enumerate(second)):
        yield a, b, third[(i + j) % len(third)]


COMBINATIONS = [
    {
        "gradient": gradient,
        "centering": centering,
        "solver": solver,
        "learning_rate": 0.1 if solver == "sgd" else 0.01,
        "momentum": momentum,
        "n_chains": 6,
        "n_temperatures": 3,
        "max_norm": 3.0,
        "sparsity_target": 0.2,
        "alpha": 0.01,
        "l1_ratio": 1.0,
        "resample": gradient == "pcd",
        "early_stopping": gradient == "cd",
    }
    for gradient, centering, (solver, momentum) in covering(
        ["pcd", "cd", "fpcd", "tempering"],
        [None, "start", "data", "moving"],
        [("sgd", (0.2, 0.5)), ("adam", 0.9)],
    )
]


def name_of(options):
    return "-".join(str(options[name]) for name in ("gradient", "centering", "solver"))


@pytest.fixture(params=COMBINATIONS, ids=name_of)
def rbm(request):
    return grouped(BernoulliRBM, 5, n_iter=2, random_state=0, **request.param)


def assert_same(a, b):
    for name in ("components_", "intercept_visible_", "intercept_hidden_", "chains_"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_combinations_with_weights_and_csr(rbm):
    X = GRAY[:40]
    weight = RNG.integers(0, 4, 40)
    weighted = clone(rbm).fit(sp.csr_array(X), sample_weight=weight)
    assert_same(weighted, rbm.fit(np.repeat(X, weight, axis=0)))
    assert np.isfinite(rbm.score_samples(X)).all()
    assert_same(weighted.partial_fit(X), rbm.partial_fit(sp.csr_array(X)))


def test_combinations_with_missing_values(rbm):
    X = np.where(RNG.random((60, 32)) < 0.2, np.nan, GRAY[:60])
    rbm.fit(X.astype(np.float32)).partial_fit(X)
    assert rbm.components_.dtype == np.float32
    for found in (rbm.components_, rbm.loss_curve_, rbm.score_samples(X), rbm.chains_):
        assert np.isfinite(found).all()


@pytest.mark.exhaustive
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_norms_have_a_limit(solver):
    options = {"n_iter": 20, "solver": solver, "learning_rate": 0.02}
    options |= {"momentum": 0.8, "schedule": "linear"}
    free, limited = fit(**options), fit(max_norm=0.1, **options)
    norms = np.linalg.norm(limited.components_, axis=1)
    assert np.linalg.norm(free.components_, axis=1).min() > 0.11
    assert (norms <= 0.1 * (1 + 1e-6)).all()
    assert norms.max() > 0.098


@pytest.mark.release
@pytest.mark.parametrize(
    ("gradient", "target"),
    [("pcd", 0.05), ("pcd", 0.9), ("cd", 0.05), ("tempering", 0.9)],
)
def test_sparsity_moves_the_mean_activity(gradient, target):
    options = {"n_iter": 12, "gradient": gradient, "n_temperatures": 3}
    free = fit(**options).transform(GRAY).mean(axis=0)
    mild, strong = (
        fit(sparsity_target=target, sparsity_cost=cost, **options)
        for cost in (0.1, 1.0)
    )
    mild, strong = (rbm.transform(GRAY).mean(axis=0) for rbm in (mild, strong))
    off = [abs(activity - target).mean() for activity in (free, mild, strong)]
    assert off[0] > off[1] > off[2]
    assert off[2] < 0.1


@pytest.mark.exhaustive
@pytest.mark.parametrize("gradient", ["pcd", "cd"])
def test_centering_does_not_mind_what_is_called_zero(gradient):
    options = {"init_biases": "zeros", "n_iter": 20, "learning_rate": 0.2}
    options |= {"gradient": gradient, "schedule": "linear"}

    def both(centering):
        return [
            fit(X, centering=centering, **options).score(X) for X in (BITS, 1 - BITS)
        ]

    plain, flipped = both(None)
    assert flipped < plain - 2.5
    for centering in ("start", "data", "moving"):
        centered = both(centering)
        assert abs(centered[0] - centered[1]) < 0.3
        assert min(centered) > plain + 0.5


def test_swap_rates_and_chains_of_tempering():
    rbm = fit(gradient="tempering", n_chains=7, n_temperatures=4)
    assert rbm.swap_rates_.shape == (3,)
    assert ((rbm.swap_rates_ > 0) & (rbm.swap_rates_ <= 1)).all()
    assert rbm.chains_.shape == (7, 32)
    assert rbm.h_samples_.shape == (7, 8)
    assert set(np.unique(rbm.chains_)) == {0, 1}
    # The closer the temperatures, the more often their chains change places.
    closer = fit(gradient="tempering", n_chains=7, n_temperatures=20)
    assert closer.swap_rates_.mean() > rbm.swap_rates_.mean()
    before = rbm.swap_rates_
    assert abs(rbm.partial_fit(GRAY[:10]).swap_rates_ - before).max() < 0.02


def test_samples_start_from_the_coldest_chains():
    rbm = fit(gradient="tempering", n_chains=7, n_temperatures=4, n_iter=10)
    seen = []
    chains = rbm.density_.chains
    chains.run = lambda params, rng, state, *rest: seen.append(state) or state
    chains.collect(lambda state: (state.x[0],), 9, random_state=0)
    np.testing.assert_array_equal(
        np.asarray(seen[0].x[0]), rbm.chains_[np.arange(9) % 7]
    )


def test_momentum_climbs_stairs():
    options = {"schedule": "constant", "learning_rate": 0.05}
    stairs = fit(n_iter=4, momentum=(0.0, 0.8), **options)
    steps = assign(fit(n_iter=2, momentum=0.0, **options), momentum=0.8)
    assert_same(stairs, steps.partial_fit(GRAY).partial_fit(GRAY))
    level = fit(n_iter=4, momentum=0.8, **options)
    assert (level.components_ != stairs.components_).any()


def test_the_first_step_of_adam_is_as_long_for_all():
    options = {"solver": "adam", "batch_size": 400, "schedule": "constant"}
    before = fit(n_iter=0, **options)
    after = fit(n_iter=1, learning_rate=0.003, **options)
    for name in ("components_", "intercept_hidden_"):
        moved = abs(getattr(after, name) - getattr(before, name))
        assert np.median(moved) == pytest.approx(0.003, rel=1e-4)
        assert moved.max() <= 0.003 * 1.000001


def test_fast_weights():
    slow, fast = fit(gradient="fpcd"), fit(gradient="fpcd", fast_learning_rate=0.1)
    assert_same(slow, fast)
    other = fit(gradient="fpcd", fast_learning_rate=0.01)
    assert (other.components_ != fast.components_).any()
    # They drive the chains, and are not part of the model.
    strong = fit(gradient="fpcd", fast_learning_rate=0.5, learning_rate=1e-5)
    np.testing.assert_allclose(strong.components_, fit(n_iter=0).components_, atol=0.01)
    still = fit(learning_rate=1e-5)
    moves = [
        (rbm.chains_ != rbm.partial_fit(GRAY[:10]).chains_).mean()
        for rbm in (strong, still)
    ]
    assert moves[0] > 0


SWITCHES = [
    {"gradient": "tempering", "n_temperatures": 3},
    {"gradient": "tempering", "n_temperatures": 3, "n_chains": 4},
    {"gradient": "tempering", "n_temperatures": 5},
    {"gradient": "pcd"},
    {"gradient": "cd"},
    {"gradient": "fpcd"},
    {"gradient": "pcd", "n_chains": 18},
    {"gradient": "cd", "solver": "adam"},
    {"gradient": "pcd", "centering": "moving"},
    {"gradient": "tempering", "n_temperatures": 3, "solver": "adam"},
    {"gradient": "pcd", "batch_size": 300, "sparsity_target": 0.1},
]


def round_of(values):
    """A closed walk that goes once from each value to each, itself included."""
    walk = []
    for i, one in enumerate(values):
        walk.append(one)
        for other in values[i + 1 :]:
            walk += [one, other]
    return [*walk, values[0]]


@pytest.mark.exhaustive
@pytest.mark.parametrize("X", [GRAY, (GRAY + 1) / 2], ids=["thin", "dense"])
def test_everything_may_change_between_fits(X):
    rbm = BernoulliRBM(
        5, n_iter=2, gradient=PCD(n_chains=6), warm_start=True, random_state=0
    )
    start, walk = {"gradient": "pcd", "n_chains": 6}, round_of(SWITCHES)
    kept = "solver", "centering", "batch_size", "sparsity_target"
    start |= {name: asked_value(rbm, name) for name in kept}
    assert len(walk) == len(SWITCHES) ** 2 + 1
    for count, options in enumerate(walk, start=1):
        assign(rbm, **{**start, "learning_rate": 0.01, "n_iter": 1, **options})
        rbm.fit(X[:20])
        gradient = asked_value(rbm, "gradient")
        tempered = gradient == "tempering"
        assert hasattr(rbm, "swap_rates_") == tempered
        if tempered:
            assert rbm.swap_rates_.shape == (asked_value(rbm, "n_temperatures") - 1,)
        if gradient != "cd":
            n_chains = asked_value(rbm, "n_chains")
            assert rbm.chains_.shape == (n_chains, 32)
            assert rbm.h_samples_.shape == (n_chains, 5)
        assert rbm.sample(3, random_state=0).shape == (3, 32)
        assert rbm.n_iter_ == count
    assert np.isfinite(rbm.score_samples(X)).all()
    assert np.isfinite(rbm.loss_curve_).all()
