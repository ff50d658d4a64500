"""What common tests ask does not depend on how well log Z is known."""

import pytest

from skdgm.partition import bracket

_SHORT = bracket.AISOptions((20,), burn_in=5, n_steps=5, n_pilot=5)


@pytest.fixture(autouse=True)
def short_annealing(request, monkeypatch):
    """Anneal in a few steps, and do not judge it; other processes do as always."""
    if "n_jobs" not in request.node.name:
        monkeypatch.setattr(
            bracket,
            "estimate",
            lambda rng, problem, _: bracket._tried(rng, problem, _SHORT)[0],
        )
