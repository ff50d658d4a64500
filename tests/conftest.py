"""Settings that must stand before anything is imported."""

import os
import signal
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

# scikit-learn's checks with array API dispatch are skipped without it.
os.environ["SCIPY_ARRAY_API"] = "1"

# Pictures need no screen.
os.environ["MPLBACKEND"] = "Agg"

# Shells that start jobs in the background have them ignore Ctrl-C, which tests press.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)

TESTS = Path(__file__).parent
# Folders whose tests are proofs: by enumeration, against a general way, by differences.
PROOFS = "_kernels", "couplings", "distributions", "energies", "gradients", "optim"
PROOFS += "inference", "nets", "partition", "samplers"


# Of each test with the mark ``short``, and its texts: all cases.
CASES = {}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark what is left to CI as exhaustive: cases that ``short`` does not name, those
    in single precision, for which kernels would be compiled once more, and estimators
    on whose road another one stands; and what belongs to the core. Left to releases
    are the cases of tests with that mark that ``short`` does not name, and instances
    whose class and way to read rows were asked."""
    common = sys.modules.get("tests.common.instances")
    for item in items:
        case, kept = getattr(item, "callspec", None), item.get_closest_marker("short")
        if kept:
            test = item.nodeid.split("[")[0], kept.args
            CASES.setdefault(test, []).append(case.id)
        given = case.params.values() if case else ()
        asked = [one for one in given if common and common.among(one, common.INSTANCES)]
        named = kept and any(text in case.id for text in kept.args)
        if named:
            own = [mark for mark in item.own_markers if mark.name != "release"]
            item.own_markers[:] = own
        if any(not common.among(one, common.LANDING) for one in asked):
            item.add_marker("release")
        if item.get_closest_marker("release"):
            continue
        if (
            (kept and not named)
            or any(one is np.float32 for one in given)
            or any(not common.among(one, common.ROADS) for one in asked)
        ):
            item.add_marker("exhaustive")
        if item.get_closest_marker("exhaustive"):
            continue
        folder = item.path.relative_to(TESTS).parts[0]
        in_core = any(common.among(one, common.CORE) for one in asked)
        if folder in PROOFS or (folder == "common" and in_core):
            item.add_marker("core")


# Generators of each module of tests, with their states once all modules are imported.
_GENERATORS = {}


def pytest_collection_finish(session):
    """Note where generators of modules stand."""
    for module in {item.module for item in session.items}:
        found = vars(module).values()
        found = [v.bit_generator for v in found if isinstance(v, np.random.Generator)]
        _GENERATORS[module] = [(one, one.state) for one in found]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Set them back before a test and its fixtures: draws hang on no other test."""
    for generator, state in _GENERATORS[item.module]:
        generator.state = state


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give each worker a part of the tests that stand together, and in the end a share
    of others': kernels that tests share are compiled once, not by all at a time."""
    if config.option.dist == "load":
        from xdist.scheduler import WorkStealingScheduling

        return WorkStealingScheduling(config, log)
