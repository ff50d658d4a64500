"""Versions and requirements are the same wherever they stand."""

import configparser
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from unittest.mock import Mock

import pytest

import skdgm
from skdgm.utils import versions

ROOT = Path(__file__).parents[2]
SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg")
# Packages of conda-forge without what most users leave out.
SMALLER = {"matplotlib-base": "matplotlib", "dask-core": "dask"}


def bounds(text):
    """Lowest version of each package in a list of requirements."""
    pairs = re.findall(r"^[\s-]*([\w-]+) *>= *([\w.]+)$", text, re.MULTILINE)
    return {SMALLER.get(name, name): lowest for name, lowest in pairs}


REQUIRED = bounds(SETUP["options"]["install_requires"])
EXTRAS = dict(SETUP["options.extras_require"])
FOR_USERS = bounds("\n".join(v for k, v in EXTRAS.items() if k not in ("test", "doc")))


def test_versions_of_all_dependencies_are_shown(capsys):
    skdgm.show_versions()
    out = capsys.readouterr().out
    found = dict(re.findall(r"^ +([\w-]+): (.*)$", out, re.MULTILINE))
    assert found["skdgm"] == skdgm.__version__
    assert found["executable"] == sys.executable
    assert {"pip", *REQUIRED, *FOR_USERS, *versions.OTHERS} <= set(found)
    assert not {"pytest", "sphinx"} & set(found)
    assert re.fullmatch(r"[\d.]+", found["numpy"])
    assert int(found["threads"]) >= 1
    assert found["compiled"] == "False" or Path(found["cache"]).is_absolute()


def test_absent_dependencies_are_shown_as_none(capsys, monkeypatch):
    monkeypatch.setattr(versions, "OTHERS", ("no-such-package",))
    skdgm.show_versions()
    assert "no-such-package: None\n" in capsys.readouterr().out


def test_versions_are_shown_without_metadata_of_the_package(capsys, monkeypatch):
    monkeypatch.setattr(versions, "version", Mock(side_effect=PackageNotFoundError))
    monkeypatch.setattr(versions, "requires", versions.version)
    skdgm.show_versions()
    assert f"skdgm: {skdgm.__version__}\n" in capsys.readouterr().out


def test_versions_are_shown_without_importing_the_dependencies():
    code = "import sys, skdgm; skdgm.show_versions(); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert not {"matplotlib", "pandas", "dask", "sklearn"} & {
        *run.stdout.splitlines()[-1].split()
    }, run.stderr


def test_the_recipe_for_conda_has_the_requirements_of_setup():
    yaml = pytest.importorskip("yaml")
    recipe = yaml.safe_load((ROOT / ".ci/conda/recipe.yaml").read_text())
    needs = recipe["requirements"]
    assert recipe["context"]["version"] == skdgm.__version__
    assert f">={recipe['context']['python_min']}" == SETUP["options"]["python_requires"]
    assert bounds("\n".join(needs["run"])) == REQUIRED
    assert bounds("\n".join(needs["run_constraints"])) == FOR_USERS


def test_the_page_about_installation_has_the_requirements_of_setup():
    page = (ROOT / "doc/install.rst").read_text()
    row = re.compile(r"^   \* - `*([\w-]+)`*\n     - (.*)$", re.MULTILINE)
    versions_of, extras = (dict(row.findall(half)) for half in page.split("\nExtras\n"))
    assert {k: v for k, v in versions_of.items() if k in REQUIRED} == REQUIRED
    assert versions_of.keys() - REQUIRED.keys() == {"Dependency", "Python"}
    assert f">={versions_of['Python']}" == SETUP["options"]["python_requires"]
    assert extras.keys() == {"Extra", *EXTRAS}
