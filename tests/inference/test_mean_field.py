import numpy as np
import pytest

from skdgm.inference import bound, mean_field
from skdgm.samplers import sweep
from tests.reference import MACHINES, Enumeration, random_machine


@pytest.fixture(params=MACHINES)
def machine(request):
    layers = MACHINES[request.param]
    energy, params = random_machine(layers, seed=3)
    return energy, params, Enumeration(layers, params)


def clamped(energy, v, rest=0.5):
    """Block 0 clamped to rows with NaN where free, the other blocks free."""
    held = ~np.isnan(v)
    x = [np.where(held, v, rest)]
    x += [np.full((len(v), u.size), rest) for u in energy.units[1:]]
    first = True if held.all() else held
    return tuple(x), (first,) + (None,) * (len(x) - 1)


def bits(energy, n, missing, seed=0):
    rng = np.random.default_rng(seed)
    v = (rng.random((n, energy.units[0].size)) < 0.5).astype(float)
    v[rng.random(v.shape) < missing] = np.nan
    return v


def as_mean(energy):
    def update(block, eta):
        mean = energy.units[block].mean(eta)
        return mean, mean

    return update


@pytest.mark.parametrize("missing", [0.0, 0.4])
def test_is_a_fixed_point(machine, missing):
    energy, params, _ = machine
    x, clamp = clamped(energy, bits(energy, 12, missing))
    means, info = mean_field(energy, params, x, clamp, max_sweeps=1000, tol=1e-10)
    assert info.converged.all()
    again, _ = sweep(
        energy, params, means, as_mean(energy), colours=(1, 0), clamp=clamp
    )
    for a, b in zip(means, again):
        np.testing.assert_allclose(a, b, atol=1e-8)


@pytest.mark.parametrize("missing", [0.0, 0.4, 1.0])
def test_bound_is_below_the_exact_value(machine, missing):
    energy, params, truth = machine
    v = bits(energy, 12, missing)
    x, clamp = clamped(energy, v)
    means, _ = mean_field(energy, params, x, clamp)
    exact = [truth.log_prob({0: row}) + truth.log_Z for row in v]
    assert (bound(energy, params, means, clamp) <= np.add(exact, 1e-9)).all()


def test_is_exact_where_the_posterior_factorises():
    layers = MACHINES["rbm"]
    energy, params = random_machine(layers, seed=3)
    truth = Enumeration(layers, params)
    v = bits(energy, 6, 0.0)
    x, clamp = clamped(energy, v)
    means, info = mean_field(energy, params, x, clamp)
    assert (info.n_sweeps == 1).all()
    exact = [truth.log_prob({0: row}) + truth.log_Z for row in v]
    np.testing.assert_allclose(bound(energy, params, means, clamp), exact)
    np.testing.assert_allclose(means[1][0], truth.mean(1, {0: v[0]}))


def test_no_sweep_lowers_the_bound(machine):
    energy, params, _ = machine
    x, clamp = clamped(energy, bits(energy, 12, 0.5))
    last = -np.inf
    for colour in (1, 0) * 10:
        x, _ = sweep(energy, params, x, as_mean(energy), colours=(colour,), clamp=clamp)
        now = bound(energy, params, x, clamp)
        assert (now >= last - 1e-12).all()
        last = now


def test_rows_stop_one_by_one_whoever_keeps_them_company(machine):
    energy, params, _ = machine
    x, clamp = clamped(energy, bits(energy, 20, 0.5, seed=2))
    whole, info = mean_field(energy, params, x, clamp, tol=1e-6)
    for row in (0, 7, 19):
        x1 = tuple(part[row : row + 1] for part in x)
        clamp1 = (clamp[0][row : row + 1],) + clamp[1:]
        alone, info1 = mean_field(energy, params, x1, clamp1, tol=1e-6)
        assert info1.n_sweeps[0] == info.n_sweeps[row]
        for a, b in zip(alone, whole):
            np.testing.assert_allclose(a[0], b[row], atol=1e-14)


def test_says_what_did_not_converge():
    energy, params = random_machine(MACHINES["dbm"], seed=3, scale=3.0)
    x, clamp = clamped(energy, bits(energy, 20, 0.5))
    _, info = mean_field(energy, params, x, clamp, max_sweeps=2, tol=1e-12)
    assert not info.converged.any()
    assert (info.n_sweeps == 2).all()


def test_given_values_are_not_changed(machine):
    energy, params, _ = machine
    x, clamp = clamped(energy, bits(energy, 5, 0.5))
    for part in x:
        part.flags.writeable = False
    mean_field(energy, params, x, clamp)
