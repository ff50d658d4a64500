import numpy as np
import pytest

from skdgm.distributions import Bernoulli, Gaussian, Normal, Softmax
from skdgm.energies import Params, Path, contrast, layered
from skdgm.utils.tree import leaves, tree_map
from tests.numerical import assert_trees, numerical_gradient
from tests.reference import (
    ALL,
    EVEN,
    MACHINES,
    ODD,
    Enumeration,
    random_machine,
    some_moments,
)


@pytest.fixture(params=ALL)
def machine(request):
    layers = ALL[request.param]
    energy, params = random_machine(layers, seed=1)
    return energy, params, Enumeration(layers, params)


def row_of(x, row):
    return tuple(part[row : row + 1] for part in x)


def test_energy(machine):
    energy, params, truth = machine
    x = truth.draw(50, seed=0)
    expected = [truth.log_prob(dict(enumerate(row))) for row in zip(*x)]
    np.testing.assert_allclose(-energy.energy(params, x), np.add(expected, truth.log_Z))


def test_fields_are_those_of_the_conditional_distributions(machine):
    energy, params, truth = machine
    x = truth.draw(3, seed=0)
    for block, unit in enumerate(energy.units):
        eta = energy.field(params, block, energy.received(params, x, block))
        for row in range(3):
            others = {i: part[row] for i, part in enumerate(x) if i != block}
            expected = truth.mean(block, others)
            np.testing.assert_allclose(unit.mean(eta)[row], expected, rtol=1e-6)
            # A density ratio, which knows the precision too.
            given = truth.log_prob(others | {block: x[block][row]})
            log_p = unit.log_weight(eta, x[block]) - unit.log_partition(eta)
            np.testing.assert_allclose(log_p[row], given - truth.log_prob(others))


@pytest.mark.parametrize("summed", [EVEN, ODD])
def test_log_marginal(machine, summed):
    energy, params, truth = machine
    drawn = truth.draw(1, seed=7)
    kept = {i: drawn[i] for i in energy.colors[1 - summed]}
    x = tuple(kept.get(i, np.zeros((1, 0))) for i in range(len(energy.units)))
    given = {i: part[0] for i, part in kept.items()}
    expected = truth.log_prob(given) + truth.log_Z
    np.testing.assert_allclose(energy.log_marginal(params, x, summed), expected)
    received = {i: energy.received(params, x, i) for i in energy.colors[summed]}
    again = energy.log_marginal(params, x, summed, received=received)
    np.testing.assert_allclose(again, expected)


def test_gradient_is_that_of_the_energy(machine):
    energy, params, truth = machine
    rng = np.random.default_rng(0)
    x, other = (tuple(rng.random((5, len(v))) for v in truth.var) for _ in range(2))
    numeric = numerical_gradient(
        lambda p: (energy.energy(p, other) - energy.energy(p, x)).mean(), params
    )
    assert_trees(contrast(energy, params, x, other), numeric, atol=1e-8)


def test_likelihood_gradient_of_the_reference(machine):
    _, params, truth = machine
    data = [part[:2] for part in truth.draw(2, seed=0)][: len(truth.layers[0])]
    data[0][0, 0] = np.nan
    numeric = numerical_gradient(
        lambda p: Enumeration(truth.layers, p).log_likelihood(*data), params
    )
    assert_trees(truth.likelihood_gradient(*data), numeric, atol=1e-7)


def test_base_has_the_moments_and_its_log_partition(machine):
    energy, params, truth = machine
    base, log_Z = energy.base(params, some_moments(energy))
    alone = truth.between(base, 0.0)
    assert alone.log_Z == pytest.approx(log_Z)
    for block, moments in enumerate(some_moments(energy)):
        mean, var = moments if isinstance(moments, tuple) else (moments, 0.0)
        np.testing.assert_allclose(alone.mean(block), mean)
        np.testing.assert_allclose(alone.var[block], var)


