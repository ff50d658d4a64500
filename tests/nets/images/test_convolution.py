from itertools import product

import numpy as np
import pytest
from scipy.signal import correlate2d

from skdgm.nets import vjp
from skdgm.nets.images.convolution import convolve, deconvolve
from skdgm.nets.primitives import ACTIVATIONS, FORWARD
from skdgm.utils import windows
from skdgm.utils.threading.parallel import limit
from skdgm.utils.windows import beneath, window
from tests.nets.recipes import assert_slopes, numbers
from tests.numerical import assert_trees
from tests.suites import DTYPES

# Sizes odd and even, with and without maps; filters odd and even, larger and smaller
# than their stride.
WINDOWS = [
    window((5, 5, 1), 3, 1),
    window((6, 5, 2), 3, 1, "valid"),
    window((7, 8, 2), 5, 2),
    window((7, 8, 2), 5, 2, "valid"),
    window((8, 7, 3), 4, 2),
    window((9, 7, 1), (3, 2), (3, 1)),
    window((7, 7, 2), 2, 3),
    window((7, 7, 2), 2, 3, "valid"),
    window((1, 9, 2), (1, 5), (1, 2)),
    window((2, 3, 1), 5, 1),
    window((4, 4, 2), 1, 1),
]
SMALL = [window((4, 3, 2), 3, 2), window((4, 5, 1), 2, 3, "valid")]
N_IMAGES, N_ABOVE = 3, 2


def drawn(window, dtype=np.float64, n_images=N_IMAGES, n_above=N_ABOVE):
    """Images beneath and above a window, weights, and biases of both."""
    below, above = np.prod(window.below), window.n_positions * n_above
    sizes = (n_images, below), (n_images, above), (window.n_numbers, n_above)
    sizes += (n_above,), (window.maps,)
    return [numbers(*size, dtype=dtype, seed=i) for i, size in enumerate(sizes)]


def correlated(x, W, b, window):
    """A convolution image by image and map by map, by SciPy."""
    x = x.reshape(-1, *window.below)
    kernels = W.reshape(window.rows, window.columns, window.maps, -1)
    y = np.zeros((len(x), window.high, window.wide, len(b)))
    bottom = (window.high - 1) * window.down + window.rows - window.top - x.shape[1]
    right = (window.wide - 1) * window.right + window.columns
    right -= window.left + x.shape[2]
    around = (window.top, max(0, bottom)), (window.left, max(0, right))
    for r, m, k in product(range(len(x)), range(window.maps), range(len(b))):
        padded = np.pad(x[r, :, :, m], around)
        found = correlate2d(padded, kernels[:, :, m, k], "valid")
        found = found[:: window.down, :: window.right]
        y[r, :, :, k] += found[: window.high, : window.wide]
    return (y + b).reshape(len(x), -1)


def scattered(y, W, b, window):
    """A transposed convolution, number by number."""
    n_images, n_above = len(y), W.shape[1]
    y = y.reshape(n_images, window.high, window.wide, n_above)
    kernels = W.reshape(window.rows, window.columns, window.maps, n_above)
    x = np.zeros((n_images, *window.below)) + b
    for i, j in product(range(window.high), range(window.wide)):
        for row, column in product(range(window.rows), range(window.columns)):
            p = i * window.down - window.top + row
            q = j * window.right - window.left + column
            if 0 <= p < window.height and 0 <= q < window.width:
                x[:, p, q] += y[:, i, j] @ kernels[row, column].T
    return x.reshape(n_images, -1)


@pytest.mark.parametrize("window", WINDOWS)
def test_convolution_is_that_of_scipy(window):
    x, _, W, b, _ = drawn(window)
    expected = correlated(x, W, b, window)
    np.testing.assert_allclose(convolve(x, W, b, window), expected, rtol=1e-10)


@pytest.mark.parametrize("window", WINDOWS)
def test_transposed_convolution_is_its_definition(window):
    _, y, W, _, b = drawn(window)
    expected = scattered(y, W, b, window)
    np.testing.assert_allclose(deconvolve(y, W, b, window), expected, rtol=1e-10)


@pytest.mark.parametrize("window", WINDOWS)
def test_each_is_the_adjoint_of_the_other(window):
    x, y, W, b, c = drawn(window)
    above, below = convolve(x, W, 0 * b, window), deconvolve(y, W, 0 * c, window)
    np.testing.assert_allclose((above * y).sum(), (x * below).sum(), rtol=1e-10)
    _, (back,) = vjp(lambda p: convolve(p[0], W, b, window), (x,), lambda _: y)
    np.testing.assert_allclose(back, below, rtol=1e-12)
    _, (back,) = vjp(lambda p: deconvolve(p[0], W, c, window), (y,), lambda _: x)
    np.testing.assert_allclose(back, above, rtol=1e-12)


