"""Text of numbers and dates, of which a warning says how to convert it."""

import re
import warnings

import numpy as np
import pytest

from skdgm import DensityOutlierDetector, EoNADE, GenerativeImputer
from skdgm.exceptions import CostWarning

pd = pytest.importorskip("pandas")
N_ROWS = 120


def frame(text):
    """Rows of a text and a number."""
    return pd.DataFrame({"text": text, "x": np.arange(N_ROWS) % 7})


NUMBERS = [str(i / 8) if i % 20 else "?" for i in range(N_ROWS)]
DAYS = pd.date_range("2024-01-01", periods=N_ROWS)


@pytest.mark.parametrize(
    "text, words",
    [
        (NUMBERS, "most are numbers.*pandas.to_numeric"),
        (DAYS.strftime("%d.%m.%Y"), "most are dates.*pandas.to_datetime"),
        (DAYS.strftime("%Y-%m-%d %H:%M"), "most are dates.*pandas.to_datetime"),
    ],
    ids=["numbers", "days", "times"],
)
def test_text_that_could_be_converted_is_named(text, words):
    with pytest.warns(CostWarning) as caught:
        EoNADE(n_iter=0).fit(frame(text))
    assert any(re.search(f"Column 'text'.*{words}", str(w.message)) for w in caught)
    for model in GenerativeImputer(), DensityOutlierDetector():
        with pytest.warns(CostWarning, match=f"Column 'text'.*{words}"):
            model.fit(frame(text).assign(x=1.0 * (np.arange(N_ROWS) % 7)))


@pytest.mark.parametrize(
    "text",
    [
        [f"v{i}" for i in range(N_ROWS)],
        [str(i % 40) for i in range(N_ROWS)],
        pd.Categorical(NUMBERS),
    ],
    ids=["names", "few", "categories"],
)
def test_other_text_is_not(text):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        DensityOutlierDetector().fit(frame(text))


def test_text_is_no_number():
    table = frame(NUMBERS).astype({"text": pd.StringDtype()})
    with pytest.raises(TypeError, match="'text' has text.*'gaussian'.*to_numeric"):
        EoNADE(column_types={"text": "gaussian"}).fit(table)


def test_too_many_categories_are_named(monkeypatch):
    monkeypatch.setattr("skdgm.data.frames.MAX_CATEGORIES", 100)
    for model in EoNADE(), GenerativeImputer():
        with pytest.raises(ValueError, match="'text' has 119 categories.* at most 100"):
            model.fit(frame([f"v{i % 119}" for i in range(N_ROWS)]))
