"""Samplers leave the states that they are given as they are."""

import numpy as np
import pytest

from skdgm.energies import tiled
from skdgm.samplers import Gibbs, State
from skdgm.utils.random import stream
from tests.reference import ALL, random_machine


@pytest.mark.parametrize("tiles", [False, True])
@pytest.mark.parametrize("name", ALL)
def test_states_are_not_changed(name, tiles):
    energy, params = random_machine(ALL[name], 0)
    if tiles and energy.has_real_units:
        return
    params = tiled(params) if tiles else params
    for colors in None, energy.backwards:
        sampler = Gibbs(energy, **{} if colors is None else {"colors": colors})
        state = sampler.init(stream(0).rows(20), params.units)
        before = [np.array(np.asarray(part)) for part in state.x]
        after, _ = sampler.step(stream(1).rows(20), params, State(state.x), 3)
        for old, part in zip(before, state.x):
            np.testing.assert_array_equal(np.asarray(part), old)
        changed = [(np.asarray(a) != b).any() for a, b in zip(after.x, before)]
        assert all(changed)