def test_path_is_of_machines_on_the_way(machine):
    energy, params, truth = machine
    base, _ = energy.base(params, some_moments(energy))
    x = truth.draw(20, seed=0)
    start, end = (energy.energy(params, x, Path(base, beta)) for beta in (0.0, 1.0))
    np.testing.assert_allclose(end, energy.energy(params, x))
    for beta in (0.0, 0.3, 1.0):
        here, path = truth.between(base, beta), Path(base, beta)
        found = energy.energy(params, x, path)
        np.testing.assert_allclose(found, start + beta * (end - start))
        for row in range(20):
            joint = here.log_prob({i: part[row] for i, part in enumerate(x)})
            np.testing.assert_allclose(-found[row], joint + here.log_Z)
        for kept in (EVEN, ODD):
            given = {i: x[i][0] for i in energy.colors[kept]}
            found = energy.log_marginal(params, row_of(x, 0), 1 - kept, path=path)
            np.testing.assert_allclose(found, here.log_prob(given) + here.log_Z)


def test_base_keeps_parameters_where_no_means_are_given(machine):
    energy, params, truth = machine
    base, log_Z = energy.base(params, (None,) * len(energy.units))
    assert base == params.units
    silent = Params(params.units, tree_map(np.zeros_like, params.couplings))
    assert Enumeration(truth.layers, silent).log_Z == pytest.approx(log_Z)


def test_each_row_may_have_its_own_beta(machine):
    energy, params, truth = machine
    base, _ = energy.base(params, some_moments(energy))
    x = truth.draw(9, seed=0)
    betas = np.linspace(0, 1, 9)[:, None]
    together = Path(base, betas)
    joint = energy.energy(params, x, together)
    marginal = energy.log_marginal(params, x, path=together)
    for row in (0, 5, 8):
        alone, part = Path(base, betas[row, 0]), row_of(x, row)
        np.testing.assert_allclose(energy.energy(params, part, alone), joint[row])
        np.testing.assert_allclose(
            energy.log_marginal(params, part, path=alone), marginal[row]
        )


def test_initial_parameters():
    layers = [[2, Gaussian(2)], [3], [1, 2]]
    energy, _ = random_machine(layers, seed=0)
    means = np.full(2, 0.2), (np.ones(2), np.full(2, 4.0)), None, None, None
    params = energy.init(np.random.default_rng(0), means, dtype=np.float32)
    assert {leaf.dtype for leaf in leaves(params)} == {np.dtype(np.float32)}
    assert params.dtype == np.float32
    np.testing.assert_allclose(energy.units[0].mean(params.units[0]), 0.2, rtol=1e-6)
    expected = Normal(np.ones(2), np.full(2, -np.log(4)))
    assert_trees(params.units[1], expected, rtol=1e-6)
    assert not params.units[2].any()
    assert [W.shape for W in params.couplings] == [(2, 3), (2, 3), (3, 1), (3, 2)]


def test_colors_alternate():
    energy, _ = random_machine(MACHINES["blocks"], seed=0)
    assert energy.colors == ((0, 1, 3, 4), (2,))
    energy, _ = random_machine(MACHINES["deep-dbm"], seed=0)
    assert energy.colors == ((0, 2), (1, 3))


def test_constraints_reach_units_and_couplings():
    energy, params = random_machine([[Gaussian(2, min_variance=0.5)], [3]], seed=0)
    params.units[0].log_precision[:] = 3.0
    params.couplings[0][:] = [[3.0, 0.0, 0.1], [4.0, 1.0, 0.1]]
    # In the units' standard deviations, which are the root of 1 / 2.
    energy.constrain(params, max_norm=2 * np.sqrt(2))
    np.testing.assert_allclose(params.units[0].log_precision, np.log(2))
    expected = [[1.2, 0, 0.1], [1.6, 1, 0.1]]
    np.testing.assert_allclose(params.couplings[0], expected)


def test_a_label_is_not_among_the_hidden_units():
    energy = layered([[Bernoulli(3)], [Bernoulli(2)], [Softmax(3)]])
    assert energy.hidden == (1,)
    energy = layered([[Bernoulli(3), Softmax(3)], [Bernoulli(2)], [Bernoulli(4)]])
    assert energy.hidden == (2, 3)
