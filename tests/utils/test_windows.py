"""Geometry of convolutions, counted position by position."""

import numpy as np
import pytest

from skdgm.utils import windows
from skdgm.utils.windows import add, beneath, by_images, n_groups, window

CASES = [((7, 6, 2), (3, 2), (2, 3)), ((5, 8, 1), 5, 2), ((4, 4, 3), (1, 4), (1, 1))]


@pytest.mark.parametrize("shape, filter, stride", CASES)
def test_valid_positions_are_those_within_the_image(shape, filter, stride):
    found = window(shape, filter, stride, "valid")
    for size, length, step, count in zip(
        shape, found[3:5], found[5:7], (found.high, found.wide)
    ):
        assert count == sum(p + length <= size for p in range(0, size, step))
    assert (found.top, found.left) == (0, 0)
    assert found.below == shape
    assert found.n_positions == found.high * found.wide
    assert found.n_numbers == found.rows * found.columns * shape[2]


@pytest.mark.parametrize("shape, filter, stride", CASES)
def test_zeros_are_shared_by_both_sides(shape, filter, stride):
    found = window(shape, filter, stride)
    for size, length, step, count, before in zip(
        shape, found[3:5], found[5:7], (found.high, found.wide), found[7:9]
    ):
        assert count == len(range(0, size, step))
        after = (count - 1) * step + length - size - before
        assert before >= 0
        assert after - before in (0, 1) or (before == 0 and after < 0)


def test_the_largest_filter_that_is_valid():
    assert window((4, 5, 1), (4, 5), 1, "valid")[-2:] == (1, 1)
    with pytest.raises(ValueError, match="larger than images"):
        window((4, 5, 1), (4, 6), 1, "valid")


@pytest.mark.parametrize("padding, size", [("same", (6, 15)), ("valid", (7, 17))])
def test_images_beneath_have_the_positions_above(padding, size):
    found = beneath((3, 5, 4), 2, (3, 5), (2, 3), padding)
    assert found == window((*size, 2), (3, 5), (2, 3), padding)
    assert (found.high, found.wide) == (3, 5)
    assert beneath((3, 5, 4), 2, (3, 5), (2, 3), padding, size) == found
    with pytest.raises(ValueError, match="choose another size"):
        beneath((3, 5, 4), 2, (3, 5), (2, 3), padding, (9, 17))


def test_groups_of_images_are_worth_their_work():
    """A million multiply-adds each, at most eight, and at most one for each image."""
    shape = window((10, 10, 1), 10, 1, "same")
    x, W = np.empty((250, 0)), np.empty((100, 1))
    assert n_groups(x[:99], W, shape) == 1
    assert n_groups(x[:100], W, shape) == 2
    assert n_groups(x[:250], W, shape) == 3
    assert n_groups(x, np.empty((100, 10)), shape) == 8
    assert n_groups(x[:3], np.empty((100, 1000)), shape) == 3


@pytest.mark.parametrize("n_images", [1, 7, 30])
def test_parts_of_groups_are_all_images_once(n_images, monkeypatch):
    """Sums over the parts of each group are those of a group at once."""
    monkeypatch.setattr(windows, "_MIN_GROUP_WORK", 100)
    monkeypatch.setattr(windows, "_MAX_ENTRIES", 60)
    own = window((4, 4, 1), 2, 1, "valid")
    rng = np.random.default_rng(0)
    x, W = rng.normal(size=(n_images, 16)), rng.normal(size=(4, 3))
    n = n_groups(x, W, own)
    sums, parts = np.full((n, 16, 16), np.nan), [[] for _ in range(n)]

    def function(rows, patches, place):
        parts[place[0]].append((rows.start, rows.stop, place[1]))
        assert patches.shape == ((rows.stop - rows.start) * own.n_positions, len(W))
        add(x[rows].T, x[rows], sums, place)

    by_images(function, x, W, own)
    np.testing.assert_allclose(sums.sum(axis=0), x.T @ x)
    edges = [0, *(len(x) * (g + 1) // n for g in range(n))]
    for group, found in enumerate(parts):
        ends = [start for start, _, _ in found] + [found[-1][1]]
        assert [ends[0], ends[-1]] == edges[group : group + 2]
        assert [stop for _, stop, _ in found] == ends[1:]
        assert [fresh for _, _, fresh in found] == [True] + [False] * (len(found) - 1)
