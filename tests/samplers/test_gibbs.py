import numpy as np
import pytest

from skdgm.energies import Path
from skdgm.samplers import FastWeights, Gibbs, State
from skdgm.utils.random import stream
from skdgm.utils.tree import tree_map
from tests.numerical import assert_means, assert_moments, clamped
from tests.reference import ALL, EVEN, ODD, Enumeration, random_machine, some_moments
from tests.samplers.cases import SamplerCase

N_CHAINS = 10000


def made(name):
    energy, params = random_machine(ALL[name], seed=2)
    return energy, params, Enumeration(ALL[name], params)


@pytest.fixture(params=ALL)
def machine(request):
    return made(request.param)


class TestGibbs(SamplerCase):
    def sampler(self, name, energy, params):
        return Gibbs(energy), [Enumeration(ALL[name], params)]


class TestBackwards(SamplerCase):
    def sampler(self, name, energy, params):
        sampler = Gibbs(energy, colors=energy.backwards)
        return sampler, [Enumeration(ALL[name], params)]


class TestFastWeights(SamplerCase):
    def sampler(self, name, energy, params):
        rng = np.random.default_rng(0)
        fast = tree_map(lambda part: 0.2 * rng.normal(size=part.shape), params)
        both = tree_map(np.add, params, fast)
        return FastWeights(energy, fast), [Enumeration(ALL[name], both)]


def test_finds_the_distribution_from_afar(machine):
    energy, params, truth = machine
    start = Gibbs(energy).init(stream(1).rows(N_CHAINS), params.units)
    state, _ = Gibbs(energy).step(stream(2).rows(N_CHAINS), params, start, 40)
    assert_moments(state.x, truth)


def test_info_has_the_conditional_means(machine):
    energy, params, truth = machine
    start = State(truth.draw(50, seed=0))
    state, info = Gibbs(energy).step(stream(0).rows(50), params, start)
    for block in energy.colors[ODD]:
        given = {i: np.asarray(state.x[i])[0] for i in energy.colors[EVEN]}
        np.testing.assert_allclose(info.means[block][0], truth.mean(block, given))


def test_clamped_entries_stay_and_the_rest_is_conditional(machine):
    energy, params, truth = machine
    v = np.full(energy.units[0].size, np.nan)
    v[0] = 1.0
    x, clamp = clamped(energy, np.tile(v, (N_CHAINS, 1)))
    state, _ = Gibbs(energy, colors=(ODD, EVEN), clamp=clamp).step(
        stream(5).rows(N_CHAINS), params, State(x), 40
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
    state, info = Gibbs(energy, clamp=clamp).step(
        stream(0).rows(10), params, State(start)
    )
    assert state.x[0] is start[0]
    assert info.means[0] is None


@pytest.mark.parametrize("name", ["rbm", "classifier", "gaussian", "mixture"])
def test_samples_tempered_models(name):
    energy, params, truth = made(name)
    base, _ = energy.base(params, some_moments(energy))
    # One temperature for half of the rows, another one for the rest.
    betas = np.repeat([0.4, 0.8], N_CHAINS)[:, None]
    rng = stream(1).rows(2 * N_CHAINS)
    start = Gibbs(energy).init(rng, base)
    state, _ = Gibbs(energy, path=Path(base, betas)).step(rng, params, start, 30)
    for beta in (0.4, 0.8):
        x = [np.asarray(part)[betas[:, 0] == beta] for part in state.x]
        assert_moments(x, truth.between(base, beta))


def test_init_draws_blocks_alone(machine):
    energy, params, truth = machine
    state = Gibbs(energy).init(stream(0).rows(N_CHAINS), params.units)
    assert_moments(state.x, truth.between(params.units, 0.0))
