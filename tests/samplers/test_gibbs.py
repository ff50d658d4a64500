import numpy as np
import pytest

from skdgm.energies import EVEN, ODD, Path
from skdgm.samplers import gibbs
from skdgm.utils.random import stream
from tests.reference import MACHINES, Enumeration, random_machine, standard_error

N_CHAINS = 20000


@pytest.fixture(params=MACHINES)
def machine(request):
    layers = MACHINES[request.param]
    energy, params = random_machine(layers, seed=2)
    return energy, params, Enumeration(layers, params)


def assert_moments(x, expected, n_sigma=4.5):
    """Block means and the first pair moments, within standard errors."""
    n = len(x[0])
    for part, mean in zip(x, expected.units):
        se = standard_error(mean, n)
        assert (abs(part.mean(axis=0) - mean) <= n_sigma * se + 1e-12).all()


def test_leaves_the_distribution_as_it_is(machine):
    energy, params, truth = machine
    start = gibbs.State(truth.draw(N_CHAINS, seed=0))
    rng = stream(3).rows(N_CHAINS)
    state, _ = gibbs.run(rng, energy, params, start, 3)
    expected = truth.statistics(truth.p)
    assert_moments(state.x, expected)
    for (i, j), pairs in zip(truth.links, expected.couplings):
        se = standard_error(pairs, N_CHAINS)
        found = np.asarray(state.x[i]).T @ np.asarray(state.x[j]) / N_CHAINS
        assert (abs(found - pairs) < 4.5 * se).all()


def test_finds_the_distribution_from_afar(machine):
    energy, params, truth = machine
    start = gibbs.init(stream(1).rows(N_CHAINS), energy, params.units)
    state, _ = gibbs.run(stream(2).rows(N_CHAINS), energy, params, start, 60)
    assert_moments(state.x, truth.statistics(truth.p))


def test_info_has_the_conditional_means(machine):
    energy, params, truth = machine
    start = gibbs.State(truth.draw(50, seed=0))
    state, info = gibbs.step(stream(0).rows(50), energy, params, start)
    for block in energy.colours[ODD]:
        given = {i: np.asarray(state.x[i])[0] for i in energy.colours[EVEN]}
        np.testing.assert_allclose(info.means[block][0], truth.mean(block, given))


def test_clamped_entries_stay_and_the_rest_is_conditional(machine):
    energy, params, truth = machine
    v = np.full(energy.units[0].size, np.nan)
    v[0] = 1.0
    x = list(gibbs.init(stream(0).rows(N_CHAINS), energy, params.units).x)
    held = np.broadcast_to(~np.isnan(v), x[0].shape)
    x[0] = np.where(held, v, x[0])
    clamp = (held,) + (None,) * (len(x) - 1)
    state, _ = gibbs.run(
        stream(5).rows(N_CHAINS),
        energy,
        params,
        gibbs.State(tuple(x)),
        60,
        clamp=clamp,
    )
    assert (state.x[0][:, 0] == 1).all()
    mean = truth.mean(0, {0: v})
    se = standard_error(mean, N_CHAINS)
    assert (abs(state.x[0].mean(axis=0) - mean) <= 4.5 * se + 1e-12).all()


def test_a_clamped_block_is_not_touched(machine):
    energy, params, truth = machine
    start = truth.draw(10, seed=1)
    clamp = (True,) + (None,) * (len(start) - 1)
    state, info = gibbs.step(
        stream(0).rows(10), energy, params, gibbs.State(start), clamp=clamp
    )
    assert state.x[0] is start[0]
    assert info.means[0] is None


def test_rows_are_independent_of_their_company(machine):
    energy, params, truth = machine
    start, rng = truth.draw(30, seed=1), stream(4).rows(30)
    whole, _ = gibbs.run(rng, energy, params, gibbs.State(start), 4)
    some = np.array([20, 3])
    part, _ = gibbs.run(
        rng.take(some), energy, params, gibbs.State(tuple(x[some] for x in start)), 4
    )
    for a, b in zip(part.x, whole.x):
        np.testing.assert_array_equal(a, b[some])


def test_samples_a_tempered_model():
    layers = MACHINES["rbm"]
    energy, params = random_machine(layers, seed=2, scale=2.0)
    base, _ = energy.base(params, (np.full(4, 0.3), np.full(3, 0.6)))
    path = Path(base, 0.4)
    truth = Enumeration(layers, params)
    p = np.exp(-energy.energy(params, truth.x, path))
    p /= p.sum()
    start = gibbs.init(stream(1).rows(N_CHAINS), energy, base)
    state, _ = gibbs.run(stream(2).rows(N_CHAINS), energy, params, start, 40, path=path)
    assert_moments(state.x, truth.statistics(p))


def test_init_draws_blocks_alone():
    energy, params = random_machine(MACHINES["dbm"], seed=0)
    state = gibbs.init(stream(0).rows(N_CHAINS), energy, params.units)
    for unit, bias, x in zip(energy.units, params.units, state.x):
        mean = unit.mean(bias)
        se = standard_error(mean, N_CHAINS)
        assert (abs(x.mean(axis=0) - mean) < 4.5 * se).all()
