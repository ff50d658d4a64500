import numba
import numpy as np
import pytest

from skdgm._kernels.machines import hidden
from skdgm._kernels.nets import nade as kernels
from skdgm._kernels.nets.nade import draw, draw_linear
from skdgm._kernels.sparse.lists import RowLists
from skdgm.utils.lists import Lists
from tests._kernels.oracles import sigmoid
from tests.suites import DTYPES

# Of the types' precision, for sums over up to 600 units.
TOLERANCE = {np.float32: 2e-4, np.float64: 1e-11}
ACTIVATIONS = {
    hidden.LOGISTIC: (sigmoid, lambda h: h * (1 - h)),
    hidden.TANH: (np.tanh, lambda h: 1 - h * h),
    hidden.RELU: (lambda s: s * (s > 0), lambda h: 1.0 * (h > 0)),
}
KINDS = pytest.mark.parametrize("kind", ACTIVATIONS, ids=["logistic", "tanh", "relu"])
TYPES = pytest.mark.parametrize("dtype", DTYPES)
SCALED = pytest.mark.parametrize("scaled", [False, True], ids=["plain", "scaled"])
# Inputs and outputs of each column.
BITS = np.ones(9, int), np.ones(9, int)
SEVERAL = np.array([2, 1, 3, 1, 4]), np.array([1, 6, 2, 1, 3])
# More columns, and rows, than are had at a time: as plain Python that takes hours.
PLAIN = numba.config.DISABLE_JIT
ROWS, N_COLUMNS = (7, 5) if PLAIN else (70, 70)
# Of more columns than a block has the last ones are wide: there is to be room for any.
UNEVEN = np.ones(kernels._BACK + 3, int), np.repeat([1, 5], [3, kernels._BACK])
MANY = np.arange(N_COLUMNS) % 2 + 1, np.arange(N_COLUMNS) % 3 + 1


def case(sizes, n_units, dtype, scaled, values="real", seed=0):
    """Rows, columns of inputs, edges of outputs, and a net; the first row is zero, and
    nothing is in the last."""
    rng = np.random.default_rng(seed)
    (n_inputs, n_outputs), n_columns = sizes, len(sizes[0])
    columns = np.repeat(np.arange(n_columns), n_inputs)
    edges = np.append(0, np.cumsum(n_outputs))
    x = rng.normal(size=(ROWS, len(columns))) * (rng.random((ROWS, len(columns))) < 0.5)
    x = x if values == "real" else 1.0 * (x != 0)
    x[0], x[-1] = 0, x[-1] + (x[-1] == 0)
    W, V = (rng.normal(size=(n, n_units)) for n in (len(columns), edges[-1]))
    c, b = rng.normal(size=n_units), rng.normal(size=edges[-1])
    rho = rng.normal(size=n_columns) if scaled else np.zeros(0)
    # Sums are of the size of one.
    net = W / np.sqrt(n_units), c, rho, V / np.sqrt(n_units), b
    return x.astype(dtype), columns, edges, tuple(part.astype(dtype) for part in net)


def oracle(x, columns, edges, net, kind):
    """Outputs, and a function of their grads that gives those of the net."""
    x, (W, c, rho, V, b) = x.astype(float), (part.astype(float) for part in net)
    activate, bend = ACTIVATIONS[kind]
    parts = []
    for t in range(len(edges) - 1):
        before, own = columns < t, slice(*edges[t : t + 2])
        a, scale = c + x[:, before] @ W[before], rho[t] if len(rho) else 1.0
        parts.append((before, own, a, scale, activate(scale * a)))
    z = np.concatenate([b[own] + h @ V[own].T for _, own, *_, h in parts], axis=1)

    def back(dz):
        dW, dc, drho, dV = (np.zeros_like(part) for part in (W, c, rho, V))
        for t, (before, own, a, scale, h) in enumerate(parts):
            dV[own] += dz[:, own].T @ h
            g = dz[:, own] @ V[own] * bend(h)
            dW[before] += x[:, before].T @ (scale * g)
            dc += scale * g.sum(axis=0)
            if len(rho):
                drho[t] += (g * a).sum()
        return dW, dc, drho, dV

    return z, back


def listed(x, binary=False):
    lists = Lists.pack(x, binary=binary)
    return RowLists(lists.index, lists.value, lists.count)


