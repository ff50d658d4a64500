import pickle
from decimal import Decimal

import numpy as np
import pytest

from skdgm import FVBN, BernoulliRBM, load, save
from skdgm.data import Codec

pd = pytest.importorskip("pandas")

SIZE = pd.CategoricalDtype(["S", "M", "L", "XL"], ordered=True)
FRAME = pd.DataFrame(
    {
        "size": pd.Series(["M", "S", None, "L"], dtype=SIZE),
        "town": pd.Series(["Rome", "Bonn", "Rome", np.nan], dtype=object),
        "ship": pd.Series(["b", "c", "a", "b"], dtype="string"),
        "paid": pd.Series([True, False, True, True]),
        "kept": pd.Series([True, None, False, True], dtype="boolean"),
        "rooms": pd.Series([3, -1, 2**40, 0]),
        "floor": pd.Series([1, None, 2, -3], dtype="Int16"),
        "rent": pd.Series([0.5, np.nan, -2.5, 1e9]),
        "heat": pd.Series([0.5, 0.25, -2.5, 8], dtype="float32"),
    }
)
CODES = [
    [1, 1, 1, 1, 1, 3, 1, 0.5, 0.5],
    [0, 0, 2, 0, np.nan, -1, np.nan, np.nan, 0.25],
    [np.nan, 1, 0, 1, 0, 2**40, 2, -2.5, -2.5],
    [2, np.nan, 1, 1, 1, 0, -3, 1e9, 8],
]


def frame_of(values, dtype=None):
    return pd.DataFrame({"x": pd.Series(values, dtype=dtype)})


def decoded(values, codes, dtype=None):
    """The column that codes stand for, after values of a type were learned."""
    codec = Codec.of(frame_of(values, dtype))
    return codec.decode(np.array(codes, float)[:, None])["x"]


def test_types_say_what_columns_are():
    codec = Codec.of(FRAME)
    expected = ["categorical"] * 3 + ["bernoulli"] * 2 + ["numeric"] * 4
    assert list(codec.kinds) == expected
    assert codec.names == list(FRAME)
    found = [None if c is None else c.tolist() for c in codec.categories]
    assert found[:3] == [["S", "M", "L", "XL"], ["Bonn", "Rome"], ["a", "b", "c"]]
    assert found[3:] == [None] * 6


def test_there_and_back():
    codec = Codec.of(FRAME)
    X = codec.encode(FRAME)
    assert X.dtype == np.float64
    np.testing.assert_array_equal(X, CODES)
    pd.testing.assert_frame_equal(codec.decode(X), FRAME)
    np.testing.assert_array_equal(codec.encode(codec.decode(X)), X)


def test_it_pickles():
    codec = pickle.loads(pickle.dumps(Codec.of(FRAME)))
    np.testing.assert_array_equal(codec.encode(FRAME), CODES)
    pd.testing.assert_frame_equal(codec.decode(np.array(CODES)), FRAME)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT])
def test_nothing_is_missing_in_several_ways(missing):
    frame = frame_of(["b", missing, "a"], object)
    codec = Codec.of(frame)
    assert codec.categories[0].tolist() == ["a", "b"]
    np.testing.assert_array_equal(codec.encode(frame), [[1], [np.nan], [0]])
    learned = Codec.of(frame_of([1.0, 2.0]))
    np.testing.assert_array_equal(
        learned.encode(frame_of([1.0, missing], object)), [[1], [np.nan]]
    )


@pytest.mark.parametrize(
    "dtype, width",
    [
        ("float64", 64),
        ("int64", 64),
        ("uint32", 64),
        ("Int32", 64),
        ("Float64", 64),
        ("float32", 32),
        ("float16", 32),
        ("int16", 32),
        ("UInt8", 32),
        ("bool", 32),
        ("category", 32),
    ],
)
def test_numbers_get_the_room_they_need(dtype, width):
    frame = frame_of([0, 1, 1], dtype)
    assert Codec.of(frame).encode(frame).dtype == f"float{width}"


