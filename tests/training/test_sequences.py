"""Sequences in batches: merged, weighted, permuted and read in segments."""

from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest

from skdgm.data.sequences import as_one_table, sequences_of
from skdgm.training import Objective, Run, epoch, optimize, segments, split
from skdgm.utils.given import Given
from skdgm.utils.random import stream
from skdgm.utils.rows import Rows

RNG = np.random.default_rng(0)
PARTS = [RNG.normal(size=(n, 2)) for n in (4, 1, 6, 3, 9, 4, 2)]


def table_of(parts, weight=None):
    X, lengths = as_one_table(parts)
    return sequences_of(Rows(X, np.float64), lengths, weight)


def contents(table, number=0, batch_size=3, batch_length=None):
    """What the segments of an epoch read, step by step."""
    batches = epoch(table, batch_size, stream(number))
    rows = table.rows.rows
    found = segments(table.rows, batches, batch_length)
    return [(own.begin, own.ends, [rows.take(t) for t in own.steps]) for own in found]


def assert_same(a, b):
    for (begin, ends, steps), (*place, others) in zip(a, b, strict=True):
        assert [begin, ends] == place
        for one, other in zip(steps, others, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("batch_length", [None, 1, 2, 5])
def test_weights_are_repetitions_of_sequences_in_any_order(batch_length):
    weight, order = np.array([1, 0, 2, 3, 1, 1, 2]), RNG.permutation(7)
    weighted = table_of([PARTS[k] for k in order], weight[order])
    repeated = table_of([PARTS[k] for k in np.repeat(np.arange(7), weight)])
    assert weighted.n_draws == repeated.n_draws == 10
    for number in range(3):
        how = {"number": number, "batch_length": batch_length}
        assert_same(contents(weighted, **how), contents(repeated, **how))


def test_equal_sequences_are_one_and_their_order_counts():
    a, b = PARTS[2], PARTS[3]
    assert len(table_of([a, b, a.copy()]).index) == 2
    assert len(table_of([a, a[::-1]]).index) == 2
    # The same rows, divided otherwise.
    assert len(table_of([a[:2], a[2:], a]).index) == 3
    # Otherwise equal steps that are given something else.
    X, lengths = as_one_table([a, a])
    rows = Rows(X, np.float64, given=Given(np.arange(12) // 6))
    assert len(sequences_of(rows, lengths).index) == 2


def test_held_out_sequences_are_unseen():
    table = table_of([*PARTS, *PARTS[:3]])
    train, held_out = split(table, 0.3, stream(0))
    assert not set(train.hashes) & set(held_out.hashes)
    assert len(train.index) + len(held_out.index) == 7


def test_stretches_read_each_step_once_and_in_order():
    table = table_of(PARTS)
    (batch,) = epoch(table, 7, stream(0))
    lengths = table.rows.lengths
    (whole,) = segments(table.rows, [batch])
    assert whole.sizes.tolist() == [7, 6, 5, 4, 2, 2, 1, 1, 1]
    assert (whole.begin, whole.ends) == (0, True)
    assert sorted(whole.index) == list(range(29))
    parts = segments(table.rows, [batch], 4)
    assert [part.begin for part in parts] == [0, 4, 8]
    assert [part.ends for part in parts] == [False, False, True]
    for name in "sizes", "index":
        joined = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_array_equal(joined, getattr(whole, name))
    # A sequence keeps its place among those that go on.
    longest = whole.steps[0][: whole.sizes[3]]
    for t, rows in enumerate(whole.steps[:4]):
        np.testing.assert_array_equal(rows[:4], longest + t)
    assert lengths.sum() == len(whole.index)


def test_rows_of_sequences_are_numbered():
    sequences = table_of(PARTS).rows
    index = np.array([2, 0, 6])
    expected = np.concatenate([PARTS[k] for k in index])
    np.testing.assert_array_equal(sequences.X[sequences.row_index(index)], expected)


class State(NamedTuple):
    """Training state: the coefficient, sums over a batch, and the last values."""

    params: np.ndarray
    sums: np.ndarray
    last: np.ndarray


class Autoregression(Objective):
    """Squared error of x_t given x_{t-1}, by a gradient step for each batch."""

    def start(self):
        return State(np.zeros(1), np.zeros(2), np.zeros(0))

    def resume(self, state):
        return state

    def draw(self, table, number):
        batches = super().draw(table, number)
        return segments(table.rows, batches, self.options.batch_length)

    def step(self, state, batch, clock):
        sums, last = state.sums.copy(), state.last
        if not batch.begin:
            sums[:] = 0
        for t, rows in enumerate(batch.steps, batch.begin):
            x = self.rows.take(rows)[:, 0]
            if t:
                sums += last[: len(x)] @ x, last[: len(x)] @ last[: len(x)]
            last = x
        params = state.params
        if batch.ends:
            params = params + 0.001 * (sums[0] - params * sums[1])
        return State(params, sums, last)

    def watch(self, table, held_out, state):
        def losses(state):
            x, edges = self.rows.take(slice(None))[:, 0], table.rows.edges
            gaps = np.delete(x[1:] - state.params * x[:-1], edges[1:-1] - 1)
            return float((gaps**2).mean()), None

        losses.limit, losses.is_useless = np.inf, lambda loss: loss > 2
        return losses


def learn(parts, batch_length, weight=None):
    table = table_of(parts, weight)
    options = SimpleNamespace(batch_size=4, batch_length=batch_length)
    objective = Autoregression(Run(options, table.rows.rows, seed=0))
    return optimize(objective, table, range(20))[0]


@pytest.mark.exhaustive
def test_stretches_learn_what_whole_sequences_do():
    rng, parts = np.random.default_rng(1), []
    for n in rng.integers(5, 40, 20):
        x = rng.normal(size=(n, 1))
        for t in range(1, n):
            x[t] += 0.7 * x[t - 1]
        parts.append(x)
    whole = learn(parts, None)
    pairs = [(x[:-1, 0], x[1:, 0]) for x in parts]
    exact = sum(a @ b for a, b in pairs) / sum(a @ a for a, _ in pairs)
    assert abs(whole.state.params[0] - exact) < 0.05
    for batch_length in 1, 3, 16:
        found = learn(parts, batch_length)
        assert found.state.params == whole.state.params
        assert found.losses == whole.losses
    order = rng.permutation(20)
    again = learn([parts[k] for k in order], 3)
    assert again.state.params == whole.state.params
    weight = rng.integers(0, 3, 20)
    weighted = learn(parts, 3, weight)
    repeated = learn([parts[k] for k in np.repeat(np.arange(20), weight)], 3)
    assert weighted.state.params == repeated.state.params