def forward(lists, given, cuts=(ROWS,)):
    columns, edges, net, kind = given
    shape = columns, edges, kind
    z, start = np.full((ROWS, edges[-1]), np.nan, net[1].dtype), 0
    for stop in cuts:
        kernels.forward(lists, net, shape, z, start, stop)
        start = stop
    return z


def backward(lists, given, dz, cuts=None):
    columns, edges, net, kind = given
    (W, c, rho, V, _), shape = net, (columns, edges, kind)
    drho, start = np.zeros((len(c), len(rho)), c.dtype), 0
    grads = np.zeros_like(W), np.zeros_like(c), drho, np.zeros_like(V)
    for stop in cuts or (len(c),):
        kernels.backward(lists, net, shape, dz, grads, start, stop)
        start = stop
    return grads


@pytest.mark.exhaustive(default=["uneven", "plain-relu"])
@TYPES
@KINDS
@SCALED
@pytest.mark.parametrize(
    "sizes",
    [BITS, SEVERAL, UNEVEN, MANY],
    ids=["bits", "several", "uneven", "many"],
)
@pytest.mark.parametrize("n_units", [1, 19] if PLAIN else [1, 19, 600])
def test_there_and_back(sizes, n_units, scaled, kind, dtype):
    x, *given = case(sizes, n_units, dtype, scaled)
    given.append(kind)
    close = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
    z, back = oracle(x, *given)
    np.testing.assert_allclose(forward(listed(x), given), z, **close)
    dz = np.random.default_rng(1).normal(size=z.shape).astype(dtype)
    dW, dc, drho, dV = backward(listed(x), given, dz)
    for found, expected in zip((dW, dc, drho.sum(axis=0), dV), back(dz), strict=True):
        np.testing.assert_allclose(found, expected, **close)
        assert found.dtype == dtype


@pytest.mark.exhaustive(default=["float64"])
@pytest.mark.skipif(PLAIN, reason="of many rows")
@TYPES
@KINDS
@SCALED
def test_any_parts_give_the_same(scaled, kind, dtype):
    x, *given = case(MANY, 300, dtype, scaled)
    given.append(kind)
    lists, z = listed(x), forward(listed(x), given)
    dz = np.random.default_rng(1).normal(size=z.shape).astype(dtype)
    whole = backward(lists, given, dz)
    for cuts in [(1, 4, ROWS), (5, 66, ROWS)]:
        np.testing.assert_array_equal(forward(lists, given, cuts), z)
    for cuts in [(7, 260, 300), (150, 300), (256, 299, 300)]:
        for part, expected in zip(backward(lists, given, dz, cuts), whole, strict=True):
            np.testing.assert_array_equal(part, expected)


def test_slopes_of_parts_of_hidden_units_are_those_of_all():
    x, *given = case(SEVERAL, 5, np.float64, True)
    given.append(hidden.TANH)
    z, back = oracle(x, *given)
    dz = np.random.default_rng(1).normal(size=z.shape)
    dW, dc, drho, dV = backward(listed(x), given, dz, (2, 4, 5))
    for found, expected in zip((dW, dc, drho.sum(axis=0), dV), back(dz), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)


@TYPES
def test_lists_of_ones_need_no_values(dtype):
    x, *given = case(BITS, 19, dtype, False, "bits")
    given.append(hidden.LOGISTIC)
    plain, ones = listed(x), listed(x, binary=True)
    assert len(plain[1]) == ROWS
    assert len(ones[1]) == 0
    z = forward(plain, given)
    np.testing.assert_array_equal(forward(ones, given), z)
    for part, expected in zip(
        backward(ones, given, z), backward(plain, given, z), strict=True
    ):
        np.testing.assert_array_equal(part, expected)


@TYPES
def test_extreme_sums(dtype):
    x, columns, edges, (W, c, rho, V, b) = case(BITS, 3, dtype, False)
    for kind, high in [(hidden.LOGISTIC, 1), (hidden.TANH, 1)]:
        for sign, h in [(1, high), (-1, {hidden.TANH: -1}.get(kind, 0))]:
            net = 0 * W, 0 * c + sign * dtype(1e4), rho, V, b
            z = forward(listed(x), (columns, edges, net, kind))
            expected = np.tile(b + h * V.sum(axis=1), (ROWS, 1))
            np.testing.assert_allclose(z, expected, rtol=1e-5, atol=1e-5)
            grads = backward(listed(x), (columns, edges, net, kind), z)
            np.testing.assert_allclose(grads[1], 0, atol=1e-30)


