from types import SimpleNamespace

import numpy as np
import pytest

from skdgm.optim import Clock
from skdgm.training import AUTO, Budget, Objective, Run, Table, loop, optimize
from skdgm.training.hooks import Hook
from skdgm.utils.rows import Rows

START = (np.zeros(2),)


class Trainer(Objective):
    """Adds an epoch's batches to the state, and is watched by a monitor."""

    def __init__(self, monitor, patience=9):
        options = SimpleNamespace(n_iter_no_change=patience, tol=0.0)
        super().__init__(Run(options, rows=None, seed=0))
        self.monitor, self.clocks = monitor, []

    def start(self):
        return (np.zeros(2),)

    def resume(self, state):
        return state

    def watch(self, table, held_out, state):
        return self.monitor

    def split(self, table):
        return table, table

    def draw(self, table, number):
        return [part * number for part in table]

    def step(self, state, batch, clock):
        self.clocks.append(clock)
        state[0][:] += batch
        return state


class Numbered(Trainer):
    """Draws batches and random numbers as any objective does."""

    def __init__(self, *run):
        Objective.__init__(self, Run(*run))

    draw = Objective.draw


class Monitor:
    """Has losses at hand, and finds useless what is above a bar."""

    limit = 100.0

    def __init__(self, losses, held_out=None, bar=np.inf):
        self.pairs = zip(losses, held_out or [None] * len(losses))
        self.bar = bar

    def __call__(self, state):
        return next(self.pairs)

    def is_useless(self, loss):
        return loss > self.bar


class Recorder(Hook):
    """Writes down what it hears."""

    def __init__(self):
        self.heard = []

    def begin(self, epoch):
        self.heard.append(epoch)

    def end(self, report):
        self.heard.append((report.loss, report.validation))
        return False


def run(monitor, epochs=range(1, 4), patience=None, **options):
    if patience is not None:
        options["early_stopping"] = True
    trainer = Trainer(monitor, patience)
    return optimize(trainer, [1.0, 2.0], epochs, START, **options)[0]


def test_the_last_state_is_kept():
    learned = run(Monitor([3.0, 1.0, 2.0]))
    np.testing.assert_array_equal(learned.state[0], [18, 18])
    np.testing.assert_array_equal(START[0], [0, 0])
    assert learned.losses == [3.0, 1.0, 2.0]
    assert learned.validation == []
    assert learned.ended == "complete"


def test_with_early_stopping_the_best_state_is_kept():
    monitor = Monitor([5.0] * 6, held_out=[4.0, 2.0, 3.0, 2.5, 1.0, 0.0])
    learned = run(monitor, range(1, 7), patience=2)
    np.testing.assert_array_equal(learned.state[0], [9, 9])
    assert learned.validation == [4.0, 2.0, 3.0, 2.5]
    assert learned.ended == "stopped"


