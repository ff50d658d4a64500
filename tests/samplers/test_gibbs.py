import numpy as np
import pytest

from skdgm.energies import Path
from skdgm.samplers import gibbs
from skdgm.utils.random import stream
from tests.numerical import assert_means, assert_moments, clamped
from tests.reference import ALL, EVEN, ODD, Enumeration, random_machine, some_moments

N_CHAINS = 10000


def made(name):
    energy, params = random_machine(ALL[name], seed=2)
    return energy, params, Enumeration(ALL[name], params)


@pytest.fixture(params=ALL)
def machine(request):
    return made(request.param)


def test_leaves_the_distribution_as_it_is(machine):
    energy, params, truth = machine
    start = gibbs.State(truth.draw(N_CHAINS, seed=0))
    state, _ = gibbs.run(stream(3).rows(N_CHAINS), energy, params, start, 3)
    assert_moments(state.x, truth)


def test_finds_the_distribution_from_afar(machine):
    energy, params, truth = machine
    start = gibbs.init(stream(1).rows(N_CHAINS), energy, params.units)
    state, _ = gibbs.run(stream(2).rows(N_CHAINS), energy, params, start, 40)
    assert_moments(state.x, truth)


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
    x, clamp = clamped(energy, np.tile(v, (N_CHAINS, 1)))
    state, _ = gibbs.run(
        stream(5).rows(N_CHAINS),
        energy,
        params,
        gibbs.State(x),
        40,
        colours=(ODD, EVEN),
        clamp=clamp,
    )
    assert (state.x[0][:, 0] == 1).all()
    for block in range(len(energy.units)):
        mean = truth.mean(block, {0: v})
        mean[0] = mean[0] if block else 1.0
        assert_means(state.x[block], mean)


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
        np.testing.assert_allclose(a, np.asarray(b)[some], rtol=1e-12)


@pytest.mark.parametrize("name", ["rbm", "classifier", "gaussian", "mixture"])
def test_samples_tempered_models(name):
    energy, params, truth = made(name)
    base, _ = energy.base(params, some_moments(energy))
    # One temperature for half of the rows, another one for the rest.
    betas = np.repeat([0.4, 0.8], N_CHAINS)[:, None]
    rng = stream(1).rows(2 * N_CHAINS)
    start = gibbs.init(rng, energy, base)
    state, _ = gibbs.run(rng, energy, params, start, 30, path=Path(base, betas))
    for beta in (0.4, 0.8):
        x = [np.asarray(part)[betas[:, 0] == beta] for part in state.x]
        assert_moments(x, truth.between(base, beta))


def test_init_draws_blocks_alone(machine):
    energy, params, truth = machine
    state = gibbs.init(stream(0).rows(N_CHAINS), energy, params.units)
    assert_moments(state.x, truth.between(params.units, 0.0))
