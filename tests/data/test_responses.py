"""Responses as codes and numbers, and back."""

import numpy as np
import pandas as pd
import pytest

from skdgm.data.responses import learned_responses

FRAME = pd.DataFrame(
    {
        "town": pd.Categorical(["b", "a", "b", "a"], ["b", "a", "c"]),
        "name": ["v", "u", "u", "v"],
        "n": np.array([3, 1, 2, 3], np.int16),
        "x": np.array([0.5, 1.5, 2.5, 0.25], np.float32),
        "day": pd.date_range("2024-03-01", periods=4),
        "bit": [True, False, True, True],
    }
)
CASES = {
    "frame": (FRAME, ("categorical", "categorical", "gaussian")),
    "one of text": (np.array(list("xyxz")), ("categorical",)),
    "one of numbers": (np.array([0.5, 1.5, 2.5, 0.5]), ("gaussian",)),
    "whole numbers": (np.array([4, 7, 4, 9]), ("categorical",)),
    "bits": (np.array([[0, 1], [1, 1], [0, 0], [1, 0]]), ("bernoulli", "bernoulli")),
    "mixed": (np.array([["a", 1.5], ["b", 2.5]], object), ("categorical", "gaussian")),
}


@pytest.mark.parametrize("case", CASES)
def test_there_and_back(case):
    y, kinds = CASES[case]
    own = learned_responses(y, "model", "mixed")
    numbers = own.numbers(y, "model", len(y))
    assert numbers.shape == (len(y), len(own.kinds))
    for kind, expected in zip(own.kinds, kinds):
        assert kind.startswith(expected)
    for column, classes, kind in zip(numbers.T, own.classes, own.kinds):
        if kind.startswith("categorical"):
            assert kind == f"categorical({len(classes)})"
            np.testing.assert_array_equal(np.unique(column), np.arange(len(classes)))
            assert list(classes) == sorted(classes)
        else:
            assert len(classes) == 0
    found = own.decoded(numbers)
    if case == "frame":
        pd.testing.assert_frame_equal(found.iloc[:, 1:], FRAME.iloc[:, 1:])
        assert found["town"].tolist() == FRAME["town"].tolist()
    else:
        assert found.shape == y.shape
        np.testing.assert_array_equal(found, y)


def test_missing_values_stay():
    y = np.array([["a", 1.5], [None, 2.5], ["b", None]], object)
    numbers = learned_responses(y, "model", "mixed").numbers(y, "model")
    np.testing.assert_array_equal(numbers, [[0, 1.5], [np.nan, 2.5], [1, np.nan]])


def test_kinds_that_are_told():
    y = np.array([[0, 3], [1, 1], [1, 1]])
    own = learned_responses(y, "model", ["categorical(4)", "gaussian"])
    assert own.kinds == ("categorical(4)", "gaussian")
    np.testing.assert_array_equal(own.classes[0], [0, 1, 2, 3])
    frame = pd.DataFrame({"a": [0, 1], "b": [2, 5]})
    own = learned_responses(frame, "model", {"b": "categorical"})
    assert own.kinds == ("bernoulli", "categorical(2)")
    np.testing.assert_array_equal(own.classes[1], [2, 5])
    codes = own.numbers(frame, "model")
    np.testing.assert_array_equal(codes, [[0, 0], [1, 1]])


@pytest.mark.parametrize(
    ("given", "kinds", "message"),
    [
        (np.array([[None], [None]], object), "mixed", "no value in column 0"),
        (np.zeros((3, 2)), ["gaussian"], "1 entries, but y has 2"),
        (pd.DataFrame({"a": [1]}), {"c": "gaussian"}, "names 'c', but y has"),
    ],
)
def test_what_cannot_be_learned(given, kinds, message):
    with pytest.raises(ValueError, match=message):
        learned_responses(given, "model", kinds)


def test_other_responses_than_those_learned():
    own = learned_responses(FRAME[["name", "x"]], "model", "mixed")
    with pytest.raises(ValueError, match="y has 1 columns, but model has learned of 2"):
        own.numbers(FRAME[["x"]], "model")
    with pytest.raises(ValueError, match="y has the columns"):
        own.numbers(FRAME[["x", "name"]], "model")
    with pytest.raises(ValueError, match="y has 4 rows, but X has 3"):
        own.numbers(FRAME[["name", "x"]], "model", 3)
    with pytest.raises(ValueError, match="must be in the first fit"):
        own.numbers(FRAME[["name", "x"]].assign(name="w"), "model")


def test_responses_in_polars_are_those_in_pandas():
    pl = pytest.importorskip("polars")
    frame = FRAME[["name", "x", "day", "bit"]]
    own = learned_responses(frame, "model", "mixed")
    other = learned_responses(pl.from_pandas(frame), "model", "mixed")
    assert other.kinds == own.kinds
    numbers = other.numbers(pl.from_pandas(frame), "model")
    np.testing.assert_array_equal(numbers, own.numbers(frame, "model"))
    decoded = other.decoded(numbers)
    assert isinstance(decoded, pl.DataFrame)
    assert decoded.equals(pl.from_pandas(frame))
