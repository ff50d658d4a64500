"""Every algorithm on graphs of blocks that are no chains, against enumeration."""

import numpy as np
import pytest

from skdgm.couplings import Dense
from skdgm.distributions import Bernoulli
from skdgm.energies import Energy, Path, contrast, full, graph, layered
from skdgm.gradients import cd, pcd
from skdgm.gradients.steps import centering
from skdgm.inference import LabelPosterior, bound, mean_field
from skdgm.partition import AISOptions, Problem, ais, bracket, exact
from skdgm.partition.ladder import quadratic
from skdgm.samplers import Gibbs, Ladder, ParallelTempering, State, betas, sweep
from skdgm.utils.random import stream
from tests.numerical import (
    assert_expectation,
    assert_moments,
    assert_trees,
    numerical_gradient,
)
from tests.reference import (
    GRAPHS,
    Enumeration,
    built,
    random_machine,
    some_moments,
)

N = 4800


@pytest.fixture(params=GRAPHS)
def machine(request):
    layers = GRAPHS[request.param]
    energy, params = random_machine(layers, seed=1)
    return energy, params, Enumeration(layers, params)


def rows_of(truth, n, seed=0):
    """Rows of the first block, the others hidden: x, clamp, and log weights."""
    v = truth.draw(n, seed)[0]
    x = (v, *(None for _ in truth.units[1:]))
    clamp = (True, *(None for _ in truth.units[1:]))
    return x, clamp, [truth.log_prob({0: row}) + truth.log_Z for row in v]


def test_colors():
    assert built(GRAPHS["triangle"]).colors == ((0,), (1,), (2,))
    assert len(built(GRAPHS["boltzmann"]).colors) == 5
    assert built(GRAPHS["shared-chain"]).colors == ((0, 2), (1,))
    ring = graph([Bernoulli(2)] * 5, [(0, 1), (1, 2), (2, 3), (3, 4), (0, 4)])
    assert ring.colors == ((0, 2), (1, 3), (4,))
    assert ring.backwards == (2, 1, 0)
    assert ring.rest() == (0, 2, 1, 3)
    assert ring.rest(1) == (0, 2, 4)
    assert not ring.is_binary_chain
    assert layered([[Bernoulli(2)], [Bernoulli(3)], [Bernoulli(1)]]).is_binary_chain
    assert not full([Bernoulli(2)] * 3).is_binary_chain


class Halved(Dense):
    """A coupling whose input is half that of its weights."""

    def send(self, weights, statistic, up):
        return 0.5 * super().send(weights, statistic, up)


@pytest.mark.parametrize("build", [layered, full])
def test_whoever_builds_the_graph_chooses_the_coupling(build):
    blocks = [Bernoulli(2), Bernoulli(3)]
    blocks = [[block] for block in blocks] if build is layered else blocks
    energy, plain = build(blocks, Halved), build(blocks)
    assert not energy.is_binary_chain
    params = plain.init(np.random.default_rng(0), scale=1.0)
    halved = params._replace(couplings=(0.5 * params.couplings[0],))
    x = np.ones((1, 2)), np.ones((1, 3))
    np.testing.assert_allclose(energy.energy(params, x), plain.energy(halved, x))


@pytest.mark.parametrize(
    "links, couplings, colors, error",
    [
        ([(0, 1, 0)], [Dense(2, 2)], [(0, 1)], "Linked blocks 0 and 1"),
        ([(0, 1, 0)], [Dense(2, 2)], [(0,)], "one color"),
        ([(0, 1, 0)], [Dense(2, 2)], [(0,), (1,), (1,)], "one color"),
        ([(0, 0, 0)], [Dense(2, 2)], [(0,), (1,)], "Linked blocks 0 and 0"),
        ([(0, 1, 0)], [Dense(2, 2)] * 2, None, "at least one link"),
    ],
)
def test_graphs_that_are_none(links, couplings, colors, error):
    with pytest.raises(ValueError, match=error):
        Energy([Bernoulli(2)] * 2, links, couplings, colors)


def test_energy_and_marginals(machine):
    energy, params, truth = machine
    x = truth.draw(20, seed=0)
    expected = [truth.log_prob(dict(enumerate(row))) for row in zip(*x)]
    np.testing.assert_allclose(-energy.energy(params, x), np.add(expected, truth.log_Z))
    for summed in range(len(energy.colors)):
        kept = {i: x[i] for i in energy.rest(summed)}
        given = tuple(kept.get(i, np.zeros((20, 0))) for i in range(len(x)))
        found = energy.log_marginal(params, given, summed)
        for row in range(20):
            part = {i: value[row] for i, value in kept.items()}
            np.testing.assert_allclose(found[row], truth.log_prob(part) + truth.log_Z)


