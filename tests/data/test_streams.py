"""Tables that do not fit in memory are learned from as those that do."""

import tracemalloc
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone

from skdgm import (
    DBN,
    FVBN,
    VAE,
    BernoulliRBM,
    DBNClassifier,
    GaussianRBM,
    RBMClassifier,
)
from skdgm.callbacks import Checkpoint
from skdgm.data import streams
from skdgm.data.streams import streamed
from skdgm.training import canonical, column_sums
from skdgm.utils import blocks, rows
from skdgm.utils.blocks import Blocks
from skdgm.utils.rows import Rows
from tests.common.shapes import learned

pa = pytest.importorskip("pyarrow")
RNG = np.random.default_rng(0)
GROUPS = RNG.integers(0, 2, (600, 2))
X = np.where(RNG.random((600, 6)) < 0.1, 1, 0) ^ np.repeat(GROUPS, 3, axis=1)
X = X.astype(np.uint8)
FRAME = pd.DataFrame(X, columns=list("abcdef"))
LABELS = GROUPS[:, 0]


def of_arrow(frame, folder, size=70):
    """A Parquet file, and data sets of files and of a table."""
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    frame.to_parquet(folder / "rows.parquet", row_group_size=size, index=False)
    (folder / "parts").mkdir()
    for start in range(0, len(frame), 150):
        part = frame.iloc[start : start + 150]
        part.to_parquet(folder / "parts" / f"{start:04}.parquet", index=False)
    yield "file", pq.ParquetFile(folder / "rows.parquet")
    yield "folder", ds.dataset(folder / "parts")
    yield "table", ds.dataset(pa.Table.from_pandas(frame, preserve_index=False))


def of_zarr(values, folder, size=70):
    zarr = pytest.importorskip("zarr")
    found = zarr.create_array(
        folder / "rows.zarr",
        shape=values.shape,
        chunks=(size, values.shape[1]),
        dtype=values.dtype,
    )
    found[:] = values
    return found


def of_dask(values, size=70):
    return pytest.importorskip("dask.array").from_array(values, chunks=(size, 4))


def of_dask_frame(frame, n=5):
    return pytest.importorskip("dask.dataframe").from_pandas(frame, npartitions=n)


SOURCES = {
    "zarr": lambda folder: of_zarr(X, folder),
    "dask array": lambda _: of_dask(X),
    "dask frame": lambda _: of_dask_frame(FRAME),
    **{
        name: lambda folder, name=name: dict(of_arrow(FRAME, folder))[name]
        for name in ("file", "folder", "table")
    },
}
of_sources = pytest.mark.parametrize("source", SOURCES)


