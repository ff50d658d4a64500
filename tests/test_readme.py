"""The README's example runs, and its commands are the ones that CI runs."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


@pytest.mark.exhaustive
@pytest.mark.filterwarnings("error")
def test_examples_run(capsys):
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(blocks) == 3
    names, machine = {}, {}
    exec(blocks[0], names)
    exec(blocks[1], machine)  # by itself, as who copies it does
    exec(blocks[2], machine)
    assert (names["rows"]["target"] == 2).all()
    assert len(names["rows"]) == 100
    known = names["incomplete"].notna()
    assert names["filled"].notna().all(axis=None)
    assert names["filled"].where(known).equals(names["incomplete"])
    out = capsys.readouterr().out
    assert float(re.search(r"^(0\.\d+) of the digits", out, re.MULTILINE)[1]) > 0.75
    assert "LikelihoodBracket(" in out
    table = machine["table"]
    assert list(table["kind"]) == ["estimate", "exact"]
    assert (table["lower"] <= table["upper"]).all()


def test_commands_are_marked_for_ci():
    ci = (ROOT / ".ci" / "run").read_text()
    for mark in ("tests", "main job"):
        assert re.search(rf"<!-- ci: {mark} -->\n```bash\n.*\n```", README)
        assert f'run "{mark}"' in ci
    # And what the README's command leaves out.
    assert "pytest -q -n auto -m exhaustive\n" in ci
    assert "pytest -q -n auto -m release\n" in (ROOT / ".ci" / "release").read_text()


def test_badges_say_what_setup_says():
    found = importlib.util.spec_from_file_location("badges", ROOT / "doc" / "badges.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    for path, text in module.badges().items():
        assert path.read_text() == text, f"run python doc/badges.py for {path.name}"
        assert f"](doc/_static/{path.name})" in README
    setup = (ROOT / "setup.cfg").read_text()
    licence = re.search(r"^license = (.*)$", setup, re.MULTILINE)[1]
    python = re.search(r"^python_requires = >=(.*)$", setup, re.MULTILINE)[1]
    assert f"![License: {licence}]" in README
    assert f"![Python {python} or newer]" in README
    minors = [int(n) for n in re.findall(r"Python :: 3\.(\d+)$", setup, re.MULTILINE)]
    assert minors == [*range(int(python.split(".")[1]), minors[-1] + 1)]


def test_links_lead_somewhere():
    links = re.findall(r"\]\(([^)#]+)|src=\"([^\"]+)", README)
    missing = [a or b for a, b in links if not (ROOT / (a or b)).exists()]
    assert not missing


@pytest.mark.parametrize("address", ["", "https://host/skdgm/blob/v1.0.0"])
def test_the_long_description_has_no_relative_links(address, tmp_path):
    path = tmp_path / "README.md"
    path.write_text(README)
    command = [sys.executable, ROOT / ".ci" / "description", path, address]
    subprocess.run(command, check=True)
    text = path.read_text()
    links = re.findall(r"\]\(([^)]+)\)", text) + re.findall(r'src="([^"]+)"', text)
    assert len(links) == (len(re.findall(r"\]\(|src=", README)) if address else 0)
    assert all(link.startswith("https://host/skdgm/") for link in links)