def test_marginals_on_the_way(machine):
    energy, params, truth = machine
    base, _ = energy.base(params, some_moments(energy))
    x, here = truth.draw(1, seed=0), truth.between(base, 0.3)
    for summed in range(len(energy.colors)):
        given = {i: x[i][0] for i in energy.rest(summed)}
        found = energy.log_marginal(params, x, summed, path=Path(base, 0.3))
        np.testing.assert_allclose(found, here.log_prob(given) + here.log_Z)


def test_gradient_is_that_of_the_energy(machine):
    energy, params, truth = machine
    rng = np.random.default_rng(0)
    x, other = (tuple(rng.random((5, len(v))) for v in truth.var) for _ in range(2))
    numeric = numerical_gradient(
        lambda p: (energy.energy(p, other) - energy.energy(p, x)).mean(), params
    )
    assert_trees(contrast(energy, params, x, other), numeric, atol=1e-8)


def test_gibbs_sampling_has_the_moments(machine):
    energy, params, truth = machine
    start = Gibbs(energy).init(stream(1).rows(N), params.units)
    state, info = Gibbs(energy).step(stream(2).rows(N), params, start, 40)
    assert_moments(state.x, truth)
    for block in energy.colors[-1]:
        given = {i: np.asarray(state.x[i])[0] for i in energy.rest()}
        np.testing.assert_allclose(info.means[block][0], truth.mean(block, given))


def test_tempering_has_the_moments(machine):
    energy, params, truth = machine
    base, _ = energy.base(params, some_moments(energy))
    ladder = Ladder(np.array([1.0, 0.6, 0.0]), base)
    start = ParallelTempering(energy, ladder).init(
        stream(3).rows(N * len(ladder.betas))
    )
    state, _ = ParallelTempering(energy, ladder).step(stream(0), params, start, 15)
    assert_moments(ParallelTempering(energy, ladder).coldest(state), truth)


def test_mean_field_bounds_the_exact_value(machine):
    energy, params, truth = machine
    x, clamp, expected = rows_of(truth, 12)
    means, info = mean_field(energy, params, x, clamp, max_sweeps=1000, tol=1e-10)
    assert info.converged.all()
    found = bound(energy, params, means, clamp)
    assert (found <= np.add(expected, 1e-9)).all()
    assert (found > np.subtract(expected, 1.0)).all()
    last = -np.inf
    for _ in range(3):
        for color in energy.backwards:
            means, _ = sweep(
                energy,
                params,
                means,
                lambda block, eta: (energy.units[block].mean(eta),) * 2,
                colors=(color,),
                clamp=clamp,
            )
            now = bound(energy, params, means, clamp)
            assert (now >= last - 1e-9).all()
            last = now


def test_nothing_clamped_bounds_log_Z(machine):
    energy, params, truth = machine
    nothing = (None,) * len(energy.units)
    x = (np.full((1, energy.units[0].size), 0.5), *nothing[1:])
    means, _ = mean_field(energy, params, x, nothing)
    assert bound(energy, params, means, nothing)[0] <= truth.log_Z


@pytest.mark.parametrize("cache_entries", [2**14, 7])
def test_exact_sums(machine, cache_entries, monkeypatch):
    monkeypatch.setattr(exact, "_CACHE_ENTRIES", cache_entries)
    energy, params, truth = machine
    assert exact.is_enumerable(energy)
    assert exact.log_partition(energy, params) == pytest.approx(truth.log_Z, abs=1e-10)


@pytest.mark.parametrize(
    "name", ["triangle", "boltzmann", "shared", "shared-chain", "three-way"]
)
def test_exact_evidence_of_partly_observed_rows(name):
    energy, params = random_machine(GRAPHS[name], seed=1)
    truth = Enumeration(GRAPHS[name], params)
    x, rng = truth.draw(6, seed=0), np.random.default_rng(0)
    clamp = [rng.random(part.shape) < 0.5 for part in x]
    for block in energy.colors[-1]:
        clamp[block] = None
    found = exact.log_evidence(energy, params, x, clamp)
    for row in range(6):
        given = {
            block: np.where(clamp[block][row], x[block][row], np.nan)
            for block in energy.rest()
        }
        assert found[row] == pytest.approx(truth.log_prob(given) + truth.log_Z)


