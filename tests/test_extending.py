"""The examples of doc/extending.rst, against sums over their states."""

import ast
import importlib.util
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy.special import gammaln, logsumexp, xlogy
from sklearn.datasets import load_digits

from skdgm.base import MissingCapability
from skdgm.distributions import Softmax
from skdgm.gradients import pcd
from skdgm.inference import bound, mean_field
from skdgm.partition import AISOptions, Problem, bracket, exact
from skdgm.samplers import Gibbs
from skdgm.utils.random import stream
from tests.checks import with_checks
from tests.distributions.cases import UnitCase
from tests.numerical import assert_expectation, assert_means, numerical_gradient
from tests.reference import Enumeration, Graph

DOC = Path(__file__).parents[1] / "doc"
N = 4_000


def load(name):
    path = DOC / "extending" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


POISSON, BOLTZMANN = load("poisson_unit"), load("boltzmann_machine")
MIXTURE = load("bit_mixture")
with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(DOC / "extending")
    PoissonRBM = load("poisson_rbm").PoissonRBM


def n_lines(path):
    """Lines of code, besides docstrings, comments and blank lines."""
    text = path.read_text()
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef
    documented = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, kinds) and ast.get_docstring(node):
            first = node.body[0]
            documented |= set(range(first.lineno, first.end_lineno + 1))
    lines = enumerate(text.splitlines(), 1)
    code = (line.strip() for number, line in lines if number not in documented)
    return sum(bool(line) and not line.startswith("#") for line in code)


@pytest.mark.parametrize("path", sorted((DOC / "extending").glob("*.py")), ids=str)
def test_examples_are_short_and_shown(path):
    assert n_lines(path) <= 100
    shown = (DOC / "extending.rst").read_text()
    assert f".. literalinclude:: extending/{path.name}" in shown


class TestPoisson(UnitCase):
    unit = POISSON.Poisson(2)
    own = np.array([0.3, -0.5])
    received = np.random.default_rng(0).normal(size=(4, 2))
    x = np.array([[0.0, 2], [3, 1], [7, 0], [1, 1]])
    moments = np.array([0.5, 4.0])
    # Counts up to 59, instead of all.
    states = np.array(list(product(range(60), repeat=2)), float)


class Counts:
    """Two counts and two binary hidden units: sums over counts up to 59."""

    def __init__(self, params):
        (b, c), (W,) = params
        table = np.array(list(product(range(60), repeat=2)), float)
        h = np.array(list(product([0.0, 1.0], repeat=2)))
        self.v, self.h = np.repeat(table, 4, axis=0), np.tile(h, (len(table), 1))
        self.log_w = self.v @ b - gammaln(self.v + 1).sum(axis=1) + self.h @ c
        self.log_w += ((self.v @ W) * self.h).sum(axis=1)
        self.log_Z = logsumexp(self.log_w)
        self.p = np.exp(self.log_w - self.log_Z)

    def log_weight(self, v):
        """Log of the sum over states of which v has the known entries."""
        known = ~np.isnan(v)
        agree = (self.v[:, known] == v[known]).all(axis=1)
        return logsumexp(self.log_w[agree])


@pytest.fixture
def counts():
    energy, rng = POISSON.poisson_rbm(2, 2), np.random.default_rng(0)
    params = energy.init(rng, (np.array([1.5, 0.7]), None), scale=0.5)
    params.units[1][:] = rng.normal(size=2)
    return energy, params, Counts(params)


