"""Tests in a forked process, which may change, hang or crash as it likes.

The process that forks has collected the tests and run none: it has no threads and no
compiled kernels in use, so that a fork is as good as a new process, for milliseconds.
"""

import json
import os
import resource
import select
import shutil
import signal
import tempfile
import time
from contextlib import suppress
from typing import NamedTuple

import psutil

# CPU seconds that a test may take: so many, and so many times what it took before.
LEAST, TIMES = 20, 10
# Seconds after which a process that does nothing, as it waits for itself, is ended.
IDLE = 60


class Ran(NamedTuple):
    """How a run ended: the tests that failed, how many ran, how many were left as the
    budget was spent, what ended it before its time, and its CPU seconds."""

    failed: list
    n_run: int
    n_left: int
    broken: str | None
    seconds: float


def limit(seconds):
    """End this process if it takes so many more CPU seconds."""
    used = time.process_time()
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used + seconds) + 1, hard))


class _Failures:
    """A plugin that hears of failures."""

    def __init__(self):
        self.any = False

    def pytest_runtest_logreport(self, report):
        self.any |= report.failed


def run(items, seconds, *, before, after=None, budget=None, to_the_end=False):
    """Run tests in a fork, one after another, until one fails.

    Parameters
    ----------
    items : list of pytest.Item
    seconds : dict
        CPU time of tests, by node id, where it is known.
    before, after : callable
        Called in the fork, before the tests and after them.
    budget : float, default=None
        CPU seconds after which no further test begins.
    to_the_end : bool, default=False
        Whether to go on after a failure.

    Returns
    -------
    ran : Ran
    """
    scratch = tempfile.mkdtemp()
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        status = 1
        try:
            os.close(reader)
            _be_a_child(scratch)

            def tell(*words):
                os.write(writer, json.dumps(words).encode() + b"\n")

            before()
            _run_here(items, seconds, tell, budget, to_the_end)
            limit(10**6)
            if after is not None:
                after()
            tell("done")
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    try:
        return _heard(reader, process, len(items))
    finally:
        os.close(reader)
        shutil.rmtree(scratch, ignore_errors=True)


def _be_a_child(scratch):
    os.setsid()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    # Where tmp_path is, of which runs at a time would share one.
    os.environ["PYTEST_DEBUG_TEMPROOT"] = scratch
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)


def _run_here(items, seconds, tell, budget, to_the_end):
    parent, start, failures = os.getppid(), time.process_time(), _Failures()
    if items:
        items[0].config.pluginmanager.register(failures)
    for item, after_it in zip(items, [*items[1:], None]):
        if budget is not None and time.process_time() - start > budget:
            break
        if os.getppid() != parent:
            os._exit(1)
        tell("begin", item.nodeid)
        limit(LEAST + TIMES * seconds.get(item.nodeid, LEAST))
        failures.any = False
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=after_it)
        if failures.any:
            tell("fail", item.nodeid)
            if not to_the_end:
                break


def _heard(reader, process, n_items):
    """What a child tells, until it ends or is ended."""
    told, rest, broken, done = [], b"", None, False
    used, since = 0.0, time.monotonic()
    while not done:
        ready, _, _ = select.select([reader], [], [], 1.0)
        if ready:
            piece = os.read(reader, 65536)
            if not piece:
                break
            *rows, rest = (rest + piece).split(b"\n")
            told += map(json.loads, rows)
            done = bool(told) and told[-1] == ["done"]
        elif _has_ended(process):
            break
        elif time.monotonic() - since > IDLE:
            before, used, since = used, _cpu_seconds(process), time.monotonic()
            if used - before < IDLE / 1000:
                broken = "a time limit"
                break
    with suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
    _, status, usage = os.wait4(process, 0)
    if not done and broken is None:
        limited = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU
        broken = "a time limit" if limited else "a crash"
    begun = [words[1] for words in told if words[0] == "begin"]
    failed = [words[1] for words in told if words[0] == "fail"]
    if broken and begun:
        failed.append(begun[-1])
    n_left = 0 if failed or broken else n_items - len(begun)
    used = usage.ru_utime + usage.ru_stime
    return Ran(failed, len(begun), n_left, broken, used)


def _cpu_seconds(process):
    """CPU time of a process and its children."""
    total = 0.0
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(process)
        for one in (parent, *parent.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                total += sum(one.cpu_times()[:2])
    return total


def _has_ended(process):
    """Whether a child has ended; it is left to be waited for."""
    return (
        os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    )
