"""What every estimator promises beyond scikit-learn's checks."""

import pickle
import tracemalloc
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import config_context
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.exceptions import NotFittedError
from sklearn.metrics import check_scoring
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from skdgm.exceptions import MissingDataWarning
from tests.common.instances import INSTANCES, name_of

RNG = np.random.default_rng(0)
# Two overlapping patterns with noise: enough for something to be learned.
PATTERNS = (RNG.random((2, 30)) < 0.5).astype(np.float64)
X = abs(PATTERNS[RNG.integers(0, 2, 80)] - (RNG.random((80, 30)) < 0.1))
GREY = np.clip(X + RNG.normal(0, 0.2, X.shape), 0, 1)
HOLED = np.where(RNG.random(X.shape) < 0.2, np.nan, X)


@pytest.fixture(params=INSTANCES, ids=name_of)
def estimator(request):
    return clone(request.param)


def learned(estimator):
    """All fitted arrays, by name."""
    return {
        name: np.asarray(value)
        for name, value in vars(estimator).items()
        if name.endswith("_") and not name.startswith("_")
    }


def assert_same(a, b, **tolerance):
    a, b = learned(a), learned(b)
    assert a.keys() == b.keys()
    for name in a:
        if name not in ("n_features_in_", "feature_names_in_"):
            if tolerance:
                np.testing.assert_allclose(a[name], b[name], err_msg=name, **tolerance)
            else:
                np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def test_default_parameters_learn_something(estimator):
    start = clone(estimator).set_params(n_iter=0).fit(X)
    assert estimator.set_params(n_iter=40).fit(X).score(X) > start.score(X)


@pytest.mark.parametrize(
    "given, kept",
    [(np.float32, np.float32), (np.float64, np.float64)]
    + [(t, np.float32) for t in (bool, np.uint8, np.int64, np.float16)],
)
def test_types(estimator, given, kept):
    estimator.fit(X.astype(given))
    for array in (
        estimator.transform(X),
        estimator.inverse_transform(estimator.transform(X)),
        estimator.sample(3, random_state=0),
        estimator.impute(HOLED),
    ):
        assert array.dtype == kept
    assert estimator.score_samples(X).dtype == np.float64
    estimator.partial_fit(X.astype(np.float64))
    assert estimator.transform(X).dtype == kept


def test_storage_types_of_bits_agree(estimator):
    assert_same(
        clone(estimator).fit(X.astype(np.uint8)), estimator.fit(X.astype(np.float32))
    )


@pytest.mark.parametrize("data", [X, GREY, HOLED], ids=["bits", "grey", "holed"])
@pytest.mark.parametrize("convert", [sp.csr_array, sp.csr_matrix, sp.csc_array])
def test_sparse_is_dense(estimator, data, convert):
    sparse = convert(data)
    a, b = clone(estimator).fit(sparse), estimator.fit(data)
    assert_same(a, b)
    for method in ("transform", "score_samples", "impute"):
        np.testing.assert_array_equal(
            getattr(a, method)(sparse), getattr(b, method)(data)
        )


@pytest.mark.parametrize("data", [X, GREY, HOLED], ids=["bits", "grey", "holed"])
def test_whole_weights_are_repetitions(estimator, data):
    weight, order = RNG.integers(0, 4, len(data)), RNG.permutation(len(data))
    weighted = clone(estimator).fit(data[order], sample_weight=weight[order])
    repeated = clone(estimator).fit(np.repeat(data, weight, axis=0))
    assert_same(weighted, repeated)
    weighted.partial_fit(data[order], sample_weight=weight[order])
    repeated.partial_fit(np.repeat(data, weight, axis=0))
    assert_same(weighted, repeated)


def test_order_of_rows_does_not_matter(estimator):
    order = RNG.permutation(len(GREY))
    assert_same(clone(estimator).fit(GREY[order]), estimator.fit(GREY))


@pytest.mark.parametrize("n_threads", [2, 4])
def test_thread_count_does_not_matter(estimator, n_threads):
    # Wide enough for BLAS to use its threads.
    wide = (RNG.random((150, 700)) < 0.3).astype(np.float32)
    estimator.set_params(n_components=300, batch_size=100, n_iter=2)
    with threadpool_limits(1):
        one = clone(estimator).fit(wide)
        one_transformed = one.transform(wide)
    with threadpool_limits(n_threads):
        many = clone(estimator).fit(wide)
        many_transformed = many.transform(wide)
    assert_same(one, many)
    np.testing.assert_array_equal(one_transformed, many_transformed)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_n_jobs_does_not_matter(estimator, backend):
    from joblib import parallel_config

    def search(n_jobs):
        grid = {"learning_rate": [0.05, 0.1]}
        with parallel_config(backend=backend):
            return GridSearchCV(estimator, grid, cv=2, n_jobs=n_jobs).fit(X)

    one, two = search(1), search(2)
    np.testing.assert_array_equal(
        one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"]
    )
    assert_same(one.best_estimator_, two.best_estimator_)