def test_counts_sum_up(counts):
    energy, params, truth = counts
    assert exact.is_enumerable(energy)
    assert exact.log_partition(energy, params) == pytest.approx(truth.log_Z)
    v = np.array([[0.0, 2], [3, 1], [7, 0]])
    expected = [truth.log_weight(row) for row in v]
    np.testing.assert_allclose(energy.log_marginal(params, (v, None)), expected)
    means, _ = mean_field(energy, params, (v, None), (True, None))
    found = bound(energy, params, means, (True, None))
    np.testing.assert_allclose(found, expected)
    # Partly observed rows, exactly and by mean field.
    known = np.array([[True, False], [False, True], [False, False]])
    expected = [truth.log_weight(row) for row in np.where(known, v, np.nan)]
    x, clamp = (v, None), (known, None)
    np.testing.assert_allclose(exact.log_evidence(energy, params, x, clamp), expected)
    means, _ = mean_field(energy, params, x, clamp, max_sweeps=1000, tol=1e-8)
    below = bound(energy, params, means, clamp)
    assert (below <= expected).all()
    assert (below > np.subtract(expected, 0.5)).all()


@pytest.mark.exhaustive
def test_counts_are_drawn(counts):
    energy, params, truth = counts
    start = Gibbs(energy).init(stream(1).rows(N), params.units)
    state, _ = Gibbs(energy).step(stream(2).rows(N), params, start, 30)
    v, h = map(np.asarray, state.x)
    assert_means(v, truth.p @ truth.v)
    assert_means(v**2, truth.p @ truth.v**2)
    pairs = (truth.p[:, None] * truth.v).T @ truth.h
    assert_means(v[:, :, None] * h[:, None, :], pairs)


