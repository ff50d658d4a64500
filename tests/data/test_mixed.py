import pickle
import tracemalloc
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import BaseEstimator

from skdgm import FVBN, BernoulliRBM
from skdgm.data import BinaryColumns, CodeColumns, MixedColumns, RealColumns
from skdgm.data.inputs import tabulate
from skdgm.exceptions import MissingDataWarning
from tests.callbacks import Callback

KINDS = "gaussian", "categorical", "bernoulli", "categorical"
X = np.array(
    [
        [1.0, 0, 1, 2],
        [4.0, 1, 0, 0],
        [-2.0, 1, 0, 2],
        [1.0, 0, 0.5, 1],
        [6.0, 1, 1, 2],
    ]
)
HOLED = X.copy()
HOLED[[0, 1, 2, 3, 4, 4], [0, 1, 2, 3, 0, 1]] = np.nan
REAL = X[:, [0]]


class Model(BaseEstimator):
    """What a domain asks of a model: what it learned."""


def learned(X, sample_weight=None, before=None, domain=None):
    """A model that knows its columns, and the table as it sees it."""
    model, domain = Model(), domain or MixedColumns(KINDS)
    if before is not None:
        model.n_features_in_ = X.shape[1]
    rows = domain.rows(model, X, columns=before, reset=before is None, fitting=True)
    table = tabulate(rows, sample_weight, in_memory=False)
    columns, table = domain.learn(table, before)
    model.n_features_in_ = X.shape[1]
    if hasattr(X, "columns"):
        model.feature_names_in_ = np.array(X.columns, object)
    return SimpleNamespace(
        model=model,
        domain=domain,
        columns=columns,
        table=table,
        rows=partial(domain.rows, model, columns=columns),
    )


def known(X, *args, **options):
    return learned(X, *args, **options).columns


def assert_known(found, expected):
    for one, other in zip(found[:8], expected[:8], strict=True):
        if one.dtype.kind == "f":
            np.testing.assert_allclose(one, other)
        else:
            np.testing.assert_array_equal(one, other)


def test_what_is_learned():
    found = known(X)
    np.testing.assert_array_equal(found.seen, [5, 5, 5, 5])
    np.testing.assert_array_equal(found.total, [10, 3, 2.5, 7])
    np.testing.assert_allclose(found.mean, [2, 0, 0, 0])
    np.testing.assert_allclose(found.scale, [X[:, 0].std(), 1, 1, 1])
    np.testing.assert_array_equal(found.varies, [True] * 4)
    np.testing.assert_array_equal(found.kinds, KINDS)
    np.testing.assert_array_equal(found.sizes, [1, 2, 1, 3])
    np.testing.assert_array_equal(found.counts, [2, 3, 1, 1, 3])
    np.testing.assert_array_equal(found.which("categorical"), [1, 3])
    assert found.codec is None


def test_columns_of_one_kind_are_as_they_were_alone():
    found = known(HOLED)
    parts = [("gaussian", RealColumns()), ("bernoulli", BinaryColumns())]
    for kind, domain in [*parts, ("categorical", CodeColumns())]:
        part = found.of(kind)
        alone = known(HOLED[:, found.which(kind)], domain=domain)
        assert type(part) is type(alone)
        if kind == "bernoulli":
            # Only tables of gray values alone have levels.
            alone = alone._replace(per_unit=0.0)
        for one, other in zip(part, alone, strict=True):
            np.testing.assert_allclose(one, np.broadcast_to(other, np.shape(one)))


@pytest.mark.parametrize("data", [X, HOLED])
def test_a_weight_is_a_repetition(data):
    weight = np.array([2, 0, 3, 1, 1])
    assert_known(known(data, weight), known(np.repeat(data, weight, axis=0)))
    order = [3, 1, 0, 4, 2]
    assert_known(known(data[order], weight[order]), known(data, weight))


def test_rows_without_weight_make_no_room():
    np.testing.assert_array_equal(known(X, [0, 1, 0, 1, 0]).sizes, [1, 2, 1, 2])


