import numpy as np
import pytest

from skdgm.energies import contrast, plain, tiled
from skdgm.gradients.steps import fast
from skdgm.samplers import FastWeights
from skdgm.utils.tree import tree_map
from tests.numerical import arrays, assert_trees
from tests.reference import ALL, Enumeration, random_machine
from tests.suites import DTYPES


@pytest.mark.parametrize("form", [lambda params: params, tiled])
@pytest.mark.parametrize("name", ["rbm", "dbm", "real-classifier"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_learns_quickly_and_forgets_quickly(name, form, dtype):
    energy, params = random_machine(ALL[name], seed=0)
    truth = Enumeration(ALL[name], params)
    states = (
        tuple(part.astype(dtype) for part in truth.draw(9, seed)) for seed in (1, 2)
    )
    params = tree_map(lambda part: part.astype(dtype), params)
    grad = contrast(energy, params, *states)
    own = fast.init(form(params))
    assert not any(part.any() for part in arrays(plain(own)))
    expected = [np.zeros_like(part) for part in arrays(params)]
    for rate in (0.2, 0.2, 0.05):
        fast.step(own, grad, rate)
        expected = [
            19 / 20 * old + rate * slope for old, slope in zip(expected, arrays(grad))
        ]
    tolerance = {"atol": 1e-5 if dtype == np.float32 else 1e-12}
    assert_trees(plain(own), expected, **tolerance)
    assert {part.dtype for part in arrays(plain(own))} == {np.dtype(dtype)}


@pytest.mark.parametrize("form", [lambda params: params, tiled])
def test_lies_over_the_parameters(form):
    energy, params = random_machine(ALL["dbm"], seed=0)
    _, own = random_machine(ALL["dbm"], seed=1)
    before = tree_map(np.copy, params)
    model = FastWeights(energy, form(own)).at(form(params))
    assert_trees(plain(model), tree_map(np.add, params, own))
    assert type(model.couplings[0]) is type(form(params).couplings[0])
    assert_trees(params, before)