def in_blocks(values, size=70, **options):
    """A table in blocks, of arrays."""
    edges = [*range(0, len(values), size), len(values)]
    parts = [values[a:b] for a, b in pairwise(edges)]
    return Blocks(parts.__getitem__, np.diff(edges), values.shape[1], values.dtype)


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of 100 rows, two of which are a window; nothing is kept as lists."""
    monkeypatch.setattr(streams, "BLOCK", 600)
    monkeypatch.setattr(blocks, "WINDOW", 1200)
    monkeypatch.setattr(rows, "_MAX_LIST_BYTES", 0)


def assert_same(a, b):
    a, b = learned(a), learned(b)
    # Log Z is computed when it is asked for.
    late = "feature_names_in_", "log_Z_", "log_Z_se_", "log_Z_method_"
    names = {n for n in {**a, **b} if not any(part in n for part in late)}
    assert names == {n for n in a if n in names}
    for name in names:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


@pytest.mark.exhaustive(default=["zarr", "file", "table"])
@of_sources
def test_tables_that_fit_are_learned_as_arrays(source, tmp_path):
    given = SOURCES[source](tmp_path)
    rbm = BernoulliRBM(4, n_iter=3, random_state=0)
    whole, found = clone(rbm).fit(X), clone(rbm).fit(given)
    assert_same(whole, found)
    for method in ("transform", "score_samples", "free_energy"):
        expected = getattr(whole, method)(X)
        np.testing.assert_array_equal(getattr(found, method)(given), expected)
    names = hasattr(found, "feature_names_in_")
    assert names == (source not in ("zarr", "dask array"))
    if names:
        assert list(found.feature_names_in_) == list("abcdef")
        assert list(found.sample(3).columns) == list("abcdef")


@pytest.mark.exhaustive
@of_sources
def test_tables_are_read_in_blocks(source, tmp_path, small_blocks):
    given = streamed(SOURCES[source](tmp_path))
    np.testing.assert_array_equal(np.asarray(given), X)
    assert given.n_blocks >= (1 if source == "table" else 4)
    rbm = BernoulliRBM(4, n_iter=20, learning_rate=0.2, random_state=0)
    found, whole = clone(rbm).fit(given), clone(rbm).fit(X)
    # Rows come in another order.
    asked = FRAME if hasattr(found, "feature_names_in_") else X
    assert abs(found.score(asked) - whole.score(X)) < 0.05
    assert found.score(asked) > -3.5
    # Another way to read the same blocks is the same.
    parts = [given[a:b] for a, b in pairwise(given.edges)]
    other = Blocks(parts.__getitem__, np.diff(given.edges), 6, X.dtype)
    assert_same(found, clone(rbm).fit(other))


@pytest.mark.exhaustive(default=["FVBN", "VAE"])
@pytest.mark.parametrize(
    ("estimator", "values", "y"),
    [
        (GaussianRBM(3), RNG.normal(size=(300, 3)) + [1, 2, 3], None),
        pytest.param(
            *(RBMClassifier(3), X[:300], LABELS[:300]), marks=pytest.mark.exhaustive
        ),
        (FVBN(column_types="categorical"), X[:300] + X[:300, ::-1], None),
        (FVBN(column_types="mixed"), RNG.normal(size=(300, 3)).round(1), None),
        (VAE(2, hidden_layer_sizes=(5,)), X[:300], None),
        (DBN((4, 3)), X[:300], None),
        (DBNClassifier((4, 3)), X[:300], LABELS[:300]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_models_of_all_kinds_of_columns(estimator, values, y, small_blocks):
    estimator.set_params(n_iter=15, random_state=0)
    given = in_blocks(values)
    found = clone(estimator).fit(given, y)
    np.testing.assert_array_equal(
        found.score_samples(given) if y is None else found.predict(given),
        found.score_samples(values) if y is None else found.predict(values),
    )
    if y is None:
        whole = clone(estimator).fit(values)
        assert abs(found.score(values) - whole.score(values)) < 0.3
    # Again is the same.
    assert_same(found, clone(estimator).fit(in_blocks(values), y))


@pytest.mark.exhaustive
def test_weights_missing_values_and_early_stopping(small_blocks, tmp_path):
    holed = np.where(RNG.random(X.shape) < 0.1, np.nan, X).astype(np.float32)
    weight = np.arange(len(X)) % 3
    rbm = BernoulliRBM(
        4,
        n_iter=6,
        early_stopping=True,
        validation_fraction=0.3,
        learning_rate=0.2,
        random_state=0,
    )
    found = clone(rbm).fit(in_blocks(holed), sample_weight=weight)
    other = clone(rbm).fit(holed, sample_weight=weight)
    assert abs(found.score(X) - other.score(X)) < 0.1
    path = tmp_path / "rbm.skdgm"
    for _ in range(2):
        again = clone(rbm).set_callbacks(Checkpoint(path, n_epochs=1))
        again.fit(in_blocks(holed), sample_weight=weight)
        assert_same(again, found)


def test_passes_go_on(small_blocks):
    rbm = BernoulliRBM(4, random_state=0)
    for _ in range(2):
        rbm.partial_fit(in_blocks(X))
    assert rbm.n_iter_ == 2
    filled = rbm.impute(in_blocks(np.where(X == 1, 1.0, np.nan)))
    assert filled.shape == X.shape
    assert filled[X == 1].min() == 1


@pytest.mark.release
@pytest.mark.parametrize("kind", [BernoulliRBM, GaussianRBM])
def test_nothing_is_in_memory_as_a_whole(kind, monkeypatch):
    monkeypatch.setattr(blocks, "WINDOW", 2**19)
    monkeypatch.setattr(rows, "_MAX_LIST_BYTES", 0)
    values = RNG.integers(0, 2, (200, 1000)).astype(np.uint8)

    def peak(n_blocks):
        given = Blocks(lambda _: values.copy(), [200] * n_blocks, 1000, np.uint8)
        estimator = kind(4, n_iter=1, batch_size=500, random_state=0)
        tracemalloc.start()
        estimator.fit(given)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(5)
    # Of 40 MB of bytes more, or 160 of floats.
    assert peak(250) - peak(50) < 8e6


def test_columns_that_are_no_numbers(tmp_path):
    frame = FRAME.assign(city="Bern")
    for _, given in of_arrow(frame, tmp_path):
        with pytest.raises(TypeError, match="'city' has the type .*string"):
            BernoulliRBM(2).fit(given)
    with pytest.raises(TypeError, match="'city' has the type"):
        BernoulliRBM(2).fit(of_dask_frame(frame))
    with pytest.raises(TypeError, match="not numeric"):
        BernoulliRBM(2).fit(of_dask(np.array([["a", "b"]])))


def test_missing_values_of_arrow_are_missing(tmp_path):
    frame = FRAME.astype("Int64").mask(RNG.random(FRAME.shape) < 0.1)
    frame["a"] = frame["a"].astype("boolean")
    expected = frame.to_numpy(float, na_value=np.nan)
    assert np.isnan(expected).any()
    for _, given in of_arrow(frame, tmp_path):
        np.testing.assert_array_equal(np.asarray(streamed(given)), expected)
    given = streamed(of_dask_frame(frame))
    np.testing.assert_array_equal(np.asarray(given), expected)


def test_files_of_a_data_set_may_have_several_row_groups(tmp_path, small_blocks):
    import pyarrow.dataset as ds

    for number in range(2):
        path = tmp_path / f"{number}.parquet"
        FRAME[number * 300 :][:300].to_parquet(path, row_group_size=70, index=False)
    given = streamed(ds.dataset(tmp_path))
    assert given.n_blocks == 8
    np.testing.assert_array_equal(np.asarray(given), X)


def test_partitions_of_a_data_set_are_columns(tmp_path):
    import pyarrow.dataset as ds

    for value in (0, 1):
        (tmp_path / f"g={value}").mkdir()
        part = FRAME[value == LABELS]
        part.to_parquet(tmp_path / f"g={value}" / "rows.parquet", index=False)
    given = streamed(ds.dataset(tmp_path, partitioning="hive"))
    assert list(given.header.columns) == [*"abcdef", "g"]
    assert np.asarray(given)[:, 6].sum() == LABELS.sum()


def test_arrays_of_dask_that_cannot_be_read():
    da = pytest.importorskip("dask.array")
    given = of_dask(X)
    with pytest.raises(ValueError, match="compute_chunk_sizes"):
        BernoulliRBM(2).fit(given[given[:, 0] > 0])
    known = given[given[:, 0] > 0].compute_chunk_sizes()
    BernoulliRBM(2, n_iter=1).fit(known)
    with pytest.raises(ValueError, match="1 dimensions"):
        BernoulliRBM(2).fit(given[:, 0])
    with pytest.raises(ValueError, match="0 sample"):
        BernoulliRBM(2).fit(given[:0])
    with pytest.raises(TypeError, match="Series of Dask, which is no table"):
        BernoulliRBM(2).fit(of_dask_frame(FRAME)["a"])
    wrong = da.map_blocks(lambda part: part[:, :3], of_dask(X[:, :4]), dtype=X.dtype)
    with pytest.raises(ValueError, match="3 columns"):
        BernoulliRBM(2).fit(wrong)


def test_partitions_that_are_empty_or_of_another_width():
    frame = of_dask_frame(FRAME)
    empty = frame.partitions[1].map_partitions(lambda part: part.iloc[:0])
    dd = pytest.importorskip("dask.dataframe")
    joined = dd.concat([frame, empty, frame])
    found = streamed(joined)
    assert found.shape == (1200, 6)
    np.testing.assert_array_equal(np.asarray(found), np.concatenate([X, X]))

    def narrow(part):
        return part if part.index[0] else part[["a", "b"]]

    wrong = frame.map_partitions(narrow, meta=frame._meta)
    with pytest.raises(ValueError, match="columns"):
        BernoulliRBM(2).fit(wrong)


def test_sparse_chunks(small_blocks):
    da = pytest.importorskip("dask.array")
    given = da.from_array(X, chunks=(100, 6)).map_blocks(sp.csr_matrix)
    np.testing.assert_array_equal(np.asarray(streamed(given)), X)


def test_values_out_of_range(small_blocks):
    for bad, message in ((-1.0, "Negative values"), (np.inf, "contains infinity")):
        values = X.astype(float)
        values[-1, -1] = bad
        with pytest.raises(ValueError, match=message):
            BernoulliRBM(2).fit(in_blocks(values))
    rbm = BernoulliRBM(2, n_iter=1).fit(FRAME)
    with pytest.raises(ValueError, match="feature names"):
        rbm.score_samples(of_dask_frame(FRAME[list("bacdef")]))
    with pytest.raises(ValueError, match="5 features"):
        BernoulliRBM(2, n_iter=1).fit(X).transform(of_dask(X[:, :5]))


def test_sums_are_known_after_the_first_pass(small_blocks):
    values = np.where(RNG.random(X.shape) < 0.1, np.nan, X)
    for table, n_passes in ((X, 1), (values, 1), (X.astype(np.float64), 1)):
        rows = BernoulliRBM(2)._rows(in_blocks(table), reset=True)
        known = column_sums(canonical(rows))
        assert rows.X.n_loaded == n_passes * rows.X.n_blocks
        rows.X.sums = None
        # As they are read, and as arrays have them.
        for other in (canonical(rows), canonical(Rows(table, rows.dtype))):
            np.testing.assert_array_equal(known, column_sums(other))
        for weight in (RNG.integers(0, 3, len(table)), np.full(len(table), 2)):
            weighted = canonical(
                BernoulliRBM(2)._rows(in_blocks(table), reset=True),
                weight.astype(float),
            )
            expected = weight @ ~np.isnan(table), weight @ np.nan_to_num(table)
            np.testing.assert_array_equal(column_sums(weighted), expected)


def test_lines_say_which_block_is_read(small_blocks, monkeypatch, capsys):
    rbm = BernoulliRBM(2, n_iter=1, random_state=0)
    given = of_dask(X.astype(np.float64), 100)
    quiet = clone(rbm).fit(given)
    monkeypatch.setattr(blocks, "_PAUSE", 0.0)
    assert_same(quiet, clone(rbm).set_params(verbose=True).fit(given))
    lines = capsys.readouterr().err.splitlines()
    lines = [line for line in lines if "Block" in line]
    assert lines[:2] == [
        "[BernoulliRBM] Block 1 of 6 of this pass",
        "[BernoulliRBM] Block 2 of 6 of this pass",
    ]
    # Once each of a pass.
    assert lines.count("[BernoulliRBM] Block 6 of 6 of this pass") >= 2
    DBN((3, 2), n_iter=1, verbose=True).fit(given)
    assert "[DBN] Block 6 of 6" in capsys.readouterr().err
    monkeypatch.setattr(blocks, "_PAUSE", 1000.0)
    clone(rbm).set_params(verbose=True).fit(given)
    clone(rbm).fit(given)
    assert "Block" not in capsys.readouterr().err


def test_incremental_and_parallel_post_fit_of_dask():
    wrappers = pytest.importorskip("dask_ml.wrappers")
    given = of_dask(X, 150).rechunk((150, 6))
    rbm = BernoulliRBM(4, random_state=0)
    found = wrappers.Incremental(clone(rbm), shuffle_blocks=False).fit(given)
    by_hand = clone(rbm)
    for start in range(0, 600, 150):
        by_hand.partial_fit(X[start : start + 150])
    np.testing.assert_array_equal(found.estimator_.components_, by_hand.components_)
    parallel = wrappers.ParallelPostFit(
        by_hand, transform_meta=np.empty((0, 4), np.float32)
    )
    features = parallel.transform(given)
    assert features.chunks[0] == (150,) * 4
    np.testing.assert_allclose(features.compute(), by_hand.transform(X), rtol=1e-6)