@TYPES
@KINDS
@SCALED
def test_bits_are_drawn_one_after_the_other(scaled, kind, dtype):
    rng = np.random.default_rng(2)
    n, n_columns = 60, 9
    _, columns, edges, net = case(BITS, 19, dtype, scaled)
    luck = rng.random((n, n_columns)).astype(dtype)
    # Rows of which nothing, all, and a part is missing; what is known may be gray.
    x = rng.random((n, n_columns)).astype(dtype)
    x[::3] = x[::3] > 0.5
    x[rng.random(x.shape) < 0.5] = np.nan
    x[0], x[1] = np.nan, 1
    found, missing = x.copy(), np.isnan(x)
    draw(net, kind, luck, found, 0, n)
    np.testing.assert_array_equal(found[~missing], x[~missing])
    assert set(found[missing]) == {0, 1}
    # Those drawn are where the others, and they themselves, say they are.
    p = sigmoid(oracle(found, columns, edges, net, kind)[0])
    sure = missing & (abs(luck - p) > TOLERANCE[dtype])
    assert sure.sum() > 0.99 * missing.sum()
    np.testing.assert_array_equal(found[sure], (luck < p)[sure])
    parts = x.copy()
    for start, stop in [(0, 1), (1, 31), (31, n)]:
        draw(net, kind, luck, parts, start, stop)
    np.testing.assert_array_equal(parts, found)


@pytest.mark.exhaustive
@TYPES
@SCALED
def test_rows_may_have_biases_of_their_own(scaled, dtype):
    # Of six rows two each have a c.
    x, columns, edges, (W, _, rho, V, b) = case(BITS, 19, dtype, scaled)
    rng, x = np.random.default_rng(3), x[:6]
    c, dz = rng.normal(size=(3, 19)).astype(dtype), rng.normal(size=(6, 9))
    z, dz = np.empty((6, 9), dtype), dz.astype(dtype)
    kind, net = hidden.TANH, (W, c, rho, V, b)
    lists, shape = listed(x), (columns, edges, kind)
    kernels.forward(lists, net, shape, z, 0, 6)
    drho = np.zeros((19, len(rho)), dtype)
    grads = np.zeros_like(W), np.zeros_like(c), drho, np.zeros_like(V)
    kernels.backward(lists, net, shape, dz, grads, 0, 19)
    close, total = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}, 0.0
    for k in range(3):
        own = slice(2 * k, 2 * k + 2)
        expected, back = oracle(x[own], columns, edges, (W, c[k], rho, V, b), kind)
        np.testing.assert_allclose(z[own], expected, **close)
        dW, dc, _, _ = back(dz[own])
        np.testing.assert_allclose(grads[1][k], dc, **close)
        total = total + dW
    np.testing.assert_allclose(grads[0], total, **close)


@TYPES
@pytest.mark.parametrize("linear", [True, False])
def test_means_and_bits_given_those_before(linear, dtype):
    rng, n = np.random.default_rng(4), 5
    W, V = rng.normal(size=(2, n, n)).astype(dtype)
    A, c = rng.normal(size=(2, 8, n)).astype(dtype)
    luck = rng.random((8, n)).astype(dtype)
    for uniform in (np.empty((0, 0), dtype), luck):
        x, expected = np.full((8, n), np.nan, dtype), np.empty((8, n))
        x[0, 1] = 1
        for r in range(8):
            for t in range(n):
                before = expected[r, :t]
                if linear:
                    a = A[r, t] + before @ W[:t, t]
                else:
                    a = A[r, t] + V[t] @ sigmoid(c[r // 2] + before @ W[:t])
                p = sigmoid(a)
                expected[r, t] = (uniform[r, t] < p) if len(uniform) else p
                if (r, t) == (0, 1):
                    expected[r, t] = 1
        if linear:
            draw_linear(W, A.copy(), uniform, x, 0, 8)
        else:
            net = W, c[:4], np.zeros(0, dtype), V, A
            draw(net, hidden.LOGISTIC, uniform, x, 0, 8)
        np.testing.assert_allclose(x, expected, rtol=1e-4)
