from types import SimpleNamespace

import numpy as np
import pytest

from skdgm.training import EarlyStopping, optimize
from skdgm.training.hooks import Hook
from skdgm.training.loop import Report
from skdgm.training.progress import Keeper
from skdgm.utils.tree import copy

START = (np.zeros(2),)


def add_batch(state, batch, clock):
    state[0][:] += batch
    return state


class Monitor:
    """Losses at the end of each epoch."""

    limit, MEMORY = 100.0, ()

    def __init__(self, measure):
        self.measure, self.n_undone = measure, 0

    def undo(self):
        self.n_undone += 1

    def __call__(self, state):
        return self.measure(state)

    def is_useless(self, loss):
        return False


def run(
    step=add_batch,
    measure=lambda state: (0.0, None),
    n_epochs=4,
    epochs=None,
    batches=(1.0, 2.0),
    **options,
):
    objective = SimpleNamespace(
        options=None,
        resume=lambda state: state,
        watch=lambda table, held_out, state: Monitor(measure),
        draw=lambda table, number: batches,
        step=step,
    )
    epochs = range(n_epochs) if epochs is None else epochs
    given = objective, None, epochs, START
    return optimize(*given, n_epochs=n_epochs, **options)[0]


def test_runs_all_epochs():
    outcome = run(measure=lambda state: (float(state[0][0]), None))
    assert outcome.ended == "complete"
    assert outcome.losses == [3.0, 6.0, 9.0, 12.0]
    assert outcome.validation == []
    np.testing.assert_array_equal(START[0], [0, 0])


def test_no_epoch():
    outcome = run(n_epochs=0)
    assert outcome.ended == "complete"
    np.testing.assert_array_equal(outcome.state[0], [0, 0])


def test_clock():
    seen = []

    def step(state, batch, clock):
        seen.append(clock)
        return state

    run(step, epochs=range(2, 4), n_epochs=9, batches="ab")
    assert seen[0] == (2, 9, 0, 2, 1.0)
    assert seen[-1] == (3, 9, 1, 2, 1.0)


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_divergence_falls_back_on_the_last_good_epoch(bad):
    def step(state, batch, clock):
        state[0][:] = bad if clock.epoch == 2 else clock.epoch + 1
        return state

    outcome = run(step)
    assert outcome.ended == "diverged"
    assert outcome.losses == [0.0, 0.0]
    np.testing.assert_array_equal(outcome.state[0], [2, 2])


def with_held_out_rows(step, measure):
    """An objective of one batch an epoch, with the losses of training and of held-out
    rows by ``measure``."""
    return SimpleNamespace(
        options=SimpleNamespace(n_iter_no_change=9, tol=0.0),
        resume=lambda state: state,
        split=lambda table: (None, None),
        first_selectable_epoch=lambda epochs: epochs.start,
        COUNTS_START=False,
        watch=lambda table, held_out, state: Monitor(measure),
        draw=lambda table, number: (1.0,),
        step=step,
    )


def run_with_held_out(bad_epochs, start=START, **options):
    """Each epoch adds its pace to the state, and the held-out loss decreases; some
    epochs diverge."""

    def step(state, batch, clock):
        state[0][:] += np.inf if clock.epoch in bad_epochs else clock.pace
        return state

    objective = with_held_out_rows(step, lambda state: (-state[0][0], -state[0][0]))
    learned, watch = optimize(
        objective, None, range(8), start, n_epochs=8, early_stopping=True, **options
    )
    assert watch.n_undone <= len(bad_epochs)
    return learned


def test_epochs_that_diverge_are_undone_with_held_out_rows():
    learned = run_with_held_out({2, 4})
    assert learned.ended == "complete"
    totals = [1, 2, 2, 2.5, 2.5, 2.75, 3, 3.25]
    assert learned.losses == [-total for total in totals]
    assert learned.validation == learned.losses
    np.testing.assert_array_equal(learned.state[0], [3.25, 3.25])


def test_training_ends_if_epochs_diverge_again_and_again():
    learned = run_with_held_out({2, 3, 4, 5})
    assert learned.ended == "diverged"
    assert learned.losses == [-1, -2, -2, -2, -2]
    np.testing.assert_array_equal(learned.state[0], [2, 2])
    learned = run_with_held_out({0})
    assert (learned.ended, learned.losses) == ("diverged", [])


def test_an_overshoot_is_not_the_best_epoch():
    """The first epoch has the lowest held-out loss, but its loss is above the limit."""
    losses = iter([(150.0, -9.0), (120.0, -8.0), (5.0, -1.0), (6.0, 0.0)])
    objective = with_held_out_rows(add_batch, lambda state: next(losses))
    learned, watch = optimize(
        objective, None, range(4), START, n_epochs=4, early_stopping=True
    )
    assert learned.losses == [150.0, 120.0, 5.0, 6.0]
    np.testing.assert_array_equal(learned.state[0], [3, 3])
    assert watch.n_undone == 0


def test_the_pace_after_an_undone_epoch_is_resumed():
    kept = []
    keeper = Keeper(
        lambda report, progress: kept.append((copy(report.state), progress))
    )
    whole = run_with_held_out({2, 4}, keeper=keeper)
    state, progress = kept[4]
    keeper = Keeper(lambda report, progress: None, progress)
    again = run_with_held_out({2, 4}, state, keeper=keeper)
    assert again.losses == whole.losses
    np.testing.assert_array_equal(again.state[0], whole.state[0])


