"""Whatever lists estimators keeps to the one table: packages, the stub, pages."""

import ast
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from sklearn.base import BaseEstimator

import skdgm
from skdgm.registry import ESTIMATORS, MODELS, MODULES, PUBLIC
from tests.common.instances import CLASSES

ROOT = Path(skdgm.__file__).parent
API = (ROOT.parent / "doc" / "api.rst").read_text()
INDEX = (ROOT.parent / "doc" / "guide" / "index.rst").read_text()
GUIDE = "".join(page.read_text() for page in (ROOT.parent / "doc/guide").rglob("*.rst"))
# Packages of which the page of the API lists all names; of others, some.
WHOLE = ("skdgm", "callbacks", "constraints", "dask", "datasets")
WHOLE += ("metrics", "plotting", "preprocessing")
FAMILIES = sorted({home.partition(".")[0] for home in MODELS.values()})


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator_is_where_the_table_says_and_is_documented(name):
    home = import_module(f"skdgm.{ESTIMATORS[name]}")
    assert getattr(home, name).__module__ == home.__name__
    family = import_module(home.__name__.rpartition(".")[0])
    assert family is skdgm or name in family.__all__
    assert re.search(rf"^   ([a-z]+\.)*{name}$", API, re.MULTILINE)
    assert name in GUIDE
    assert name not in PUBLIC or f"* - :class:`{name}`\n" in INDEX


@pytest.mark.parametrize("family", FAMILIES)
def test_all_models_of_a_family_are_in_the_table(family):
    package = import_module(f"skdgm.{family}")
    members = {name: getattr(package, name) for name in package.__all__}
    found = {n for n, kind in members.items() if issubclass(kind, BaseEstimator)}
    assert found == {n for n, home in MODELS.items() if home.startswith(f"{family}.")}


def listed():
    """Names on the page of the API, by their package."""
    names, home = {}, None
    for line in API.splitlines():
        if found := re.match(r"\.\. currentmodule:: skdgm(?:\.(\w+))?$", line):
            home = found[1] or "skdgm"
        elif found := re.match(r"   ([a-z]+\.)*(\w+)$", line):
            names.setdefault(home, set()).add(found[2])
    return names


def test_the_page_of_the_api_is_the_list_of_what_is_public():
    names = listed()
    for home, found in names.items():
        package = skdgm if home == "skdgm" else import_module(f"skdgm.{home}")
        public = set(package.__all__) - {"__version__"}
        if home in WHOLE:
            # A name that skdgm has, too, is listed there.
            public -= names["skdgm"] if package is not skdgm else set()
            assert found == public, home
        assert found <= public, home
    assert set(WHOLE) <= names.keys()


@pytest.mark.parametrize("home", ["skdgm", "skdgm.metrics", "skdgm.options"])
def test_stubs_have_all_public_names(home):
    package, seen, modules = import_module(home), set(), set()
    for node in ast.parse(Path(package.__file__).with_suffix(".pyi").read_text()).body:
        for alias in getattr(node, "names", ()):
            everything = alias.name == "*"
            if node.module is None:
                modules.add(alias.name)
                continue
            names = import_module(node.module).__all__ if everything else [alias.name]
            seen |= set(names)
    assert seen == set(package.__all__) - {"__version__"}
    assert modules == (MODULES if package is skdgm else set())


def test_modules_are_attributes_that_load_when_they_are_used():
    code = """
import sys, skdgm
assert "skdgm.metrics" not in sys.modules and "metrics" in dir(skdgm)
for name in ("metrics", "plotting", "datasets", "persistence", "exceptions"):
    assert getattr(skdgm, name) is sys.modules[f"skdgm.{name}"]
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    for name in MODULES - {"dask"}:
        assert getattr(skdgm, name).__name__ == f"skdgm.{name}"
    names = {path.stem for path in ROOT.iterdir()}
    assert {name for name in names if not name.startswith("_")} - {"py"} == MODULES
    assert dir(skdgm) == sorted({*MODULES, *PUBLIC, "__version__"})
    with pytest.raises(AttributeError, match="no attribute 'net'; did you mean 'nets'"):
        skdgm.net  # noqa: B018
    with pytest.raises(AttributeError, match="'skdgm' has no attribute '__path'$"):
        skdgm.__path  # noqa: B018
    with pytest.raises(AttributeError, match="did you mean 'nearest_training_neighbo"):
        skdgm.metrics.nearest_training_neighbours  # noqa: B018


def test_every_model_takes_part_in_the_common_tests():
    assert {type(instance).__name__ for instance in CLASSES} == MODELS.keys()
