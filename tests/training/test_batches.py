import numpy as np
import pytest
import scipy.sparse as sp

from skdgm.training import (
    canonical,
    column_spread,
    column_sums,
    epoch,
    labeled,
    monitored_rows,
    split,
    split_labeled,
)
from skdgm.utils.given import Given
from skdgm.utils.math import MAX_REPETITION
from skdgm.utils.random import stream
from skdgm.utils.rows import Rows

RNG = np.random.default_rng(0)
X = RNG.integers(0, 3, (12, 4)) / 2


def table_of(X, weight=None):
    return canonical(Rows(X, np.float64), weight)


def contents(table, batches):
    return [table.rows.take(batch) for batch in batches]


def assert_same_epochs(a, b, batch_size=5):
    for number in range(3):
        pairs = zip(
            contents(a, epoch(a, batch_size, stream(number))),
            contents(b, epoch(b, batch_size, stream(number))),
            strict=True,
        )
        for left, right in pairs:
            np.testing.assert_array_equal(left, right)


def test_whole_weights_are_repetitions():
    weight = RNG.integers(0, 5, len(X))
    order = RNG.permutation(len(X))
    weighted = table_of(X[order], weight[order].astype(float))
    repeated = table_of(np.repeat(X, weight, axis=0))
    assert weighted.n_draws == repeated.n_draws == weight.sum()
    assert_same_epochs(weighted, repeated)


def test_order_and_storage_do_not_matter():
    shuffled = X[RNG.permutation(len(X))]
    assert_same_epochs(table_of(X), table_of(shuffled))
    assert_same_epochs(table_of(X), table_of(sp.csr_array(shuffled)))


def test_an_epoch_takes_every_row_once():
    data = np.arange(23.0)[:, None]
    table = table_of(data)
    batches = epoch(table, 5, stream(0))
    np.testing.assert_array_equal(np.sort(np.concatenate(batches)), np.arange(23))
    assert sorted(map(len, batches)) == [4, 4, 5, 5, 5]


def test_epochs_differ():
    table = table_of(np.arange(50.0)[:, None])
    a, b = (np.concatenate(epoch(table, 50, stream(i))) for i in range(2))
    assert (a != b).any()


def test_fractional_weights_are_relative():
    data = np.arange(4.0)[:, None]
    weight = np.array([0.1, 0.2, 0.3, 0.0])
    table = table_of(data, weight)
    assert table.n_draws == 3
    counts = np.zeros(4)
    for number in range(2000):
        draws = np.concatenate(epoch(table, 10, stream(number)))
        counts += np.bincount(draws, minlength=4)
    np.testing.assert_allclose(counts / 2000, 3 * weight / weight.sum(), atol=0.04)
    assert counts[3] == 0


def test_systematic_draws_are_floor_or_ceiling():
    data = np.arange(40.0)[:, None]
    weight = RNG.random(40) * 3
    table = table_of(data, weight)
    expected = weight * 40 / weight.sum()
    for number in range(20):
        counts = np.bincount(
            np.concatenate(epoch(table, 7, stream(number))), minlength=40
        )
        assert (abs(counts - expected) < 1).all()


def test_large_whole_weights_do_not_make_long_epochs():
    table = table_of(np.arange(3.0)[:, None], np.array([1000.0, 2000.0, 3000.0]))
    assert table.n_draws == 3


@pytest.mark.parametrize("more", [0, 1])
def test_whole_weights_are_repetitions_up_to_a_mean(more):
    total = 3 * MAX_REPETITION + more
    table = table_of(np.arange(3.0)[:, None], np.array([1.0, 2.0, total - 3]))
    assert table.n_draws == (3 if more else total)


def test_batch_larger_than_the_data():
    table = table_of(X)
    (batch,) = epoch(table, 1000, stream(0))
    assert len(batch) == len(X)


def test_one_row():
    (batch,) = epoch(table_of(X[:1]), 10, stream(0))
    np.testing.assert_array_equal(batch, [0])


def test_split_keeps_equal_rows_together():
    data = np.repeat(RNG.random((40, 3)), 3, axis=0)
    train, held_out = split(table_of(data), 0.25, stream(0))
    assert not set(train.hashes) & set(held_out.hashes)
    assert held_out.weight.sum() == pytest.approx(30)
    assert train.weight.sum() + held_out.weight.sum() == 120