def test_what_is_missing_is_not_counted():
    found = known(HOLED)
    np.testing.assert_array_equal(found.seen, [3, 3, 4, 4])
    np.testing.assert_array_equal(found.total, [3, 1, 2.5, 6])
    np.testing.assert_allclose(found.mean[0], 1)
    np.testing.assert_array_equal(found.counts, [2, 1, 1, 0, 3])


def test_columns_that_are_missing_are_told():
    holed = X.copy()
    holed[:, [0, 1, 2]] = np.nan
    with pytest.warns(MissingDataWarning, match=r"\[0, 1, 2\]"):
        found = learned(holed)
    np.testing.assert_array_equal(found.columns.sizes, [1, 1, 1, 3])
    np.testing.assert_array_equal(found.columns.counts, [0, 1, 1, 3])
    np.testing.assert_array_equal(found.domain.fill(found.columns), [0, 0, 0.5, 2])


def test_constant_columns_follow_the_others_that_are_real():
    data = np.column_stack([X, np.full(5, 7.0), 100 * X[:, 0]])
    kinds = (*KINDS, "gaussian", "gaussian")
    found = known(data, domain=MixedColumns(kinds))
    alone = known(data[:, [0, 4, 5]], domain=RealColumns())
    np.testing.assert_array_equal(found.varies, [1, 1, 1, 1, 0, 1])
    np.testing.assert_allclose(found.scale[[0, 4, 5]], alone.scale)
    np.testing.assert_allclose(found.scale[4], 10 * X[:, 0].std())


def test_constant_bits_and_codes_keep_their_units():
    found = known(X * [1, 0, 0, 0])
    np.testing.assert_array_equal(found.varies, [True] * 4)
    np.testing.assert_array_equal(found.mean[1:], [0] * 3)
    np.testing.assert_array_equal(found.scale[1:], [1] * 3)
    np.testing.assert_array_equal(found.sizes, [1] * 4)


def test_later_data_add_to_the_counts_and_leave_the_units():
    before = known(X)
    found = known(X[1:3] + [[5, 0, 0, 0]], before=before)
    whole = known(X[[0, 1, 2, 3, 4, 1, 2]] + [[5, 0, 0, 0]])
    np.testing.assert_array_equal(found.counts, whole.counts)
    np.testing.assert_array_equal(found.seen, [7] * 4)
    np.testing.assert_array_equal(found.total, [10 + 12, 5, 2.5, 9])
    np.testing.assert_array_equal(found.mean, before.mean)
    np.testing.assert_array_equal(found.scale, before.scale)
    np.testing.assert_array_equal(before.counts, [2, 3, 1, 1, 3])


def test_moments_are_as_exact_as_the_data():
    data = 2**30 + np.array([[0], [1], [2], [3]])
    fitted = learned(data, domain=MixedColumns())
    assert fitted.table.rows.dtype == np.float32
    np.testing.assert_array_equal(fitted.columns.mean, [2**30 + 1.5])
    np.testing.assert_allclose(fitted.columns.scale, np.std([0, 1, 2, 3]))


def test_models_see_numbers_standardized():
    fitted = learned(X)
    first = fitted.table.rows.take(slice(None))
    assert first[:, 0].mean() == pytest.approx(0)
    assert first[:, 0].std() == pytest.approx(1)
    np.testing.assert_array_equal(first[:, 1:], X[:, 1:])
    rows = fitted.rows(X)
    assert rows.affine[0].shape == rows.affine[1].shape == (4,)
    v = rows.take(slice(None))
    np.testing.assert_array_equal(v, first)
    np.testing.assert_allclose(fitted.domain.to_data(fitted.columns, v), X)
    np.testing.assert_array_equal(rows.X, X)


def test_smoothed_frequencies_and_means():
    fitted = learned(X)
    found = fitted.domain.frequencies(fitted.columns)
    np.testing.assert_allclose(found, [3 / 7, 4 / 7, 2 / 8, 2 / 8, 4 / 8])
    moments = fitted.domain.moments(fitted.columns)
    np.testing.assert_allclose(moments, [0, 0, 3.5 / 7, 0])
    fill = fitted.domain.fill(fitted.columns)
    np.testing.assert_allclose(fill, [0, 1, 3.5 / 7, 2])


