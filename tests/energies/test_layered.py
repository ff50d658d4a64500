import numpy as np
import pytest
from scipy.special import logsumexp

from skdgm.energies import EVEN, ODD, Params, Path, contrast
from skdgm.utils.tree import leaves, tree_map
from tests.reference import MACHINES, Enumeration, numerical_gradient, random_machine


@pytest.fixture(params=MACHINES)
def machine(request):
    layers = MACHINES[request.param]
    energy, params = random_machine(layers, seed=1)
    return energy, params, Enumeration(layers, params)


def test_energy(machine):
    energy, params, truth = machine
    np.testing.assert_allclose(-energy.energy(params, truth.x), truth.log_w)


def test_fields_are_conditional_log_odds(machine):
    energy, params, truth = machine
    row = len(truth.p) // 3
    for block in range(len(energy.units)):
        others = {i: x[row] for i, x in enumerate(truth.x) if i != block}
        x = tuple(part[row : row + 1] for part in truth.x)
        eta = energy.field(params, block, energy.received(params, x, block))
        mean = energy.units[block].mean(eta)[0]
        np.testing.assert_allclose(mean, truth.mean(block, others))


@pytest.mark.parametrize("summed", [EVEN, ODD])
def test_log_marginal(machine, summed):
    energy, params, truth = machine
    kept = {i: truth.x[i][7] for i in energy.colours[1 - summed]}
    x = tuple(kept.get(i, np.zeros(0))[None] for i in range(len(energy.units)))
    expected = truth.log_prob(kept) + truth.log_Z
    np.testing.assert_allclose(energy.log_marginal(params, x, summed), expected)
    received = {i: energy.received(params, x, i) for i in energy.colours[summed]}
    again = energy.log_marginal(params, x, summed, received=received)
    np.testing.assert_allclose(again, expected)


def test_gradient_is_that_of_the_energy(machine):
    energy, params, truth = machine
    x = tuple(np.random.default_rng(0).random(part[:5].shape) for part in truth.x)
    numeric = numerical_gradient(lambda p: -energy.energy(p, x).mean(), params)
    nothing = tuple(np.zeros_like(part) for part in x)
    grad = contrast(energy, params, x, nothing)
    for a, b in zip(grad.units + grad.couplings, leaves(numeric), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-8)


def test_likelihood_gradient_of_the_reference(machine):
    _, params, truth = machine
    v = truth.x[0][len(truth.p) // 2]
    numeric = numerical_gradient(
        lambda p: Enumeration(truth.layers, p).log_prob({0: v}), params
    )
    exact = truth.likelihood_gradient([v])
    for a, b in zip(leaves(exact), leaves(numeric), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-7)


def test_path_runs_from_base_to_model(machine):
    energy, params, truth = machine
    means = tuple(np.full(u.size, 0.3) for u in energy.units)
    base, log_Z = energy.base(params, means)
    at_base = -energy.energy(params, truth.x, Path(base, 0.0))
    assert logsumexp(at_base) == pytest.approx(log_Z)
    p = np.exp(at_base - log_Z)
    np.testing.assert_allclose(p @ truth.x[0], means[0])
    np.testing.assert_allclose(
        energy.energy(params, truth.x, Path(base, 1.0)), energy.energy(params, truth.x)
    )


def test_base_keeps_biases_where_no_means_are_given(machine):
    energy, params, truth = machine
    base, log_Z = energy.base(params, (None,) * len(energy.units))
    assert base == params.units
    silent = Params(params.units, tree_map(np.zeros_like, params.couplings))
    assert logsumexp(-energy.energy(silent, truth.x)) == pytest.approx(log_Z)


def test_each_row_may_have_its_own_beta(machine):
    energy, params, truth = machine
    base, _ = energy.base(params, (None,) * len(energy.units))
    betas = np.linspace(0, 1, len(truth.p))[:, None]
    together = Path(base, betas)
    joint = energy.energy(params, truth.x, together)
    marginal = energy.log_marginal(params, truth.x, path=together)
    for row in (0, 5, len(truth.p) - 1):
        x = tuple(part[row : row + 1] for part in truth.x)
        alone = Path(base, betas[row, 0])
        np.testing.assert_allclose(energy.energy(params, x, alone), joint[row])
        np.testing.assert_allclose(
            energy.log_marginal(params, x, path=alone), marginal[row]
        )


def test_initial_parameters():
    energy, _ = random_machine(MACHINES["blocks"], seed=0)
    rng = np.random.default_rng(0)
    params = energy.init(rng, (np.full(2, 0.2),) + (None,) * 4, dtype=np.float32)
    assert {leaf.dtype for leaf in leaves(params)} == {np.dtype(np.float32)}
    np.testing.assert_allclose(energy.units[0].mean(params.units[0]), 0.2, rtol=1e-6)
    assert not params.units[1].any()
    assert [W.shape for W in params.couplings] == [(2, 3), (2, 3), (3, 1), (3, 2)]


def test_colours_alternate():
    energy, _ = random_machine(MACHINES["blocks"], seed=0)
    assert energy.colours == ((0, 1, 3, 4), (2,))
    energy, _ = random_machine(MACHINES["deep-dbm"], seed=0)
    assert energy.colours == ((0, 2), (1, 3))
