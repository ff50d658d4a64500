from itertools import pairwise

import numpy as np
import pytest

from skdgm.distributions import Bernoulli, Softmax
from skdgm.energies import Params, layered, tiled
from skdgm.inference import bound, mean_field
from skdgm.inference.mean_field import Clamped
from skdgm.samplers import binary, sweep
from tests.numerical import clamped, observed
from tests.reference import ALL, GRAPHS, MIXED, ODD, Enumeration, random_machine


def made(name):
    energy, params = random_machine(ALL[name], seed=3)
    return energy, params, Enumeration(ALL[name], params)


@pytest.fixture(params=ALL)
def machine(request):
    return made(request.param)


def rows_of(truth, n, missing, seed=0):
    """Rows of the bottom layer, NaN where missing, and the log weight of each."""
    data = observed(truth, n, missing, len(truth.layers[0]), seed)
    given = [dict(enumerate(row)) for row in zip(*data)]
    return data, [truth.log_prob(part) + truth.log_Z for part in given]


def as_mean(energy):
    def update(block, eta):
        mean = energy.units[block].mean(eta)
        return mean, mean

    return update


@pytest.mark.parametrize("missing", [0.0, 0.4])
def test_is_a_fixed_point(machine, missing):
    energy, params, truth = machine
    x, clamp = clamped(energy, *rows_of(truth, 12, missing)[0])
    means, info = mean_field(energy, params, x, clamp, max_sweeps=1000, tol=1e-10)
    assert info.converged.all()
    again, _ = sweep(energy, params, means, as_mean(energy), colors=(1, 0), clamp=clamp)
    for a, b in zip(means, again):
        np.testing.assert_allclose(a, b, atol=1e-8)


@pytest.mark.parametrize("missing", [0.0, 0.4, 1.0])
def test_bound_is_below_the_exact_value(machine, missing):
    energy, params, truth = machine
    data, exact = rows_of(truth, 12, missing)
    x, clamp = clamped(energy, *data)
    means, _ = mean_field(energy, params, x, clamp)
    assert (bound(energy, params, means, clamp) <= np.add(exact, 1e-9)).all()


@pytest.mark.parametrize("name", ["rbm", "wide-rbm", *MIXED])
def test_is_exact_where_the_posterior_factorizes(name):
    energy, params, truth = made(name)
    data, exact = rows_of(truth, 6, 0.0)
    x, clamp = clamped(energy, *data)
    means, info = mean_field(energy, params, x, clamp)
    assert (info.n_sweeps == 1).all()
    np.testing.assert_allclose(bound(energy, params, means, clamp), exact)
    visible = {block: part[0] for block, part in enumerate(data)}
    for block in energy.colors[ODD]:
        np.testing.assert_allclose(means[block][0], truth.mean(block, visible))


@pytest.mark.parametrize("name", MIXED)
def test_is_exact_without_couplings(name):
    energy, params, _ = made(name)
    silent = Params(params.units, tuple(0 * W for W in params.couplings))
    data, exact = rows_of(Enumeration(ALL[name], silent), 12, 0.5)
    x, clamp = clamped(energy, *data)
    means, _ = mean_field(energy, silent, x, clamp)
    np.testing.assert_allclose(bound(energy, silent, means, clamp), exact)


def test_no_sweep_lowers_the_bound(machine):
    energy, params, truth = machine
    x, clamp = clamped(energy, *rows_of(truth, 12, 0.5)[0])
    last = -np.inf
    for color in (1, 0) * 10:
        x, _ = sweep(energy, params, x, as_mean(energy), colors=(color,), clamp=clamp)
        now = bound(energy, params, x, clamp)
        assert (now >= last - 1e-12).all()
        last = now


def test_rows_stop_one_by_one_whoever_keeps_them_company(machine):
    energy, params, truth = machine
    x, clamp = clamped(energy, *rows_of(truth, 20, 0.5, seed=2)[0])
    whole, info = mean_field(energy, params, x, clamp, tol=1e-6)
    for row in (0, 7, 19):
        x1 = tuple(part[row : row + 1] for part in x)
        clamp1 = tuple(c if c is None else c[row : row + 1] for c in clamp)
        alone, info1 = mean_field(energy, params, x1, clamp1, tol=1e-6)
        assert info1.n_sweeps[0] == info.n_sweeps[row]
        for a, b in zip(alone, whole):
            np.testing.assert_allclose(a[0], b[row], atol=1e-14)


def test_says_what_did_not_converge():
    energy, params = random_machine(ALL["dbm"], seed=3, scale=3.0)
    x, clamp = clamped(energy, np.where(np.eye(20, 3), 1.0, np.nan))
    _, info = mean_field(energy, params, x, clamp, max_sweeps=2, tol=1e-12)
    assert not info.converged.any()
    assert (info.n_sweeps == 2).all()


def test_given_values_are_not_changed(machine):
    energy, params, truth = machine
    x, clamp = clamped(energy, *rows_of(truth, 5, 0.5)[0])
    for part in x:
        part.flags.writeable = False
    mean_field(energy, params, x, clamp)


@pytest.mark.exhaustive(default=["(5, 6, 4)"])
@pytest.mark.parametrize("sizes", [(5,), (5, 6), (5, 6, 4)], ids=str)
def test_kernels_agree_with_arrays_under_a_free_label(sizes):
    rng, units = np.random.default_rng(0), [Bernoulli(n) for n in (7, *sizes)]
    units.append(Softmax(3))
    energy = layered([[unit] for unit in units])
    pairs = pairwise(unit.size for unit in units)
    own = tuple(rng.normal(size=unit.size) for unit in units)
    params = Params(own, tuple(rng.normal(size=pair) for pair in pairs))
    x, clamp = (
        (first, *(None,) * len(own[1:])) for first in (rng.random((9, 7)), True)
    )
    assert not binary.supports_mean_field(energy, params, x, clamp)
    assert binary.supports_mean_field(energy, tiled(params), x, clamp)
    means, info = mean_field(energy, params, x, clamp)
    by_kernel, same = mean_field(energy, tiled(params), x, clamp)
    for a, b in zip(means, by_kernel):
        np.testing.assert_allclose(a, b, rtol=1e-9)
    np.testing.assert_array_equal(info.n_sweeps, same.n_sweeps)
    np.testing.assert_array_equal(info.converged, same.converged)


@pytest.mark.parametrize("known", [(0,), (1, 2), (0, 2), ()])
def test_inputs_from_clamped_blocks_are_kept_with_those_they_gate(known):
    energy, params = random_machine(GRAPHS["three-way"], seed=0)
    rng = np.random.default_rng(0)
    x = tuple(rng.random((4, unit.size)) for unit in energy.units)
    clamp = tuple(True if block in known else None for block in range(3))
    model = Clamped.of(energy, params, x, clamp)
    for block in set(range(3)) - set(known):
        found = model.received(model.params, x, block)
        np.testing.assert_allclose(found, energy.received(params, x, block))