@pytest.mark.parametrize(
    "values, order",
    [
        (["b", 2, "a", 1], [1, 2, "a", "b"]),
        ([("a", 2), ("a", 1)], [("a", 1), ("a", 2)]),
        ([1j, "a", 2j], [1j, 2j, "a"]),
        ([True, False], [False, True]),
    ],
)
def test_objects_of_several_types_have_an_order(values, order):
    frame = frame_of(values, object)
    codec = Codec.of(frame)
    assert codec.categories[0].tolist() == order
    X = codec.encode(frame)
    assert X[:, 0].tolist() == [order.index(value) for value in values]
    found = codec.decode(X)["x"].tolist()
    assert found == values
    assert list(map(type, found)) == list(map(type, values))
    pd.testing.assert_frame_equal(Codec.of(frame[::-1]).decode(X), frame)


def test_whole_numbers_as_objects_stay_whole():
    found = decoded([5, 7, None], [5, np.nan, 7], object)
    assert found.dtype == object
    assert type(found[0]) is int
    assert found[0] == 5
    assert found[2] == 7
    assert pd.isna(found[1])


def test_types_may_differ_later():
    codec = Codec.of(FRAME)
    later = FRAME.astype({"size": object, "town": "category", "ship": object})
    later = later.astype({"paid": object, "kept": object, "rooms": float})
    later.loc[1, "paid"] = None
    expected = np.array(CODES)
    expected[1, 3] = np.nan
    np.testing.assert_array_equal(codec.encode(later), expected)


def test_the_order_of_a_later_category_dtype_does_not_matter():
    codec = Codec.of(frame_of(["b", "a"], "category"))
    other = pd.CategoricalDtype(["z", "b", "a"])
    np.testing.assert_array_equal(codec.encode(frame_of(["a", "b"], other)), [[0], [1]])


def test_intervals_are_categories():
    frame = frame_of(pd.cut([1, 5, 9, np.nan], 3))
    codec = Codec.of(frame)
    X = codec.encode(frame)
    np.testing.assert_array_equal(X, [[0], [1], [2], [np.nan]])
    pd.testing.assert_frame_equal(codec.decode(X), frame)


@pytest.mark.parametrize("dtype", [object, "string", "category"])
def test_new_categories_are_refused(dtype):
    codec = Codec.of(frame_of(["b", "a", None], dtype))
    message = "'x' has categories .* know: 'q', 'c'. Fit again with them, or declare"
    with pytest.raises(ValueError, match=message):
        codec.encode(frame_of(["a", "q", None, "c", "q"], dtype))


def test_many_new_categories_are_not_all_told():
    codec = Codec.of(frame_of(["a"]))
    with pytest.raises(ValueError, match="'0', '1', '2', '3', '4' and 2 more"):
        codec.encode(frame_of(list("0123456")))


def test_numbers_must_stay_numbers():
    codec = Codec.of(frame_of([1.0, 2.0]))
    with pytest.raises(ValueError, match="Column 'x' had numbers .*'a'"):
        codec.encode(frame_of(["a", "b"]))
    with pytest.raises(TypeError, match="'x' has the dtype datetime64"):
        codec.encode(frame_of(pd.to_datetime(["2020-01-01", "2021-01-01"])))


def test_what_is_no_number_and_no_category_is_refused():
    message = "'x' has the dtype .*convert it to numbers"
    with pytest.raises(TypeError, match=message):
        Codec.of(frame_of([], "complex128"))


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match="'x' has values that cannot be categories"):
        Codec.of(frame_of([[1], [2]], object))


def test_names_are_of_any_kind():
    names = [("a", 1), 7, "b", None]
    frame = pd.DataFrame(np.eye(4), columns=pd.Index(names, tupleize_cols=False))
    codec = Codec.of(frame)
    pd.testing.assert_frame_equal(codec.decode(codec.encode(frame)), frame)
    levels = pd.DataFrame(
        np.eye(2),
        columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)], names=["p", "q"]),
    )
    pd.testing.assert_frame_equal(Codec.of(levels).decode(np.eye(2)), levels)


def test_names_tell_columns_apart():
    with pytest.raises(ValueError, match=r"several columns of the names \['x'\]"):
        Codec.of(pd.DataFrame(np.eye(2), columns=["x", "x"]))


def test_columns_must_be_the_same_in_the_same_order():
    codec = Codec.of(pd.DataFrame({1: [0.0], 2: [1.0]}))
    with pytest.raises(ValueError, match=r"\[2, 1\], but the model was fitted with"):
        codec.encode(pd.DataFrame({2: [1.0], 1: [0.0]}))