def test_split_of_few_distinct_rows_keeps_their_distribution():
    weight = np.array([1, 1, 1, 1, 2, 3, 40, 100, 3])
    table = table_of(np.repeat(np.eye(9), weight, axis=0))
    weight = weight[table.rows.take(table.index).argmax(axis=1)]
    # Few copies are chance where most rows have many.
    many = weight > 1
    for seed in range(5):
        found = np.zeros((2, 9))
        for own, part in zip(found, split(table, 0.2, stream(seed)), strict=True):
            own[np.isin(table.index, part.index)] = part.weight
            assert (np.diff(part.hashes.astype(float)) > 0).all()
        np.testing.assert_allclose(found.sum(axis=0), weight)
        np.testing.assert_allclose(found[:, many], np.outer([0.8, 0.2], weight[many]))
        assert ((found[:, ~many] == 0).sum(axis=0) == 1).all()


def test_split_keeps_few_copies_together_where_most_rows_have_few():
    weight = np.array([4.0] * 20 + [5, 60])
    table = table_of(np.eye(22), weight)
    weight = weight[table.rows.take(table.index).argmax(axis=1)]
    train, held_out = split(table, 0.2, stream(0))
    both = np.isin(table.index, train.index) & np.isin(table.index, held_out.index)
    np.testing.assert_array_equal(both, weight > 4)


def test_split_of_few_distinct_rows_with_labels():
    labels = np.array([0, 1, -1, 0])
    given = Given(labels)
    weight = np.array([10.0, 1, 20, 1])
    table = canonical(Rows(np.eye(4), np.float64, given=given), weight)
    train, held_out = split_labeled(table, lambda own: split(own, 0.5, stream(0)))
    total = np.zeros(4)
    for part in train, held_out:
        total[part.index] += part.weight
    np.testing.assert_array_equal(total, weight)
    assert train.weight[train.index == 0] == held_out.weight[held_out.index == 0] == 5
    assert 2 in train.index
    assert 2 not in held_out.index


def test_split_is_by_content():
    weight = RNG.integers(1, 4, 40)
    data = RNG.random((40, 3))
    a, _ = split(table_of(data, weight.astype(float)), 0.3, stream(0))
    b, _ = split(table_of(np.repeat(data, weight, axis=0)[::-1]), 0.3, stream(0))
    np.testing.assert_array_equal(a.hashes, b.hashes)
    assert_same_epochs(a, b)


@pytest.mark.parametrize("fraction", [0.01, 0.99])
def test_split_leaves_something_on_both_sides(fraction):
    weight = np.array([1.0, 1.0, 1.0, 50.0])
    train, held_out = split(table_of(np.eye(4), weight), fraction, stream(0))
    assert len(train.index) >= 1
    assert len(held_out.index) >= 1
    assert len(train.index) + len(held_out.index) == 4


def test_split_of_one_row():
    for side in split(table_of(X[:1]), 0.1, stream(0)):
        np.testing.assert_array_equal(side.index, [0])


@pytest.mark.parametrize(
    "labels, known",
    [
        (np.array([0, -1, 1, -1]), [0, 2]),
        (np.array([0.0, np.nan, -1.0, np.nan]), [0, 2]),
        (np.array([[0, 1], [-1, -1], [-1, 0], [-1, -1]]), [0, 2]),
        (np.array([[0.5, 1], [np.nan] * 2, [np.nan, 0], [np.nan] * 2]), [0, 2]),
        (np.array([-1, -1, -1, -1]), []),
    ],
    ids=str,
)
def test_labeled(labels, known):
    weight = np.array([1.0, 2.0, 3.0, 4.0])
    table = canonical(Rows(np.eye(4), np.float64, given=Given(labels)), weight)
    assert len(table.index) == 4
    found = labeled(table)
    np.testing.assert_array_equal(np.sort(found.index), known)
    np.testing.assert_array_equal(found.weight, weight[found.index])
    assert (np.diff(found.hashes.astype(float)) > 0).all()


