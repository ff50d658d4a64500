"""A convolutional coupling is a full one with an unrolled matrix."""

import numpy as np
import pytest
from scipy.signal import correlate

from skdgm.couplings import Conv, Dense, _correlation
from skdgm.distributions import Pooled
from skdgm.utils.lists import Lists
from skdgm.utils.threading.parallel import limit
from skdgm.utils.windows import window
from tests.numerical import numerical_gradient
from tests.suites import DTYPES

RNG = np.random.default_rng(0)
COUPLINGS = [
    Conv(window((4, 3, 1), (2, 2), 1, "valid"), 3),
    Conv(window((4, 5, 2), (3, 2), 1, "valid"), 2),
    Conv(window((4, 5, 2), (3, 4), 1, "same"), 2),
    Conv(window((1, 6, 1), (1, 3), 1, "valid"), 4),
    Conv(window((3, 3, 1), (3, 3), 1, "valid"), 2),
    Conv(window((4, 5, 2), 2, (2, 1), "valid"), 2),
    Conv(window((4, 5, 1), 3, (1, 2), "same"), 2),
    # Filters that see pooled units.
    Conv(window((2, 2, 2), (2, 1), 1, "valid"), 3, Pooled(4, 6, 2, 2, 3)),
    Conv(window((1, 3, 2), (1, 3), 1, "same"), 2, Pooled(2, 3, 2, 2, 1)),
]


def unrolled(coupling, W):
    """The matrix, place by place."""
    own = coupling.window
    M = np.zeros((int(np.prod(own.below)), coupling.n_above))
    image = np.arange(len(M)).reshape(own.below)
    for i in range(own.high):
        for j in range(own.wide):
            for place, (a, b, c) in enumerate(
                np.ndindex(own.rows, own.columns, own.maps)
            ):
                y, x = own.down * i + a - own.top, own.right * j + b - own.left
                if 0 <= y < own.height and 0 <= x < own.width:
                    first = (i * own.wide + j) * coupling.n_maps
                    M[image[y, x, c], first : first + coupling.n_maps] = W[place]
    if coupling.pooled is None:
        return M
    # Every unit of a block has the weights of its pooled unit.
    _, _, maps, rows, columns = coupling.pooled[:5]
    whole = M.reshape(own.height, own.width, maps, -1)
    return whole.repeat(rows, axis=0).repeat(columns, axis=1).reshape(-1, M.shape[1])


@pytest.fixture(params=COUPLINGS, ids=str)
def case(request):
    coupling = request.param
    W = coupling.init(np.random.default_rng(1), 1.0)
    below, above = (
        [RNG.random((n_rows, n)) for n_rows in (6, 3)]
        for n in (coupling.n_below, coupling.n_above)
    )
    return coupling, W, below, above


def test_it_is_the_dense_coupling_of_the_unrolled_filters(case):
    coupling, W, (below, less), (above, least) = case
    dense, M = Dense(coupling.n_below, coupling.n_above), unrolled(coupling, W)
    np.testing.assert_array_equal(coupling.matrix(W), M)
    for x, up in ((below, True), (above, False)):
        found = coupling.send(W, x, up=up)
        np.testing.assert_allclose(found, dense.send(M, x, up=up), atol=1e-12)
    np.testing.assert_allclose(
        coupling.log_weight(W, below, above), dense.log_weight(M, below, above)
    )
    # The gradient is that of the matrix, summed over the places of each weight.
    full = np.asarray(dense.contrast(below, above, less, least))
    found = np.asarray(coupling.contrast(below, above, less, least))
    for place in np.ndindex(W.shape):
        one = np.zeros_like(W)
        one[place] = 1
        expected = (full * unrolled(coupling, one)).sum()
        assert found[place] == pytest.approx(expected, abs=1e-12)


def test_gradient(case):
    coupling, W, (below, _), (above, _) = case
    numeric = numerical_gradient(
        lambda W: coupling.log_weight(W, below, above).mean(), W
    )
    nothing = below[:0], above[:0]
    found = np.asarray(coupling.contrast(below, above, *nothing))
    np.testing.assert_allclose(found, numeric, atol=1e-8)


