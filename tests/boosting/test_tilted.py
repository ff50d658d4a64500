"""Densities tilted by classifiers, beside sums over all states and integrals."""

from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity
from sklearn.tree import DecisionTreeClassifier

from skdgm import FVBN
from skdgm.boosting._tilted import Tilted, _longest, log_odds, resampled
from skdgm.utils.weighted import effective_sample_size

ERRORS = 4
RNG = np.random.default_rng(0)
STATES = np.array(list(product([0.0, 1.0], repeat=5)))


def of_bits(strength=1.0):
    """Bits that depend on each other, tilted by three kinds of classifiers."""
    base = FVBN(alpha=0.1, n_iter=20, random_state=0)
    base.fit((RNG.random((200, 5)) < 0.4) | (RNG.random((200, 1)) < 0.2))
    rows = RNG.choice(STATES, 300)
    y = (rows[:, 0] + rows[:, 1] * rows[:, 2] + RNG.random(300) > 1.2).astype(int)
    terms = [
        (LogisticRegression().fit(rows, y), 0.5 * strength),
        (DecisionTreeClassifier(max_depth=3).fit(rows, y), 0.3 * strength),
        (RidgeClassifier().fit(rows, 1 - y), 0.7 * strength),
    ]
    return Tilted(base, terms, 3)


def exact(tilted, beta=1.0):
    """Probabilities of all states, and log Z."""
    found = tilted.measured(STATES)
    log_p = found.log_base + beta * found.tilt
    return np.exp(log_p - logsumexp(log_p)), logsumexp(log_p)


@pytest.mark.parametrize("strength", [0.3, 1.5])
def test_annealing_has_the_moments_and_log_Z(strength):
    tilted = of_bits(strength)
    p, log_Z = exact(tilted)
    n, rng = 16_000, np.random.default_rng(1)
    drawn, found, se = tilted.annealed(n, rng)
    assert 0 < se < 0.1
    assert abs(found - log_Z) < ERRORS * se
    index = drawn.rows.astype(int) @ (2 ** np.arange(5)[::-1])
    counts = np.bincount(index, minlength=32)
    # Copies of draws count less.
    bounds = ERRORS * np.sqrt(4 * n * p) + 4
    assert (abs(counts - n * p) < bounds).all()


@pytest.mark.parametrize("move", ["_renewed", "_exchanged"])
def test_moves_leave_the_density_as_it_is(move):
    tilted, beta = of_bits(2.0), 0.3
    p, _ = exact(tilted, beta)
    n, rng = 4000, np.random.default_rng(2)
    drawn = tilted.measured(STATES[rng.choice(32, n, p=p)])
    first = drawn.rows
    for _ in range(10):
        drawn = getattr(tilted, move)(drawn, rng, beta)
    assert (drawn.rows != first).any(axis=1).mean() > 0.3
    index = drawn.rows.astype(int) @ (2 ** np.arange(5)[::-1])
    counts = np.bincount(index, minlength=32)
    assert (abs(counts - n * p) < ERRORS * np.sqrt(n * p) + 1).all()
    # What is kept beside rows is theirs.
    again = tilted.measured(drawn.rows)
    np.testing.assert_allclose(drawn.log_base, again.log_base, rtol=1e-6)
    np.testing.assert_allclose(drawn.tilt, again.tilt)


X = np.concatenate([RNG.normal(-2, 0.6, (150, 1)), RNG.normal(1, 1.0, (150, 1))])


@pytest.mark.exhaustive(default=["FVBN"])
@pytest.mark.parametrize(
    "base",
    [
        FVBN("gaussian"),
        GaussianMixture(2, random_state=0),
        KernelDensity(bandwidth=0.7),
    ],
    ids=lambda base: type(base).__name__,
)
def test_densities_integrate_to_one(base):
    y = (np.sin(2 * X[:, 0]) + 0.5 * RNG.normal(size=len(X)) > 0).astype(int)
    tree = DecisionTreeClassifier(max_depth=4, min_samples_leaf=5).fit(X, y)
    tilted = Tilted(base.fit(X), [(tree, 0.8)], 2)
    _, log_Z, se = tilted.annealed(8000, np.random.default_rng(0))
    grid = np.linspace(-9, 9, 18_001)[:, None]
    found = tilted.measured(grid)
    total = np.exp(found.log_base + found.tilt - log_Z).sum() * 0.001
    assert abs(total - 1) < ERRORS * se + 1e-3