def test_weights_of_rows_with_targets_are_repetitions():
    y = RNG.normal(size=(len(X), 2))
    y[3] = np.nan
    weight, order = RNG.integers(1, 5, len(X)), RNG.permutation(len(X))
    weighted = canonical(Rows(X[order], float, given=Given(y[order])), weight[order])
    again = np.repeat(np.arange(len(X)), weight)[::-1]
    repeated = canonical(Rows(X[again], float, given=Given(y[again])))
    for number in range(3):
        pairs = zip(
            epoch(weighted, 5, stream(number)), epoch(repeated, 5, stream(number))
        )
        for a, b in pairs:
            np.testing.assert_array_equal(
                weighted.rows.accompanying(a), repeated.rows.accompanying(b)
            )
            np.testing.assert_array_equal(weighted.rows.take(a), repeated.rows.take(b))


@pytest.mark.parametrize("n_rows, n_watched", [(40, 40), (1000, 250), (4000, 500)])
def test_rows_that_are_watched(n_rows, n_watched):
    table = table_of(np.arange(n_rows, dtype=float)[:, None])
    found = monitored_rows(table, stream(0))
    assert len(np.unique(found)) == len(found) == n_watched
    np.testing.assert_array_equal(found, monitored_rows(table, stream(0)))
    even = monitored_rows(table, stream(0), lambda index: index[index % 2 == 0])
    assert (even % 2 == 0).all()
    assert len(even) == min(n_watched, n_rows // 2)


@pytest.mark.parametrize("size", [2.0**-1060, 2.0**1017])
@pytest.mark.filterwarnings("error")
def test_only_the_ratios_of_weights_count(size):
    """However small or large they are, where they are no repetitions."""
    weight = 0.5 + RNG.integers(0, 7, 12)
    table, other = table_of(X, weight), table_of(X, weight * size)
    np.testing.assert_array_equal(other.weight, table.weight)
    assert other.n_draws == table.n_draws == 12


@pytest.mark.filterwarnings("error")
def test_the_largest_weights():
    assert table_of(X, np.full(12, np.finfo(float).max)).n_draws == 12
    assert table_of(X, np.full(12, 5e-324)).n_draws == 12


def test_column_sums_skip_what_is_missing(monkeypatch):
    monkeypatch.setattr("skdgm.utils.rows.BLOCK_ENTRIES", 7)
    data = RNG.integers(0, 3, (12, 4)) / 2
    data[RNG.random(data.shape) < 0.3] = np.nan
    data[:, 3] = np.nan
    weight = RNG.integers(0, 3, len(data)).astype(float)
    seen, total = column_sums(table_of(data, weight))
    observed = ~np.isnan(data)
    np.testing.assert_allclose(seen, weight @ observed)
    np.testing.assert_allclose(total, weight @ np.nan_to_num(data))


@pytest.mark.parametrize("convert", [np.asarray, sp.csr_array])
def test_spread_of_columns(convert, monkeypatch):
    monkeypatch.setattr("skdgm.utils.rows.BLOCK_ENTRIES", 12)
    data = np.where(RNG.random((30, 4)) < 0.2, np.nan, RNG.normal(5, 3, (30, 4)))
    weight = RNG.integers(1, 4, 30).astype(float)
    table = table_of(convert(data), weight)
    repeated = np.repeat(data, weight.astype(int), axis=0)
    # The mean is found again, however roughly it is given.
    for given in (np.nanmean(repeated, axis=0), np.array([4.0, 5.0, 6.0, 7.0])):
        mean, spread = column_spread(table, given)
        np.testing.assert_allclose(mean, np.nanmean(repeated, axis=0))
        np.testing.assert_allclose(spread, np.nanstd(repeated, axis=0))


def test_constant_columns_have_no_spread_whatever_the_rounding():
    n = 300_000
    data = np.column_stack([np.full(n, 0.1), np.full(n, 1e9 / 3), np.zeros(n)])
    data = np.column_stack([data, np.arange(n)])
    table = table_of(data)
    seen, total = column_sums(table)
    mean, spread = column_spread(table, total / seen)
    np.testing.assert_allclose(mean, [0.1, 1e9 / 3, 0, (n - 1) / 2], rtol=1e-14)
    assert (spread[:3] <= 1e-15 * mean[:3]).all()
    assert spread[3] == pytest.approx(data[:, 3].std())
