"""What common tests ask does not depend on how well log Z is known."""

import pytest

from skdgm.partition import bracket

_SHORT = bracket.AISOptions((20,), burn_in=5, n_steps=5, n_pilot=5)
# Tests that judge log Z or its warnings, or compute it in other processes, too.
_AS_ALWAYS = "no_warning", "learn_something", "n_jobs", "test_check"


@pytest.fixture(autouse=True)
def short_annealing(request, monkeypatch):
    """Anneal in a few steps, and do not judge it."""
    if not any(part in request.node.name for part in _AS_ALWAYS):
        monkeypatch.setattr(
            bracket,
            "estimate",
            lambda rng, problem, _: bracket._tried(rng, problem, _SHORT)[0],
        )