@pytest.mark.exhaustive
def test_counts_are_learned(counts):
    energy, params, _ = counts
    v = np.array([[0.0, 2], [3, 1], [7, 0], [1, 1]])

    def log_likelihood(p):
        truth = Counts(p)
        return np.mean([truth.log_weight(row) for row in v]) - truth.log_Z

    x = np.tile(v, (N // 4, 1)), None
    chains = Gibbs(energy).init(stream(1).rows(N), params.units)
    phases, *_ = pcd(stream(2), Gibbs(energy), params, x, (True, None), 30, chains)
    exactly = numerical_gradient(log_likelihood, params)
    assert_expectation(energy, params, phases, exactly)


@pytest.mark.exhaustive
def test_log_Z_of_counts_is_bracketed(counts):
    energy, params, truth = counts
    start = Gibbs(energy).init(stream(1).rows(200), params.units)
    problem = Problem(energy, params, start, (truth.p @ truth.v, None))
    options = AISOptions(n_betas=(200,), burn_in=50, n_steps=40)
    found = bracket.estimate(stream(2), problem, options)
    assert found.lower <= truth.log_Z <= found.upper


def test_a_unit_alone():
    unit, rng = POISSON.Poisson(2), stream(0).rows(N)
    mean = np.array([0.5, 4.0])
    x = unit.draw(np.broadcast_to(mean, (N, 2)), rng)
    assert_means(x, mean)
    log_p = unit.log_weight(np.log(mean), x) - unit.log_partition(np.log(mean))
    np.testing.assert_allclose(unit.log_prob(np.broadcast_to(mean, (N, 2)), x), log_p)
    np.testing.assert_allclose(unit.mean(unit.init(mean)), mean)


@pytest.mark.exhaustive
def test_a_general_boltzmann_machine_learns_the_moments_of_its_data():
    energy, n_units = BOLTZMANN.boltzmann_machine(4), 4
    assert len(energy.colors) == n_units
    rng = np.random.default_rng(0)
    x = (rng.random((200, n_units)) < [0.3, 0.5, 0.6, 0.4]).astype(float)
    x[:, 3] = np.where(rng.random(200) < 0.8, x[:, 0], x[:, 3])
    parts, clamp = tuple(x.T[:, :, None].copy()), (True,) * n_units
    params = BOLTZMANN.learn(energy, parts, clamp, 1500, 0.1, n_chains=1000)
    graph = Graph([1] * n_units, [(i, j) for i, j, _ in energy.links], tuple(range(6)))
    truth = Enumeration(graph, params)
    grad = truth.likelihood_gradient(*parts)
    assert max(abs(part).max() for part in (*grad.units, *grad.couplings)) < 0.02


def test_a_triangle_learns_to_classify():
    energy = BOLTZMANN.triangle(4, 2, 2)
    assert isinstance(energy.units[1], Softmax)
    rng = np.random.default_rng(0)
    v = (rng.random((300, 4)) < 0.5).astype(float)
    y = np.eye(2)[(v[:, 0] * v[:, 1]).astype(int)]
    params = BOLTZMANN.learn(energy, (v, y, None), (True, True, None), 600, 0.3)
    # The joint log probability of each row with each label, hidden units summed out.
    joint = [
        energy.log_marginal(params, (v, np.tile(label, (300, 1)), None))
        for label in np.eye(2)
    ]
    assert (np.argmax(joint, axis=0) == y.argmax(axis=1)).mean() > 0.95
    own = np.max(joint, axis=0).mean() - exact.log_partition(energy, params)
    # All rows and their labels are about equally likely.
    assert own > np.log(1 / 16) - 0.3


@pytest.mark.release
def test_an_estimator_of_counts_learns_their_dependence():
    rng = np.random.RandomState(0)
    h = rng.rand(400, 2) < 0.5
    X = rng.poisson(np.exp(0.3 + h @ [[0.9, -0.9, 0.8], [0.7, 0.9, -0.9]]))
    model = PoissonRBM(3, learning_rate=0.02, n_iter=40, random_state=0).fit(X)
    mean = X.mean(axis=0)
    independent = (X * np.log(mean) - mean - gammaln(X + 1)).sum(axis=1).mean()
    assert model.density_kind_ == "exact"
    assert model.score(X) > independent + 0.1
    states = np.array(list(product([0, 1], repeat=3)))
    rates = np.exp(model.intercept_visible_ + states @ model.components_)
    p = np.exp(states @ model.intercept_hidden_ + rates.sum(axis=1) - model.log_Z_)
    assert p.sum() == pytest.approx(1, abs=1e-6)
    assert_means(model.sample(2000, random_state=0), p @ rates)
    holes = np.where(rng.rand(*X.shape) < 0.2, np.nan, X)
    filled = model.impute(holes, method="sample", random_state=0)
    assert (filled == np.floor(filled)).all()
    assert (filled >= 0).all()
    with pytest.raises(ValueError, match="Negative values"):
        model.score_samples(X - 1)


@pytest.mark.exhaustive
def test_a_mixture_of_bits_is_an_estimator():
    X = load_digits().data[:, 10:20] > 7
    model = MIXTURE.BitMixture(8, n_iter=40, random_state=0).fit(X)
    p = np.exp(model.score_samples(np.array(list(product([0, 1], repeat=10)))))
    assert p.sum() == pytest.approx(1, abs=1e-5)
    mean = X.mean(axis=0).clip(1e-3, 1 - 1e-3)
    independent = (xlogy(X, mean) + xlogy(~X, 1 - mean)).sum(axis=1).mean()
    assert model.score(X) > independent + 0.2
    states = np.array(list(product([0, 1], repeat=10)))
    assert_means(model.sample(4000, random_state=0), p @ states)
    holes = np.where(np.arange(10) < 3, np.nan, X[:1].astype(float))
    alike = p * (states[:, 3:] == X[0, 3:]).all(axis=1)
    expected = alike @ states / alike.sum()
    np.testing.assert_allclose(model.impute(holes)[0], expected, atol=1e-4)
    many = np.repeat(holes, 2000, axis=0)
    assert_means(model.impute(many, method="sample", random_state=0), expected)
    with pytest.raises(MissingCapability, match="log_partition"):
        model.density_.log_partition()


@with_checks([MIXTURE.BitMixture(n_iter=2)])
@pytest.mark.filterwarnings("ignore")
def test_a_mixture_of_bits_passes_the_checks(estimator, check):
    check(estimator)
