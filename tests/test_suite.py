"""Marks of suites (tests/suites.py), and proofs in the default one (proofs.toml)."""

import tomllib
from pathlib import Path

import pytest

from skdgm.registry import ESTIMATORS
from tests.suites import ANSWERS, NAMED

TESTS = Path(__file__).parent
FAMILIES = tomllib.loads((TESTS / "proofs.toml").read_text())["family"]
KINDS = "density", "sampler", "imputation", "gradient"
PROOFS = {
    name: {kind: family[kind].replace("{}", name) for kind in KINDS}
    for family in FAMILIES
    for name in family["estimators"]
}


@pytest.fixture
def collected(request):
    """Whether all tests were, or those of a file."""
    given = request.config.args
    whole = given == request.config.getini("testpaths")
    files = {Path(own.split("::")[0]).resolve() for own in given if "::" not in own}

    def collected(path):
        path = (TESTS.parent / path).resolve()
        return whole or any(path.is_relative_to(own) for own in files)

    return collected


def test_cases_that_marks_name_are_there(collected):
    assert NAMED or not collected(TESTS)
    for (name, texts), cases in NAMED.items():
        # A command may have named one case alone.
        if not collected(name.split("::")[0]):
            continue
        for text in texts:
            assert any(text in case for case in cases), (name, text)
        others = [case for case in cases if not any(text in case for text in texts)]
        assert others, f"{name}: its mark leaves all cases in the default suite"


def test_everybody_runs_proofs_of_every_estimator(collected):
    assert PROOFS.keys() == ESTIMATORS.keys(), "see tests/proofs.toml"
    assert len(PROOFS) == sum(len(family["estimators"]) for family in FAMILIES)
    cases = [case for case, (suite, _) in ANSWERS.items() if suite == "default"]
    run = {*cases, *(case.partition("[")[0] for case in cases)}
    for name, proofs in PROOFS.items():
        for kind, proof in proofs.items():
            if proof.startswith("none: "):
                continue
            path, _, test = proof.partition("::")
            function = test.partition("[")[0]
            text = (TESTS.parent / path).read_text()
            assert f"def {function}(" in text, (name, kind, proof)
            assert proof in run or not collected(path), (name, kind, proof)
