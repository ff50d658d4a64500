"""Lists of numbers in tables of Arrow are columns."""

import numpy as np
import pandas as pd
import pytest

from skdgm import (
    FVBN,
    BernoulliRBM,
    DBNClassifier,
    DBNRegressor,
    GaussianRBM,
    GenerativeImputer,
    RBMClassifier,
)
from skdgm.anomaly import DensityOutlierDetector
from skdgm.constraints import ConstrainedTable, Range
from skdgm.data import streams
from skdgm.data.arrow import ArrowColumns, flattened
from skdgm.data.streams import streamed
from tests.options import grouped

pa = pytest.importorskip("pyarrow")
RNG = np.random.default_rng(0)
X = RNG.integers(0, 2, (300, 12)).astype(np.uint8)


def fixed(values, *sizes):
    """Array of nested lists of fixed sizes, innermost first."""
    found = pa.array(values.ravel())
    for size in sizes:
        found = pa.FixedSizeListArray.from_arrays(found, size)
    return found


def sources(table, folder, size=70):
    """A Parquet file, and data sets of files and of a table."""
    import pyarrow.dataset as ds
    import pyarrow.feather as feather
    import pyarrow.parquet as pq

    feather.write_feather(table, folder / "rows.feather", chunksize=size)
    try:
        pq.write_table(table, folder / "rows.parquet", row_group_size=size)
    except pa.ArrowNotImplementedError:  # Of lists that are missing, before Arrow 23.
        pass
    else:
        yield pq.ParquetFile(folder / "rows.parquet")
        yield ds.dataset(folder / "rows.parquet")
    yield ds.dataset(folder / "rows.feather", format="feather")
    yield ds.dataset(table)
    # A table in memory in chunks, each of which is a part of a longer array.
    yield ds.dataset(pa.concat_tables([table.slice(0, 100), table.slice(100)]))


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of 100 rows of twelve columns."""
    monkeypatch.setattr(streams, "BLOCK", 1200)


LISTS = {
    "lists": lambda: fixed(X, 12),
    "nested": lambda: fixed(X, 4, 3),
    "tensors": lambda: pa.FixedShapeTensorArray.from_numpy_ndarray(X.reshape(-1, 3, 4)),
    "any length": lambda: pa.array(X.tolist(), pa.list_(pa.uint8())),
    "large": lambda: pa.array(X.tolist(), pa.large_list(pa.uint8())),
    "images": lambda: pa.array(
        X.reshape(-1, 3, 4).tolist(), pa.list_(pa.list_(pa.uint8()))
    ),
}


@pytest.mark.parametrize("kind", LISTS)
def test_a_column_of_lists_is_many_columns(kind, tmp_path, small_blocks):
    names = [f"x[{k}]" for k in range(12)]
    for given in sources(pa.table({"x": LISTS[kind]()}), tmp_path):
        found = streamed(given)
        assert found.shape == X.shape
        assert found.dtype == X.dtype
        assert list(found.header.columns) == names
        np.testing.assert_array_equal(np.asarray(found), X)


def test_lists_beside_numbers_and_each_other(tmp_path, small_blocks):
    wide = {f"c{k}": RNG.random(300) for k in range(70)}
    table = pa.table(
        {
            "a": X[:, 0],
            "b": fixed(X[:, :4], 4),
            "c": fixed(RNG.random((300, 2)).astype(np.float32), 2),
            "d": RNG.integers(0, 9, 300),
            **wide,
            "e": fixed(X[:, :3] == 1, 3),
        }
    )
    flat = table.to_pandas()
    expected = np.column_stack([np.stack(flat[name]).astype(float) for name in flat])
    assert expected.shape[1] == 1 + 4 + 2 + 1 + 70 + 3
    for given in sources(table, tmp_path):
        found = streamed(given)
        np.testing.assert_array_equal(np.asarray(found), expected)
        names = list(found.header.columns)
        assert names[:8] == ["a", *(f"b[{k}]" for k in range(4)), "c[0]", "c[1]", "d"]
        types = found.header.dtypes
        assert (types["a"], types["c[1]"], types["e[2]"]) == (
            np.uint8,
            np.float32,
            bool,
        )


def test_missing_lists_and_numbers_are_missing(tmp_path, small_blocks):
    rows = X.reshape(-1, 3, 4).tolist()
    expected = X.astype(float)
    rows[5] = None
    expected[5] = np.nan
    rows[150][1] = None
    expected[150, 4:8] = np.nan
    rows[299][2][3] = None
    expected[299, 11] = np.nan
    list_of = pa.list_
    for kind in (
        list_of(list_of(pa.uint8(), 4), 3),
        list_of(list_of(pa.uint8())),
        list_of(list_of(pa.float32(), 4)),
    ):
        given = pa.table({"x": pa.array(rows, kind)})
        for source in sources(given, tmp_path):
            np.testing.assert_array_equal(np.asarray(streamed(source)), expected)


def test_models_learn_the_same_as_from_arrays(tmp_path):
    columns = [f"x[{k}]" for k in range(12)]
    bits = X.astype(np.float64)
    frame, table = pd.DataFrame(bits, columns=columns), pa.table({"x": fixed(bits, 12)})
    rbm = BernoulliRBM(4, n_iter=2, random_state=0)
    expected = rbm.fit(frame).transform(frame)
    for given in sources(table, tmp_path):
        found = BernoulliRBM(4, n_iter=2, random_state=0).fit(given)
        np.testing.assert_array_equal(found.components_, rbm.components_)
        np.testing.assert_array_equal(found.feature_names_in_, columns)
        np.testing.assert_array_equal(found.transform(given), expected)
        assert list(found.sample(2).columns) == columns
        with pytest.raises(ValueError, match="feature names"):
            found.transform(frame.rename(columns={"x[0]": "y"}))
    real = pa.table({"x": fixed(RNG.normal(size=(300, 5)), 5)})
    for given in sources(real, tmp_path):
        GaussianRBM(3, n_iter=1).fit(given).score_samples(given)


def test_lists_of_different_lengths(tmp_path):
    rows = X.tolist()
    # In the first part, where the length is found, and in a later one.
    for number, size in ((1, 3), (290, 13)):
        ragged = list(rows)
        ragged[number] = [1] * size
        table = pa.table({"x": pa.array(ragged, pa.list_(pa.uint8()))})
        for given in sources(table, tmp_path):
            with pytest.raises(ValueError, match=f"'x' has lists of 12 and of {size} "):
                BernoulliRBM(2, n_iter=1).fit(given)
    images = X.reshape(-1, 3, 4).tolist()
    images[299][1] = [0]
    table = pa.table({"x": pa.array(images, pa.list_(pa.list_(pa.uint8())))})
    for given in sources(table, tmp_path):
        with pytest.raises(ValueError, match="'x' has lists of 4 and of 1 entries"):
            BernoulliRBM(2, n_iter=1).fit(given)


@pytest.mark.parametrize(
    ("column", "error", "message"),
    [
        (pa.array([["a"]] * 4), TypeError, "'x' has the type list<.*string>"),
        (pa.array([[]] * 4, pa.list_(pa.int8())), ValueError, "without a number"),
        (pa.array([None] * 4, pa.list_(pa.int8())), ValueError, "unknown lengths"),
        (pa.array([{"a": 1}] * 4), TypeError, "'x' has the type struct"),
        (pa.array([[("a", 1)]] * 4, pa.map_(pa.string(), pa.int8())), TypeError, "map"),
    ],
    ids=["text", "empty", "missing", "struct", "map"],
)
def test_lists_that_are_no_columns(column, error, message, tmp_path):
    import pyarrow.dataset as ds

    table = pa.table({"x": column})
    with pytest.raises(error, match=message):
        BernoulliRBM(2, n_iter=1).fit(ds.dataset(table))
    if pa.types.is_nested(column.type) and "struct" not in message and message != "map":
        with pytest.raises(error, match=message):
            BernoulliRBM(2, n_iter=1).fit(table)


# Tables in memory.

NAMES = [f"x[{k}]" for k in range(12)]


@pytest.mark.parametrize("kind", LISTS)
def test_lists_of_a_table_in_memory_are_columns(kind):
    table, flat = pa.table({"x": LISTS[kind]()}), pa.table(dict(zip(NAMES, X.T)))
    rbm = BernoulliRBM(4, n_iter=2, random_state=0)
    expected = BernoulliRBM(4, n_iter=2, random_state=0).fit(X)
    other = pa.concat_tables([table.slice(0, 100), table.slice(100)])
    for given in (table, other):
        assert flattened(given).equals(flat)
        found = rbm.fit(given)
        np.testing.assert_array_equal(found.components_, expected.components_)
        np.testing.assert_array_equal(found.feature_names_in_, NAMES)
        for method in ("transform", "score_samples", "free_energy", "impute"):
            answer = getattr(found, method)(given)
            np.testing.assert_array_equal(answer, getattr(expected, method)(X))
        # Those of single numbers are the same to it, and a part of the table.
        np.testing.assert_array_equal(found.transform(flat), found.transform(given))
        part = found.transform(given.slice(90, 20))
        np.testing.assert_array_equal(part, expected.transform(X[90:110]))
        assert found.sample(2).schema.equals(flat.schema)
    again = BernoulliRBM(4, random_state=0).partial_fit(table).partial_fit(table)
    assert again.n_iter_ == 2
    with pytest.raises(ValueError, match="feature names"):
        rbm.transform(pa.table({"y": LISTS[kind]()}))
    with pytest.raises(ValueError, match="feature names"):
        rbm.transform(pa.table({"x": fixed(X[:, :6], 6)}))


def test_lists_in_memory_beside_columns_of_other_kinds():
    letters = np.where(X[:, 0] == 1, "a", "b")
    ages, more = RNG.integers(20, 80, 300), RNG.random((300, 2)).astype("f")
    table = pa.table(
        {
            "letter": letters,
            "x": fixed(X[:, :4], 4),
            "age": pa.array(ages, mask=ages > 70),
            "more": fixed(more, 2),
        }
    )
    names = ["letter", *NAMES[:4], "age", "more[0]", "more[1]"]
    flat = flattened(table)
    assert flat.column_names == names
    assert flat.column("letter").equals(table.column("letter"))
    assert flat.column("age").equals(table.column("age"))
    model = FVBN(column_types="mixed", n_iter=2, random_state=0).fit(table)
    other = FVBN(column_types="mixed", n_iter=2, random_state=0).fit(flat)
    np.testing.assert_array_equal(model.score_samples(table), other.score_samples(flat))
    assert list(model.feature_names_in_) == names
    assert model.sample(3).schema.equals(flat.schema)
    filled = model.impute(table)
    assert filled.column("age").null_count == 0
    assert filled.equals(other.impute(flat))
    one = model.sample(2, conditions={"letter": "a", "x[1]": 1}, random_state=0)
    assert one.column("x[1]").to_pylist() == [1, 1]


def test_missing_lists_and_numbers_in_memory():
    rows, expected = X.reshape(-1, 3, 4).tolist(), X.astype(float)
    rows[5], expected[5] = None, np.nan
    rows[150][1], expected[150, 4:8] = None, np.nan
    rows[299][2][3], expected[299, 11] = None, np.nan
    list_of = pa.list_
    for kind in (
        list_of(list_of(pa.uint8(), 4), 3),
        list_of(list_of(pa.int64())),
        list_of(list_of(pa.bool_())),
        list_of(list_of(pa.float32(), 4)),
    ):
        given = pa.array(rows, list_of(list_of(pa.uint8())))
        table = pa.table(
            {"x": given.cast(list_of(list_of(kind.value_type.value_type)))}
        )
        flat, leaf = flattened(table), kind.value_type.value_type
        assert set(flat.schema.types) == {leaf}
        found = np.column_stack([flat[n].to_pandas().astype(float) for n in NAMES])
        np.testing.assert_array_equal(found, expected)
        rbm = BernoulliRBM(4, n_iter=0, random_state=0).fit(table)
        np.testing.assert_array_equal(
            rbm.transform(table), rbm.transform(expected_of(expected))
        )
        filled = GenerativeImputer(rbm).fit(table).transform(table)
        assert not np.isnan(np.asarray(filled, dtype=float)).any()


def expected_of(values):
    return pd.DataFrame(values, columns=NAMES).astype(np.float32)


@pytest.mark.exhaustive
def test_labels_and_targets_of_lists_in_memory():
    table, y = pa.table({"x": fixed(X, 12)}), X[:, 0]
    small = {"pretrain_iter": 1, "n_iter": 1, "random_state": 0}
    for model in (
        RBMClassifier(3, n_iter=2, random_state=0),
        grouped(DBNClassifier, (4, 3), **small),
        grouped(DBNRegressor, (4, 3), column_types="bernoulli", **small),
    ):
        found = model.fit(table, y).predict(table)
        frame = pd.DataFrame(X, columns=NAMES)
        np.testing.assert_array_equal(found, model.fit(frame, y).predict(frame))
        assert np.isfinite(model.score(table, y))
    y = np.where(np.arange(300) % 3, y, np.nan)
    assert np.isfinite(model.fit(table, y).score(table, y))


def test_models_of_models_take_lists_in_memory():
    table = pa.table({"x": fixed(RNG.random((300, 3)), 3)})
    detector = DensityOutlierDetector(GaussianRBM(2, n_iter=1)).fit(table)
    assert detector.predict(table).shape == (300,)
    model = FVBN(column_types="mixed", n_iter=1, random_state=0)
    found = ConstrainedTable(model, [Range("x[0]", 0, 1)]).fit(table).sample(5)
    assert found.column_names == ["x[0]", "x[1]", "x[2]"]


def test_lists_in_memory_of_different_lengths():
    rows = X.tolist()
    rows[290] = [1] * 13
    table = pa.table({"x": pa.array(rows, pa.list_(pa.uint8()))})
    for given in (table, pa.concat_tables([table.slice(0, 100), table.slice(100)])):
        with pytest.raises(ValueError, match="'x' has lists of 12 and of 13 "):
            BernoulliRBM(2, n_iter=1).fit(given)
    with pytest.raises(ValueError, match="0 sample"):
        BernoulliRBM(2).fit(table.slice(0, 0))
    # Nothing but tables of lists is changed.
    for other in (X, [[0, 1]], pd.DataFrame(X), pa.table({"a": X[:, 0]})):
        assert flattened(other) is other


def test_blocks_are_read_for_lists_without_a_size_only():
    """And of those the first that has rows; without any, sizes are not known."""
    read = []

    def reads(kind):
        def of(number):
            read.append(number)
            return pa.table({"a": pa.array([[1, 2, 3]], kind)})

        return of

    sized, free = pa.list_(pa.int64(), 3), pa.list_(pa.int64())
    for kind, counts, expected in (
        (sized, [0, 4], []),
        (free, [0, 4, 5], [1]),
        (free, [0, 0], []),
    ):
        del read[:]
        found = ArrowColumns.of(pa.schema([("a", kind)]), reads(kind), counts)
        assert read == expected
        assert found.shapes == [(3,) if any(counts) else (None,)]