def test_without_early_stopping_held_out_losses_change_nothing():
    learned = run(Monitor([5.0] * 3, held_out=[1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(learned.state[0], [18, 18])
    assert learned.validation == []


@pytest.mark.parametrize("losses, useless", [([9, 1, 3], False), ([1, 1, 5], True)])
def test_the_last_loss_says_whether_it_was_useless(losses, useless):
    assert run(Monitor(losses, bar=4)).is_useless is useless


@pytest.mark.parametrize("losses, useless", [([9, 1, 9], False), ([1, 5, 1], True)])
def test_the_loss_of_the_best_state_says_whether_it_was_useless(losses, useless):
    monitor = Monitor(losses, held_out=[3.0, 1.0, 2.0], bar=4)
    learned = run(monitor, patience=9)
    assert learned.is_useless is useless
    np.testing.assert_array_equal(learned.state[0], [9, 9])


def test_hooks_hear_of_every_epoch():
    expected = [1, (3.0, 6.0), 2, (1.0, 5.0), 3, (2.0, 4.0)]
    for patience in (None, 9):
        hooks = Recorder(), Recorder()
        monitor = Monitor([3.0, 1.0, 2.0], held_out=[6.0, 5.0, 4.0])
        run(monitor, hooks=hooks, patience=patience)
        assert [hook.heard for hook in hooks] == [expected] * 2


def test_steps_see_the_clock():
    trainer = Trainer(Monitor([1.0] * 3))
    optimize(trainer, [1.0, 2.0], range(1, 4), n_epochs=7)
    assert trainer.clocks[0] == (1, 7, 0, 2, 1.0)
    assert trainer.clocks[-1] == (3, 7, 1, 2, 1.0)


@pytest.mark.parametrize("patience", [None, 9])
def test_no_epoch(patience):
    learned = run(Monitor([], bar=-1.0), range(0), patience=patience)
    np.testing.assert_array_equal(learned.state[0], START[0])
    assert learned[1:] == ([], [], "complete", False)


def test_divergence_falls_back_on_what_was_good():
    learned = run(Monitor([1.0, 101.0], bar=-1.0))
    np.testing.assert_array_equal(learned.state[0], [3, 3])
    assert (learned.losses, learned.ended) == ([1.0], "diverged")
    assert learned.is_useless
    learned = run(Monitor([np.nan], bar=-1.0))
    assert (learned.losses, learned.is_useless) == ([], False)
    np.testing.assert_array_equal(learned.state[0], START[0])


@pytest.mark.parametrize(
    "n_rows, batch_size, expected",
    [(100, 10, 5), (100, 7, 4), (101, 10, 5), (10, 10, 20), (1000, 1, 2)],
)
def test_as_many_epochs_as_make_so_many_updates(n_rows, batch_size, expected):
    """Not one less, but within bounds."""
    index = np.arange(n_rows)
    table = Table(None, index, index, np.ones(n_rows))
    budget = Budget(50, 2, 20)
    assert budget.epochs(AUTO, table, batch_size) == expected
    assert budget.epochs(7, table, batch_size) == 7


@pytest.mark.parametrize(
    "n_batches, expected", [(1, 60), (2, 60), (4, 38), (7, 22), (9, 17), (30, 5)]
)
def test_small_tables_get_a_least_number_of_updates(n_batches, expected):
    """In thrice the largest number of epochs at most; larger tables are left alone."""
    assert Budget(150, 2, 20, 150).epochs_of(AUTO, n_batches) == expected


def test_what_is_freed_is_kept_while_there_is_learning(monkeypatch):
    called = []
    monkeypatch.setattr(loop, "hold", lambda: called.append(1))
    optimize(Trainer(Monitor([1.0])), [np.ones(2)], range(1))
    assert called


@pytest.mark.parametrize("first, kept", [(0.5, [0, 0]), (4.0, [9, 9]), (np.nan, 9)])
def test_the_state_before_all_epochs_may_be_the_best(monkeypatch, first, kept):
    monkeypatch.setattr(Trainer, "COUNTS_START", True)
    held_out = [first, 3.0, 1.0, 2.0, 5.0]
    learned = run(Monitor([9.0] * 5, held_out, bar=4), range(1, 4), patience=9)
    np.testing.assert_array_equal(learned.state[0], kept)
    assert learned.validation == held_out[1:4]
    # Of the first state no loss is known by which it could be useless.
    assert learned.is_useless is (first != 0.5)


def test_waiting_begins_with_the_first_epoch(monkeypatch):
    monkeypatch.setattr(Trainer, "COUNTS_START", True)
    monitor = Monitor([9.0] * 9, [0.0, 5.0, 4.0, 3.0, 4.0, 4.0, 4.0, 1.0])
    learned = run(monitor, range(1, 9), patience=2)
    assert learned.validation == [5.0, 4.0, 3.0, 4.0, 4.0]
    np.testing.assert_array_equal(learned.state[0], [0, 0])


def test_a_run_goes_on_with_the_random_numbers_of_a_whole_one():
    options = SimpleNamespace(batch_size=3)
    index = np.arange(12)
    rows = Rows(index[:, None].astype(float), np.float64)
    table = Table(rows, index, index.astype(np.uint64), np.ones(12))
    whole, later = Numbered(options, rows, 4), Numbered(options, rows, 4, 2)
    for number in range(3):
        for one, other in zip(whole.draw(table, 2 + number), later.draw(table, number)):
            np.testing.assert_array_equal(one, other)
        draws = [
            objective.stream(Clock(epoch, 9, 1, 4)).generator().random()
            for objective, epoch in ((whole, 2 + number), (later, number))
        ]
        assert draws[0] == draws[1]
