"""What tests say of themselves: see ``markers`` in setup.cfg."""

import subprocess
import sys

import pytest

SCRIPT = """
import pytest

class Collected:
    def pytest_collection_finish(self, session):
        cases = {}
        for item in session.items:
            for kept in item.iter_markers("short"):
                own = cases.setdefault((item.nodeid.split("[")[0], kept.args), [])
                own.append(item.callspec.id)
        for (name, texts), own in cases.items():
            for text in texts:
                if not any(text in case for case in own):
                    print("NAMES NOTHING:", name, text)
        print("TESTS WITH SOME:", len(cases))

pytest.main(["-q", "--collect-only", "-m", "", "-p", "no:cacheprovider"], [Collected()])
"""


@pytest.mark.exhaustive
def test_cases_that_are_to_stay_are_there(request):
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        check=True,
        cwd=request.config.rootpath,
    ).stdout.splitlines()
    assert [line for line in found if line.startswith("TESTS WITH SOME: ")]
    assert not [line for line in found if line.startswith("NAMES NOTHING: ")]
