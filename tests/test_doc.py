"""The snippets of the pages in doc/ run."""

import doctest
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


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_snippets_run(page):
    found = doctest.testfile(
        str(DOC / page), module_relative=False, optionflags=OPTIONS
    )
    assert found.attempted
    assert not found.failed
