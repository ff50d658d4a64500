import numpy as np
import pytest

from skdgm.distributions import Bernoulli
from skdgm.energies import layered, tiled
from skdgm.inference import mean_field
from skdgm.samplers import binary
from tests._kernels.oracles import TOLERANCE
from tests.suites import DTYPES

SIZES = [(5, 4, 3), (33, 40, 7, 35), (6, 3, 4, 2, 5)]


def machine(sizes, dtype, scale=1.0):
    energy, rng = layered([[Bernoulli(n)] for n in sizes]), np.random.default_rng(0)
    params = energy.init(rng, dtype=dtype)
    params = params._replace(
        units=tuple(rng.normal(size=b.shape).astype(dtype) for b in params.units),
        couplings=tuple(
            (scale * rng.normal(size=W.shape) / len(W) ** 0.5).astype(dtype)
            for W in params.couplings
        ),
    )
    v = rng.random((23, sizes[0])).astype(dtype)
    rest = (None,) * (len(sizes) - 1)
    return energy, params, (v, *rest), (True, *rest)


@pytest.mark.exhaustive(default=["(5, 4, 3)-float64"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("max_sweeps", [1, 2, 50])
def test_means_are_those_of_any_energy(max_sweeps, sizes, dtype):
    energy, params, x, clamp = machine(sizes, dtype)
    form = tiled(params)
    assert binary.supports_mean_field(energy, form, x, clamp)
    found, info = mean_field(energy, form, x, clamp, max_sweeps=max_sweeps)
    expected, known = mean_field(energy, params, x, clamp, max_sweeps=max_sweeps)
    for a, b in zip(found, expected):
        np.testing.assert_allclose(a, b, atol=10 * TOLERANCE[dtype])
    np.testing.assert_array_equal(info.converged, known.converged)
    np.testing.assert_array_equal(info.n_sweeps, known.n_sweeps)


@pytest.mark.exhaustive(default=["(5, 4, 3)"])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_a_row_does_not_depend_on_others(sizes):
    energy, params, x, clamp = machine(sizes, np.float64, scale=3.0)
    form = tiled(params)
    found, info = mean_field(energy, form, x, clamp)
    assert len(np.unique(info.n_sweeps)) > 1
    for r in range(len(x[0])):
        row = (x[0][r : r + 1], *x[1:])
        alone, own = mean_field(energy, form, row, clamp)
        assert own.n_sweeps[0] == info.n_sweeps[r]
        for a, b in zip(alone, found):
            np.testing.assert_array_equal(a[0], b[r])