@pytest.mark.parametrize("window", SMALL)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_slopes(window, activation):
    x, y, W, b, c = drawn(window)
    for function, below, shift in (convolve, x, b), (deconvolve, y, c):

        def whole(params, f=function):
            return f(*params, window, activation)

        assert_slopes(whole, (below, W, shift))
        assert_slopes(lambda p, g=whole, x=below: g((x, *p)), (W, shift))
        assert_slopes(lambda p, g=whole, b=shift: g((p[0], W, b)), (below,))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activation_functions_follow(activation):
    x, y, W, b, c = drawn(WINDOWS[2])
    for function, below, shift in (convolve, x, b), (deconvolve, y, c):
        z = function(below, W, shift, WINDOWS[2])
        found = function(below, W, shift, WINDOWS[2], activation)
        np.testing.assert_allclose(found, FORWARD[activation](z), rtol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
def test_types_are_kept(dtype):
    x, y, W, b, c = drawn(WINDOWS[2], dtype)
    for function, params in (convolve, (x, W, b)), (deconvolve, (y, W, c)):
        value, grads = vjp(
            lambda p, f=function: f(*p, WINDOWS[2], "tanh"), params, np.ones_like
        )
        assert {part.dtype for part in (value, *grads)} == {np.dtype(dtype)}
        exact = function(*(part.astype(float) for part in params), WINDOWS[2], "tanh")
        np.testing.assert_allclose(value, exact, rtol=1e-4, atol=1e-5)


def test_arguments_stay_as_they_are():
    x, y, W, b, c = drawn(WINDOWS[2])
    for function, params in (convolve, (x, W, b)), (deconvolve, (y, W, c)):
        before = [part.copy() for part in params]
        vjp(lambda p, f=function: f(*p, WINDOWS[2], "tanh"), params, np.ones_like)
        assert_trees(params, before, rtol=0)


@pytest.mark.parametrize("n_images", [0, 1, 30])
def test_threads_and_other_images_change_nothing(n_images, monkeypatch):
    """Images in several groups, and in several parts of a group."""
    own = window((16, 16, 4), 5, 1)
    monkeypatch.setattr(windows, "_MAX_ENTRIES", 2 * own.n_positions * own.n_numbers)
    x, y, W, b, c = drawn(own, np.float32, n_images, n_above=4)
    for function, params in (convolve, (x, W, b)), (deconvolve, (y, W, c)):
        found = []
        for n_threads in (1, 2):
            with limit(n_threads):
                f = vjp(lambda p, f=function: f(*p, own), params, np.ones_like)
            found.append(f)
        assert_trees(found[0], found[1], rtol=0)
        value, (back, *sums) = found[0]
        alone = [
            vjp(
                lambda p, f=function: f(*p, own),
                (params[0][r : r + 1], *params[1:]),
                np.ones_like,
            )
            for r in range(n_images)
        ]
        for r, (one, (of_x, *_)) in enumerate(alone):
            np.testing.assert_allclose(one[0], value[r], rtol=1e-4, atol=1e-4)
            np.testing.assert_allclose(of_x[0], back[r], rtol=1e-4, atol=1e-4)
        total = [sum(grads[i] for _, grads in alone) for i in (1, 2)]
        for own_sum, expected in zip(sums, total):
            np.testing.assert_allclose(own_sum, expected + 0 * own_sum, rtol=1e-3)


@pytest.mark.parametrize("size", range(1, 12))
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_windows(size, stride):
    same = window((size, size, 1), 5, stride)
    assert same.high == same.wide == len(range(0, size, stride))
    again = beneath((same.high, same.wide, 4), 1, 5, stride, size=(size, size))
    assert again == same
    if size >= 5:
        inside = window((size, size, 1), 5, stride, "valid")
        assert inside.high == len(range(0, size - 4, stride))
        assert inside.top == inside.left == 0
        above = inside.high, inside.wide, 4
        largest = beneath(above, 1, 5, stride, "valid").height
        assert size - stride < largest <= size
    for above in ((size, size, 2), (3, size, 2)):
        own = beneath(above, 1, 5, stride)
        assert (own.height, own.width) == (above[0] * stride, size * stride)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"filter": 0}, r"filter must be .* got 0\."),
        ({"stride": (1, 2, 3)}, r"stride must be .* got \(1, 2, 3\)\."),
        ({"stride": True}, "stride must be"),
        ({"filter": 2.0}, "filter must be"),
        ({"padding": "full"}, "padding must be 'same' or 'valid'; got 'full'"),
        ({"padding": "valid", "filter": 5}, r"\(5, 5\) is larger than .* \(4, 4\)"),
    ],
)
def test_windows_that_there_are_not(options, message):
    with pytest.raises(ValueError, match=message):
        window((4, 4, 1), **options)


def test_sizes_that_no_window_leads_to():
    with pytest.raises(ValueError, match=r"takes images of size \(9, 8\) to \(5, 4\)"):
        beneath((4, 4, 1), 1, size=(9, 8))
