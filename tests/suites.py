"""Which case of a test runs where, and why.

There are three suites, each of what the ones before it leave out:

``default``
    ``pytest -n auto``: what everybody runs, within six minutes on two cores. A density,
    a sampler, an imputation and a gradient of every family are proved here, and classes
    that stand for all others keep the common contract.
``exhaustive``
    ``pytest -n auto -m exhaustive``: what CI runs, too. The contract of all other
    classes, many cases of one kind, slow statistics, and single precision, for which
    kernels are compiled once more.
``release``
    ``pytest -n auto -m release``: what .ci/release runs, too. What takes some seconds
    where a shorter test notices most faults, and further options of a class.

Marks decide, and nothing else. They stand at the test or at a parameter, and a case
belongs to the last suite that one of them names:

    @pytest.mark.exhaustive                        # all cases of this test
    @pytest.mark.release(default=["nade-", "-2"])  # all but cases with such a text in
                                                   # their name, in brackets
    pytest.param(2, marks=pytest.mark.exhaustive)  # cases of this parameter

``FLOAT32`` and ``DTYPES`` below and ``cases`` of tests/common/instances.py make
parameters with such marks. A mark may say why: ``exhaustive(why="...")``. To ask:

    python -m tests.suites                         # numbers of cases, by folder
    python -m tests.suites tests/flows -k gaps     # the suite of each case, and why
"""

import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

TESTS = Path(__file__).parent
SUITES = "default", "exhaustive", "release"
# Folders whose tests are proofs: by enumeration, against a general way, by differences.
# What they have in the default suite is the core, with cases that have the mark.
PROOFS = "_kernels", "couplings", "distributions", "energies", "gradients", "optim"
PROOFS += "inference", "nets", "partition", "samplers"

_COMPILED = pytest.mark.exhaustive(why="single precision: kernels are compiled again")
FLOAT32 = pytest.param(np.float32, marks=_COMPILED)
DTYPES = [np.float64, FLOAT32]

# The suite of each case that was collected, and why it belongs there; and for each test
# and the texts of a mark, names of all its cases: see tests/test_suite.py.
ANSWERS, NAMED = {}, {}


def sort_out(items):
    """Leave each case its suite's mark alone, and ``core`` to those of the core."""
    for item in items:
        case, found = getattr(item, "callspec", None), []
        for mark in [mark for mark in item.iter_markers() if mark.name in SUITES]:
            if _spares(mark, item, case):
                item.own_markers.remove(mark)
            else:
                found.append(mark)
        last = max(found, key=lambda mark: SUITES.index(mark.name), default=None)
        ANSWERS[item.nodeid] = suite, _ = _told(last, case)
        core = item.path.relative_to(TESTS).parts[0] in PROOFS
        core = core or item.get_closest_marker("core") is not None
        others = {"core", *SUITES} - {suite}
        marks = [mark for mark in item.own_markers if mark.name not in others]
        item.own_markers[:] = marks
        if core and suite == "default":
            item.add_marker("core")


def _spares(mark, item, case):
    """Whether a mark leaves a case in the default suite."""
    texts = mark.kwargs.get("default")
    if mark.args or mark.kwargs.keys() - {"default", "why"} or isinstance(texts, str):
        raise pytest.UsageError(f"{item.nodeid}: {mark}: see tests/suites.py")
    if texts is None:
        return False
    test = item.nodeid.split("[")[0]
    NAMED.setdefault((test, tuple(texts)), []).append(case.id)
    return any(text in case.id for text in texts)


def _told(mark, case):
    if mark is None:
        return "default", "no mark names another suite"
    of_parameter = case is not None and any(mark is own for own in case.marks)
    where = "parameter" if of_parameter else "test"
    why = mark.kwargs.get("why")
    texts = mark.kwargs.get("default")
    if texts:
        why = f"its name has none of {', '.join(map(repr, texts))}"
    return mark.name, f"mark of the {where}" + (f": {why}" if why else "")


class _Teller:
    """A plugin that prints answers in place of the list of tests."""

    def __init__(self, one_by_one):
        self.one_by_one = one_by_one

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session):
        table = defaultdict(Counter)
        for item in session.items:
            suite, why = ANSWERS[item.nodeid]
            for name in (item.path.relative_to(TESTS).parts[0], "sum"):
                table[name][suite] += 1
            if self.one_by_one:
                print(f"\n{suite:<10} {item.nodeid}\n{'':<10} {why}", end="")
        print(f"\n\n{'':<25}" + "".join(f"{suite:>12}" for suite in SUITES))
        for name in (*sorted(table.keys() - {"sum"}), "sum"):
            print(f"{name:<25}" + "".join(f"{table[name][s]:>12}" for s in SUITES))
        session.items.clear()


def main(args):
    options = ["--collect-only", "-o", "addopts=", "--no-summary", "-qqq"]
    return pytest.main([*options, *args], plugins=[_Teller(bool(args))])


if __name__ == "__main__":
    # The module of that name is the one that conftest asks.
    from tests.suites import main

    sys.exit(main(sys.argv[1:]))
