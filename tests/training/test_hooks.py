import logging

import numba
import numpy as np
import pytest

from skdgm.training import Verbose, hooks
from skdgm.training.loop import Report
from skdgm.utils import progress


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")
def test_what_is_compiled_is_told_of_once(caplog, capsys, monkeypatch):
    monkeypatch.setattr(hooks._listener, "last", -np.inf)
    caplog.set_level(logging.INFO, "skdgm")

    def ours(x):
        return x + 1

    def others(x):
        return x + 1

    ours.__module__ = "skdgm._kernels.ours"
    numba.njit(others)(1)
    assert not caplog.records
    compiled = numba.njit(ours)
    compiled(1)
    # One that comes when it has begun hears of it, too.
    hook = Verbose("Somebody", "likelihood", 1)
    compiled(1.0)
    compiled(1)
    compiled(np.float32(1))
    assert [record.getMessage() for record in caplog.records] == [hooks.MESSAGE]
    out, err = capsys.readouterr()
    assert not out
    assert err == f"[Somebody] {hooks.MESSAGE}\n"
    del hook
    monkeypatch.setattr(hooks._listener, "last", -np.inf)
    compiled(1j)
    assert not capsys.readouterr().err
    assert len(caplog.records) == 2


def printed(monkeypatch, capsys, n_epochs, seconds, held_out=None, first=0, stop=None):
    """Lines of a table of epochs that take given seconds each."""
    clock = [100.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: clock[0])
    hook = Verbose("Somebody", "likelihood", n_epochs)
    for epoch in range(first, n_epochs if stop is None else stop):
        hook.begin(epoch)
        clock[0] += seconds(epoch)
        assert not hook.end(Report(epoch, (), 2.0 - epoch, held_out, 0.0))
    hook.finish()
    monkeypatch.undo()
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith("[Somebody] ") for line in lines)
    # Columns are aligned at their right ends.
    assert len(set(map(len, lines))) <= 1
    return [line.split()[1:] for line in lines]


def test_a_table_of_epochs(monkeypatch, capsys):
    # The first epoch, which compiles, takes longer, and does not count for the rest.
    header, *rows = printed(
        monkeypatch, capsys, 4, lambda epoch: 30.0 if epoch == 0 else 2.0, 5.0
    )
    assert header == ["epoch", "likelihood", "held", "out", "time", "left"]
    assert rows == [
        ["1/4", "-2.00", "-5.00", "30.0s", "1m30s"],
        ["2/4", "-1.00", "-5.00", "32.0s", "4.0s"],
        ["3/4", "0.00", "-5.00", "34.0s", "2.0s"],
        ["4/4", "1.00", "-5.00", "36.0s", "0.0s"],
    ]


def test_at_most_one_line_a_second(monkeypatch, capsys):
    header, *rows = printed(monkeypatch, capsys, 1000, lambda epoch: 1 / 128)
    assert header == ["epoch", "likelihood", "time", "left"]
    # The first and the last epoch, and each second in between.
    numbers = [int(row[0].split("/")[0]) for row in rows]
    assert numbers == [*range(1, 1000, 128), 1000]
    assert rows[0][-1] == "7.8s"
    assert rows[1][-2:] == ["1.0s", "6.8s"]
    # A fit that goes on, and stops early, prints its own first and last epoch.
    _, *rows = printed(
        monkeypatch, capsys, 1000, lambda epoch: 0.01, first=500, stop=520
    )
    assert [row[0] for row in rows] == ["501/1000", "520/1000"]
    assert not printed(monkeypatch, capsys, 3, lambda epoch: 1.0, stop=0)
    _, *rows = printed(monkeypatch, capsys, 1, lambda epoch: 1.0)
    assert rows == [["1/1", "-2.00", "1.0s", "0.0s"]]


def test_durations_are_short():
    for seconds, text in ((0, "0.0s"), (59.94, "59.9s"), (60, "1m00s")):
        assert progress.duration(seconds) == text
    for seconds, text in ((3599, "59m59s"), (3600, "1h00m"), (90061, "25h01m")):
        assert progress.duration(seconds) == text
