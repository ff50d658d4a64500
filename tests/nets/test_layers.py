from functools import partial

import numpy as np
import pytest

from skdgm.nets import INITIALIZERS, initial, vjp
from skdgm.nets.layers import (
    EPSILON,
    RunningMoments,
    activation,
    batch_norm,
    dense,
    dropout,
    maxout,
    serial,
    standardize,
)
from skdgm.utils.random import stream
from skdgm.utils.tree import copy, leaves, tree_map
from tests.nets.recipes import assert_slopes, numbers
from tests.numerical import assert_trees
from tests.suites import DTYPES

N_ROWS, N_INPUTS = 6, 4
NET = serial(
    dense(5, "tanh"),
    batch_norm(),
    activation("leaky_relu"),
    dropout(0.3),
    serial(maxout(4, n_pieces=3), dropout(0.2)),
    dense(2, init="he_normal"),
)


def built(net=NET, dtype=np.float64):
    """Parameters, statistics and rows, all of them at random."""
    _, params, statistics = net.init(np.random.default_rng(0), N_INPUTS, dtype)
    rng = np.random.default_rng(1)
    params = tree_map(lambda leaf: leaf + rng.random(leaf.shape).astype(dtype), params)
    statistics = tree_map(
        lambda leaf: leaf + rng.random(leaf.shape).astype(dtype), statistics
    )
    return params, statistics, 2 * numbers(N_ROWS, N_INPUTS, dtype=dtype, seed=2)


@pytest.mark.parametrize("n_rows", [2, 6])
def test_slopes_of_standardized_columns(n_rows):
    x, scales = numbers(n_rows, 3), (numbers(3, seed=1), numbers(3, seed=2))
    assert_slopes(lambda params: standardize(*params), (x, *scales))
    assert_slopes(lambda params: standardize(x, *params), scales)
    assert_slopes(lambda params: standardize(params[0], *scales), (x,))


def test_standardized_columns():
    x, gain, shift = 3 + 100 * numbers(50, 3), numbers(3), numbers(3, seed=1)
    y = standardize(x, gain, shift)
    np.testing.assert_allclose(y.mean(axis=0), shift, rtol=1e-10)
    np.testing.assert_allclose(y.std(axis=0), abs(gain), rtol=1e-8)


@pytest.mark.parametrize("train", [False, True])
def test_slopes_of_a_whole_net(train):
    params, statistics, x = built()
    rng = stream(0)

    def outputs(params):
        return NET.apply(params[0], statistics, params[1], rng=rng, train=train)[0]

    assert_slopes(outputs, (params, x))


def test_a_net_is_its_parts_one_after_the_other():
    params, statistics, x = built()
    h = np.tanh(x @ params[0].W + params[0].b)
    h = (h - statistics[1].mean) / np.sqrt(statistics[1].variance + EPSILON)
    h = h * params[1].gain + params[1].shift
    h = np.where(h > 0, h, 0.01 * h)
    h = (h @ params[4][0].W + params[4][0].b).reshape(N_ROWS, 4, 3).max(axis=2)
    expected = h @ params[5].W + params[5].b
    y, after = NET.apply(params, statistics, x, rng=stream(0))
    np.testing.assert_allclose(y, expected, rtol=1e-10)
    assert_trees(after, statistics, rtol=0)


def test_while_learning_moments_are_the_batchs():
    params, statistics, x = built(batch_norm())
    y, after = batch_norm().apply(params, statistics, x, train=True)
    np.testing.assert_array_equal(y, standardize(x, *params))
    now = RunningMoments(x.mean(axis=0), x.var(axis=0))
    expected = [0.99 * a + 0.01 * b for a, b in zip(statistics, now)]
    assert_trees(after, expected, rtol=1e-12)


def test_running_moments_tend_to_the_datas():
    net, x = batch_norm(), 3 + 2 * numbers(64, N_INPUTS)
    _, params, statistics = net.init(None, N_INPUTS, np.float64)
    for number in range(1600):
        rows = slice(16 * (number % 4), 16 * (number % 4) + 16)
        statistics = net.apply(params, statistics, x[rows], train=True)[1]
    np.testing.assert_allclose(statistics.mean, x.mean(axis=0), rtol=0.02)
    within = np.mean([part.var(axis=0) for part in np.split(x, 4)], axis=0)
    np.testing.assert_allclose(statistics.variance, within, rtol=0.02)