@pytest.mark.parametrize("kinds", [KINDS, ("gaussian",) * 4, ("bernoulli",) * 4])
def test_the_loss_is_the_sum_over_kinds(kinds):
    data = X if "gaussian" in kinds else X.clip(0, 1)
    fitted = learned(data, domain=MixedColumns(kinds))
    found = fitted.domain.loss_of_independent(fitted.columns)
    alone = {
        "gaussian": RealColumns(),
        "bernoulli": BinaryColumns(),
        "categorical": CodeColumns(),
    }
    parts = [
        domain.loss_of_independent(known(data[:, which], domain=domain))
        for kind, domain in alone.items()
        if (which := np.flatnonzero(np.array(kinds) == kind)).size
    ]
    assert found == pytest.approx(sum(parts))
    for kind, domain in alone.items():
        which = np.flatnonzero(np.array(kinds) == kind)
        if which.size:
            own = domain.share(known(data[:, which], domain=domain))
            at = np.repeat(fitted.columns.kinds == kind, fitted.columns.sizes)
            share = fitted.domain.share(fitted.columns)[at]
            np.testing.assert_array_equal(share, 0 if own is None else own)


def test_only_numbers_have_a_volume():
    fitted = learned(X)
    rows = fitted.rows(X)
    shrunk = -np.log(X[:, 0].std())
    assert fitted.domain.log_volume(fitted.columns, rows) == pytest.approx(shrunk)
    rows = fitted.rows(HOLED)
    found = fitted.domain.log_volume(fitted.columns, rows)
    np.testing.assert_allclose(found, shrunk * ~np.isnan(HOLED[:, 0]))


def test_arrays_are_of_numbers_by_default():
    found = known(X, domain=MixedColumns())
    assert set(found.kinds) == {"gaussian"}
    assert_known(found, known(X, domain=MixedColumns(["gaussian"] * 4)))
    alone = known(X, domain=RealColumns())
    for name in ("seen", "total", "mean", "scale", "varies"):
        np.testing.assert_array_equal(getattr(found, name), getattr(alone, name))
    assert found.counts.size == 0


def test_sparse_data_are_read_as_dense_ones_are():
    sparse, dense = learned(sp.csr_array(X)), learned(X)
    assert_known(sparse.columns, dense.columns)
    found = sparse.rows(sp.csr_array(X)).take(slice(None))
    np.testing.assert_array_equal(found, dense.table.rows.take(slice(None)))


@pytest.mark.parametrize(
    "kinds, message",
    [
        (KINDS[:3], "column_types has 3 entries, but X has 4"),
        ((*KINDS, "gaussian"), "column_types has 5 entries, but X has 4"),
        ((*KINDS[:3], "real"), r"column_types must be 'mixed', or .* got \['real'\]"),
        ({0: [1, 2]}, r"column_types must be 'mixed', or .* got \[\[1, 2\]\]"),
        ("categorical", r"column_types must be 'mixed', or .* got \['categorical'\]"),
    ],
)
def test_kinds_are_checked(kinds, message):
    with pytest.raises(ValueError, match=message):
        learned(X, domain=MixedColumns(kinds))


@pytest.mark.parametrize(
    "column, value, message",
    [
        (1, 0.5, "Model: the value 0.5 of column 1 is no code"),
        (3, -1, "Model: the value -1 of column 3 is no code"),
        (2, -0.1, "Model: the value -0.1 of column 2 is no bit"),
        (2, 1.1, "Model: the value 1.1 of column 2 is no bit"),
        (0, np.inf, "infinity"),
    ],
)
def test_values_are_checked(column, value, message):
    wrong, fitted = X.copy(), learned(X)
    wrong[3, column] = value
    with pytest.raises(ValueError, match=message):
        learned(wrong)
    with pytest.raises(ValueError, match=message):
        fitted.rows(wrong)


def test_later_codes_need_room():
    wrong = X + [[0, 2, 0, 0]]
    fitted = learned(X)
    with pytest.raises(ValueError, match="value 2 of column 1 was not seen when"):
        fitted.rows(wrong)
    for least in (4, [1, 4, 1, 1]):
        fitted = learned(X, domain=MixedColumns(KINDS, least))
        assert fitted.columns.sizes[[0, 1, 2]].tolist() == [1, 4, 1]
        found = learned(wrong, before=fitted.columns, domain=fitted.domain)
        np.testing.assert_array_equal(found.columns.counts[:4], [2, 3, 2, 3])
    with pytest.raises(ValueError, match="min_categories has 2 values, but X has 4"):
        learned(X, domain=MixedColumns(KINDS, [4, 4]))


