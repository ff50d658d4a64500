"""The tool that makes lines wrong, on a package of two functions: one has a test."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = {
    "pytest.ini": "[pytest]\nmarkers =\n    exhaustive\n    release\n",
    "skdgm/__init__.py": "",
    "skdgm/sums.py": (
        "def total(a, b):\n    return a + b\n\n\ndef most(a, b):\n    return a * b\n"
    ),
    "tests/__init__.py": "",
    "tests/test_sums.py": (
        "import pytest\n\nfrom skdgm.sums import most, total\n\n\n"
        "def test_total():\n    assert (total(3, 2), most(2, 1)) == (5, 2)\n\n\n"
        "@pytest.mark.exhaustive\ndef test_most():\n    assert most(3, 2) == 6\n"
    ),
}
pytestmark = pytest.mark.exhaustive(why="processes that collect tests, for seconds")


def mutate(folder, *options):
    """What the tool prints, and whether it found enough."""
    command = [sys.executable, ".ci/mutate", *options, "--jobs", "1"]
    ran = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env=_without_our_own()
    )
    assert not ran.stderr
    return ran.stdout, ran.returncode == 0


def _without_our_own():
    return {name: own for name, own in os.environ.items() if "PYTEST" not in name}


@pytest.fixture
def folder(tmp_path):
    """A clone of the tool, with a package and its tests."""
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_lines_are_noticed_by_the_first_suite_that_can(folder):
    told, enough = mutate(folder, "--results", "found", "--suites", "default")
    rows = [json.loads(row) for row in (folder / "found").read_text().splitlines()]
    assert len(rows) == 6  # A sign and two terms left out of either function.
    noticed = {row["after"] for row in rows if row["suite"] == "default"}
    assert noticed == {"return a - b", "return (a)", "return (b)"}
    sums = [row for row in rows if row["before"] == "return a + b"]
    assert {row["test"] for row in sums} == {"tests/test_sums.py::test_total"}
    # 2 * 1 is 2 / 1, and 2 without the other.
    left = {row["after"] for row in rows if not row["suite"]}
    assert left == {"return a / b", "return (a)"}
    assert "4 of 6 are noticed up to the default suite." in told
    assert told.count("MISSED: 1 tests run it") == 2
    assert not enough
    # The others' turn, on the lines that are left alone.
    again = "--survivors", "found", "--suites", "exhaustive", "--results", "more"
    told, enough = mutate(folder, *again)
    assert "2 of 2 are noticed up to the exhaustive suite." in told
    assert enough
    # Lines that are as right are not tried.
    (folder / ".ci/mutation/equivalent.txt").write_text(
        "skdgm/sums.py | return a * b | return a / b | For a test.\n"
    )
    told, _ = mutate(folder, *again[:4])
    assert "1 of 1 are noticed up to the exhaustive suite." in told