def test_without_classifiers_it_is_the_base():
    base = FVBN("gaussian").fit(X)
    drawn, log_Z, se = Tilted(base, [], 1).annealed(100, np.random.default_rng(0))
    assert (log_Z, se) == (0, 0)
    assert len(drawn.rows) == 100


def test_log_odds_have_limits():
    y = (X[:, 0] > 0).astype(int)
    tree = DecisionTreeClassifier().fit(X, y)
    found = log_odds(tree, X)
    np.testing.assert_allclose(abs(found), 7)
    assert ((found > 0) == y).all()
    far = LogisticRegression(C=1e6).fit(X, y)
    assert abs(log_odds(far, 1e6 * X)).max() <= 7 + 1e-9


class Independent:
    """Columns that do not depend on each other, each uniform; rows have no seed."""

    def __init__(self, n_columns):
        self.n_columns = n_columns

    def sample(self, n, random_state):
        return np.random.default_rng(random_state).random((n, self.n_columns))

    def score_samples(self, rows):
        return np.zeros(len(rows))


def test_columns_of_pairs_of_a_group_are_exchanged():
    """Without a tilt every exchange is accepted: the columns of a group are permuted,
    of a half of the pairs one, of others any number from none to all."""
    tilted, rng = Tilted(Independent(6), [], 1), np.random.default_rng(0)
    drawn = tilted.measured(tilted.of_base(8000, rng))
    after = tilted._exchanged(drawn, rng, 1.0, n_groups=4)
    moved = after.rows != drawn.rows
    for before, now in zip(np.split(drawn.rows, 4), np.split(after.rows, 4)):
        np.testing.assert_array_equal(np.sort(before, axis=0), np.sort(now, axis=0))
    assert (moved.reshape(4, -1).mean(axis=1) > 0.2).all()
    share = np.bincount(moved.sum(axis=1), minlength=7) / 8000
    expected = np.full(7, 0.5 / 7) + 0.5 * (np.arange(7) == 1)
    bounds = ERRORS * np.sqrt(expected * (1 - expected) / 4000)
    assert (abs(share - expected) < bounds).all()


@pytest.mark.parametrize("n_columns", [1, 2, 3])
def test_draws_are_moved_so_many_times(n_columns, monkeypatch):
    tilted, rng, moves = Tilted(Independent(n_columns), [], 3), RNG, []
    for name in "_renewed", "_exchanged":

        def move(drawn, *_, name=name):
            moves.append(name)
            return drawn

        monkeypatch.setattr(tilted, name, move)
    drawn = tilted.measured(tilted.of_base(8, rng))
    tilted.step(rng, drawn, 1.0)
    names = ["_renewed", "_exchanged"] if n_columns > 1 else ["_renewed"]
    assert moves == 3 * names


def test_draws_are_picked_by_the_weights_of_their_group():
    drawn = Tilted(Independent(1), [], 1).measured(np.arange(6.0)[:, None])
    log_w = np.array([-np.inf, 0, -np.inf, -np.inf, -np.inf, 5])
    found = resampled(np.random.default_rng(0), drawn, log_w, n_groups=2)
    np.testing.assert_array_equal(found.rows[:, 0], [1, 1, 1, 5, 5, 5])
    np.testing.assert_allclose(log_w, np.repeat([0, 5] - np.log(3), 3))


class Slope:
    """Log odds that rise with the first column, from 0 to 4."""

    def decision_function(self, rows):
        return 4 * rows[:, 0]


def test_the_standard_error_of_log_Z_is_its_spread():
    tilted, truth = Tilted(Independent(2), [(Slope(), 1.0)], 2), np.log(np.expm1(4) / 4)
    found = np.array(
        [tilted.annealed(80, np.random.default_rng(k))[1:] for k in range(50)]
    )
    spread = np.std(found[:, 0])
    assert 0.7 < found[:, 1].mean() / spread < 1.4
    assert abs(found[:, 0].mean() - truth) < ERRORS * spread / np.sqrt(50)


def test_half_of_the_draws_are_effective_after_the_longest_step():
    tilt = np.random.default_rng(0).normal(size=200)
    step = _longest(9 * tilt, 1.0)
    assert step < 1
    assert effective_sample_size(9 * step * tilt) == pytest.approx(100, rel=0.01)
    assert _longest(tilt / 9, 1.0) == 1