@pytest.mark.parametrize("dtype", ["int8", "Int8", "uint8", "int64", "uint64"])
def test_samples_of_whole_numbers_are_whole_and_in_range(dtype):
    found = decoded([1, 2], [0.4, 0.6, -1e30, 1e30], dtype)
    assert found.dtype == dtype
    assert found[:2].tolist() == [0, 1]
    info = np.iinfo(dtype.lower())
    assert found[2] == info.min
    assert int(found[3]) == pytest.approx(info.max, rel=1e-12)


@pytest.mark.parametrize(
    "dtype, nullable", [("int8", "Int8"), ("uint16", "UInt16"), ("Int64", "Int64")]
)
def test_whole_numbers_may_be_missing(dtype, nullable):
    found = decoded([1, 2], [1.6, np.nan], dtype)
    pd.testing.assert_series_equal(found, pd.Series([2, None], None, nullable, "x"))


def test_bits_are_cut_at_a_half():
    assert decoded([True, False], [0.5, 0.49, 1, 0]).tolist() == [True, False] * 2
    assert decoded([True, False], [0.5, 0.49]).dtype == bool
    found = decoded([True, False], [1, np.nan, 0])
    expected = pd.Series([True, None, False], None, "boolean", "x")
    pd.testing.assert_series_equal(found, expected)


@pytest.mark.parametrize("dtype", [object, "string", pd.CategoricalDtype([])])
def test_where_there_are_no_categories_all_is_missing(dtype):
    frame = frame_of([None, None], dtype)
    codec = Codec.of(frame)
    assert np.isnan(codec.encode(frame)).all()
    found = codec.decode(np.zeros((2, 1)))["x"]
    assert found.isna().all()
    assert found.dtype == frame["x"].dtype


def test_sparse_columns_are_columns():
    frame = frame_of([0, 0, 3], pd.SparseDtype("int64", 0))
    codec = Codec.of(frame)
    np.testing.assert_array_equal(codec.encode(frame), [[0], [0], [3]])
    pd.testing.assert_frame_equal(codec.decode(codec.encode(frame)), frame)
    holed = codec.decode(np.array([[np.nan], [3]]))["x"]
    pd.testing.assert_series_equal(holed, pd.Series([None, 3], None, "Int64", "x"))


def test_the_frame_stays_as_it_is():
    before = FRAME.copy(deep=True)
    codec = Codec.of(FRAME)
    X = codec.encode(FRAME)
    X[:] = 0
    codec.decode(X)
    pd.testing.assert_frame_equal(FRAME, before)


def test_objects_that_are_numbers_are_numbers():
    """Decimals of a database, and numbers with None."""
    frame = pd.DataFrame(
        {
            "price": [Decimal("1.5") * n for n in range(6)],
            "count": pd.Series([1, None, 2, 4, 5, 6], dtype=object),
            "real": pd.Series([0.5, None, 2, 4, 5, 6], dtype=object),
            "name": pd.Series([1, "a", 2, 4, 5, 6], dtype=object),
            "bit": pd.Series([True, False] * 3, dtype=object),
        }
    )
    codec = Codec.of(frame)
    assert codec.kinds == ("numeric",) * 3 + ("categorical",) * 2
    found = codec.encode(frame)
    expected = frame[["price", "count", "real"]].astype(float)
    np.testing.assert_array_equal(found[:, :3], expected)
    again = codec.decode(found)
    assert again.dtypes.tolist() == frame.dtypes.tolist()
    assert type(again["count"][0]) is int
    assert type(again["real"][2]) is float


@pytest.mark.parametrize("model", [BernoulliRBM(2, n_iter=1), FVBN(n_iter=1)])
@pytest.mark.parametrize("dtype", [float, np.float32, np.int64])
def test_sparse_columns_of_pandas_remain_sparse(model, dtype, tmp_path):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.integers(0, 2, (40, 3)).astype(dtype), columns=list("abc"))
    X = X.astype(pd.SparseDtype(dtype, dtype(0)))
    drawn = model.fit(X).sample(5, random_state=0)
    assert drawn.dtypes.equals(X.dtypes)
    save(model, tmp_path / "model")
    again = load(tmp_path / "model").sample(5, random_state=0)
    pd.testing.assert_frame_equal(again, drawn)
