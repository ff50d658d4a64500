"""Conditions as events, beside a look at each value."""

import numpy as np
import pandas as pd
import pytest

from skdgm import FVBN
from skdgm.data.conditions import events_of

RNG = np.random.default_rng(0)
COLUMNS = {
    "cents": np.exp(RNG.normal(size=400)).round(2),
    "thirds": RNG.integers(-60, 60, 400) / 4,
    "inflated": np.where(RNG.random(400) < 0.6, 0, RNG.integers(1, 99, 400)),
    "real": RNG.normal(size=400),
    "levels": RNG.integers(1, 5, 400) * 1.5,
    "bit": RNG.integers(0, 2, 400),
}
MODEL = FVBN("mixed", n_iter=1).fit(pd.DataFrame(COLUMNS))
KNOWN = MODEL._columns


def event(name, condition):
    j = list(COLUMNS).index(name)
    _, _, events = events_of(KNOWN, KNOWN.kinds, {name: condition}, COLUMNS, "who")
    return events[j], j


def holds(name, found, j, values):
    """Whether values are in an event."""
    kind, scale = KNOWN.kinds[j], KNOWN.scales[j]
    if kind == "bernoulli":
        return found.codes[values.astype(int)]
    if kind == "ordinal":
        return found.codes[scale.forward(values).astype(int)]
    z, (low, high) = scale.forward(values)[:, None], found.intervals.T
    inside = ((z > low) & (z < high)).any(axis=1)
    of_atom = values[:, None] == scale.atoms
    return np.where(of_atom.any(1), (of_atom & found.codes).any(1), inside)


def values_of(name, j):
    """Values that are drawn: levels, or all on the grid; of real numbers some."""
    scale, seen = KNOWN.scales[j], np.unique(COLUMNS[name])
    if KNOWN.kinds[j] != "numeric":
        return seen
    if not scale.step:
        return np.linspace(seen[0], seen[-1], 999)[1:-1]
    first, last = np.rint(seen[[0, -1]] / scale.step)
    return (np.arange(first, last + 1) * scale.step).round(6)


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("closed", ["both", "left", "right", "neither"])
def test_ranges_have_the_values_between_their_ends(name, closed):
    seen = np.unique(COLUMNS[name])
    for _ in range(20):
        low, high = np.sort(RNG.choice(seen, 2))
        if RNG.random() < 0.3:
            low, high = low - 0.001, high + 0.001
        if low == high and closed != "both":
            continue
        values = values_of(name, list(COLUMNS).index(name))
        above = values >= low if closed in ("both", "left") else values > low
        below = values <= high if closed in ("both", "right") else values < high
        expected = above & below
        if not expected.any():
            continue
        found, j = event(name, pd.Interval(low, high, closed))
        np.testing.assert_array_equal(holds(name, found, j, values), expected)


@pytest.mark.parametrize("name", COLUMNS)
def test_open_ranges_have_all_values_on_one_side(name):
    values = values_of(name, list(COLUMNS).index(name))
    middle = np.sort(COLUMNS[name])[200]
    for condition, expected in (
        (slice(middle, None), values >= middle),
        (slice(None, middle), values <= middle),
    ):
        found, j = event(name, condition)
        np.testing.assert_array_equal(holds(name, found, j, values), expected)


@pytest.mark.parametrize("name", ["cents", "thirds", "inflated", "levels"])
def test_several_values_have_no_others(name):
    values = values_of(name, list(COLUMNS).index(name))
    chosen = np.unique(COLUMNS[name])[[0, 1, -1]]
    found, j = event(name, list(chosen))
    expected = np.isin(values, chosen)
    np.testing.assert_array_equal(holds(name, found, j, values), expected)


@pytest.mark.parametrize("name", COLUMNS)
def test_a_single_value_is_known(name):
    j, value = list(COLUMNS).index(name), COLUMNS[name][7]
    x, v, events = events_of(KNOWN, KNOWN.kinds, {name: value}, COLUMNS, "who")
    assert events == [None] * len(COLUMNS)
    assert x[j] == value
    rows = pd.DataFrame(COLUMNS)[7:8]
    expected = MODEL._rows(rows).take(slice(None))[0, j]
    assert v[j] == pytest.approx(expected, rel=1e-6)
    assert np.isnan(np.delete(v, j)).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [("cents", 0.005), ("levels", 2.0), ("bit", 2), ("inflated", 500)],
)
def test_values_that_are_never_drawn_have_no_probability(name, value):
    told = f"condition .*{value}.* on column '{name}' has"
    with pytest.raises(ValueError, match=told):
        events_of(KNOWN, KNOWN.kinds, {name: [value, value]}, COLUMNS, "who")


@pytest.mark.parametrize("wrong", [-1, 2, 0.5, 7.5])
@pytest.mark.parametrize(("j", "values"), [(0, (0, 1)), (1, (1.5, 6.0))])
def test_values_of_arrays_are_numbers_within_those_of_the_column(j, values, wrong):
    X = np.column_stack([COLUMNS["bit"], COLUMNS["levels"]])
    own = FVBN(("bernoulli", "ordinal"), n_iter=1).fit(X)._columns
    _, _, events = events_of(own, own.kinds, {j: list(values)}, range(2), "who")
    assert events[j].codes.sum() == 2
    given = {j: [values[0], wrong]}
    with pytest.raises(ValueError, match=f"{wrong}.* on column {j} has no"):
        events_of(own, own.kinds, given, range(2), "who")
