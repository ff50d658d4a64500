"""What common tests ask does not depend on how well log Z is known."""

import pytest

from skdgm.partition import bracket

SHORT_ANNEALING = bracket.AISOptions((20,), burn_in=5, n_steps=5, n_pilot=5)
# Tests that judge the warnings of log Z, or compute it in other processes, too.
_AS_ALWAYS = "no_warning", "n_jobs", "test_check"


@pytest.fixture(autouse=True)
def short_annealing(request, monkeypatch):
    """Anneal in a few steps, or in one attempt where log Z is judged; do not warn."""
    name = request.node.name
    if any(part in name for part in _AS_ALWAYS):
        return
    effort = bracket.BRIEF if "learn_something" in name else SHORT_ANNEALING

    def once(rng, problem, _):
        there = bracket._searched(rng, problem)
        return bracket._tried(rng, problem, effort, there)[0]

    monkeypatch.setattr(bracket, "estimate", once)
