"""Which test reaches which line of the package.

Tests run once, one after another in a fork, while coverage.py notes the lines that each
of them runs, those in threads included. What a test has from fixtures and cached
functions that it shares with others counts as run by all of them, whichever comes
first. Lines of compiled kernels and of other processes are not seen.

What was found is kept by folder of tests, in ``.pytest_cache/reached``, and holds for
a test as long as its module and all files that it has run are the same.
"""

import fcntl
import functools
import hashlib
import os
import pickle
import sqlite3
import sys
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import concerned
import forking
import pytest
from coverage import Coverage
from coverage.numbits import numbits_any_intersection, numbits_union

ROOT = Path.cwd()
FOLDER = ROOT / ".pytest_cache" / "reached"
PACKAGE = f"{ROOT / 'skdgm'}{os.sep}"


# Tests that are recorded by one fork, if they are not of one module.
_AT_A_TIME = 150


class Reached(NamedTuple):
    """A test's CPU seconds, whether it passed, and the lines that it ran, by file, as
    bits; digests of all files as they were."""

    seconds: float
    passed: bool
    lines: dict
    made_from: dict

    def meets(self, lines):
        """Whether the test ran one of some lines, given by file as bits."""
        return any(
            path in self.lines and numbits_any_intersection(bits, self.lines[path])
            for path, bits in lines.items()
        )


@functools.cache
def digests():
    """Digests of all files of the package and its tests, by path."""
    paths = [*(ROOT / "skdgm").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    found = {str(path.relative_to(ROOT)): path.read_bytes() for path in paths}
    return {path: hashlib.md5(text).hexdigest() for path, text in found.items()}


def folder_of(item):
    """The folder of tests, or the file beside them, that a test stands in."""
    return item.nodeid.split("::")[0].split("/")[1]


def stands_beside(test):
    """Whether a test stands in a file beside the folders of tests."""
    return test.split("::")[0].count("/") == 1


class Recorder:
    """A plugin that notes what each test runs, and how long it takes."""

    def __init__(self, database):
        include = [f"{PACKAGE}*"]
        self.coverage = Coverage(
            data_file=database, include=include, config_file=False, messages=False
        )
        self.database, self.names, self.since = database, [], 0.0
        self.seconds, self.uses, self.failed = Counter(), defaultdict(set), set()

    def start(self):
        self.coverage.start()
        self.trace, self.since = sys.gettrace(), time.process_time()

    def _count(self):
        now = time.process_time()
        if self.names:
            self.seconds[self.names[-1]] += now - self.since
        self.since = now

    @contextmanager
    def under(self, name):
        """Note what runs as what a test, a fixture or a cached function runs."""
        if self.names:
            self.uses[self.names[-1]].add(name)
        self._count()
        self.names.append(name)
        self.coverage.switch_context(name)
        try:
            yield
        finally:
            self._count()
            self.names.pop()
            self.coverage.switch_context(self.names[-1] if self.names else "")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item, nextitem):
        with self.under(item.nodeid):
            value = yield
        if sys.gettrace() is not self.trace:  # A test that traces lines itself.
            sys.settrace(self.trace)
        return value

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item):
        try:
            return (yield)
        finally:
            fixtures = getattr(item, "_fixtureinfo", None)
            indices = getattr(getattr(item, "callspec", None), "indices", {})
            for name, defined in fixtures.name2fixturedefs.items() if fixtures else ():
                if defined[-1].scope != "function":
                    key = _fixture(defined[-1], indices.get(name, 0))
                    self.uses[item.nodeid].add(key)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef, request):
        if fixturedef.scope == "function":
            return (yield)
        with self.under(_fixture(fixturedef, getattr(request, "param_index", 0))):
            return (yield)

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.failed.add(report.nodeid)

    def found(self, items):
        """What the tests ran, by node id."""
        self.coverage.stop()
        self.coverage.save()
        own = defaultdict(dict)
        query = "select context, path, numbits from line_bits"
        query += " join context on context.id = context_id"
        query += " join file on file.id = file_id"
        with sqlite3.connect(self.database) as connection:
            for name, path, bits in connection.execute(query):
                own[name][str(Path(path).relative_to(ROOT))] = bits
        found, equal = {}, {}
        for item in items:
            name = item.nodeid
            lines, seconds = dict(own[name]), self.seconds[name]
            for other in self._all_used(name):
                seconds += self.seconds[other]
                for path, bits in own[other].items():
                    both = numbits_union(lines[path], bits) if path in lines else bits
                    lines[path] = both
            lines = {path: equal.setdefault(b, b) for path, b in lines.items()}
            passed = name not in self.failed
            found[name] = Reached(seconds, passed, lines, digests())
        return found

    def _all_used(self, name):
        seen, left = set(), [name]
        while left:
            new = self.uses[left.pop()] - seen
            seen |= new
            left += new
        return seen


def _fixture(fixturedef, index):
    return f"fixture {fixturedef.baseid}::{fixturedef.argname} {index}"


