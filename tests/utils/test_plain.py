"""Objects of pandas and times as plain data, wherever they are, and back."""

import datetime
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from skdgm.data.rare import Rare
from skdgm.exceptions import CorruptFileError
from skdgm.utils import pandas_parts
from skdgm.utils.plain import Plain, packed, unpacked
from skdgm.utils.wrapped import capabilities_of

pa = pytest.importorskip("pyarrow")

INDEX = pd.Index(["a", "b"], name="x")
LEAVES = {
    "index": INDEX,
    "ranges": pd.RangeIndex(2, 9, 3, name="r"),
    "intervals": pd.IntervalIndex.from_breaks([0, 1, 4], closed="left", name="i"),
    "categories": pd.CategoricalIndex(
        ["p", "q", "p"], ["q", "p"], ordered=True, name="c"
    ),
    "dates": pd.DatetimeIndex(["2020-01-01", None], name="d", tz="UTC"),
    "sparse": pd.SparseDtype(float, 0.5),
    "category": pd.CategoricalDtype(["b", "a"], ordered=True),
    "interval": pd.IntervalDtype("float64", "left"),
    "zone": pd.DatetimeTZDtype("us", "Europe/Berlin"),
    "nullable": pd.Int16Dtype(),
    "dtype": np.dtype("<i4"),
    "date": datetime.date(2020, 2, 3),
    "time": datetime.datetime(2020, 2, 3, 4, 5, 6, 7),
    "lapse": datetime.timedelta(1, 2, 3),
}


def same(a, b):
    if isinstance(a, pd.Index):
        pd.testing.assert_index_equal(a, b, exact=True)
        return True
    return type(a) is type(b) and a == b


@pytest.mark.parametrize("name", LEAVES)
def test_each_is_itself_again(name):
    value = LEAVES[name]
    assert same(value, unpacked(packed(value)))


@pytest.mark.parametrize("name", ["index", "dtype", "date"])
@pytest.mark.parametrize(
    "hold, take",
    [
        (lambda v: [1, v], lambda c: c[1]),
        (lambda v: (v, 2), lambda c: c[0]),
        (lambda v: {"k": v}, lambda c: c["k"]),
        (lambda v: SimpleNamespace(k=[v]), lambda c: c.k[0]),
        (lambda v: Rare(v, 3), lambda c: c.min_frequency),
    ],
    ids=["list", "tuple", "dict", "namespace", "record"],
)
def test_containers_keep_their_type(name, hold, take):
    value = hold(LEAVES[name])
    plain = packed(value)
    assert plain is not value
    assert type(plain) is type(value)
    assert isinstance(take(plain), Plain)
    found = unpacked(plain)
    assert type(found) is type(value)
    assert same(take(value), take(found))


def test_arrays_of_objects():
    value = np.empty((2, 2), object)
    value[0, 0], value[0, 1], value[1, 0] = INDEX, np.dtype(float), "text"
    plain = packed(value)
    assert plain.shape == (2, 2)
    assert isinstance(plain[0, 1], Plain)
    found = unpacked(plain)
    assert same(found[0, 0], INDEX)
    assert found[1, 0] == "text"
    assert found[1, 1] is None


@pytest.mark.parametrize(
    "value", [np.arange(3.0), np.array(["a", None], object), [1, (2, "x")], {"a": 1}]
)
def test_what_is_plain_stays_the_same_object(value):
    assert packed(value) is value
    assert unpacked(value) is value


def test_classes_that_are_no_records():
    with pytest.raises(CorruptFileError, match="is no record"):
        unpacked(Plain("skdgm.utils.plain.packed", {"value": 1}))


@pytest.mark.parametrize(
    "dtype",
    [
        pd.DatetimeTZDtype("ns", "Europe/Paris"),
        pd.DatetimeTZDtype("us", "UTC"),
        pd.PeriodDtype("M"),
        pd.ArrowDtype(pa.int64()),
        pd.ArrowDtype(pa.timestamp("us")),
    ],
    ids=str,
)
def test_types_of_times_and_of_arrow_have_parts(dtype):
    parts = pandas_parts._named(dtype)
    assert pandas_parts.decode(type(dtype).__name__, dict(parts)) == dtype


def test_types_that_parts_do_not_give_again_have_none():
    assert pandas_parts._named(pd.ArrowDtype(pa.struct([("a", pa.int8())]))) is None


def test_what_a_model_can_is_told_by_its_density_or_its_methods():
    class Sampler:
        def sample(self, n, conditions=None):
            pass

    class Scorer(Sampler):
        density_kind_ = "estimate"

        def score_samples(self, X):
            pass

        def sample(self, n):
            pass

    either = {"unconditional": "estimate", "conditions": "estimate"}
    assert capabilities_of(Sampler()) == {"sample": either}
    assert capabilities_of(Scorer()) == {
        "log_prob": {"complete": "estimate", "missing": "estimate"},
        "sample": {"unconditional": "estimate"},
    }
    assert capabilities_of(object()) == {}
    known = SimpleNamespace(density_=SimpleNamespace(capabilities={"a": 1}))
    assert capabilities_of(known) == {"a": 1}
