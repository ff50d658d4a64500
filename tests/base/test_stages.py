"""Stages of a fit: in their order, to the end, or from where an earlier run ended."""

from types import SimpleNamespace

import pytest

from skdgm.base import Fit, Record
from skdgm.base.stages import Stage


class Step(Stage):
    """One that notes that it runs, or is skipped."""

    def __init__(self, key, seen, finished=True):
        self.key, self.seen, self.finished = key, seen, finished

    def run(self, fit):
        self.seen.append(self.key)
        return self.finished

    def skip(self, record):
        self.seen.append(f"no {self.key}")


def run(fit, stages):
    """Run all that are left; return whether the last came to its end."""
    for stage in fit.remaining_stages(stages):
        fit.completed = stage.run(fit)
    return fit.completed


def test_they_run_until_one_is_not_finished():
    seen = []
    steps = [Step("a", seen), Step("b", seen, False), Step("c", seen)]
    assert not run(Fit(None, []), steps)
    assert seen == ["a", "b"]
    assert run(Fit(None, []), steps[:1])


def test_one_may_be_made_of_what_those_before_have_learned():
    seen = []

    def steps():
        for _ in range(3):
            yield Step(f"after {len(seen)}", seen)

    assert run(Fit(None, []), steps())
    assert seen == ["after 0", "after 1", "after 2"]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (None, ["a", "b", "c"]),
        ("a", ["a", "b", "c"]),
        ("b", ["no a", "b", "c"]),
        ("end", ["no a", "no b", "no c"]),
    ],
)
def test_a_record_is_a_place_among_them(place, expected):
    record, seen = Record(SimpleNamespace(), ()), []
    if place is not None:
        record.known, record.reached = {"stage": place}, False
    fit = Fit(record.estimator, [], record=record)
    assert run(fit, (Step(key, seen) for key in "abc"))
    assert seen == expected
