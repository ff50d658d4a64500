"""A plugin of pytest that tries wrong lines on one suite, once its tests are collected.

Each line is tried in a fork (see forking.py), in which it takes the right line's place
(swapping.py), on the tests that reach it (reaching.py): those of its own folder first,
one case of each test before its others. Where no fork can have it, as it runs at import
or is compiled, it is tried in a copy of the clone (afresh.py).

``SKDGM_LINES`` names a JSON file with what to try, and the descriptor of a pipe that
gets one JSON line for each outcome.
"""

import json
import os
import traceback
from collections import Counter, defaultdict
from functools import partial
from importlib import import_module
from itertools import chain
from pathlib import Path

import forking
import places
import pytest
import reaching
import swapping
import wrong_lines
from afresh import KERNELS, Copy
from concerned import is_concerned
from coverage import Coverage
from coverage.numbits import numbits_any_intersection, nums_to_numbits
from forking import Ran
from wrong_lines import WrongLine

ROOT = Path.cwd()
TASK = json.loads(Path(os.environ["SKDGM_LINES"]).read_text())
IS_PLAIN = os.environ.get("NUMBA_DISABLE_JIT") == "1"

reaching.watch_caches()
# What runs before any test does, at import and while tests are collected.
_early = Coverage(
    data_file=None,
    include=[f"{reaching.PACKAGE}*"],
    config_file=False,
    messages=False,
)
_early.start()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session):
    for path in {row[0] for row in TASK["lines"]}:
        module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        import_module(module)
    _early.stop()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    if session.testsfailed:
        return None
    trial, n = Trial(session.items), len(TASK["lines"])
    reader, writer = os.pipe()
    os.write(writer, b"".join(number.to_bytes(2) for number in range(n)))
    os.close(writer)
    for worker in [_worker(trial, reader) for _ in range(TASK["jobs"])]:
        os.waitpid(worker, 0)
    return True


def _worker(trial, numbers):
    """A process that tries lines whose numbers it reads, until there are none."""
    parent, process = os.getpid(), os.fork()
    if process == 0:
        try:
            while os.getppid() == parent and (number := os.read(numbers, 2)):
                row = TASK["lines"][int.from_bytes(number)]
                told = {"line": row} | trial.outcome(WrongLine(*row))
                os.write(TASK["descriptor"], json.dumps(told).encode() + b"\n")
        except BaseException:
            traceback.print_exc()
        finally:
            trial.copy.remove()
            os._exit(0)
    return process


class Trial:
    """Tries lines on the tests of one suite."""

    def __init__(self, items):
        self.items = {item.nodeid: item for item in items}
        suite = f"{TASK['suite']}-plain" if IS_PLAIN else TASK["suite"]
        self.records = reaching.Records(suite, items)
        self.functions = swapping.functions_by_file(ROOT / "skdgm")
        self.copy, self.early, self.passed = Copy(), {}, {}
        data = _early.get_data()
        for path in data.measured_files():
            bits = nums_to_numbits(data.lines(path))
            self.early[str(Path(path).relative_to(ROOT))] = bits

    def outcome(self, line):
        """What notices a line, if anything: a dictionary with the test, or None; how
        many tests ran, and how many were left as the budget was spent; CPU seconds."""
        text = (ROOT / line.path).read_text()
        rans = []
        for way in self._ways(line, text):
            for folders in self._own_and_others(line):
                ran = self._ran(way, line, folders, rans)
                rans.append(ran)
                if ran.failed or ran.broken:
                    break
            if rans[-1].failed or rans[-1].broken:
                break
        test = " in ".join([rans[-1].broken or "", *rans[-1].failed[-1:]])
        return {
            "test": test.removeprefix(" in ") or None,
            "n_run": sum(ran.n_run for ran in rans),
            "n_left": sum(ran.n_left for ran in rans),
            "seconds": round(sum(ran.seconds for ran in rans), 1),
        }

    def _ways(self, line, text):
        """How a line is tried: functions of tests, and the lines of the package that
        these tests must reach (None for all that the file concerns)."""
        if line.path.startswith(KERNELS) and not IS_PLAIN:
            return [(partial(self._in_copy, line), None)]
        codes = swapping.swapped_codes(ROOT / line.path, text, line.applied(text))
        functions = self.functions[str(ROOT / line.path)]
        in_copy = partial(self._in_copy, line)
        if codes is None or not any(one.__code__ in codes for one in functions):
            return [(in_copy, places.lines_that_read(line, text))]
        lines = places.statement_lines(line, text)
        ways = [(partial(self._in_fork, codes, functions), lines)]
        if numbits_any_intersection(lines[line.path], self.early.get(line.path, b"")):
            ways.append((in_copy, {line.path: _every_line(text)}))
        return ways

    def _own_and_others(self, line):
        own = wrong_lines.folder_of(line.path)
        own = {own, f"test_{own}.py"} & self.records.items.keys()
        return own, self.records.items.keys() - own

    def _ran(self, way, line, folders, before):
        """A run of the tests of some folders, without those that fail in any case."""
        run, lines = way
        # Those beside the folders look at classes and modules, not at what they do.
        looks_on = run.func == self._in_copy
        spent = sum(ran.seconds for ran in before)
        budget = None if TASK["budget"] is None else max(0.0, TASK["budget"] - spent)
        if lines is None:
            items = chain.from_iterable(self.records.items[one] for one in folders)
            tests = [one.nodeid for one in items if is_concerned(one, line.path)]
            seconds = {}
        else:
            reached = self.records.reached(folders, line.path)
            passed = {name: one for name, one in reached.items() if one.passed}
            seconds = {name: one.seconds for name, one in passed.items()}
            tests = [
                name
                for name, one in passed.items()
                if one.meets(lines) or (looks_on and reaching.stands_beside(name))
            ]
        tests = _in_order(tests, seconds)
        while tests:
            ran = run(tests, seconds, budget)
            test = next(iter(ran.failed), None)
            if test not in tests or self._passes(test):
                return ran
            tests = tests[tests.index(test) + 1 :]
        return Ran([], 0, 0, None, 0.0)

    def _in_fork(self, codes, functions, tests, seconds, budget):
        items = [self.items[test] for test in tests]
        swap = partial(swapping.swap, codes, functions)
        return forking.run(items, seconds, before=swap, budget=budget)

    def _in_copy(self, line, tests, seconds, budget):
        mark = TASK["mark"]
        return self.copy.run(line, tests, seconds, mark=mark, budget=budget)

    def _passes(self, test):
        """Whether a test passes alone, with nothing wrong."""
        if test not in self.passed:
            ran = forking.run([self.items[test]], {}, before=lambda: None)
            self.passed[test] = not (ran.failed or ran.broken)
        return self.passed[test]


def _every_line(text):
    return nums_to_numbits(range(1, text.count("\n") + 2))


def _in_order(tests, seconds):
    """One case of each test, then two more, then all; those of a module together, and
    modules with short tests first."""
    rounds, seen = {}, Counter()
    for test in sorted(tests, key=lambda one: seconds.get(one, 0)):
        function = test.split("[")[0]
        rounds[test] = (seen[function] > 0) + (seen[function] > 2)
        seen[function] += 1
    groups = defaultdict(list)
    for test in tests:
        groups[rounds[test], test.split("::")[0]].append(test)

    def order(group):
        number, _ = group
        each = [seconds.get(test, 0) for test in groups[group]]
        return number, sum(each) / len(each)

    return list(chain.from_iterable(groups[one] for one in sorted(groups, key=order)))
