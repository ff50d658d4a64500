"""Messages about tables and arguments name the class and the cause that users know."""

import numpy as np
import pandas as pd
import pytest

from skdgm import NADE, DBNClassifier, GANClassifier, GenerativeImputer
from skdgm.anomaly import DensityOutlierDetector

ANY_TABLE = [GenerativeImputer(), DensityOutlierDetector(), NADE(n_iter=1)]
TABLE = pd.DataFrame({"price": np.arange(9.0), "city": ["Ulm", "Bonn", "Jena"] * 3})


@pytest.mark.parametrize("model", ANY_TABLE)
def test_infinite_values_are_named(model):
    X = TABLE.assign(price=np.where(np.arange(9) == 3, np.inf, 1))
    for columns in ["price", "city"], ["price"]:
        with pytest.raises(ValueError, match=r"columns \['price'\]"):
            model.fit(X[columns])
    with pytest.raises(ValueError, match=r"columns \[0\]"):
        model.fit(X[["price"]].to_numpy())


@pytest.mark.parametrize("model", ANY_TABLE)
def test_text_in_an_array_is_named(model):
    name = type(model).__name__
    with pytest.raises(ValueError, match=f"{name} takes numbers, but column 1 "):
        model.fit(TABLE.to_numpy(object))


def test_a_short_list_of_types_is_named_before_dates():
    X = TABLE.assign(day=pd.Timestamp("2024-01-01"))
    with pytest.raises(ValueError, match="column_types has 1 entries, but X has 3"):
        NADE(column_types=("gaussian",), n_iter=1).fit(X)


@pytest.mark.parametrize("kind", [DBNClassifier, GANClassifier])
def test_a_missing_argument_is_an_error_of_the_class(kind):
    with pytest.raises(TypeError, match=rf"{kind.__name__}.fit\(\).*'y'"):
        kind().fit(np.zeros((9, 2)))
