"""Filters of attention: what they read and paint, and gradients."""

import numpy as np
import pytest

from skdgm.nets import vjp
from skdgm.nets.images.attention import FilterGrid, glimpse, stroke, with_residual
from tests.numerical import assert_trees, numerical_gradient

# Height and width, filters of each side, and planes of images.
CASES = {"wide": ((5, 7), 3, 2), "line": ((1, 6), 2, 1), "one": ((4, 4), 1, 3)}


def filters(side, n, place, out, grid):
    """Filters of one side, as the paper writes them, with ones for 1-based places."""
    log_variance, log_stride = 6 * np.tanh(out[2:4] / 6)
    g = (side + 1) / 2 * (place + 1)
    i, a = np.arange(1, n + 1)[:, None], np.arange(1, side + 1)
    mu = g + (i - n / 2 - 0.5) * grid.stride * np.exp(log_stride)
    F = np.exp(-((a - mu) ** 2) / (2 * np.exp(log_variance)))
    return F / F.sum(axis=1, keepdims=True)


def both(out, grid):
    """Filters of rows and of columns, and their intensity."""
    rows = filters(grid.height, grid.n_rows, out[0], out, grid)
    columns = filters(grid.width, grid.n_columns, out[1], out, grid)
    return rows, columns, np.exp(6 * np.tanh(out[4] / 6))


@pytest.mark.parametrize("name", CASES)
def test_images_are_read_and_painted_by_filters(name):
    shape, n, planes = CASES[name]
    grid, rng = FilterGrid.of(shape, n), np.random.default_rng(0)
    x, out = rng.normal(size=(3, planes, *shape)), rng.normal(size=(3, 5))
    w = rng.normal(size=(3, planes, grid.n_rows, grid.n_columns))
    blank = np.zeros((3, x[0].size))
    read = glimpse(x.reshape(3, -1), blank, out, grid, False).reshape(
        3, 2, *w.shape[1:]
    )
    painted = stroke(x.reshape(3, -1), w.reshape(3, -1), out, grid).reshape(x.shape)
    for row in range(3):
        F_y, F_x, gamma = both(out[row], grid)
        for part in read[row]:
            np.testing.assert_allclose(part, gamma * F_y @ x[row] @ F_x.T)
        expected = x[row] + F_y.T @ w[row] @ F_x / gamma
        np.testing.assert_allclose(painted[row], expected)


def assert_gradients(function, params, weight):
    _, found = vjp(lambda p: function(*p), params, lambda _: weight)
    expected = numerical_gradient(lambda p: (weight * function(*p)).sum(), params)
    assert_trees(found, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.exhaustive(default=["line"])
@pytest.mark.parametrize("name", CASES)
def test_gradients_are_differences(name):
    shape, n, planes = CASES[name]
    grid, rng = FilterGrid.of(shape, n), np.random.default_rng(0)
    x = rng.normal(size=(4, planes * grid.height * grid.width))
    w, out = rng.normal(size=(4, planes * grid.size)), 0.7 * rng.normal(size=(4, 5))
    canvas, both = rng.normal(size=(4, 2 * x.shape[1])), np.concatenate([w, -w], axis=1)
    for logistic in True, False:
        assert_gradients(
            lambda *p, how=logistic: glimpse(x, *p, grid, how), (canvas, out), both
        )
    assert_gradients(lambda *p: stroke(*p, grid), (x, w, out), x)


@pytest.mark.parametrize("logistic", [False, True])
def test_what_a_canvas_lacks(logistic):
    rng = np.random.default_rng(0)
    x, canvas = rng.random((3, 4)), rng.normal(size=(3, 6))
    mean = 1 / (1 + np.exp(-canvas[:, :4])) if logistic else canvas[:, :4]
    found = with_residual(x, canvas, logistic)
    np.testing.assert_allclose(found, np.concatenate([x, x - mean], axis=1))
    weight = rng.normal(size=found.shape)
    assert_gradients(
        lambda canvas: with_residual(x, canvas, logistic), (canvas,), weight
    )


def test_filters_cover_images_at_first():
    for shape, n in ((8, 8), 3), ((28, 28), 5), ((28, 28), 2), ((1, 9), 4):
        grid = FilterGrid.of(shape, n)
        blank, full = np.zeros((1, shape[0] * shape[1])), np.ones((1, grid.size))
        white = stroke(blank, full, grid.start(True)[None], grid)[0]
        assert white.min() > 0.2 * white.max()
        assert 0.5 < white.max() < 2


def test_filters_far_from_images_are_finite():
    grid, x = FilterGrid.of((4, 4), 2), np.ones((2, 16), np.float32)
    out = np.array([[50, -50, -99, 99, 3], [0, 0, 99, -99, -3]], np.float32)
    for function, rows, how in (glimpse, x, (True,)), (stroke, x[:, :4], ()):
        value, grads = vjp(
            lambda p, f=function, how=how: f(x, *p, grid, *how),
            (rows, out),
            np.ones_like,
        )
        assert all(np.isfinite(part).all() for part in (value, *grads))
        assert value.dtype == grads[1].dtype == np.float32
