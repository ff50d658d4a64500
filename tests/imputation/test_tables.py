"""Tables in the libraries and types of those that were given."""

import pandas as pd
import pytest

from skdgm.imputation._tables import like

pl = pytest.importorskip("polars")


def test_types_are_those_that_were_given_and_of_new_columns_those_of_pandas():
    given = pl.DataFrame(
        {"a": [1, 2], "b": [0.5, 1.5], "c": [True, False], "d": ["x", "y"]},
        schema={"a": pl.Int16, "b": pl.Float32, "c": pl.Boolean, "d": pl.String},
    )
    table = pd.DataFrame(
        {"b": [1.0, 2.0], "a": [3, 4], "d": ["u", "v"], "new": [0.5, 1.0]}
    ).assign(mark=[True, False])
    found = like(given, table)
    assert found.schema == {
        **{"b": pl.Float32, "a": pl.Int16, "d": pl.String},
        **{"new": pl.Float64, "mark": pl.Boolean},
    }
    assert found["a"].to_list() == [3, 4]
    assert like(table, table) is table
