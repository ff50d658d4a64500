"""Blocks are a table: a few are in memory, and each is read as seldom as can be."""

import threading
from concurrent.futures import wait

import numpy as np
import pytest

from skdgm.utils import blocks as module
from skdgm.utils.blocks import Blocks

RNG = np.random.default_rng(0)
LENGTHS = [30, 10, 25, 40, 1, 14]
X = RNG.integers(0, 2, (sum(LENGTHS), 4)).astype(np.uint8)
EDGES = np.cumsum([0, *LENGTHS])


@pytest.fixture
def reads():
    """Numbers of the blocks that were read."""
    return []


@pytest.fixture
def blocks(reads, monkeypatch):
    monkeypatch.setattr(module, "WINDOW", 2 * X.size // len(LENGTHS))

    def load(number):
        assert threading.current_thread() is not threading.main_thread()
        reads.append(number)
        return X[EDGES[number] : EDGES[number + 1]]

    return Blocks(load, LENGTHS, 4, X.dtype)


def test_it_is_the_table(blocks):
    assert (blocks.shape, blocks.dtype, len(blocks), blocks.window) == (
        (120, 4),
        np.uint8,
        120,
        2,
    )
    for index in (
        slice(0, 120),
        slice(5, 9),
        slice(25, 71),
        slice(100, 20),
        slice(3, 90, 7),
        np.array([], int),
        np.array([119, 0, 0, 64, 65, 3]),
        RNG.integers(0, 120, 300),
    ):
        np.testing.assert_array_equal(blocks[index], X[index])
    np.testing.assert_array_equal(np.asarray(blocks), X)


def test_a_pass_in_order_reads_each_block_once(blocks, reads):
    for _ in range(3):
        for start in range(0, 120, 7):
            np.testing.assert_array_equal(
                blocks[start : start + 7], X[start : start + 7]
            )
    assert reads == [*range(6)] * 3


@pytest.mark.parametrize("seed", range(5))
def test_an_epoch_reads_each_block_once_window_by_window(blocks, reads, seed):
    which = np.repeat(np.arange(6), LENGTHS)
    rows = blocks.shuffled(np.arange(120), np.random.default_rng(seed))
    assert sorted(rows) == list(range(120))
    # A window is finished before the next one begins.
    order = list(dict.fromkeys(which[rows]))
    for start in range(0, 6, blocks.window):
        own = np.isin(which[rows], order[start : start + blocks.window])
        assert np.ptp(np.flatnonzero(own)) == own.sum() - 1
    for start in range(0, 120, 8):
        part = rows[start : start + 8]
        np.testing.assert_array_equal(blocks[part], X[part])
    assert sorted(reads) == list(range(6))


def test_rows_of_a_window_are_in_every_order(blocks):
    first = [
        blocks.shuffled(np.arange(120), np.random.default_rng(seed))[0]
        for seed in range(3000)
    ]
    counts = np.bincount(first, minlength=120)
    which = np.repeat(np.arange(6), LENGTHS)
    # A row is first if its block is in the first window, and it is first there: of two
    # blocks of n and m rows with the probability 1 / (n + m).
    p = [
        sum(1 / 15 / (n + m) for m in (*LENGTHS[:k], *LENGTHS[k + 1 :]))
        for k, n in enumerate(LENGTHS)
    ]
    expected = 3000 * np.array(p)[which]
    z = (counts - expected) / np.sqrt(expected * (1 - expected / 3000))
    assert abs(z).max() < 4.5
    assert 0.7 < (z**2).mean() < 1.3


def test_at_most_two_windows_are_in_memory(blocks):
    rows = blocks.shuffled(np.arange(120), np.random.default_rng(0))
    for start in range(0, 120, 5):
        blocks[rows[start : start + 5]]
        assert len(blocks._here) <= blocks.window
        assert len(blocks._coming) <= blocks.window


def test_pinned_rows_are_not_read_again(blocks, reads):
    index = np.array([3, 100, 3, 50])
    blocks.pin(index)
    # The block after the last is read meanwhile.
    wait(blocks._coming.values())
    reads.clear()
    for some in (index, index[:2], index[[1, 1, 0]]):
        np.testing.assert_array_equal(blocks[some], X[some])
    assert not reads
    np.testing.assert_array_equal(blocks[np.array([3, 4])], X[[3, 4]])


def test_blocks_with_missing_values_may_be_of_another_type():
    parts = [np.ones((3, 2), np.uint8), np.full((2, 2), np.nan), np.zeros((1, 2), bool)]
    blocks = Blocks(parts.__getitem__, [3, 2, 1], 2, np.uint8)
    found = blocks[np.array([5, 0, 4])]
    np.testing.assert_array_equal(found, [[0, 0], [1, 1], [np.nan, np.nan]])
    np.testing.assert_array_equal(blocks[:], np.concatenate(parts))


def test_errors_of_the_thread_are_those_of_the_caller():
    def load(number):
        if number == 2:
            raise OSError("the disk is gone")
        return np.zeros((3 - number, 2))

    blocks = Blocks(load, [3, 3, 3], 2, float)
    with pytest.raises(
        ValueError, match="2 rows and 2 columns .from row 3 on., where 3"
    ):
        blocks[0:6]
    with pytest.raises(OSError, match="disk is gone"):
        blocks[np.array([8])]