def test_a_seed_settles_everything(estimator):
    assert_same(clone(estimator).fit(X), clone(estimator).fit(X))
    other = clone(estimator).set_params(random_state=1).fit(X)
    assert (other.transform(X) != estimator.fit(X).transform(X)).any()
    a, b, c = (estimator.sample(20, random_state=seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(a, b)
    assert (a != c).any()


def test_random_state_may_be_a_generator_or_none(estimator):
    estimator.set_params(random_state=np.random.RandomState(0)).fit(X)
    estimator.set_params(random_state=None).fit(X)
    assert estimator.sample(2).shape == (2, 30)


def test_pickle_and_go_on(estimator):
    estimator.fit(X)
    other = pickle.loads(pickle.dumps(estimator))
    assert_same(estimator, other)
    np.testing.assert_array_equal(estimator.score_samples(X), other.score_samples(X))
    assert_same(estimator.partial_fit(X), other.partial_fit(X))
    assert_same(clone(estimator).fit(X), clone(other).fit(X))


def test_partial_fits_are_the_epochs_of_fit(estimator):
    estimator.set_params(early_stopping=False, schedule="constant", n_steps=2)
    whole, parts = clone(estimator).fit(GREY), clone(estimator)
    for _ in range(estimator.n_iter):
        assert parts.partial_fit(GREY) is parts
    assert_same(whole, parts)


def test_partial_fit_does_not_touch_arrays_handed_out(estimator):
    components = estimator.fit(X).components_
    before = components.copy()
    estimator.partial_fit(X)
    np.testing.assert_array_equal(components, before)
    assert (estimator.components_ != before).any()


def test_warm_start_goes_on(estimator):
    estimator.set_params(warm_start=True, early_stopping=False).fit(X)
    first, n_iter = estimator.components_, estimator.n_iter
    estimator.fit(X)
    assert estimator.n_iter_ == 2 * n_iter
    assert len(estimator.loss_curve_) == 2 * n_iter
    assert (estimator.components_ != first).any()
    cold = clone(estimator).set_params(warm_start=False)
    assert_same(cold.fit(X).fit(X), clone(cold).fit(X))


def test_methods_write_nothing(estimator):
    estimator.fit(X)
    before = pickle.dumps(vars(estimator))
    estimator.transform(HOLED)
    estimator.inverse_transform(estimator.transform(X))
    estimator.sample(3)
    estimator.impute(HOLED)
    estimator.free_energy(X)
    estimator.pseudo_likelihood(X)
    assert pickle.dumps(vars(estimator)) == before


def test_score_is_the_mean_of_score_samples(estimator):
    scores = estimator.fit(X).score_samples(HOLED)
    assert scores.shape == (80,)
    np.testing.assert_array_equal(scores, estimator.score_samples(HOLED))
    assert estimator.score(HOLED) == pytest.approx(scores.mean())
    weight = RNG.random(80)
    assert estimator.score(HOLED, sample_weight=weight) == pytest.approx(
        np.average(scores, weights=weight)
    )


def test_rows_do_not_depend_on_their_company(estimator):
    estimator.fit(X)
    rows = np.array([41, 3, 77])
    for method in ("transform", "score_samples", "impute", "pseudo_likelihood"):
        call = getattr(estimator, method)
        np.testing.assert_allclose(
            call(HOLED[rows]), call(HOLED)[rows], rtol=1e-9, atol=1e-12
        )


def test_weights_are_routed(estimator):
    with config_context(enable_metadata_routing=True):
        estimator.set_fit_request(sample_weight=True)
        pipeline = make_pipeline(clone(estimator)).fit(X, sample_weight=np.arange(80))
    assert_same(pipeline[0], estimator.fit(X, sample_weight=np.arange(80)))


def test_missing_values_everywhere(estimator):
    estimator.fit(HOLED).partial_fit(HOLED)
    filled = estimator.impute(HOLED)
    observed = ~np.isnan(HOLED)
    np.testing.assert_array_equal(filled[observed], HOLED[observed])
    assert ((filled >= 0) & (filled <= 1)).all()
    for result in (
        estimator.transform(HOLED),
        estimator.score_samples(HOLED),
        estimator.loss_curve_,
    ):
        assert np.isfinite(result).all()


def test_data_frames(estimator):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=[f"pixel {i}" for i in range(30)])
    estimator.set_output(transform="pandas").fit(frame)
    out = estimator.transform(frame)
    assert list(out.columns) == list(estimator.get_feature_names_out())
    assert list(out.index) == list(frame.index)
    assert len(out.columns) == estimator.n_components
    assert list(estimator.feature_names_in_) == list(frame.columns)
    with pytest.raises(ValueError, match="feature names should match"):
        estimator.transform(frame[frame.columns[::-1]])


def peak_memory(estimator, X):
    tracemalloc.start()
    estimator.fit(X)
    estimator.transform(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.fixture
def small(estimator):
    return estimator.set_params(
        n_iter=1, batch_size=500, n_components=4, early_stopping=False
    )


def test_memory_mapped_data_are_not_copied(small, tmp_path):
    big = np.lib.format.open_memmap(
        tmp_path / "X.npy", mode="w+", dtype=np.uint8, shape=(60_000, 100)
    )
    big[:] = RNG.integers(0, 2, big.shape, dtype=np.uint8)
    big.flush()
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    assert peak_memory(small, mapped) < mapped.size * np.float32().nbytes


def test_sparse_data_are_not_made_dense(small):
    X = sp.random_array((20_000, 1500), density=0.005, rng=0, format="csr")
    assert peak_memory(small, X) < X.shape[0] * X.shape[1] * X.dtype.itemsize / 4


def test_nothing_observed_at_all(estimator):
    with pytest.warns(MissingDataWarning):
        estimator.fit(np.full((12, 3), np.nan))
    np.testing.assert_allclose(estimator.score_samples(np.full((2, 3), np.nan)), 0)


def test_scoring_monitor_hears_of_every_epoch(estimator):
    estimator.set_params(early_stopping=False)
    monitor = ScoringMonitor(
        scoring={"ll": lambda e, X, y: e.score(X), "pl": lambda e, X, y: e.n_iter}
    )
    estimator.set_callbacks(monitor).fit(X)
    rows = [r for r in monitor.get_logs().data if r["task_name"] == "epoch"]
    assert [row["task_id"] for row in rows] == list(range(estimator.n_iter))
    assert rows[-1]["ll"] == pytest.approx(estimator.score(X))
    assert rows[0]["ll"] != rows[-1]["ll"]


def test_weights_reach_the_scorers_of_callbacks(estimator):
    monitor = ScoringMonitor(scoring={"score": check_scoring(estimator)})
    weight = RNG.random(len(X))
    estimator.set_callbacks(monitor).fit(X, sample_weight=weight)
    last = [r for r in monitor.get_logs().data if r["task_name"] == "fit"][-1]
    assert last["score"] == pytest.approx(estimator.score(X, sample_weight=weight))


def test_a_callback_may_stop_training(estimator):
    class StopAtOnce:
        def setup(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context):
            return context.task_name == "epoch"

        def teardown(self, estimator, context):
            pass

    estimator.set_callbacks(StopAtOnce()).fit(X)
    assert estimator.n_iter_ == 1


def test_progress_bar(estimator, capsys):
    pytest.importorskip("rich")
    estimator.set_callbacks(ProgressBar()).fit(X)
    assert type(estimator).__name__ in capsys.readouterr().out


@pytest.mark.parametrize(
    "method", ["transform", "score_samples", "score", "impute", "free_energy", "gibbs"]
)
def test_unfitted(estimator, method):
    with pytest.raises(NotFittedError):
        getattr(estimator, method)(X)


def test_unfitted_without_data(estimator):
    for call in (
        estimator.sample,
        estimator.get_feature_names_out,
        lambda: estimator.inverse_transform(X),
        lambda: estimator.log_Z_,
    ):
        with pytest.raises(NotFittedError):
            call()
    assert not hasattr(estimator, "density_kind_")


@pytest.mark.parametrize(
    "name", ["learning_rate", "n_components", "gradient", "n_steps"]
)
@pytest.mark.parametrize("value", [np.nan, -1, "nonsense", [3], ()])
def test_invalid_parameters_are_named(estimator, name, value):
    with pytest.raises(ValueError, match=name):
        estimator.set_params(**{name: value}).fit(X)


@pytest.mark.parametrize(
    "weight, message",
    [
        (np.zeros(80), "zero"),
        (-np.ones(80), "[Nn]egative"),
        (np.full(80, np.nan), "NaN"),
        (np.ones(79), "sample_weight"),
    ],
)
def test_invalid_weights(estimator, weight, message):
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, sample_weight=weight)


def test_a_failed_fit_loses_nothing(estimator):
    estimator.fit(X)
    before = learned(estimator)
    for bad in (np.full((5, 30), np.inf), X[:0], -X, -X[:, :4]):
        for method in (estimator.fit, estimator.partial_fit):
            with pytest.raises(ValueError):
                method(bad)
    with pytest.raises(ValueError):
        estimator.fit(X[:, :4], sample_weight=np.zeros(80))
    after = learned(estimator)
    for name, value in before.items():
        np.testing.assert_array_equal(value, after[name])
    assert np.isfinite(estimator.partial_fit(X).score(X))


def test_no_warning_and_no_nan_on_awkward_data(estimator):
    one_row, constant = X[:1], np.ones((20, 3))
    estimator.set_params(early_stopping=False)
    for data in (one_row, constant, constant * 0, X[:, :1], np.full((9, 2), 0.5)):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            estimator.fit(data)
            for result in (
                estimator.transform(data),
                estimator.score_samples(data),
                estimator.sample(4, random_state=0),
            ):
                assert np.isfinite(result).all()