def test_afterwards_each_row_is_by_itself():
    params, statistics, x = built()
    y, _ = NET.apply(params, statistics, x)
    alone = [NET.apply(params, statistics, x[i : i + 1])[0] for i in range(N_ROWS)]
    np.testing.assert_allclose(np.concatenate(alone), y, rtol=1e-10)
    moved = (
        statistics[:1]
        + (RunningMoments(statistics[1].mean + 1, statistics[1].variance),)
        + statistics[2:]
    )
    assert (NET.apply(params, moved, x)[0] != y).any(axis=1).all()


def test_a_net_does_not_change_what_it_is_given():
    params, statistics, x = built()
    given = params, statistics, (x,)
    before = copy(given)
    apply = partial(NET.apply, rng=stream(0), train=True)
    vjp(lambda own: apply(own, statistics, x)[0], params, np.ones_like)
    assert_trees(given, before, rtol=0)
    after = apply(params, statistics, x)[1]
    assert (after[1].mean != statistics[1].mean).all()
    assert not np.shares_memory(after[1].mean, statistics[1].mean)


def test_units_drop_out_while_learning_only():
    x, net = np.ones((300, N_INPUTS)), dropout(0.3)
    y, _ = net.apply((), (), x, rng=stream(0), train=True)
    assert 0.25 < (y == 0).mean() < 0.35
    np.testing.assert_array_equal(net.apply((), (), x, rng=stream(0))[0], x)
    np.testing.assert_array_equal(net.apply((), (), x)[0], x)


def test_units_of_two_layers_drop_out_independently():
    x, net = np.ones((2000, N_INPUTS)), serial(dropout(0.5), dropout(0.5))
    y, _ = net.apply(((), ()), ((), ()), x, rng=stream(0), train=True)
    se = np.sqrt(0.25 * 0.75 / x.size)
    assert abs((y != 0).mean() - 0.25) < 4 * se


def test_randomness_is_that_of_the_stream():
    params, statistics, x = built()
    first, again, other = (
        NET.apply(params, statistics, x, rng=stream(seed), train=True)
        for seed in (0, 0, 1)
    )
    assert_trees(first, again, rtol=0)
    assert (first[0] != other[0]).any()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("train", [False, True])
def test_types_are_kept(dtype, train):
    params, statistics, x = built(dtype=dtype)
    rng = stream(0)
    value, grads = vjp(
        lambda params: NET.apply(params[0], statistics, params[1], rng, train)[0],
        (params, x),
        np.ones_like,
    )
    after = NET.apply(params, statistics, x, rng, train)[1]
    fresh = NET.init(np.random.default_rng(0), N_INPUTS, dtype)[1:]
    found = leaves((value, grads, after, fresh))
    assert {leaf.dtype for leaf in found} == {np.dtype(dtype)}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rows", [slice(1), [0, 0, 0]])
def test_rows_without_variance_give_numbers(dtype, rows):
    params, statistics, x = built(dtype=dtype)
    after = NET.apply(params, statistics, x[rows], rng=stream(0), train=True)[1]
    found = vjp(
        lambda params: NET.apply(params[0], statistics, params[1], stream(0), True)[0],
        (params, x[rows]),
        np.ones_like,
    )
    assert all(np.isfinite(leaf).all() for leaf in leaves((found, after)))


def test_a_fresh_net():
    size, params, statistics = NET.init(np.random.default_rng(0), N_INPUTS, np.float64)
    assert size == 2
    shapes = [leaf.shape for leaf in leaves(params)]
    assert shapes == [(4, 5), (5,), (5,), (5,), (5, 12), (12,), (4, 2), (2,)]
    assert_trees(params[1], (np.ones(5), np.zeros(5)))
    assert_trees(statistics[1], (np.zeros(5), np.ones(5)))
    assert not any(layer.b.any() for layer in (params[0], params[4][0], params[5]))


@pytest.mark.parametrize("name", INITIALIZERS)
def test_variances_of_fresh_weights(name):
    n_below, n_above = 400, 200
    W = initial(name, np.random.default_rng(0), n_below, n_above)
    variance = 2 / n_below if name.startswith("he") else 2 / (n_below + n_above)
    kurtosis = 3 if name.endswith("normal") else 9 / 5
    assert W.shape == (n_below, n_above)
    assert abs(W.mean()) < 4 * np.sqrt(variance / W.size)
    error = variance * np.sqrt((kurtosis - 1) / W.size)
    assert abs(W.var() - variance) < 4 * error
    assert abs((W**4).mean() / W.var() ** 2 - kurtosis) < 0.1


def test_layers_begin_as_they_are_told():
    for net in (dense(30, init="he_uniform"), maxout(10, 3, init="he_uniform")):
        (W, _) = net.init(np.random.default_rng(0), 20, np.float64)[1]
        expected = initial("he_uniform", np.random.default_rng(0), 20, 30)
        np.testing.assert_array_equal(W, expected)
