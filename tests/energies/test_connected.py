"""The energy of machines of which any two units may be linked."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.special import logsumexp

from skdgm.distributions import Bernoulli
from skdgm.energies import Connected, Params, Path, colors_of, contrast
from skdgm.inference import bound, mean_field
from skdgm.partition import Problem, ais, bracket, exact
from skdgm.samplers import Gibbs, State
from skdgm.utils.random import stream
from skdgm.utils.threading.parallel import limit
from tests.connected import CASES, all_states, log_weights, machine, mask_of, moments
from tests.numerical import numerical_gradient
from tests.suites import DTYPES

cases = pytest.mark.parametrize("case", CASES)


@cases
def test_energy(case):
    energy, params = CASES[case]
    x = all_states(energy)
    found = energy.energy(params, x)
    np.testing.assert_allclose(found, -log_weights(params, x))
    np.testing.assert_allclose(energy.log_marginal(params, x), -found)


@cases
def test_log_partition(case):
    energy, params = CASES[case]
    expected = logsumexp(log_weights(params, all_states(energy)))
    assert exact.log_partition(energy, params) == pytest.approx(expected)
    assert exact.is_enumerable(energy)


def clamped_rows(energy, seed=0):
    """Some states, and a mask of clamped sites in the visible block."""
    x, rng = all_states(energy), np.random.default_rng(seed)
    x = tuple(part[rng.integers(len(part), size=6)] for part in x)
    sites = rng.random((6, len(energy.layout.sizes))) < 0.6
    sites[0], sites[1] = True, False
    entries = np.repeat(sites, np.diff(energy.layout.first), axis=1)
    return x, (energy.split(entries)[0], *(None for _ in x[1:]))


@cases
def test_log_evidence(case):
    energy, params = CASES[case]
    x, clamp = clamped_rows(energy)
    states = all_states(energy)
    log_w, v = log_weights(params, states), states[0]
    found = exact.log_evidence(energy, params, x, clamp)
    for row, known in enumerate(clamp[0]):
        agree = (~known | (v == x[0][row])).all(axis=1)
        assert found[row] == pytest.approx(logsumexp(log_w[agree]))
    means, _ = mean_field(energy, params, x, clamp, max_sweeps=500, tol=1e-9)
    assert (bound(energy, params, means, clamp) <= found + 1e-9).all()


def test_many_states_are_enumerated_in_parts():
    energy, params = machine(Bernoulli(15), scale=0.5)
    expected = logsumexp(log_weights(params, all_states(energy)))
    found = exact.log_partition(energy, params)
    assert found == pytest.approx(expected, abs=1e-9)
    with limit(1):
        assert exact.log_partition(energy, params) == found


@cases
def test_mean_field_is_a_fixed_point(case):
    energy, params = CASES[case]
    x, clamp = clamped_rows(energy)
    means, info = mean_field(energy, params, x, clamp, max_sweeps=2000, tol=1e-10)
    assert info.converged.all()
    for block, unit in enumerate(energy.units):
        eta = energy.field(params, block, energy.received(params, means, block))
        known = False if clamp[block] is None else clamp[block]
        expected = np.where(known, x[block], unit.mean(eta))
        np.testing.assert_allclose(means[block], expected, atol=1e-8)


@pytest.mark.parametrize("dtype", DTYPES)
@cases
def test_gibbs_sampling_has_the_moments(case, dtype):
    energy, params = CASES[case]
    n_chains, n_steps = 4000, 60
    own = Params(*(tuple(a.astype(dtype) for a in part) for part in params))
    rows = stream(1).rows(n_chains)
    state = Gibbs(energy).init(rows.fold(7), own.units)
    state, info = Gibbs(energy).step(rows, own, state, n_steps)
    drawn = np.concatenate(state.x, axis=1)
    assert drawn.dtype == dtype
    mean, second = moments(energy, params)
    z = np.sqrt(n_chains) / np.sqrt(np.maximum(second * (1 - second), 1e-3))
    assert (np.abs(drawn.T @ drawn / n_chains - second) * z).max() < 4.5
    near = np.concatenate(info.means, axis=1).mean(axis=0)
    assert (np.abs(near - mean) * np.diag(z)).max() < 4.5


def test_clamped_sites_are_kept_and_condition_the_others():
    energy, params = CASES["masked potts, hidden"]
    x = tuple(np.repeat(part[17:18], 4000, axis=0) for part in all_states(energy))
    sites = np.array([True, False, True, False, False, False])
    entries = np.repeat(sites, np.diff(energy.layout.first))
    clamp = entries[: x[0].shape[1]], None
    clamp = np.tile(clamp[0], (4000, 1)), None
    rows, start = stream(3).rows(4000), State(x)
    found, _ = Gibbs(energy, clamp=clamp).step(rows, params, start, 60)
    np.testing.assert_array_equal(found.x[0][clamp[0]], x[0][clamp[0]])
    states = all_states(energy)
    agree = (~clamp[0][0] | (states[0] == x[0][0])).all(axis=1)
    log_w = np.where(agree, log_weights(params, states), -np.inf)
    p = np.exp(log_w - logsumexp(log_w))
    expected = p @ np.concatenate(states, axis=1)
    drawn = np.concatenate(found.x, axis=1)
    se = np.sqrt(np.maximum(expected * (1 - expected), 1e-4) / 4000)
    assert (np.abs(drawn.mean(axis=0) - expected) / se).max() < 4.5


def test_chains_depend_on_nothing_but_their_stream():
    energy, params = machine(Bernoulli(40), scale=0.3)
    rows = stream(5).rows(64)
    start = Gibbs(energy).init(rows, params.units)
    whole, _ = Gibbs(energy).step(rows, params, start, 40)
    with limit(1):
        alone, _ = Gibbs(energy).step(rows, params, start, 40)
    np.testing.assert_array_equal(whole.x[0], alone.x[0])
    some = State((np.asarray(start.x[0])[10:20],))
    part, _ = Gibbs(energy).step(rows.take(slice(10, 20)), params, some, 40)
    np.testing.assert_array_equal(whole.x[0][10:20], part.x[0])


def test_lists_of_neighbors_change_nothing():
    energy, params = machine(Bernoulli(30), edges=mask_of(30, 4, 0.1))
    assert len(energy.layout.ends)
    whole = Connected(Bernoulli(30), 0, energy.edges, energy.site_colors)
    nothing = np.zeros(0, np.int64)
    whole.layout = whole.layout._replace(ends=nothing, near=nothing)
    rows = stream(5).rows(20)
    start = Gibbs(energy).init(rows, params.units)
    found, expected = (
        Gibbs(own).step(rows, params, start, 20)[0].x[0] for own in (energy, whole)
    )
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("case", ["hidden", "masked potts, hidden"])
def test_log_Z_from_both_sides(case):
    energy, params = CASES[case]
    log_Z = exact.log_partition(energy, params)
    start = Gibbs(energy).init(stream(2).rows(100), params.units)
    problem = Problem(energy, params, start, (None,) * len(energy.units))
    found = bracket.estimate(stream(3), problem)
    for side in found.forward, found.reverse, found.tempered:
        assert abs(side.log_Z - log_Z) < 4.5 * side.se + 1e-3
    assert found.se < 0.1


def test_annealing_gives_the_weights_of_its_definition():
    energy, params = CASES["masked potts, hidden"]
    base, _log_Z_0 = energy.base(params, (None, np.array([0.3, 0.6])))
    betas = np.linspace(0, 1, 4)
    rng, trace = stream(4).rows(30), []
    start = Gibbs(energy).init(rng.fold(9), base)
    path = ais.path_of(energy, params, base, start.x)
    found = ais.weights(rng, path, start.x, betas, trace)
    state, log_w = start, 0.0
    for number, (here, there) in enumerate(pairwise(betas)):
        here, there = Path(base, here), Path(base, there)
        log_w = log_w + energy.energy(params, state.x, here)
        log_w = log_w - energy.energy(params, state.x, there)
        np.testing.assert_allclose(trace[number], log_w)
        state, _ = Gibbs(energy, path=there).step(rng, params, state, first=number)
    np.testing.assert_allclose(found, log_w)


@cases
def test_gradient(case):
    energy, params = CASES[case]
    states, rng = all_states(energy), np.random.default_rng(0)
    n = len(states[0])
    data, model = (
        tuple(part[rng.integers(n, size=5)] for part in states) for _ in range(2)
    )
    found = contrast(energy, params, data, model)
    slopes = numerical_gradient(
        lambda p: (energy.energy(p, model) - energy.energy(p, data)).mean(), params
    )
    for a, b in zip(found.units, slopes.units):
        np.testing.assert_allclose(a, b, atol=1e-7)
    for part, slope, coupling in zip(
        found.couplings, slopes.couplings, energy.couplings
    ):
        # An entry of J is half of a parameter.
        whole = slope + slope.T if part.within else slope
        whole = whole if coupling.mask is None else whole * coupling.mask
        np.testing.assert_allclose(np.asarray(part), whole, atol=1e-7)


def test_colors():
    grid = np.zeros((16, 16), bool)
    for i in range(16):
        if i % 4 < 3:
            grid[i, i + 1] = grid[i + 1, i] = True
        if i < 12:
            grid[i, i + 4] = grid[i + 4, i] = True
    colors = colors_of(grid)
    assert set(colors) == {0, 1}
    for edges in grid, mask_of(20, 1, 0.3), ~np.eye(6, dtype=bool):
        colors = colors_of(edges)
        assert not (edges & (colors[:, None] == colors)).any()
        assert set(colors) == set(range(colors.max() + 1))
        assert colors.max() <= edges.sum(axis=1).max()
