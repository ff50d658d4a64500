"""What tests say of themselves: see ``markers`` in setup.cfg."""

from tests.conftest import CASES


def test_cases_that_are_to_stay_are_there(request):
    whole = request.config.args == request.config.getini("testpaths")
    assert CASES or not whole
    for (name, texts), cases in CASES.items():
        # A command may have named one case alone.
        if not any(name in given for given in request.config.args):
            for text in texts:
                assert any(text in case for case in cases), (name, text)
