"""Cells by which densities of columns become probabilities."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from skdgm.constraints._computed import Total
from skdgm.constraints._conditions import _FINE, cells_of
from skdgm.constraints._quantities import length_of
from skdgm.constraints._steps import Remainder
from skdgm.data.clocks import ColumnClock
from skdgm.data.frames import Codec


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        (None, 1),
        (ColumnClock("period", "M", 0, 3), 3),
        (ColumnClock("period", "M", 0, 0), 1),
        (ColumnClock("datetime", "s", 0, 60), 60 * 10**9),
        (ColumnClock("duration", "us", 0, 5), 5000),
        (ColumnClock("date", "D", 0, 0), 86_400 * 10**9),
    ],
    ids=str,
)
def test_ticks_are_as_long_as_their_units(clock, expected):
    assert length_of(clock) == expected


def cells(kind, column, codec=None, **known):
    """Log sizes of cells, and what is never drawn."""
    known = SimpleNamespace(kind=kind, **known)
    model = SimpleNamespace(column_types_={"x": known}, feature_names_in_=["x"])
    model._columns = SimpleNamespace(codec=codec)
    return cells_of(SimpleNamespace(names=["x"]), model, "x", pd.Series(column))


RANGE = {"low": 0.0, "high": 4.0, "values": [3.0]}


def test_cells_are_those_of_the_grid_and_atoms_have_probabilities():
    column = [0.0, 0.5, 3.0, 0.75, 4.5, -0.5, 1.0 + 1e-8]
    log_cell, unseen = cells("numeric", column, step=0.5, **RANGE)
    expected = np.log([0.5, 0.5, 1, 0.5, 0.5, 0.5, 0.5])
    np.testing.assert_allclose(log_cell, expected)
    np.testing.assert_array_equal(unseen, [0, 0, 0, 1, 1, 1, 0])
    # A tenth of a step off is a rounding error.
    _, unseen = cells("numeric", [0.54, 0.56], step=0.5, **RANGE)
    np.testing.assert_array_equal(unseen, [False, True])
    # Without a grid they are as fine as can be.
    log_cell, unseen = cells("numeric", [0.123, 3.0, 9.0], step=0.0, **RANGE)
    np.testing.assert_array_equal(log_cell, [_FINE, 0, _FINE])
    np.testing.assert_array_equal(unseen, [False, False, True])


def test_cells_of_numbers_and_levels():
    log_cell, unseen = cells("gaussian", [-9.0, 9.0])
    np.testing.assert_array_equal(log_cell, [_FINE, _FINE])
    assert not unseen.any()
    log_cell, unseen = cells("ordinal", [1.0, 2.0], values=[1.0, 3.0])
    np.testing.assert_array_equal(log_cell, [0, 0])
    np.testing.assert_array_equal(unseen, [False, True])
    log_cell, unseen = cells("bernoulli", [0.0, 1.0])
    assert not log_cell.any()
    assert not unseen.any()


def test_cells_of_dates_are_as_long_in_any_unit():
    found = []
    for unit, tick in ("s", 1), ("ms", 1000), ("D", 1):
        clock = ColumnClock("datetime", unit, 0, tick)
        codec = SimpleNamespace(clocks=[clock])
        log_cell, _ = cells("gaussian", [0.0], codec)
        found.append(log_cell[0] + np.log(length_of(clock)))
    np.testing.assert_allclose(found, _FINE)


@pytest.mark.parametrize("missing", ["a", "b", "c"])
def test_parts_take_what_is_left_of_a_known_total(missing):
    """The part that is missing, whichever it is; of several, the last one."""
    table = pd.DataFrame(
        {"a": [1.0, 2], "b": [3.0, 4], "c": [5.0, 6], "sum": [12.0, 9]}
    )
    codec = Codec.of(table, dict.fromkeys(table.columns, "numeric"))
    step, given = Total("sum", ("a", "b", "c"), 0), table.copy()
    given.loc[0, missing] = np.nan
    found = step.adjusted(table, given, codec)
    assert list(found) == [missing]
    expected = table[missing] + [3, 0]
    np.testing.assert_array_equal(found[missing], expected)
    completed = step.completed(given, codec)
    assert list(completed) == [missing]
    np.testing.assert_array_equal(completed[missing], expected)
    given.loc[0, ["a", "b", "c"]] = np.nan
    assert list(step.adjusted(table, given, codec)) == ["c"]
    assert step.completed(given, codec) == {}
    given["sum"] = np.nan
    assert step.adjusted(table, given, codec) == {}


def test_totals_remainders_and_their_signs():
    table = pd.DataFrame({"a": [1.0, 2], "b": [3.0, 4], "sum": [5.0, 6.5]})
    codec = Codec.of(table, dict.fromkeys(table.columns, "numeric"))
    whole = Total("sum", ("a", "b"), 1).backward(table, table, codec)
    np.testing.assert_array_equal(whole["sum"], [4, 6])
    for sign in 1, -1:
        step = Remainder("sum", ("a", "b"), sign, 1)
        gap = step.forward(table)
        np.testing.assert_allclose(gap["sum"], sign * np.array([1, 0.5]))
        seen = table.assign(sum=gap["sum"])
        np.testing.assert_allclose(
            step.backward(seen, table, codec)["sum"], table["sum"]
        )
