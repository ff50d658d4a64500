import numpy as np
import pytest
from scipy.special import softmax

from skdgm.distributions import Softmax
from skdgm.energies import tiled
from skdgm.inference import LabelPosterior
from skdgm.inference import posterior as posterior_module
from skdgm.utils.lists import Lists
from skdgm.utils.tree import tree_map
from tests.reference import MIXED, Enumeration, random_machine

LAYERS = {
    "classifier": MIXED["classifier"],
    "real-classifier": MIXED["real-classifier"],
    "several-blocks": [[2, Softmax(4), 1], [2, 3]],
    "label-first": [[Softmax(2), 3], [2]],
}
FORMS = {"array": lambda p: p, "tiles": tiled}


@pytest.fixture(params=LAYERS)
def machine(request):
    layers = LAYERS[request.param]
    energy, params = random_machine(layers, seed=1)
    truth = Enumeration(layers, params)
    target = next(i for i, u in enumerate(energy.units) if isinstance(u, Softmax))
    return energy, params, truth, target


def rows(energy, truth, target, n=6):
    """Values of the even blocks, the label's and the others being unknown."""
    drawn = dict(enumerate(truth.draw(n, seed=2)))
    unknown = {target, *energy.colors[1]}
    return tuple(None if i in unknown else x for i, x in drawn.items())


@pytest.mark.parametrize("form", FORMS)
def test_log_joint(machine, form):
    energy, params, truth, target = machine
    x = rows(energy, truth, target)
    found = LabelPosterior(energy, FORMS[form](params), x, target).log_joint()
    for row in range(6):
        given = {i: part[row] for i, part in enumerate(x) if part is not None}
        for state, y in enumerate(np.eye(energy.units[target].size)):
            expected = truth.log_prob(given | {target: y}) + truth.log_Z
            assert found[row, state] == pytest.approx(expected)


@pytest.mark.parametrize("at_once", [posterior_module._ENTRIES, 1])
def test_means_of_hidden_blocks(machine, at_once, monkeypatch):
    monkeypatch.setattr(posterior_module, "_ENTRIES", at_once)
    energy, params, truth, target = machine
    x = rows(energy, truth, target)
    posterior = LabelPosterior(energy, params, x, target)
    log_joint = posterior.log_joint()
    for row in (0, 5):
        given = {i: part[row] for i, part in enumerate(x) if part is not None}
        expected = truth.mean(target, given)
        np.testing.assert_allclose(softmax(log_joint, axis=1)[row], expected)
        for block in energy.colors[1]:
            expected = truth.mean(block, given)
            np.testing.assert_allclose(posterior.mean(block, log_joint)[row], expected)
            means = np.concatenate([part for _, part in posterior.means(block)])
            for mean, y in zip(means, np.eye(posterior.n_states), strict=True):
                expected = truth.mean(block, given | {target: y})
                np.testing.assert_allclose(mean[row], expected)


def test_lists_and_single_precision(machine):
    energy, params, truth, target = machine
    x = rows(energy, truth, target)
    expected = LabelPosterior(energy, params, x, target).log_joint()
    single = tree_map(lambda part: part.astype(np.float32), params)
    x = tuple(part if part is None else part.astype(np.float32) for part in x)
    if not truth.real:
        x = tuple(part if part is None else Lists.pack(part, binary=True) for part in x)
    posterior = LabelPosterior(energy, tiled(single), x, target)
    found = posterior.log_joint()
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    block = energy.colors[1][0]
    assert posterior.mean(block, found).dtype == np.float32
