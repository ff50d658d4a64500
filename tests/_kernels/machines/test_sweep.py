"""The compiled sweep and annealing beside the general ones, on the same numbers."""

import numpy as np
import pytest

from skdgm.energies import Path, plain, tiled
from skdgm.inference import mean_field
from skdgm.partition.ais import path_of, weights
from skdgm.partition.ladder import quadratic
from skdgm.samplers import Gibbs, State, binary
from skdgm.utils.lists import Lists
from skdgm.utils.random import stream
from skdgm.utils.tree import tree_map
from tests._kernels.oracles import TOLERANCE
from tests.reference import EVEN, ODD, random_machine
from tests.suites import DTYPES

CHAINS = {"rbm": [[14], [9]], "dbm": [[6], [7], [5]], "deep": [[4], [5], [6], [3]]}


@pytest.fixture(params=CHAINS)
def machine(request):
    energy, params = random_machine(CHAINS[request.param], seed=0, scale=0.5)
    return energy, params


def start(energy, params, n_rows=8):
    return Gibbs(energy).init(stream(1).rows(n_rows), params.units)


@pytest.mark.exhaustive(default=["dbm-float64", "rbm-float64-colors0"])
@pytest.mark.parametrize("colors", [(EVEN, ODD), (ODD, EVEN), (ODD,)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_draws_are_the_general_ones(machine, colors, dtype):
    energy, params = machine
    params = tree_map(lambda leaf: leaf.astype(dtype), params)
    fast = tiled(params)
    state, rng = start(energy, params), stream(2).rows(8)
    assert binary.supports_sweeps(energy, fast, state.x, colors)
    assert not binary.supports_sweeps(energy, params, state.x, colors)
    a, info_a = Gibbs(energy, colors=colors).step(rng, fast, state, 3)
    b, info_b = Gibbs(energy, colors=colors).step(rng, params, state, 3)
    for found, expected in zip(a.x, b.x):
        np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))
    for block in energy.colors[colors[-1]]:
        found, expected = info_a.means[block], info_b.means[block]
        np.testing.assert_allclose(found, expected, atol=TOLERANCE[dtype])


@pytest.mark.exhaustive(default=["dbm-float64", "rbm-float64"])
@pytest.mark.parametrize("beta", [0.3, np.linspace(0, 1, 8)[:, None]])
@pytest.mark.parametrize("dtype", DTYPES)
def test_draws_along_a_path_are_the_general_ones(machine, beta, dtype):
    energy, params = machine
    base = tuple(2 * bias[::-1] + 0.5 for bias in params.units)
    params, base = (
        tree_map(lambda leaf: leaf.astype(dtype), tree) for tree in (params, base)
    )
    beta = beta.astype(dtype) if isinstance(beta, np.ndarray) else beta
    path, rng = Path(base, beta), stream(2).rows(8)
    state, fast = start(energy, params), tiled(params)
    a, info_a = Gibbs(energy, path=path).step(rng, fast, state, 3)
    b, info_b = Gibbs(energy, path=path).step(rng, params, state, 3)
    for found, expected in zip(a.x, b.x):
        np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))
    for block in energy.colors[ODD]:
        found, expected = info_a.means[block], info_b.means[block]
        assert found.dtype == expected.dtype == dtype
        np.testing.assert_allclose(found, expected, atol=TOLERANCE[dtype])


def test_long_runs_are_cut(machine, monkeypatch):
    energy, params = machine
    state, rng = start(energy, params), stream(2).rows(8)
    whole, _ = Gibbs(energy).step(rng, tiled(params), state, 7)
    monkeypatch.setattr(binary, "MAX_STEPS", 3)
    parts, _ = Gibbs(energy).step(rng, tiled(params), state, 7)
    for found, expected in zip(parts.x, whole.x):
        np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))


def test_the_state_before_is_left_alone(machine):
    energy, params = machine
    state = start(energy, params)
    before = [np.asarray(part) for part in state.x]
    Gibbs(energy).step(stream(2).rows(8), tiled(params), state, 2)
    for part, copy in zip(state.x, before):
        np.testing.assert_array_equal(np.asarray(part), copy)


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_means_given_data(gray, dtype):
    energy, params = random_machine(CHAINS["rbm"], seed=0)
    params = tree_map(lambda leaf: leaf.astype(dtype), params)
    v = np.random.default_rng(0).random((5, 14)).astype(dtype)
    v = v * (v > 0.5) if gray else (v > 0.5).astype(dtype)
    fast = tiled(params)
    x = (Lists.pack(v, binary=not gray), None)
    found, _ = mean_field(energy, fast, x, (True, None))
    expected, _ = mean_field(energy, params, (v, None), (True, None))
    np.testing.assert_allclose(found[1], expected[1], atol=TOLERANCE[dtype])
    np.testing.assert_array_equal(np.asarray(found[0]), v)


@pytest.mark.exhaustive(default=["rbm-float64", "deep-float64--1"])
@pytest.mark.parametrize("way", [1, -1])
@pytest.mark.parametrize("dtype", DTYPES)
def test_annealing_is_the_general_one(machine, way, dtype):
    energy, params = machine
    params = tree_map(lambda leaf: leaf.astype(dtype), params)
    units, _ = energy.base(params, (None,) * len(energy.units))
    units = tree_map(lambda leaf: leaf * dtype(0.5), units)
    state, rng, betas = (
        start(energy, params),
        stream(3).rows(8),
        quadratic(45)[::way].tolist(),
    )
    fast = tiled(params)
    found, expected = (
        weights(rng, path_of(energy, own, units, state.x), state.x, betas)
        for own in (fast, params)
    )
    np.testing.assert_allclose(found, expected, atol=20 * TOLERANCE[dtype])


def test_several_blocks_in_a_layer_go_the_general_way():
    energy, params = random_machine([[2, 2], [3]], seed=0)
    fast = tiled(params)
    state = start(energy, params)
    assert not binary.supports_sweeps(energy, fast, state.x, (EVEN, ODD))
    a, _ = Gibbs(energy).step(stream(2).rows(8), fast, state, 2)
    b, _ = Gibbs(energy).step(stream(2).rows(8), params, state, 2)
    for found, expected in zip(a.x, b.x):
        np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))


def test_blocks_of_rows_make_no_difference():
    energy, params = random_machine(CHAINS["rbm"], seed=0)
    fast = tiled(params)
    state, rng = start(energy, params), stream(2).rows(8)
    whole, _ = Gibbs(energy).step(rng, fast, state, 2)
    some = np.array([6, 2])
    part, _ = Gibbs(energy).step(
        rng.take(some), fast, State(tuple(x[some] for x in state.x)), 2
    )
    for a, b in zip(part.x, whole.x):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b)[some])


def test_params_are_as_they_were():
    _, params = random_machine(CHAINS["rbm"], seed=0)
    there_and_back = plain(tiled(params))
    assert type(there_and_back) is type(params)
    tree_map(np.testing.assert_array_equal, there_and_back, params)