@pytest.mark.parametrize("loss", [np.nan, np.inf, 101.0])
def test_a_bad_loss_is_divergence(loss):
    outcome = run(measure=lambda state: (loss, None))
    assert outcome.ended == "diverged"
    np.testing.assert_array_equal(outcome.state[0], [0, 0])


def test_a_loss_at_the_limit_is_sound():
    outcome = run(measure=lambda state: (100.0, None))
    assert (outcome.ended, outcome.losses) == ("complete", [100.0] * 4)


def test_a_fit_of_few_updates_may_recover():
    """Two batches an epoch: after two updates the loss may be anything but NaN."""
    losses = iter([150.0, 120.0, 5.0, 4.0])
    outcome = run(measure=lambda state: (next(losses), None))
    assert outcome.ended == "complete"
    assert outcome.losses == [150.0, 120.0, 5.0, 4.0]
    losses = iter([150.0] * 30)
    outcome = run(measure=lambda state: (next(losses), None), n_epochs=30)
    assert (outcome.ended, outcome.losses) == ("diverged", [])
    assert len(list(losses)) == 30 - 11
    np.testing.assert_array_equal(outcome.state[0], START[0])


@pytest.mark.parametrize("how", ["stopped", "interrupted"])
def test_a_fit_that_ends_before_it_recovers_keeps_no_bad_state(how):
    class Ender(Hook):
        def end(self, report):
            return how == "stopped" and report.epoch == 1

    def step(state, batch, clock):
        if how == "interrupted" and clock.epoch == 2:
            raise KeyboardInterrupt
        return add_batch(state, batch, clock)

    outcome = run(step, lambda state: (150.0, None), hooks=[Ender()])
    assert outcome.ended == ("diverged" if how == "stopped" else how)
    assert outcome.losses == []
    np.testing.assert_array_equal(outcome.state[0], START[0])
    # After a sound epoch it is as any other fit.
    outcome = run(step, hooks=[Ender()])
    assert (outcome.ended, len(outcome.losses)) == (how, 2)


def test_overflow_is_left_to_the_guard():
    def step(state, batch, clock):
        state[0][:] = np.exp(state[0] + 1e4)
        return state

    assert run(step).ended == "diverged"


@pytest.mark.parametrize("where", ["step", "measure"])
def test_an_interruption_loses_nothing(where):
    def step(state, batch, clock):
        if where == "step" and clock.epoch == 2 and clock.batch == 1:
            raise KeyboardInterrupt
        return add_batch(state, batch, clock)

    def measure(state):
        if where == "measure" and state[0][0] == 9:
            raise KeyboardInterrupt
        return 0.0, None

    outcome = run(step, measure)
    assert outcome.ended == "interrupted"
    assert len(outcome.losses) == 2
    np.testing.assert_array_equal(outcome.state[0], 7 if where == "step" else 9)


def test_other_errors_pass():
    def step(state, batch, clock):
        raise MemoryError

    with pytest.raises(MemoryError):
        run(step)


def test_hooks_hear_and_may_stop():
    class Recorder(Hook):
        def __init__(self):
            self.heard = []

        def begin(self, epoch):
            self.heard.append(epoch)

        def end(self, report):
            self.heard.append((report.epoch, report.loss, 0 <= report.seconds < 60))
            return report.epoch == 1

    hooks = Recorder(), Recorder()
    outcome = run(hooks=hooks)
    assert outcome.ended == "stopped"
    for hook in hooks:
        assert hook.heard == [0, (0, 0.0, True), 1, (1, 0.0, True)]


def test_early_stopping_keeps_the_best():
    losses = iter([5.0, 3.0, 2.0, 2.5, 1.9995, 4.0, 4.0])
    stopping = EarlyStopping(patience=3, tol=0.01)
    outcome = run(
        measure=lambda state: (0.0, next(losses)), hooks=[stopping], n_epochs=7
    )
    assert outcome.ended == "stopped"
    np.testing.assert_array_equal(stopping.best[0], [15, 15])


def test_progress_is_that_of_the_watch_and_of_early_stopping():
    watch, stopping = (
        SimpleNamespace(MEMORY=("limit",), limit=3.0),
        EarlyStopping(2, 0.1),
    )
    passed = []
    keeper = Keeper(lambda report, progress: passed.append(progress))
    assert keeper.join(watch, stopping, range(4)) == range(4)
    report = Report(0, (np.zeros(2),), 5.0, 4.0, 0.1)
    stopping.end(report)
    keeper.end(report)
    (found,) = passed
    assert (found.losses, found.validation) == ([5.0], [4.0])
    assert found.watch == {"limit": 3.0}
    known = {"lowest": 4.0, "best_epoch": 0, "mark": 4.0, "waited": 0}
    assert {name: found.stopping[name] for name in known} == known
    # Another run goes on from there.
    again = Keeper(passed.append, found)
    after, later = SimpleNamespace(MEMORY=("limit",), limit=9.0), EarlyStopping(2, 0.1)
    assert again.join(after, later, range(4)) == range(1, 4)
    assert (after.limit, later.lowest, later.mark) == (3.0, 4.0, 4.0)
    done = EarlyStopping(2, 0.1)
    stopped = found._replace(stopping=found.stopping | {"waited": 2})
    assert len(Keeper(passed.append, stopped).join(after, done, range(4))) == 0
