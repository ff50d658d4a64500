import numpy as np
import pytest

from skdgm.nets import (
    KINDS,
    Layer,
    Shape,
    Tied,
    draw_bits,
    join_columns,
    pick,
    tied,
    vjp,
    wide,
)
from skdgm.utils.random import stream
from skdgm.utils.threading.parallel import limit
from tests.nets.recipes import assert_slopes, numbers
from tests.numerical import assert_means
from tests.suites import DTYPES

INDEX = np.array([3, 0, 4])
SHAPES = {
    "bits": (np.arange(4), np.arange(5)),
    "several": (np.array([0, 0, 1, 2, 2]), np.array([0, 3, 4, 6])),
    "one": (np.zeros(2, int), np.array([0, 2])),
    "wide": (np.arange(5), 4 * np.arange(6)),
}
RHO = {"plain": False, "scaled": True}


def test_slopes():
    x, other = numbers(4, 5), numbers(4, 2, seed=1)
    assert_slopes(lambda params: pick(params[0], INDEX), (x,))
    assert_slopes(lambda params: join_columns(*params), (x, other))
    assert_slopes(lambda params: join_columns(x, params[0]), (other,))
    assert_slopes(lambda params: join_columns(params[0], other), (x,))


def test_slopes_of_what_is_used_twice():
    x = numbers(4, 5)

    def function(params):
        return join_columns(pick(params[0], INDEX), pick(params[0], INDEX[::-1]))

    assert_slopes(function, (x,))


def test_values():
    x = numbers(4, 5)
    np.testing.assert_array_equal(pick(x, INDEX), x[:, INDEX])
    np.testing.assert_array_equal(join_columns(x, -x), np.hstack([x, -x]))


@pytest.mark.parametrize("dtype", DTYPES)
def test_types_are_kept(dtype):
    x = numbers(4, 5, dtype=dtype)
    for function in (
        lambda params: pick(params[0], INDEX),
        lambda params: join_columns(params[0], params[0]),
    ):
        value, (grad,) = vjp(function, (x,), np.ones_like)
        assert value.dtype == grad.dtype == dtype
        assert grad.flags.c_contiguous


def net(shape, scaled, n_units=5, dtype=np.float64, n_rows=6):
    """Rows, a third of whose entries are zero, and parameters."""
    columns, edges = shape
    x = numbers(n_rows, len(columns), dtype=dtype, seed=1)
    x[numbers(*x.shape, seed=9) < -0.4] = 0
    below = numbers(len(columns), n_units, seed=2), numbers(n_units, seed=4)
    above = numbers(edges[-1], n_units, seed=5), numbers(edges[-1], seed=6)
    rho = numbers(len(edges) - 1 if scaled else 0, seed=7)
    return x, tuple(part.astype(dtype) for part in (*below, rho, *above))


@pytest.mark.parametrize("scaled", RHO.values(), ids=RHO)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_slopes_of_tied(shape, kind, scaled):
    x, params = net(SHAPES[shape], scaled)
    given = Shape(*SHAPES[shape], KINDS[kind])
    assert_slopes(lambda params: tied(x, given, *params), params)


def test_slopes_of_some_parameters_only():
    x, (W, c, rho, V, b) = net(SHAPES["several"], True)
    given = Shape(*SHAPES["several"], KINDS["tanh"])
    assert_slopes(lambda params: tied(x, given, W, c, params[0], V, b), (rho,))
    assert_slopes(
        lambda params: tied(x, given, params[0], c, rho, V, *params[1:]), (W, b)
    )


@pytest.mark.parametrize("room", [1, 100, 2**18])
@pytest.mark.parametrize("scaled", RHO.values(), ids=RHO)
@pytest.mark.parametrize("kind", KINDS)
def test_columns_with_many_outputs(kind, scaled, room, monkeypatch):
    x, params = net(SHAPES["wide"], scaled)
    given, found = Shape(*SHAPES["wide"], KINDS[kind]), []
    monkeypatch.setattr(wide, "_MAX_UNITS", room)
    for least in (4, 5):
        monkeypatch.setattr(wide, "_OUTPUTS", least)
        value, grads = vjp(lambda p: tied(x, given, *p), params, np.sin)
        found.append((value, *grads))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-12)
        assert one.flags.c_contiguous


@pytest.mark.parametrize("shape", ["several", "wide"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_types_and_arguments_are_kept(dtype, shape):
    x, params = net(SHAPES[shape], True, dtype=dtype)
    given = Shape(*SHAPES[shape], KINDS["logistic"])
    before = [part.copy() for part in (x, *params)]
    value, grads = vjp(lambda p: tied(x, given, *p), params, np.ones_like)
    assert {part.dtype for part in (value, *grads)} == {np.dtype(dtype)}
    for part, expected in zip((x, *params), before, strict=True):
        np.testing.assert_array_equal(part, expected)


@pytest.mark.exhaustive(default=["3-1"])
@pytest.mark.parametrize("n_outputs", [1, 5])
@pytest.mark.parametrize("n_threads", [2, 3])
def test_thread_count_does_not_matter(n_threads, n_outputs):
    # Enough work for threads to be worth their while.
    shape = np.arange(40), n_outputs * np.arange(41)
    x, params = net(shape, True, n_units=600, n_rows=200)
    given, found = Shape(*shape, KINDS["relu"]), []
    for n in (1, n_threads):
        with limit(n):
            value, grads = vjp(lambda p: tied(x, given, *p), params, np.sin)
        found.append((value, *grads))
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("dtype", DTYPES)
def test_draws_are_as_frequent_as_they_are_probable(dtype):
    _, (W, c, rho, V, b) = net(SHAPES["bits"], False, dtype=dtype)
    params = Tied(Layer(W, c), Layer(V, b), rho)
    v = np.full((20_000, 4), np.nan, dtype)
    v[:, 1] = 1
    found = draw_bits(params, v, stream(0).rows(len(v)), KINDS["tanh"])
    assert found.dtype == dtype
    assert np.isnan(v[:, 0]).all()
    assert (found[:, 1] == 1).all()
    z = tied(found, Shape(*SHAPES["bits"], KINDS["tanh"]), *params[0], rho, *params[1])
    gap = (found - 1 / (1 + np.exp(-z)))[:, [0, 2, 3]]
    assert_means(gap, 0)
    # Nor do earlier ones say anything of what is left.
    for t in (1, 2):
        assert_means(gap[:, [t]] * found[:, : t + 1], 0)
