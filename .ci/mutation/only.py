"""A plugin of pytest that runs the tests of a list, in its order, within a budget.

``SKDGM_TESTS`` names a JSON file with the list, the budget in CPU seconds (or null),
and what the tests took before. How many ran and were left is written to it in the end.
"""

import json
import os
import time
from pathlib import Path

import forking
import pytest

FILE = Path(os.environ["SKDGM_TESTS"])
LIST = json.loads(FILE.read_text())
COUNTS = {"n_run": 0, "n_left": 0}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    places = {name: place for place, name in enumerate(LIST["tests"])}
    kept = [item for item in items if item.nodeid in places]
    items[:] = sorted(kept, key=lambda item: places[item.nodeid])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item):
    budget, seconds = LIST["budget"], LIST["seconds"].get(item.nodeid, forking.LEAST)
    is_over = budget is not None and time.process_time() > budget
    COUNTS["n_left" if is_over else "n_run"] += 1
    forking.limit(forking.LEAST + forking.TIMES * seconds)
    return True if is_over else None


def pytest_sessionfinish():
    FILE.write_text(json.dumps(COUNTS))
