"""The snippets of the pages in doc/ run."""

import doctest
from itertools import pairwise
from pathlib import Path

import pytest

DOC = Path(__file__).parents[1] / "doc"
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
BUILT = ("_build", "auto_examples", "generated")
PAGES = [
    path.relative_to(DOC)
    for path in sorted(DOC.rglob("*.rst"))
    if path.relative_to(DOC).parts[0] not in BUILT and ">>> " in path.read_text()
]


@pytest.mark.exhaustive
@pytest.mark.parametrize("page", PAGES, ids=str)
def test_snippets_run(page):
    found = doctest.testfile(
        str(DOC / page), module_relative=False, optionflags=OPTIONS
    )
    assert found.attempted
    assert not found.failed


# Pages of tasks are one series: from a user's data to a decision.
TASKS = (
    "few_labels",
    "synthetic_tables",
    "missing_values",
    "anomalies",
    "topics",
    "images",
    "series",
)
SECTIONS = [
    "Your data",
    "A first model",
    "Is it any good?",
    "Pitfalls",
    "Which estimator, which options",
    "Where to go on",
]


@pytest.mark.parametrize("task", TASKS)
def test_pages_of_tasks_have_one_order(task):
    lines = (DOC / "guide" / f"{task}.rst").read_text().splitlines()
    headings = [line for line, below in pairwise(lines) if below[:3] == "---"]
    assert [heading for heading in headings if heading in SECTIONS] == SECTIONS


def test_front_doors_lead_to_each_task():
    doors = ("index.rst", "which_model.rst", "guide/index.rst", "../README.md")
    for door in doors:
        text = (DOC / door).read_text()
        assert not [task for task in TASKS if task not in text], door