def test_centering_is_a_change_of_coordinates(case):
    """Biases that are counted from offsets, b - S(W), c - T(W), with S and T linear in
    W: the gradient by W, and what its step does to the biases."""
    coupling, W, (below, less), (above, least) = case
    own, n_maps = coupling.window, coupling.n_maps
    tied = coupling.pooled is not None
    of_below = RNG.normal(size=own.maps if tied else coupling.n_below)
    of_above = RNG.normal(size=n_maps)
    mu, lam = RNG.random(coupling.n_below), RNG.random(coupling.n_above)
    M = unrolled(coupling, W)
    lone = lam.reshape(-1, n_maps).mean(axis=0)

    def shifts(W):
        M = unrolled(coupling, W)
        S = M @ np.tile(lone, own.n_positions)
        T = (mu @ M).reshape(-1, n_maps).mean(axis=0)
        # A bias of a map has the mean of its units.
        return S.reshape(-1, own.maps).mean(axis=0) if tied else S, T

    def objective(W):
        S, T = shifts(W)
        given = below, above, less, least
        data, model = (
            np.einsum("ij,jk,ik->i", x, unrolled(coupling, W), y).mean()
            for x, y in (given[:2], given[2:])
        )
        return data - model - S @ of_below - T @ of_above

    assert M.shape == (coupling.n_below, coupling.n_above)
    part = coupling.contrast(below, above, less, least)
    found, *steps = part.center(of_below, of_above, mu, lam, mu)
    np.testing.assert_allclose(
        np.asarray(found), numerical_gradient(objective, W), atol=1e-7
    )
    for a, b in zip(steps, shifts(np.asarray(found)), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-10)
    half = found.scaled(np.full(coupling.n_below, 0.5)) if not tied else None
    if half is not None:
        np.testing.assert_allclose(np.asarray(half), 0.5 * np.asarray(found))


def test_it_is_scipys_correlation():
    coupling = COUPLINGS[0]
    W, x = RNG.normal(size=(4, 3)), RNG.normal(size=(2, 12))
    found = coupling.send(W, x, up=True).reshape(2, 3, 2, 3)
    for r, k in np.ndindex(2, 3):
        expected = correlate(x[r].reshape(4, 3), W[:, k].reshape(2, 2), "valid")
        np.testing.assert_allclose(found[r, :, :, k], expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_lists_are_images(dtype):
    coupling = COUPLINGS[1]
    W = RNG.normal(size=(12, 2)).astype(dtype)
    x = (RNG.random((5, 40)) < 0.3).astype(dtype)
    found = coupling.send(W, Lists.pack(x, binary=True), up=True)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, coupling.send(W, x, up=True))


def test_limit_and_decay():
    coupling, W = COUPLINGS[1], RNG.normal(size=(12, 2))
    norms, before = np.linalg.norm(W, axis=0), W.copy()
    coupling.limit(W, norms.min(), np.full((40, 1), 1.0))
    np.testing.assert_allclose(W, before * norms.min() / norms)
    coupling.stretch(W, np.full(40, 2.0))
    np.testing.assert_allclose(W, 2 * before * norms.min() / norms)
    below, above = RNG.random((4, 40)), RNG.random((4, coupling.n_above))
    part = coupling.contrast(below, above, below, above)
    moved, velocity = before.copy(), np.zeros_like(W)
    part.ascend(moved, velocity, rate=0.1, momentum=0.5, l2=0.5, l1=0.1)
    step = -0.1 * (0.5 * before + 0.1 * np.sign(before))
    np.testing.assert_allclose(moved, before + step)
    np.testing.assert_allclose(velocity, step)


def test_threads_make_no_difference():
    coupling = Conv(window((28, 28, 1), 9, 1, "valid"), 24)
    W = coupling.init(np.random.default_rng(0), 0.1, np.float32)
    x = RNG.random((50, 784)).astype(np.float32)
    found = []
    for n in (1, 2):
        with limit(n):
            y = coupling.send(W, x, up=True)
            grad = np.asarray(coupling.contrast(x, y, x[:30], y[20:]))
            found.append((y, coupling.send(W, y, up=False), grad))
    for one, two in zip(*found):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("dtype", DTYPES)
def test_few_active_numbers_are_numbers(dtype, monkeypatch):
    rng = np.random.default_rng(0)
    shape = window((7, 6, 2), (3, 2), (2, 1), "same")
    own = Conv(shape, 4)
    W = own.init(rng, 1.0, dtype)
    x, x_model = ((rng.random((2, 9, own.n_below)) < 0.2) * rng.normal()).astype(dtype)
    y, y_model = rng.normal(size=(2, 9, own.n_above)).astype(dtype)

    def found():
        grad = np.asarray(own.contrast(x, y, x_model, y_model))
        return own.send(W, x, up=True), grad

    monkeypatch.setattr(_correlation, "_MAX_SPARSE_SHARE", 0.0)
    by_patches = found()
    monkeypatch.setattr(_correlation, "_MAX_SPARSE_SHARE", 1.0)
    monkeypatch.setattr(_correlation, "_LONG_RUN", 1)
    for patches, active in zip(by_patches, found()):
        assert active.dtype == dtype
        np.testing.assert_allclose(active, patches, rtol=1e-5, atol=1e-6)
