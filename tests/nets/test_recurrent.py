"""Recurrent cells: gradients through time, batches of different lengths, segments."""

import numpy as np
import pytest

from skdgm.nets.recurrent import CELLS, Walk, last, recurrent, shifted
from tests.nets.recipes import assert_slopes, numbers

SIZES = np.array([3, 3, 2, 1, 1])


def parts(cell, n=2):
    own = CELLS[cell]
    a = numbers(SIZES.sum(), own.n_gates * n)
    U = numbers(n, own.n_gates * n, seed=1)
    return a, U, numbers(own.n_states * n, seed=2)


@pytest.mark.parametrize("cell", CELLS)
def test_slopes_through_time(cell):
    carried = numbers(3, CELLS[cell].n_states * 2, seed=3)
    for more in ((), (carried,)):
        assert_slopes(
            lambda p, more=more: recurrent(*p, SIZES, cell, *more), parts(cell)
        )
    _, _, start = parts(cell)
    after = numbers(SIZES.sum(), len(start))
    for more in ((), (carried,)):
        assert_slopes(lambda p, more=more: shifted(*p, SIZES, *more), (after, start))


@pytest.mark.parametrize("cell", CELLS)
def test_a_batch_is_its_sequences_and_stretches_are_the_whole(cell):
    a, U, start = parts(cell)
    whole, ends = recurrent(a, U, start, SIZES, cell), np.cumsum(SIZES)
    for k, length in enumerate([5, 3, 2]):
        own = (ends - SIZES)[:length] + k
        alone = recurrent(a[own], U, start, np.ones(length, int), cell)
        np.testing.assert_allclose(whole[own], alone, rtol=1e-12)
        np.testing.assert_allclose(last(whole, SIZES, None)[k], alone[-1], rtol=1e-12)
    first = recurrent(a[:6], U, start, SIZES[:2], cell)
    carried = last(first, SIZES[:2], None)
    rest = recurrent(a[6:], U, start, SIZES[2:], cell, carried)
    np.testing.assert_array_equal(np.concatenate([first, rest]), whole)
    np.testing.assert_array_equal(
        last(rest, SIZES[2:], carried), last(whole, SIZES, None)
    )


@pytest.mark.parametrize("cell", CELLS)
def test_cells_begin_orthogonal(cell):
    walk, own = Walk(cell, 3), CELLS[cell]
    below, within = walk.init("glorot_uniform", np.random.default_rng(0), 2, float)
    assert below.W.shape == (2, 3 * own.n_gates)
    for U in np.split(within.W, own.n_gates, axis=1):
        np.testing.assert_allclose(U @ U.T, np.eye(3), atol=1e-12)
    np.testing.assert_array_equal(within.b, np.zeros(3 * own.n_states))
    state = numbers(4, 3 * own.n_states)
    np.testing.assert_array_equal(walk.units(state), state[:, :3])
    # Step by step is as all at once.
    a = numbers(4, 2)
    found = walk.step((below, within), state, a)
    whole = recurrent(
        a @ below.W + below.b, within.W, state[0], np.array([4]), cell, state
    )
    np.testing.assert_allclose(found, whole)
