"""Columns of polars and Arrow, to pandas and back."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pytest

from skdgm import NADE, BernoulliRBM
from skdgm.data.foreign import as_pandas, native, schema_of

pytest.importorskip("pandas")
polars = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

DAYS = [datetime(2020, 1, 1, 12), None, datetime(2021, 3, 28, 1)]
# 1577836800 is the first second of 2020.
FINE = [1577836800 * 10**9 + 7, None, 1577836801 * 10**9 + 1_000_001]
# Made in tests: polars starts threads, which processes that are forked wait for.
COLUMNS = {
    "microseconds": lambda: polars.Series(DAYS, dtype=polars.Datetime("us")),
    "nanoseconds": lambda: polars.Series(FINE).cast(polars.Datetime("ns")),
    "zone": lambda: polars.Series(FINE).cast(polars.Datetime("ns", "Europe/Rome")),
    "durations": lambda: polars.Series([timedelta(1), None, timedelta(0, 1, 7)]),
    "fine durations": lambda: polars.Series([7, None, -(10**12) - 1]).cast(
        polars.Duration("ns")
    ),
    "times": lambda: polars.Series([time(1, 2, 3, 4), None, time(23, 59, 59, 999_999)]),
    "fine times": lambda: polars.Series([7, None, 86399 * 10**9 + 999_999_999]).cast(
        polars.Time
    ),
    "dates": lambda: polars.Series([date(2020, 2, 29), None, date(1900, 1, 1)]),
    "decimals": lambda: polars.Series([Decimal("32.91"), None, Decimal("-0.05")]),
    "large": lambda: polars.Series([2**62 + 1, None, -(2**60) - 1]),
    "single": lambda: polars.Series([0.1, None, 1e30], dtype=polars.Float32),
    "enum": lambda: polars.Series(["b", None, "a"], dtype=polars.Enum(["b", "a", "z"])),
    "category": lambda: polars.Series(["b", None, "a"], dtype=polars.Categorical()),
}


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
@pytest.mark.parametrize("name", COLUMNS)
def test_values_come_back(name, library):
    frame = polars.DataFrame({"x": COLUMNS[name]()})
    given = frame if library == "polars" else frame.to_arrow()
    found = native(as_pandas(given), schema_of(given))
    assert type(found) is type(given)
    if library == "polars":
        assert found.schema == given.schema
        assert found.equals(given)
    elif name in ("enum", "category"):
        # As a dictionary of the values that occur.
        assert found["x"].to_pylist() == given["x"].to_pylist()
    else:
        assert found["x"].cast(given["x"].type).equals(given["x"])


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
@pytest.mark.parametrize("kind", ["uint8", "bool", "float32", "float64"])
def test_numbers_are_of_the_type_of_the_table(library, kind):
    X = np.random.default_rng(0).integers(0, 2, (100, 3)).astype(kind)
    frame = polars.DataFrame(X, schema=list("abc"))
    given = frame if library == "polars" else frame.to_arrow()
    rbm, other = (BernoulliRBM(2, n_iter=2, random_state=0) for _ in range(2))
    np.testing.assert_array_equal(rbm.fit(given).components_, other.fit(X).components_)
    assert rbm.components_.dtype == (X.dtype if kind == "float64" else np.float32)
    assert rbm.transform(given).dtype == rbm.components_.dtype
    with pytest.raises(ValueError, match="feature names"):
        rbm.transform(
            given.rename({"a": "b", "b": "a"})
            if library == "polars"
            else given.select(["b", "a", "c"])
        )


def test_types_of_arrow_are_kept():
    text, times, n = ["a", None], [time(1, 2, 3), None], pa.int8()
    for values, kind in (
        *((text, kind) for kind in (pa.string(), pa.large_string())),
        *((text, pa.dictionary(n, pa.large_string(), own)) for own in (False, True)),
        (times, pa.time32("ms")),
        ([3, None], pa.int16()),
    ):
        given = pa.table({"x": pa.array(values).cast(kind)})
        assert native(as_pandas(given), schema_of(given)).equals(given), kind
    for values in [3, 5], [0.5, 2.0], [True, False], DAYS[::2]:
        # Dictionaries may have values of any type.
        own = pa.array([0, 1, None] * 9, n), pa.array(values)
        given = pa.table({"x": pa.DictionaryArray.from_arrays(*own)})
        model = NADE(2, "mixed", n_iter=0, random_state=0).fit(given)
        assert native(as_pandas(given), schema_of(given)).equals(given)
        assert model.impute(given).schema == given.schema
        assert model.sample(2, random_state=0).schema == given.schema
    table = pa.table({"x": pa.array(["a", "b"] * 20, "large_string")})
    model = NADE(2, "mixed", n_iter=0, random_state=0).fit(table)
    assert model.sample(3).schema == table.schema
    assert model.impute(table.slice(0, 3)).schema == table.schema