@pytest.mark.exhaustive
def test_a_memory_map_is_read_in_blocks(tmp_path):
    path, shape = tmp_path / "X.dat", (300_000, 40)
    data = np.memmap(path, np.float32, "w+", shape=shape)
    data[:] = np.arange(shape[0])[:, None] % 2
    data[:, 3] = np.arange(shape[0])
    data.flush()
    kinds = ("gaussian", "categorical", "bernoulli", "gaussian") * 10
    data, domain = np.memmap(path, np.float32, "r", shape=shape), MixedColumns(kinds)
    tracemalloc.start()
    fitted = learned(data, domain=domain)
    rows = fitted.rows(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(fitted.table.index) == shape[0]
    assert peak < 0.8 * data.nbytes
    assert np.shares_memory(rows.X, data)
    assert np.shares_memory(fitted.table.rows.X, data)
    np.testing.assert_allclose(rows.take(slice(2))[:, 0], [-1, 1])


def frame():
    """A DataFrame of the table X: bits are whole, since they are bool."""
    pd = pytest.importorskip("pandas")
    return pd.DataFrame(
        {
            "rent": X[:, 0],
            "town": ["Bonn", "Rome", "Rome", "Bonn", "Rome"],
            "paid": X[:, 2] > 0.5,
            "size": pd.Categorical.from_codes(X[:, 3].astype(int), list("LMS")),
        }
    )


def test_frames_say_their_kinds():
    fitted = learned(frame(), domain=MixedColumns())
    encoded = X.copy()
    encoded[3, 2] = 0
    told = MixedColumns(["numeric", *KINDS[1:]])
    assert_known(fitted.columns, known(encoded, domain=told))
    assert fitted.columns.codec.names == list(frame())
    rows = fitted.rows(frame().iloc[[4, 1]])
    np.testing.assert_array_equal(rows.X, encoded[[4, 1]])
    with pytest.warns(UserWarning, match="valid feature names"):
        numbers = fitted.rows(encoded[[4, 1]])
    np.testing.assert_array_equal(rows.take(slice(2)), numbers.take(slice(2)))


def test_frames_come_back():
    pd = pytest.importorskip("pandas")
    fitted = learned(frame(), domain=MixedColumns())
    rows = fitted.rows(frame())
    v = fitted.domain.to_data(fitted.columns, rows.take(slice(None)))
    found = fitted.domain.presented(fitted.columns, v)
    pd.testing.assert_frame_equal(found, frame())
    array = learned(X)
    assert array.domain.presented(array.columns, X) is X


def test_a_weight_is_a_repetition_in_frames():
    data, weight = frame(), np.array([2, 1, 3, 1, 1])
    data.loc[[0, 1, 3], ["rent", "size"]] = np.nan
    domain = MixedColumns()
    repeated = data.iloc[np.repeat(np.arange(5), weight)]
    assert_known(known(data, weight, domain=domain), known(repeated, domain=domain))


def test_declared_categories_have_room():
    data = frame()
    data["size"] = data["size"].cat.add_categories("XL")
    found = known(data.iloc[1:], domain=MixedColumns())
    np.testing.assert_array_equal(found.sizes, [2, 2, 1, 4])
    np.testing.assert_array_equal(found.counts, [1, 3, 1, 1, 2, 0])


def test_a_column_of_a_frame_may_be_missing():
    data = frame().assign(town=np.array([None] * 5, object))
    with pytest.warns(MissingDataWarning, match=r"\['town'\]"):
        fitted = learned(data, domain=MixedColumns())
    np.testing.assert_array_equal(fitted.columns.sizes, [2, 1, 1, 3])
    found = fitted.domain.presented(fitted.columns, X * [1, 0, 0, 1])
    assert found["town"].isna().all()


def test_the_names_in_a_frame_are_all_there_is_room_for():
    assert known(frame(), domain=MixedColumns("mixed", 2)).sizes.tolist() == [
        2,
        2,
        1,
        3,
    ]
    with pytest.raises(ValueError, match="more than column 'town' has names for"):
        known(frame(), domain=MixedColumns("mixed", 3))


def test_frames_may_be_of_numbers_that_have_kinds():
    pd = pytest.importorskip("pandas")
    data = pd.DataFrame(X, columns=list("abcd"))
    fitted = learned(data)
    assert_known(fitted.columns, known(X))
    assert fitted.columns.codec is None


def test_columns_of_frames_are_checked():
    fitted = learned(frame(), domain=MixedColumns())
    for wrong in (frame().iloc[:, ::-1], frame().rename(columns={"town": "place"})):
        with pytest.raises(ValueError, match="feature names should match"):
            fitted.rows(wrong)
    new = frame().replace({"town": {"Rome": "Oslo"}})
    with pytest.raises(ValueError, match="'town' has categories .* know: 'Oslo'"):
        fitted.rows(new, fitting=True)
    rows = fitted.rows(new)
    np.testing.assert_array_equal(rows.unknown, np.isnan(rows.X))
    np.testing.assert_array_equal(rows.unknown[:, 1], frame()["town"] == "Rome")


def test_values_of_frames_are_checked_by_name():
    fitted = learned(frame(), domain=MixedColumns())
    with pytest.raises(ValueError, match="the value 2 of column 'paid' is no bit"):
        fitted.rows(frame().assign(paid=2))
    with (
        pytest.warns(UserWarning, match="valid feature names"),
        pytest.raises(ValueError, match="3 of column 'size' was not seen"),
    ):
        fitted.rows(X + [[0, 0, 0, 1]])


def test_one_column_is_no_frame():
    with pytest.raises(ValueError, match="Expected a 2-dimensional container"):
        learned(frame()["rent"], domain=MixedColumns())


def test_what_was_known_stays_when_data_are_refused():
    fitted = learned(frame(), domain=MixedColumns())
    before = pickle.dumps(vars(fitted.model))
    wrong = frame().assign(rent=["?"] * 5, town=["?"] * 5)
    fitted.domain.rows(fitted.model, wrong, reset=True, fitting=True)
    assert pickle.dumps(vars(fitted.model)) == before


def test_what_is_known_pickles():
    fitted = learned(frame(), domain=MixedColumns())
    found = pickle.loads(pickle.dumps(fitted.columns))
    assert_known(found, fitted.columns)
    rows = fitted.domain.rows(fitted.model, frame(), columns=found)
    assert fitted.domain.presented(found, rows.X).equals(frame())


class Told(Callback):
    """Keeps what it is told of the data."""

    def on_fit_task_end(self, estimator, context, *, X=None):
        self.X = X


@pytest.mark.parametrize("of", ["frame", "array"])
def test_callbacks_are_told_of_frames(of):
    pd = pytest.importorskip("pandas")
    bits, told = np.eye(5), Told()
    data = pd.DataFrame(bits, columns=list("abcde")) if of == "frame" else bits
    model = BernoulliRBM(n_iter=1, random_state=0).set_callbacks(told)
    model.fit(data)
    assert type(told.X) is type(data)
    np.testing.assert_array_equal(np.asarray(told.X), bits)


def test_types_of_columns_say_how_each_is_read():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "cents": np.exp(rng.normal(size=200)).round(2),
            "town": pd.Categorical(rng.choice(list("ab"), 200), ["b", "a"]),
            "level": rng.integers(1, 4, 200) * 1.5,
            "real": rng.normal(size=200),
        }
    )
    types = FVBN("mixed", n_iter=1).fit(frame).column_types_
    cents = types["cents"]
    assert (cents.kind, cents.step) == ("numeric", 0.01)
    assert (cents.low, cents.high) == (frame["cents"].min(), frame["cents"].max())
    assert (types["real"].kind, types["real"].step) == ("numeric", 0)
    assert types["town"].kind == "categorical"
    assert list(types["town"].values) == ["b", "a"]
    assert types["level"].kind == "ordinal"
    assert list(types["level"].values) == [1.5, 3.0, 4.5]
    assert [own.dtype for own in types.values()] == list(frame.dtypes)