# The recorder of this process, if it is one that records.
_recorders = []


def watch_caches():
    """Have cached functions of the package and its tests tell who calls them, for all
    modules that are imported from now on."""
    lru_cache = functools.lru_cache

    def watching(maxsize=128, typed=False):
        if callable(maxsize):
            return watching()(maxsize)

        def decorated(function):
            cached = lru_cache(maxsize, typed)(function)
            module = getattr(function, "__module__", None) or ""
            if module.split(".")[0] not in ("skdgm", "tests"):
                return cached
            label = f"cache {module}.{function.__qualname__}"

            @functools.wraps(cached)
            def call(*args, **kwargs):
                if not _recorders:
                    return cached(*args, **kwargs)
                with _recorders[-1].under(f"{label} {hash((args, *kwargs.items()))}"):
                    return cached(*args, **kwargs)

            for name in ("cache_clear", "cache_info", "cache_parameters"):
                setattr(call, name, getattr(cached, name))
            return call

        return decorated

    functools.lru_cache = watching
    functools.cache = lambda function: watching(None)(function)


class Records:
    """What tests of one suite reach, looked up when it is needed."""

    def __init__(self, suite, items):
        self.suite, self._known, self._times = suite, {}, {}
        self.items = defaultdict(list)
        for item in items:
            self.items[folder_of(item)].append(item)
        # A test that failed may have failed for what was wrong elsewhere.
        for file in FOLDER.glob(f"{suite}-*.pickle"):
            kept = pickle.loads(file.read_bytes())
            passed = {name: one for name, one in kept.items() if one.passed}
            if len(passed) < len(kept):
                file.write_bytes(pickle.dumps(passed, protocol=5))

    def reached(self, folders, path):
        """What tests of some folders reach, by node id: at least of those that a file
        of the package concerns."""
        left, found = list(folders), {}
        for wait in (False, True):  # Others may be at work on some.
            for folder in list(left):
                known = self._of_folder(folder, path, wait)
                if known is not None:
                    left.remove(folder)
                    found |= known
        return found

    def _of_folder(self, folder, path, wait):
        items = [one for one in self.items[folder] if concerned.is_concerned(one, path)]
        known = self._read(folder)
        if all(item.nodeid in known for item in items):
            return known
        FOLDER.mkdir(parents=True, exist_ok=True)
        with open(FOLDER / f"{self.suite}-{folder}.lock", "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                return None
            known = self._read(folder)
            new = [item for item in items if item.nodeid not in known]
            while new:
                # Whole modules, but not all: what breaks down is run once more.
                last = new[min(_AT_A_TIME, len(new)) - 1].path
                batch = new[:_AT_A_TIME]
                batch += [one for one in new[_AT_A_TIME:] if one.path == last]
                known = known | _recorded(batch)
                self._write(folder, known)
                new = [item for item in new if item.nodeid not in known]
        return known

    def _file(self, folder):
        return FOLDER / f"{self.suite}-{folder}.pickle"

    def _read(self, folder):
        """What is known of the tests of a folder and still holds."""
        file = self._file(folder)
        time_of_file = file.stat().st_mtime_ns if file.exists() else None
        if self._times.get(folder, 0) != time_of_file:
            kept = pickle.loads(file.read_bytes()) if time_of_file else {}
            modules = {item.nodeid: item.path for item in self.items[folder]}
            self._known[folder] = {
                name: reached
                for name, reached in kept.items()
                if name in modules and _holds(reached, modules[name])
            }
            self._times[folder] = time_of_file
        return self._known[folder]

    def _write(self, folder, known):
        file = self._file(folder)
        new = file.with_suffix(f".{os.getpid()}")
        new.write_bytes(pickle.dumps(known, protocol=5))
        new.replace(file)


@functools.cache
def _support(path):
    """The files of tests that a module of tests needs."""
    imported = concerned.everything_imported(str(path.relative_to(ROOT)))
    return {one for one in imported if one.startswith("tests/")} | {"tests/conftest.py"}


def _holds(reached, module):
    now, then = digests(), reached.made_from
    return all(now.get(p) == then.get(p) for p in _support(module) | {*reached.lines})


def _recorded(items):
    """What tests reach, by node id, from a run of them in a fork. Of tests at which it
    breaks down, only that they did not pass."""
    with tempfile.TemporaryDirectory() as scratch:
        recorder = Recorder(f"{scratch}/coverage")
        result = Path(scratch, "reached")

        def before():
            items[0].config.pluginmanager.register(recorder)
            _recorders.append(recorder)
            recorder.start()

        def after():
            result.write_bytes(pickle.dumps(recorder.found(items), protocol=5))

        ran = forking.run(items, {}, before=before, after=after, to_the_end=True)
        with suppress(FileNotFoundError):
            return pickle.loads(result.read_bytes())
        if not ran.failed:
            raise RuntimeError("no test could be run in a fork")
        return {ran.failed[-1]: Reached(ran.seconds, False, {}, digests())}
