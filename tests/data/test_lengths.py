"""Lengths of documents and sequences, what is unknown, and waves of dates, by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from skdgm.base.given import class_codes
from skdgm.data.frames import warn_of_unknown
from skdgm.data.given import given_lengths
from skdgm.data.scales import scores_of
from skdgm.exceptions import MissingDataWarning


@pytest.mark.parametrize("lengths", [0, 2**53, [0, 3, 2**53], np.float32(2.5)])
def test_lengths_from_0_on(lengths):
    found = given_lengths(lengths)
    np.testing.assert_array_equal(found, np.atleast_1d(lengths))
    assert found.dtype == np.float64
    expected = np.broadcast_to(lengths, 3)
    np.testing.assert_array_equal(given_lengths(lengths, 3), expected)


@pytest.mark.parametrize("lengths", [-1, 2**53 + 2, [1, np.nan], "3", [[1]], [1, -1]])
def test_lengths_that_are_none(lengths):
    with pytest.raises(ValueError, match="must be a number from 0 to 2"):
        given_lengths(lengths)


def test_lengths_of_all_rows():
    with pytest.raises(ValueError, match="2 lengths are given for 3 rows"):
        given_lengths([1, 2], 3)


@pytest.mark.parametrize("convert", [np.asarray, lambda X: pd.DataFrame(X)])
def test_unknown_values_are_named_by_column(convert):
    X = np.array([["a", "x", "p"], ["b", "y", "p"], ["a", "z", "q"], ["b", "y", "p"]])
    unknown = np.zeros((4, 3), bool)
    unknown[[1, 3], 1] = unknown[2, 2] = True
    rows = SimpleNamespace(unknown=unknown, X=X, name_of=lambda j: f"c{j}")
    with pytest.warns(MissingDataWarning) as told:
        warn_of_unknown("Model", convert(X), rows)
    text = str(told[0].message)
    assert "in column 'c1'; " in text
    assert "in column 'c2'." in text
    assert "c0" not in text
    assert text.count("'y'") == text.count("'q'") == 1
    rows.unknown = None
    warn_of_unknown("Model", X, rows)


def test_phases_of_dates_are_means_by_weight():
    rng = np.random.default_rng(0)
    values, weight = np.unique(rng.normal(size=80) * 9), rng.integers(1, 4, 80)
    waves = np.array([7.0, 24.0])
    found = scores_of(values, weight.astype(float), waves)
    angles = 2 * np.pi * np.repeat(values, weight)[:, None] / waves
    expected = [*np.cos(angles).mean(axis=0), *np.sin(angles).mean(axis=0)]
    np.testing.assert_allclose(found.share[-4:], expected)
    center = np.repeat(values, weight).mean()
    assert found.center == pytest.approx(center)
    assert abs(found.standard(values)).max() == pytest.approx(3)
    np.testing.assert_allclose(found.value(found.standard(values)), values)


def test_classes_of_rows():
    """One class for all rows, or one for each."""
    model = SimpleNamespace(classes_=np.array(["a", "b", "c"]), _name="Model")
    assert class_codes(model, None, 3) is None
    np.testing.assert_array_equal(class_codes(model, "b", 3), [1, 1, 1])
    np.testing.assert_array_equal(class_codes(model, list("cab"), 3), [2, 0, 1])
    with pytest.raises(ValueError, match="y has 2 classes for 3 rows"):
        class_codes(model, ["a", "b"], 3)
    with pytest.raises(ValueError, match="d"):
        class_codes(model, "d", 3)
    for more, told in {
        "": "depends on no classes: leave out y",
        "class_conditional": "is not conditional: fit with class_conditional=True",
    }.items():
        other = SimpleNamespace(_name="Model", **({more: False} if more else {}))
        with pytest.raises(ValueError, match=told):
            class_codes(other, "a", 3)