@pytest.mark.exhaustive(default=["mixed", "shared", "boltzmann"])
def test_annealing_brackets_log_Z(machine):
    energy, params, truth = machine
    base = energy.base(params, some_moments(energy))
    up = ais.forward(stream(0), energy, params, base, 200, quadratic(100))
    start = State(truth.draw(200, seed=0))
    down = ais.reverse(stream(0), energy, params, base, start, quadratic(100))
    for estimate in (up, down):
        assert abs(estimate.log_Z - truth.log_Z) < 3 * estimate.se + 1e-9
        assert estimate.ess > 50
    chains = Gibbs(energy).init(stream(1).rows(100), params.units)
    problem = Problem(energy, params, chains, some_moments(energy))
    options = AISOptions(n_betas=(100,), burn_in=50, n_steps=40)
    found = bracket.estimate(stream(2), problem, options)
    assert found.lower <= truth.log_Z <= found.upper
    assert abs(found.tempered.log_Z - truth.log_Z) < 4 * found.tempered.se + 0.02


def visible_but_last(truth):
    """A machine with one hidden block, the last: its data, each row often."""
    data = truth.draw(8, seed=1)[:-1]
    x = *(np.tile(part, (N // 8, 1)) for part in data), None
    return data, x, (*(True for _ in data), None)


@pytest.mark.parametrize(
    "name", ["triangle", "boltzmann", "shared", "mixed", "three-way"]
)
def test_persistent_chains_give_the_likelihood_gradient(name):
    energy, params = random_machine(GRAPHS[name], seed=4)
    truth = Enumeration(GRAPHS[name], params)
    data, x, clamp = visible_but_last(truth)
    chains = Gibbs(energy).init(stream(1).rows(N), params.units)
    phases, *_ = pcd(stream(2), Gibbs(energy), params, x, clamp, 30, chains)

    def log_likelihood(p):
        rows = energy.log_marginal(p, (*data, None))
        return rows.mean() - np.mean(exact.log_partition(energy, p))

    numeric = numerical_gradient(log_likelihood, params)
    assert_trees(truth.likelihood_gradient(*data), numeric, atol=1e-7)
    assert_expectation(energy, params, phases, numeric)
    base, _ = energy.base(params, some_moments(energy))
    sampler = ParallelTempering(energy, Ladder(betas(3), base))
    replicas = sampler.init(stream(1).rows((N // 2) * 3))
    phases = pcd(stream(2), sampler, params, x, clamp, 15, replicas)[0]
    assert_expectation(energy, params, phases, numeric)


def test_missing_entries_are_drawn():
    energy, params = random_machine(GRAPHS["triangle"], seed=4)
    truth = Enumeration(GRAPHS["triangle"], params)
    data, x, _ = visible_but_last(truth)
    known = np.random.default_rng(0).random((8, 3)) < 0.6
    data[0][~known] = np.nan
    x = (np.where(np.isnan(data[0]), 0.5, data[0]), data[1])
    x = *(np.tile(part, (N // 8, 1)) for part in x), None
    clamp = np.tile(known, (N // 8, 1)), True, None
    chains = Gibbs(energy).init(stream(1).rows(N), params.units)
    phases, *_ = pcd(stream(2), Gibbs(energy), params, x, clamp, 30, chains)
    assert_expectation(energy, params, phases, truth.likelihood_gradient(*data))


def conditional(layers, n_rows=6):
    """A machine with biases by row, and the machine of each row."""
    energy, params = random_machine(layers, seed=5)
    rng = np.random.default_rng(3)
    shift = (rng.normal(size=(n_rows, unit.size)) for unit in energy.units)
    params = params._replace(units=tuple(b + s for b, s in zip(params.units, shift)))
    return (
        energy,
        params,
        [Enumeration(layers, params.take(row)) for row in range(n_rows)],
    )


@pytest.mark.parametrize("layers", [[[3], [2]], GRAPHS["triangle"]], ids=str)
def test_biases_may_differ_by_row(layers):
    energy, params, truths = conditional(layers)
    assert params.n_conditions == 6
    log_Z = exact.log_partition(energy, params)
    np.testing.assert_allclose(log_Z, [truth.log_Z for truth in truths])
    x = tuple(np.concatenate(parts) for parts in zip(*(t.draw(1, 0) for t in truths)))
    rest = energy.rest()
    marginal = energy.log_marginal(params, x) - log_Z
    clamp = [None if b in energy.colors[-1] else True for b in range(len(x))]
    evidence = exact.log_evidence(energy, params, x, clamp) - log_Z
    joint = -energy.energy(params, x) - log_Z
    for row, truth in enumerate(truths):
        given = {block: x[block][row] for block in rest}
        assert marginal[row] == pytest.approx(truth.log_prob(given))
        assert evidence[row] == pytest.approx(truth.log_prob(given))
        everything = {block: part[row] for block, part in enumerate(x)}
        assert joint[row] == pytest.approx(truth.log_prob(everything))
    clamp = (np.eye(6, energy.units[0].size, dtype=bool), *clamp[1:])
    clamp = tuple(None if c is True else c for c in clamp)
    means, _ = mean_field(energy, params, x, clamp, tol=1e-6)
    below = bound(energy, params, means, clamp)
    for row, truth in enumerate(truths):
        given = {0: np.where(clamp[0][row], x[0][row], np.nan)}
        assert below[row] <= truth.log_prob(given) + truth.log_Z + 1e-9
        alone, _ = mean_field(
            energy,
            params.take(slice(row, row + 1)),
            tuple(part[row : row + 1] for part in x),
            tuple(c if c is None else c[row : row + 1] for c in clamp),
            tol=1e-6,
        )
        for a, b in zip(alone, means):
            np.testing.assert_allclose(a[0], b[row])


def test_a_base_model_is_that_of_one_row():
    energy, params, truths = conditional([[3], [2]], n_rows=2)
    with pytest.raises(ValueError, match="one row"):
        energy.base(params, (None, None))
    base = energy.base(params.take(1), (None, None))
    found = ais.forward(stream(0), energy, params.take(1), base, 400, quadratic(100))
    assert abs(found.log_Z - truths[1].log_Z) < 4 * found.se


def test_draws_of_rows_with_their_own_biases():
    energy, params, truths = conditional([[3], [2]], n_rows=2)
    many = params._replace(units=tuple(np.repeat(b, N, axis=0) for b in params.units))
    start = Gibbs(energy).init(stream(1).rows(2 * N), many.units)
    state, _ = Gibbs(energy).step(stream(2).rows(2 * N), many, start, 20)
    for row, truth in enumerate(truths):
        rows = slice(row * N, (row + 1) * N)
        assert_moments([np.asarray(part)[rows] for part in state.x], truth)


def test_what_needs_couplings_of_their_own_says_so():
    energy, params = random_machine(GRAPHS["shared"], seed=0)
    x = tuple(np.ones((1, 2)) for _ in energy.units)
    grad = contrast(energy, params, x, x)
    with pytest.raises(ValueError, match="shared by several links"):
        centering.center(energy, params, grad, tuple(np.zeros(2) for _ in x))


def test_a_label_needs_two_colors():
    energy, params = random_machine(GRAPHS["mixed"], seed=0)
    with pytest.raises(ValueError, match="two colors"):
        LabelPosterior(energy, params, (np.ones((1, 2)), None, None), 1)


@pytest.mark.parametrize("name", ["triangle", "shared-chain"])
def test_contrastive_divergence_of_a_machine_without_hidden_units(name):
    energy, params = random_machine(GRAPHS[name], seed=4)
    truth = Enumeration(GRAPHS[name], params)
    data = truth.draw(8, seed=1)
    x = tuple(np.tile(part, (N // 8, 1)) for part in data)
    clamp = (True,) * len(x)
    phases, *_ = cd(stream(2), Gibbs(energy), params, x, clamp, 30)
    assert all(a is b for a, b in zip(phases.data, x))
    assert_expectation(energy, params, phases, truth.likelihood_gradient(*data))


def test_limits_of_norms_hold_at_all_ends_of_three_way_links():
    energy, params = random_machine(GRAPHS["three-way"], seed=0)
    for W in params.couplings:
        W *= 9
    before = [W / np.linalg.norm(W, axis=0) for W in params.couplings]
    energy.constrain(params, max_norm=0.5)
    assert len(params.couplings) == 6
    for W, direction in zip(params.couplings, before):
        norms = np.linalg.norm(W, axis=0)
        assert (norms <= 0.5 + 1e-9).all()
        np.testing.assert_allclose(W / norms, direction)
