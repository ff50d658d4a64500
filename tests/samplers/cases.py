"""What each sampler promises; a new one's test is a subclass of ``SamplerCase``."""

import numpy as np
import pytest

from skdgm.samplers import Info, State
from skdgm.utils.random import stream
from tests.numerical import assert_moments
from tests.reference import ALL, random_machine

N = 10000


class SamplerCase:
    """Promises of a sampler.

    Subclasses implement ``sampler(name, energy, params)``, which returns it and the
    distribution that it leaves as it is: one enumerated machine, or one for each level,
    whose chains come one after the other.
    """

    @pytest.fixture(params=list(ALL))
    def given(self, request):
        """A sampler, its distribution and parameters."""
        name = request.param
        energy, params = random_machine(ALL[name], seed=2)
        return *self.sampler(name, energy, params), params

    def exact(self, levels, n):
        """Chains drawn from the distribution."""
        drawn = zip(*(level.draw(n, seed) for seed, level in enumerate(levels)))
        return State(tuple(np.concatenate(parts) for parts in drawn))

    def test_leaves_the_distribution_as_it_is(self, given):
        sampler, levels, params = given
        rng = stream(3).rows(N * len(levels))
        state, _ = sampler.step(rng, params, self.exact(levels, N), 3)
        for number, level in enumerate(levels):
            rows = slice(N * number, N * (number + 1))
            assert_moments([np.asarray(x)[rows] for x in state.x], level)
        cold = sampler.coldest(state)
        assert all(len(part) == N for part in cold)
        np.testing.assert_array_equal(cold[0], state.x[0][:N])

    def test_shapes(self, given):
        sampler, levels, params = given
        n_chains = 5 * len(levels)
        rng = stream(1).rows(n_chains)
        start = sampler.init(rng, params.units)
        before = [np.array(part) for part in start.x]
        state, info = sampler.step(rng, params, start, 2)
        assert isinstance(start, State)
        assert isinstance(state, State)
        assert isinstance(info, Info)
        for unit, old, was, new in zip(sampler.energy.units, start.x, before, state.x):
            assert np.shape(new) == np.shape(old) == (n_chains, unit.size)
            np.testing.assert_array_equal(old, was)
        for block in sampler.energy.colors[-1] if info.means else ():
            assert info.means[block].shape == np.shape(state.x[block])

    def test_steps_may_be_divided(self, given):
        sampler, levels, params = given
        rng, start = stream(4).rows(6 * len(levels)), self.exact(levels, 6)
        whole, _ = sampler.step(rng, params, start, 5)
        part, _ = sampler.step(rng, params, start, 2)
        part, _ = sampler.step(rng, params, part, 3, first=2)
        for a, b in zip(part.x, whole.x):
            np.testing.assert_array_equal(a, b)

    def test_rows_are_independent_of_their_company(self, given):
        sampler, levels, params = given
        rng, start = stream(4).rows(30), self.exact(levels, 30)
        whole, _ = sampler.step(rng, params, start, 4)
        some = np.array([20, 3])
        alone = State(tuple(x[some] for x in start.x))
        part, _ = sampler.step(rng.take(some), params, alone, 4)
        for a, b in zip(part.x, whole.x):
            np.testing.assert_allclose(a, np.asarray(b)[some], rtol=1e-12)
