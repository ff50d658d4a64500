"""Marks of suites name cases that are there: see tests/suites.py."""

from tests.suites import NAMED


def test_cases_that_marks_name_are_there(request):
    whole = request.config.args == request.config.getini("testpaths")
    assert NAMED or not whole
    for (name, texts), cases in NAMED.items():
        # A command may have named one case alone.
        if not any(name in given for given in request.config.args):
            for text in texts:
                assert any(text in case for case in cases), (name, text)
            others = [case for case in cases if not any(t in case for t in texts)]
            assert others, f"{name}: its mark leaves all cases in the default suite"
