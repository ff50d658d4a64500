import warnings

import numpy as np
import pytest
import scipy.sparse as sp

from skdgm import DBN, VAE, BernoulliRBM, EoNADE, GaussianRBM
from skdgm.exceptions import DataRangeWarning
from skdgm.utils.domains import _sums, bernoulli_rows, real_rows
from tests.suites import DTYPES, FLOAT32

X = np.array([[0.0, 0.5], [1.0, np.nan]])


def rows_of(X, **options):
    return bernoulli_rows(BernoulliRBM(), X, reset=True, **options)


@pytest.mark.parametrize("convert", [np.asarray, sp.csr_array, sp.csc_array])
def test_sound_data_pass_in_silence(convert):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = rows_of(convert(X), fitting=True)
    assert rows.bounds is None
    np.testing.assert_array_equal(rows.take(slice(None)), X)


def test_nothing_is_remembered_before_all_is_well():
    rbm = BernoulliRBM()
    bernoulli_rows(rbm, X, reset=True)
    assert not hasattr(rbm, "n_features_in_")


@pytest.mark.parametrize("convert", [np.asarray, sp.csr_array])
def test_range(convert):
    with pytest.raises(ValueError, match="Negative values in data passed to Bern"):
        rows_of(convert(X - 1), fitting=True)
    with pytest.warns(DataRangeWarning, match="from -1 to"):
        rows = rows_of(convert(X - 1))
    assert np.nanmin(rows.take(slice(None))) == 0
    with pytest.warns(DataRangeWarning, match="255"):
        rows = rows_of(convert(X * 255), fitting=True)
    assert np.nanmax(rows.take(slice(None))) == 1


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("fitting", [False, True])
@pytest.mark.filterwarnings("error")
def test_rounding_errors_are_clipped_in_silence(dtype, fitting):
    eps = np.finfo(dtype).eps
    rows = rows_of(np.array([[-eps, 1 + eps]], dtype), fitting=fitting)
    np.testing.assert_array_equal(rows.take(slice(None)), [[0, 1]])
    error, message = DataRangeWarning, "values from -1e-05 to 1.00001"
    if fitting:
        error, message = ValueError, "Negative values"
    with pytest.raises(error, match=message):
        rows_of(np.array([[-1e-5, 1 + 1e-5]], dtype), fitting=fitting)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int32, np.float16, FLOAT32])
def test_types_are_left_as_they_are(dtype):
    data = np.eye(3).astype(dtype)
    rows = rows_of(data)
    assert rows.X is data
    assert rows.dtype == np.float32


def test_double_entries_of_sparse_rows_are_summed():
    twice = sp.csr_array(([0.25, 0.5], [1, 1], [0, 2]), shape=(1, 2))
    rows = rows_of(twice)
    np.testing.assert_array_equal(rows.take(slice(None)), [[0, 0.75]])
    assert twice.nnz == 2


@pytest.mark.parametrize("dtype", [np.float64, np.longdouble])
def test_values_beyond_single_precision_are_clipped(dtype):
    with pytest.warns(DataRangeWarning, match="clips them") as caught:
        rows = rows_of(np.array([[-1.7e308, 0.5], [1e300, 0]], dtype))
    assert len(caught) == 1
    np.testing.assert_array_equal(rows.take(slice(None)), [[0, 0.5], [1, 0]])


def test_infinity():
    with pytest.raises(ValueError, match="infinity"):
        rows_of(np.array([[np.inf]]))


@pytest.mark.parametrize("convert", [np.asarray, sp.csr_array])
def test_real_values_pass_as_they_are(convert):
    data = convert(np.array([[-1e9, 0.5], [3.0, 1e-9]]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = real_rows(GaussianRBM(), data, reset=True)
    assert rows.X is data
    assert rows.bounds is None
    assert rows.complete
    assert not rows.listed
    assert not real_rows(GaussianRBM(), convert(X), reset=True).complete
    assert real_rows(GaussianRBM(), data.astype(np.int32), reset=True).dtype == (
        np.float32
    )


def test_real_values_are_finite():
    with pytest.raises(ValueError, match="infinity"):
        real_rows(GaussianRBM(), np.array([[np.inf]]), reset=True)


@pytest.mark.parametrize(
    "estimator, remedy",
    [
        (EoNADE(), 'Fit with column_types="gaussian" .* or with column_types="mixed"'),
        (VAE(), 'Fit with column_types="gaussian" .* or with column_types="mixed"'),
        (DBN(), 'Fit with column_types="gaussian"'),
        (DBN(layers=[("bottom", BernoulliRBM())]), "such as GaussianRBM"),
        (BernoulliRBM(), "such as GaussianRBM"),
    ],
)
def test_another_kind_of_columns_is_advised_first(estimator, remedy):
    ages = np.array([[23.0, 1], [61, 0]])
    with pytest.warns(DataRangeWarning, match=f"{remedy}.*MinMaxScaler"):
        bernoulli_rows(estimator, ages, reset=True, fitting=True)
    with pytest.raises(ValueError, match=f"{remedy}.*MinMaxScaler"):
        bernoulli_rows(estimator, -ages, reset=True, fitting=True)


ORDINARY = np.random.RandomState(0).rand(6, 2).round(1)


@pytest.mark.parametrize("dtype", [FLOAT32, np.float64, np.uint8, bool])
@pytest.mark.parametrize("hole", [False, True])
def test_ordinary_tables_are_read_as_scikit_learn_reads_them(dtype, hole, monkeypatch):
    rbm = BernoulliRBM(2, n_iter=1, random_state=0).fit(ORDINARY)
    table = ORDINARY.astype(dtype)
    if hole and table.dtype.kind == "f":
        table[0, 1] = np.nan
    quick = bernoulli_rows(rbm, table)
    monkeypatch.setattr("skdgm.utils.domains._is_plain", lambda *_: False)
    slow = bernoulli_rows(rbm, table)
    assert quick.X is table
    assert quick[1:] == slow[1:]
    present = table[~np.isnan(table)] if table.dtype.kind == "f" else table
    assert quick.density == np.count_nonzero(present) / table.size
    assert quick.complete == (present.size == table.size)
    assert quick.binary == np.isin(present, [0, 1]).all()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda X: np.where(X > 0.8, np.inf, X), "infinity"),
        (lambda X: np.where(X > 0.8, -np.inf, X), "infinity"),
        (lambda X: X[:, :1], "1 features, but BernoulliRBM is expecting 2"),
        (lambda X: X[:0], "minimum of 1 is required"),
        (lambda X: X[0], "Expected 2D array"),
    ],
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_scikit_learn_refuses_other_tables(spoil, message, dtype):
    rbm = BernoulliRBM(2, n_iter=1, random_state=0).fit(ORDINARY)
    with pytest.raises(ValueError, match=message):
        rbm.transform(spoil(ORDINARY.astype(dtype)))


def test_a_table_without_the_names_of_the_fit_is_told():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(ORDINARY, columns=["a", "b"])
    rbm = BernoulliRBM(2, n_iter=1, random_state=0).fit(frame)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        rbm.transform(ORDINARY)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, bool])
def test_numbers_and_sums_of_known_entries(dtype):
    X = (np.random.default_rng(0).random((3, 5)) * 9).astype(dtype)
    if np.dtype(dtype).kind == "f":
        X[0, 1] = X[2, 1] = X[1, 4] = np.nan
    seen, total = _sums(X)
    known = ~np.isnan(X.astype(float))
    np.testing.assert_array_equal(seen, known.sum(axis=0))
    np.testing.assert_allclose(total, np.where(known, X, 0).sum(axis=0), rtol=1e-6)
