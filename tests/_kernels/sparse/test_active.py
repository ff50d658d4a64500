import numpy as np
import pytest

from skdgm._kernels.sparse.active import correlate, multiply
from skdgm.couplings._correlation import _turned, _turned_back
from skdgm.utils.windows import Window
from tests._kernels.nets.test_patches import WINDOWS, by_slices
from tests.suites import DTYPES

# Steps of one to the right.
WINDOWS = [Window(*w)._replace(right=1, wide=w[10] + (w[6] > 1)) for w in WINDOWS]
N_IMAGES, N_ABOVE = 3, 4


def drawn(window, dtype, share):
    height, width, maps, rows, columns, *_, high, wide = window
    rng = np.random.default_rng(0)

    def numbers(*shape):
        return rng.normal(size=shape).astype(dtype)

    x = numbers(N_IMAGES, height * width * maps)
    y = numbers(N_IMAGES, high * wide * N_ABOVE)
    for part in (x, y):
        part[rng.random(part.shape) > share] = 0
    return x, y, numbers(rows * columns * maps, N_ABOVE)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_they_are_those_of_patches(window, dtype, share):
    x, y, W = drawn(window, dtype, share)
    patches, above = by_slices(x, window), y.reshape(-1, N_ABOVE)
    close = {"rtol": 1e-5, "atol": 1e-5}
    sent = np.full_like(y, np.nan)
    correlate(x, _turned(W, window), window, sent)
    np.testing.assert_allclose(sent.reshape(-1, N_ABOVE), patches @ W, **close)
    G = np.ones_like(_turned(W, window))
    multiply(x, y, window, G)
    np.testing.assert_allclose(_turned_back(G, window), 1 + patches.T @ above, **close)
