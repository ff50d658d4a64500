import numpy as np
import pytest

from skdgm.distributions import Softmax
from skdgm.energies import tiled
from skdgm.metrics import log_conditionals
from skdgm.utils.lists import Lists
from tests.reference import Enumeration, random_machine


@pytest.mark.parametrize("form", ["arrays", "lists"])
@pytest.mark.parametrize(
    "layers", [[[4], [3]], [[2, 2], [3]], [[3, Softmax(3)], [2, 2]]]
)
def test_conditionals_of_single_units(layers, form):
    energy, params = random_machine(layers, seed=0, scale=2.0)
    truth = Enumeration(layers, params)
    rows = np.random.default_rng(0).choice(len(truth.p), 9)
    x = tuple(part[rows] for part in truth.x)
    if form == "lists":
        params, x = tiled(params), tuple(Lists.pack(part, binary=True) for part in x)
    given = tuple(map(np.asarray, x))
    for block in range(len(layers[0])):
        if not isinstance(layers[0][block], int):
            continue
        found = log_conditionals(energy, params, x, block=block)
        for r in range(9):
            visible = {i: given[i][r] for i in range(len(layers[0]))}
            for unit in range(layers[0][block]):
                without = {i: v.copy() for i, v in visible.items()}
                without[block][unit] = np.nan
                expected = truth.log_prob(visible) - truth.log_prob(without)
                np.testing.assert_allclose(found[r, unit], expected)


def test_chosen_units():
    energy, params = random_machine([[6], [3]], seed=0)
    rng = np.random.default_rng(0)
    x = ((rng.random((5, 6)) < 0.5).astype(float), None)
    units = rng.integers(0, 6, (5, 2))
    everything = log_conditionals(energy, params, x)
    np.testing.assert_allclose(
        log_conditionals(energy, params, x, units),
        np.take_along_axis(everything, units, axis=1),
    )


def test_grey_values_mix_both_outcomes():
    energy, params = random_machine([[1], [3]], seed=0)
    on, off, grey = (
        log_conditionals(energy, params, (np.full((1, 1), value), None))[0, 0]
        for value in (1.0, 0.0, 0.25)
    )
    assert grey == pytest.approx(0.25 * on + 0.75 * off)
