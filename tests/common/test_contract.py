"""What every estimator promises beyond scikit-learn's checks."""

import pickle
import re
import tracemalloc
import warnings
from contextlib import suppress
from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn import config_context
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.exceptions import NotFittedError
from sklearn.metrics import check_scoring, r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags
from threadpoolctl import threadpool_limits

from skdgm import ConditionalRBM, GatedRBM, GeneratorNet, ReplicatedSoftmax
from skdgm.base.groups import asked_value
from skdgm.exceptions import (
    DataRangeWarning,
    DivergenceError,
    InterruptedFitWarning,
    MissingDataWarning,
)
from skdgm.training import Callbacks
from skdgm.utils import progress
from tests.callbacks import Callback
from tests.common.instances import CLASSES, INSTANCES, KINDS, READERS, cases, name_of
from tests.common.shapes import (
    brief,
    having,
    having_option,
    learned,
    losses,
    machine,
    n_heard,
    n_lines,
    options,
    passes,
    weights,
)
from tests.options import details_of

RNG = np.random.default_rng(0)
# Two overlapping patterns with noise: enough for something to be learned.
PATTERNS = (RNG.random((2, 30)) < 0.5).astype(np.float64)
WHICH = RNG.integers(0, 2, 80)
BITS = abs(PATTERNS[WHICH] - (RNG.random((80, 30)) < 0.1))
HOLES = RNG.random(BITS.shape) < 0.2
# The same as real numbers, in columns of very different scales.
REAL = BITS + RNG.normal(0, 0.3, BITS.shape)
REAL = 10.0 ** RNG.integers(-3, 4, 30) * (REAL + RNG.integers(-9, 9, 30))
LABELS = np.array(["one", "other"])[WHICH]
# Two numbers for each row, some of them unknown.
NUMBERS = np.column_stack([100 + 10 * WHICH, -BITS[:, :9].sum(axis=1)])
NUMBERS = np.where(RNG.random(NUMBERS.shape) < 0.1, np.nan, NUMBERS)


# Methods that give something of each row, where there are such.
SCORES = ["score_samples", "likelihood_bound", "importance_likelihood"]
OF_ROWS = ["free_energy", "pseudo_likelihood", "transform_layers", *SCORES]
OF_ROWS += ["predict", "predict_proba", "predict_log_proba"]


def takes_reals(estimator):
    """Whether columns are numbers of any sign, not bits or counts."""
    return not get_tags(estimator).input_tags.positive_only


class Data:
    """Rows of an estimator's domain, and the labels that it needs if it does."""

    def __init__(self, estimator):
        self.real = takes_reals(estimator)
        self.classes, self.numbers = is_classifier(estimator), is_regressor(estimator)
        self.labeled = self.classes or self.numbers
        # What is modeled is y given X.
        self.conditional = isinstance(estimator, ConditionalRBM | GatedRBM)
        # Rows may also be generated given y.
        self.given = self.labeled or get_tags(estimator).target_tags.required
        self.targets = LABELS
        if self.numbers:
            self.targets = NUMBERS if self.real else NUMBERS[:, 1]
        # Bits are counts, and gray values fractions of them.
        self.counts = isinstance(estimator, ReplicatedSoftmax)
        self.counts |= asked_value(estimator, "column_types", None) == "poisson"
        gray = BITS + RNG.normal(0, 0.2, BITS.shape)
        self.bits, self.X = BITS, REAL if self.real else BITS
        # Gray or real values, and many zeros.
        self.gray = np.where(BITS, gray, 0) if self.real else np.clip(gray, 0, 1)
        self.holed = np.where(HOLES, np.nan, self.X)
        # Bits are listed in another way than gray rows; numbers are numbers.
        self.others = [self.holed] if self.real else [self.holed, self.X]

    def y(self, rows=slice(None)):
        """The labels of some rows, or other targets, as arguments."""
        return {"y": self.targets[rows]} if self.given else {}

    def alternate(self, X):
        """Labels for other rows, by turns."""
        return {"y": np.arange(X.shape[0]) % 2} if self.given else {}


@pytest.fixture(params=cases(INSTANCES))
def estimator(request):
    """One that learns for long enough to have changed all that it learns."""
    return brief(clone(request.param))


# What no option but the kind of columns has a part in, what not even that has, and what
# is of the code that reads rows.
of_kinds = pytest.mark.parametrize("estimator", cases(KINDS), indirect=True)
of_classes = pytest.mark.parametrize("estimator", cases(CLASSES), indirect=True)
of_readers = pytest.mark.parametrize("estimator", cases(READERS), indirect=True)


OF_REALS = [one for one in KINDS if takes_reals(one) and not is_regressor(one)]


@pytest.fixture
def data(estimator):
    return Data(estimator)


def assert_same(a, b):
    a, b = learned(a), learned(b)
    assert a.keys() == b.keys()
    for name in a:
        if not name.endswith(("n_features_in_", "feature_names_in_")):
            np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def quality(estimator, data):
    """What an estimator is for, in nats."""
    if data.conditional:
        return estimator.score_samples(data.X, data.targets).mean()
    if not data.labeled:
        return estimator.score_samples(data.X).mean()
    if data.numbers:
        gap = estimator.predict(data.X) - data.targets
        return -np.nanmean(gap**2 / np.nanvar(data.targets, axis=0))
    codes = np.searchsorted(estimator.classes_, LABELS)
    return estimator.predict_log_proba(data.X)[np.arange(80), codes].mean()


def test_default_parameters_learn_something(estimator, data):
    start = having(clone(estimator), n_iter=0).fit(data.X, **data.y())
    least = quality(start, data)
    having(estimator, early_stopping=False)
    # Few epochs do for most.
    assert any(
        quality(having(estimator, n_iter=n).fit(data.X, **data.y()), data) > least
        for n in (10, 40)
    )


def assert_types(estimator, data, given, kept):
    """What an estimator gives is of the type that it learned from."""
    X = BITS
    estimator.fit(X.astype(given), **data.y())
    found = [estimator.transform(X), weights(estimator)]
    if not data.conditional:
        found.append(estimator.sample(3, random_state=0))
        found.append(estimator.impute(np.where(HOLES, np.nan, X).astype(kept)))
    if hasattr(estimator, "inverse_transform"):
        found.append(estimator.inverse_transform(found[0]))
    assert {array.dtype for array in found} == {np.dtype(kept)}
    assert estimator.score_samples(X).dtype == np.float64
    # What is known stays, to the last digit.
    if not data.conditional:
        assert estimator.impute(X.astype(np.float64)).dtype == np.float64
    estimator.partial_fit(X.astype(np.float64), **data.y())
    assert estimator.transform(X).dtype == kept


@pytest.mark.exhaustive(default=["BernoulliRBM-", "EoNADE-", "VAE"])
@of_kinds
def test_float32_stays(estimator, data):
    assert_types(estimator, data, np.float32, np.float32)


@of_kinds
def test_float64_stays(estimator, data):
    assert_types(estimator, data, np.float64, np.float64)


@pytest.mark.release(default=["BernoulliRBM", "FVBN"])
@of_readers
def test_other_types_become_float32(estimator, data):
    for dtype in (bool, np.uint8, np.int64, np.float16):
        assert_types(clone(estimator), data, dtype, np.float32)


@of_classes
def test_text_and_dates_are_refused(estimator, data):
    text = data.X.astype(object)
    text[3, 2] = "?"
    dates = np.zeros(data.X.shape, "M8[D]")
    estimator.fit(data.X, **data.y())
    for method in (estimator.transform, lambda X: estimator.fit(X, **data.y())):
        with pytest.raises(
            ValueError, match=r"column 2 has other values .*\?.*: encode it"
        ):
            method(text)
        with pytest.raises(TypeError, match="X has the dtype datetime64.D."):
            method(dates)


@pytest.mark.exhaustive(default=["BernoulliRBM", "NADE-", "VAE"])
@of_kinds
def test_storage_types_of_bits_agree(estimator, data):
    assert_same(
        clone(estimator).fit(BITS.astype(np.uint8), **data.y()),
        estimator.fit(BITS.astype(np.float32), **data.y()),
    )


def assert_sparse_is_dense(estimator, data, dense, convert):
    sparse = convert(dense)
    a = clone(estimator).fit(sparse, **data.y())
    b = clone(estimator).fit(dense, **data.y())
    assert_same(a, b)
    for method in ("transform", "score_samples", "impute"):
        np.testing.assert_array_equal(
            getattr(a, method)(sparse), getattr(b, method)(dense)
        )


@of_kinds
def test_sparse_is_dense(estimator, data):
    assert_sparse_is_dense(estimator, data, data.gray, sp.csr_array)


@pytest.mark.release(default=["FVBN", "GAN-", "BernoulliRBM"])
@of_kinds
def test_sparse_is_dense_of_other_values(estimator, data):
    for dense in data.others:
        assert_sparse_is_dense(estimator, data, dense, sp.csr_array)


@pytest.mark.release(default=["BernoulliRBM", "FVBN"])
@of_readers
def test_sparse_of_other_formats_is_dense(estimator, data):
    for convert in (sp.csr_matrix, sp.csc_array):
        assert_sparse_is_dense(estimator, data, data.holed, convert)


def assert_weights_are_repetitions(estimator, data, X):
    weight, order = RNG.integers(0, 4, 80), RNG.permutation(80)
    given = {"sample_weight": weight[order], **data.y(order)}
    repetition = np.repeat(np.arange(80), weight)
    weighted = clone(estimator).fit(X[order], **given)
    repeated = clone(estimator).fit(X[repetition], **data.y(repetition))
    assert_same(weighted, repeated)
    weighted.partial_fit(X[order], **given)
    repeated.partial_fit(X[repetition], **data.y(repetition))
    assert_same(weighted, repeated)


def test_whole_weights_are_repetitions(estimator, data):
    assert_weights_are_repetitions(estimator, data, data.gray)


@of_classes
def test_rows_of_weight_zero_are_absent(estimator, data):
    # Other rows would be gray values, among bits.
    X = np.concatenate([data.bits, data.gray[:20]])
    rows = np.append(np.arange(80), np.arange(20))
    found = clone(estimator).fit(X, **data.y(rows), sample_weight=np.arange(100) < 80)
    a, b = learned(found), learned(clone(estimator).fit(data.bits, **data.y()))
    assert a.keys() == b.keys()
    for name, own in a.items():
        if own.dtype.kind == "f":  # Lists of bits have other sums of rounding errors.
            np.testing.assert_allclose(own, b[name], 1e-6, 1e-8, err_msg=name)
        else:
            np.testing.assert_array_equal(own, b[name], err_msg=name)


@pytest.mark.release(default=["FVBN", "GAN-", "BernoulliRBM"])
@of_kinds
def test_whole_weights_are_repetitions_of_other_values(estimator, data):
    for X in data.others:
        assert_weights_are_repetitions(estimator, data, X)


@of_classes
def test_thread_count_does_not_matter(estimator, data):
    # Wide enough for BLAS to use its threads.
    wide = (RNG.random((120, 400)) < 0.3).astype(np.float64)
    brief(estimator, most=1)
    having(estimator, n_components=150, batch_size=100, learning_rate=1e-3)
    labels, found = data.alternate(wide), []
    for n_threads in (1, 2, 4):
        with threadpool_limits(n_threads):
            fitted = clone(estimator).fit(wide, **labels)
            found.append((fitted, fitted.transform(wide)))
    (one, expected), *others = found
    for other, transformed in others:
        assert_same(one, other)
        np.testing.assert_array_equal(expected, transformed)


@pytest.mark.exhaustive(default=["BernoulliRBM", "FVBN"])
@of_readers
def test_n_jobs_does_not_matter(estimator, data):
    from joblib import parallel_config

    def search(n_jobs, backend):
        grid = {name: [0.01, 0.02] for name in options(estimator, "learning_rate")}
        with parallel_config(backend=backend):
            found = GridSearchCV(estimator, grid, cv=2, n_jobs=n_jobs)
            return found.fit(data.X, **labels)

    labels = data.y()
    if data.numbers:
        labels["y"] = np.nan_to_num(labels["y"])
    one = search(1, "loky")
    for backend in ("loky", "threading"):
        two = search(2, backend)
        np.testing.assert_array_equal(
            one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"]
        )
        assert_same(one.best_estimator_, two.best_estimator_)


@of_classes
def test_a_seed_settles_everything(estimator, data):
    X, labels = data.X, data.y()
    assert_same(clone(estimator).fit(X, **labels), clone(estimator).fit(X, **labels))
    other = clone(estimator).set_params(random_state=1).fit(X, **labels)
    assert (other.transform(X) != estimator.fit(X, **labels).transform(X)).any()
    a, b, c = (estimator.sample(20, random_state=seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(a, b)
    assert (a != c).any()
    # Without a seed draws come from NumPy's global generator, as in scikit-learn.
    np.random.seed(5)
    b, c = estimator.sample(20), estimator.sample(20)
    np.testing.assert_array_equal(a, b)
    assert (a != c).any()


@of_classes
def test_random_state_may_be_a_generator_or_none(estimator, data):
    estimator.set_params(random_state=np.random.RandomState(0)).fit(data.X, **data.y())
    estimator.set_params(random_state=None).fit(data.X, **data.y())
    assert estimator.sample(2).shape == ((2,) if data.conditional else (2, 30))


@of_kinds
def test_pickle_and_go_on(estimator, data):
    X, labels = data.X, data.y()
    estimator.fit(X, **labels)
    other = pickle.loads(pickle.dumps(estimator))
    assert_same(estimator, other)
    np.testing.assert_array_equal(estimator.score_samples(X), other.score_samples(X))
    assert_same(estimator.partial_fit(X, **labels), other.partial_fit(X, **labels))
    assert_same(clone(estimator).fit(X, **labels), clone(other).fit(X, **labels))


def test_partial_fits_are_the_epochs_of_fit(estimator, data):
    if asked_value(estimator, "solver", None) == "auto":
        # Which has no details.
        having(estimator, solver="adam")
    having(estimator, early_stopping=False, n_steps=2, momentum=0.5)
    having(estimator, schedule="constant", refine=None, fine_tune=None)
    whole, parts = clone(estimator).fit(data.gray, **data.y()), clone(estimator)
    classes = {"classes": np.unique(LABELS)} if data.classes else {}
    for part in passes(estimator):
        assert parts.partial_fit(data.gray, **data.y(), **classes, **part) is parts
    assert_same(whole, parts)


@of_classes
def test_partial_fit_does_not_touch_arrays_handed_out(estimator, data):
    found = weights(estimator.fit(data.X, **data.y()))
    before = found.copy()
    estimator.partial_fit(data.X, **data.y())
    np.testing.assert_array_equal(found, before)
    assert (weights(estimator) != before).any()


@of_classes
def test_warm_start_goes_on(estimator, data):
    X, labels = data.X, data.y()
    having(estimator, warm_start=True, early_stopping=False, refine=None)
    first = weights(estimator.fit(X, **labels))
    assert estimator.n_iter_ == len(losses(estimator)) == len(passes(estimator))
    estimator.fit(X, **labels)
    assert estimator.n_iter_ == len(losses(estimator)) == 2 * len(passes(estimator))
    assert (weights(estimator) != first).any()
    cold = having(clone(estimator), warm_start=False)
    assert_same(cold.fit(X, **labels).fit(X, **labels), clone(cold).fit(X, **labels))


@of_classes
def test_methods_write_nothing(estimator, data):
    estimator.fit(data.X, **data.y())
    before = pickle.dumps(vars(estimator))
    estimator.transform(data.holed)
    getattr(estimator, "inverse_transform", np.shape)(estimator.transform(data.X))
    estimator.sample(3)
    estimator.impute(data.holed)
    # Scores may keep log Z.
    for name in set(OF_ROWS) - set(SCORES):
        getattr(estimator, name, np.shape)(data.X)
    assert pickle.dumps(vars(estimator)) == before


@of_kinds
def test_score_is_the_mean_of_score_samples_or_as_scikit_learn_has_it(estimator, data):
    scores = estimator.fit(data.X, **data.y()).score_samples(data.holed)
    assert scores.shape == (80,)
    np.testing.assert_array_equal(scores, estimator.score_samples(data.holed))
    if data.numbers:
        targets = np.nan_to_num(data.targets)
        expected = r2_score(targets, estimator.predict(data.holed))
        assert estimator.score(data.holed, targets) == pytest.approx(expected)
        return
    if data.labeled:
        scores = estimator.predict(data.holed) == LABELS
    elif data.given:
        scores = estimator.score_samples(data.holed, LABELS)
        assert scores.min() < scores.max()
    assert estimator.score(data.holed, **data.y()) == pytest.approx(scores.mean())
    weight = RNG.random(80)
    assert estimator.score(
        data.holed, **data.y(), sample_weight=weight
    ) == pytest.approx(np.average(scores, weights=weight))


@of_kinds
def test_rows_do_not_depend_on_their_company(estimator, data):
    estimator.fit(data.X, **data.y())
    rows = np.array([41, 3, 77])
    methods = ["transform", "score_samples", "impute"]
    methods += ["predict_log_proba", "pseudo_likelihood", "importance_likelihood"]
    for method in methods:
        if not hasattr(estimator, method):
            continue
        if data.conditional and method == "impute":
            # What it gives are labels.
            method = "predict_proba"
        if method == "importance_likelihood":
            data.holed = data.X
        call = getattr(estimator, method)
        np.testing.assert_allclose(
            call(data.holed[rows]), call(data.holed)[rows], rtol=1e-9, atol=1e-12
        )


@of_classes
def test_weights_are_routed(estimator, data):
    weight = np.arange(80)
    with config_context(enable_metadata_routing=True):
        estimator.set_fit_request(sample_weight=True)
        pipeline = make_pipeline(clone(estimator))
        pipeline.fit(data.X, **data.y(), sample_weight=weight)
    assert_same(pipeline[0], estimator.fit(data.X, **data.y(), sample_weight=weight))


# Two epochs do not give a model the means of its columns.
@pytest.mark.filterwarnings("ignore::skdgm.exceptions.LikelihoodWarning")
def test_missing_values_everywhere(estimator, data):
    holed = data.holed
    estimator.fit(holed, **data.y()).partial_fit(holed, **data.y())
    filled = estimator.impute(holed)
    if data.conditional:
        assert set(filled) <= set(LABELS)
        filled = holed
    np.testing.assert_array_equal(filled[~HOLES], holed[~HOLES])
    if data.conditional:
        pass
    elif data.real:
        low, high = np.nanmin(holed, axis=0), np.nanmax(holed, axis=0)
        assert ((filled >= low) & (filled <= high)).mean() > 0.99
    else:
        assert ((filled >= 0) & (filled <= (np.inf if data.counts else 1))).all()
    for result in (
        estimator.transform(holed),
        estimator.score_samples(holed),
        losses(estimator),
    ):
        assert np.isfinite(result).all()


@of_kinds
def test_known_cells_are_never_changed(estimator, data):
    estimator.fit(data.X, **data.y())
    if data.conditional:
        known = np.where(HOLES[:, 0], None, LABELS)
        found = estimator.impute(data.X, known)
        np.testing.assert_array_equal(found[~HOLES[:, 0]], known[~HOLES[:, 0]])
        return
    # Beyond what float64 holds; and beyond what bits may be.
    large = np.full((2, 30), 2**53 + 1)
    found = estimator.impute(large)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, large)
    far = np.where(HOLES, np.nan, data.X)[:2] * 3 - 1
    for X in (far, far.astype(np.float32)):
        found = estimator.impute(X)
        assert np.isfinite(found).all()
        np.testing.assert_array_equal(found[~np.isnan(X)], X[~np.isnan(X)])


@of_kinds
def test_data_frames(estimator, data):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(data.X, columns=[f"pixel {i}" for i in range(30)])
    estimator.set_output(transform="pandas").fit(frame, **data.y())
    out = estimator.transform(frame)
    assert list(out.columns) == list(estimator.get_feature_names_out())
    assert list(out.index) == list(frame.index)
    estimator.set_output(transform="default")
    assert estimator.transform(frame).shape == out.shape
    assert list(estimator.feature_names_in_) == list(frame.columns)
    with pytest.raises(ValueError, match="feature names should match"):
        estimator.transform(frame[frame.columns[::-1]])
    if data.conditional:
        # A DataFrame is what y is.
        framed = estimator.fit(frame, pd.DataFrame({"label": LABELS}))
        assert list(framed.sample(frame[:3]).columns) == ["label"]
        return
    holes = frame.mask(np.random.default_rng(0).random(frame.shape) < 0.3)
    holes = holes.assign(**{"pixel 0": frame["pixel 0"]})[:7].set_axis(list("gfedcba"))
    fitted, asked = clone(estimator).fit(data.X, **data.y()), holes.to_numpy()
    for name in "impute", "conditional_sample", "score_features":
        if hasattr(estimator, name):
            options = {} if name == "score_features" else {"random_state": 0}
            found = getattr(estimator, name)(holes, **options)
            assert list(found.columns) == list(frame.columns)
            assert list(found.index) == list(holes.index)
            expected = getattr(fitted, name)(asked, **options)
            assert isinstance(expected, np.ndarray)
            # The types of a DataFrame's columns say how they are modeled.
            if asked_value(estimator, "column_types", None) != "mixed":
                np.testing.assert_array_equal(found, expected)
    drawn = estimator.sample(3, random_state=0)
    assert list(drawn.columns) == list(frame.columns)
    assert isinstance(fitted.sample(3), np.ndarray)


def peak_memory(estimator, X, data):
    # What takes memory once, as compiling does, is over when one looks.
    some, labels = X[:1000], data.alternate(X)
    estimator.fit(some, **data.alternate(some)).transform(X[:100])
    tracemalloc.start()
    estimator.fit(X, **labels).transform(X[:100])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.fixture
def small(estimator):
    return having(
        estimator,
        n_iter=1,
        pretrain_iter=1,
        batch_size=500,
        n_components=4,
        early_stopping=False,
    )


@pytest.mark.release(default=["BernoulliRBM", "FVBN"])
@of_readers
def test_memory_mapped_data_are_not_copied(small, data, tmp_path):
    big = np.lib.format.open_memmap(
        tmp_path / "X.npy", mode="w+", dtype=np.uint8, shape=(60_000, 100)
    )
    # Lists of what is on are all in memory: they are to take less than a copy would.
    big[:] = RNG.random(big.shape) < 0.25
    big.flush()
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    peak = peak_memory(small, mapped, data)
    assert peak < mapped.size * np.float32().nbytes


# Of some columns the few values that are not 0 are dozens of deviations out.
@pytest.mark.release(default=["BernoulliRBM", "FVBN"])
@pytest.mark.filterwarnings("ignore::skdgm.exceptions.OutlierWarning")
@of_readers
def test_sparse_data_are_not_made_dense(small, data):
    # Some have a weight for each pair of columns, and outputs of several numbers.
    square = hasattr(small, "score_features")
    X = sp.random_array(
        (16_000, 200) if square else (8000, 1500), density=0.005, rng=0, format="csr"
    )
    size = X.shape[0] * X.shape[1] * X.dtype.itemsize
    having(small, batch_size=200)
    # Float32 of all of them would be as much.
    limit = size if square else size / 2
    assert peak_memory(small, X, data) < limit


@of_classes
def test_probabilities_of_all_rows_add_up_to_one(estimator, data):
    if isinstance(estimator, GeneratorNet):
        return  # The probabilities of rows are conditional on y.
    estimator.fit(data.bits[:, :6], **data.y())
    kinds, kind = estimator.column_types_, estimator.density_kind_
    if {own.kind for own in kinds.values()} != {"bernoulli"} or data.conditional:
        return
    rows = np.array(list(product([0.0, 1.0], repeat=6)))
    total = np.exp(estimator.score_samples(rows)).sum()
    if kind == "exact":
        assert total == pytest.approx(1, abs=1e-4)
    elif kind != "reconstruction":
        assert total == pytest.approx(1, abs=0.06)


@of_kinds
def test_nothing_observed_at_all(estimator, data):
    nothing = np.full((12, 3), np.nan)
    with pytest.warns(MissingDataWarning):
        estimator.fit(nothing, **data.alternate(nothing))
    scores = estimator.score_samples(nothing)
    if estimator.density_kind_ == "exact":
        np.testing.assert_allclose(scores, 0, atol=1e-12)
    else:
        assert (abs(scores) < 0.5).all()


@of_classes
def test_scoring_monitor_hears_of_every_epoch(estimator, data):
    having(estimator, early_stopping=False, fine_tune=None)
    scoring = {
        "quality": lambda e, X, y: quality(e, data),
        "n_iter": lambda e, X, y: e.n_iter_,
        "n_losses": lambda e, X, y: len(getattr(e, "loss_curve_", ())),
    }
    monitor = ScoringMonitor(scoring=scoring)
    estimator.set_callbacks(monitor).fit(data.X, **data.y())
    rows = [r for r in monitor.get_logs().data if r["task_name"] == "epoch"]
    epochs = [1 + row["task_id"] for row in rows]
    assert [row["n_iter"] for row in rows] == epochs
    assert [row["n_losses"] for row in rows] == epochs
    rows = rows or [r for r in monitor.get_logs().data if r["task_name"] == "layer"]
    assert [row["task_id"] for row in rows] == list(range(len(rows)))
    assert len(rows) == n_heard(estimator)
    assert rows[-1]["quality"] == pytest.approx(quality(estimator, data))
    assert rows[0]["quality"] != rows[-1]["quality"]


@of_classes
def test_weights_reach_scores_and_the_scorers_of_callbacks(estimator, data):
    monitor = ScoringMonitor(scoring={"score": check_scoring(estimator)})
    given = {"sample_weight": RNG.random(80), **data.y()}
    if data.numbers:
        given["y"] = np.nan_to_num(given["y"])
    estimator.set_callbacks(monitor).fit(data.X, **given)
    last = [r for r in monitor.get_logs().data if r["task_name"] == "fit"][-1]
    assert last["score"] == pytest.approx(estimator.score(data.X, **given))
    scores = [
        estimator.score(data.X, **given | {"sample_weight": np.full(80, weight)})
        for weight in (1.0, 1.7e308, 5e-324)
    ]
    np.testing.assert_allclose(scores, scores[0])


class StopAtOnce(Callback):
    def on_fit_task_end(self, estimator, context):
        return context.task_name in ("epoch", "layer")


class Fail(Callback):
    """With the end of some task; of none, only count them."""

    def __init__(self, at=None):
        self.at, self.n_tasks = at, 0

    def on_fit_task_end(self, estimator, context):
        self.n_tasks += 1
        if self.n_tasks == self.at:
            raise KeyError("nothing that learning knows of")


@of_classes
def test_a_callback_may_stop_training(estimator, data):
    estimator.set_callbacks(StopAtOnce()).fit(data.X, **data.y())
    # Of a stack, with its first layer.
    assert estimator.n_iter_ < len(passes(estimator))
    assert len(getattr(estimator, "layers_", [1])) == 1


def assert_learned(estimator, before):
    """An estimator has what it had, and nothing else."""
    after = learned(estimator)
    assert before.keys() == after.keys()
    for name, value in before.items():
        np.testing.assert_array_equal(value, after[name])


@of_classes
def test_an_error_in_learning_loses_nothing(estimator, data):
    estimator.set_callbacks(Fail(1))
    with pytest.raises(KeyError):
        estimator.fit(data.X, **data.y())
    with pytest.raises(NotFittedError):
        estimator.transform(data.X)
    count = Fail()
    estimator.set_callbacks(count).fit(data.X, **data.y())
    rows, before = estimator.transform(data.X), learned(estimator)
    for at in {1, count.n_tasks // 2, count.n_tasks, "warm"}:
        warm_start = at == "warm"
        having(estimator, warm_start=warm_start)
        estimator.set_callbacks(Fail(2 if warm_start else at))
        # Of a wider table, if there may be another.
        others = data.X if warm_start else np.hstack([data.X, data.X])
        with pytest.raises(KeyError):
            estimator.fit(others, **data.y())
        assert_learned(estimator, before)
        np.testing.assert_array_equal(estimator.transform(data.X), rows)
    estimator.set_callbacks().partial_fit(data.X, **data.y())


@pytest.mark.parametrize("rate", [1e39, 1e300])
@of_classes
def test_a_rate_far_too_high_is_one_error_without_warnings_of_numpy(
    estimator, data, rate
):
    if "learning_rate" not in estimator.get_params():
        pytest.skip("It learns without a rate.")
    having(estimator, learning_rate=rate)
    with warnings.catch_warnings(), suppress(DivergenceError):
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", RuntimeWarning)
        # Single precision has no such numbers.
        estimator.fit(data.X.astype(np.float32), **data.y())


class FailAfterwards(Callback):
    def teardown(self, estimator, context):
        raise KeyError("after all was learned")


@of_classes
def test_nor_does_one_after_it(estimator, data):
    with pytest.raises(KeyError):
        estimator.set_callbacks(FailAfterwards()).fit(data.X, **data.y())
    with pytest.raises(NotFittedError):
        estimator.transform(data.X)
    before = learned(estimator.set_callbacks().fit(data.X, **data.y()))
    with pytest.raises(KeyError):
        estimator.set_callbacks(FailAfterwards()).fit(data.X, **data.y())
    assert_learned(estimator, before)


@pytest.fixture
def press(monkeypatch):
    """A function after which Ctrl-C is pressed in the n-th epoch that there will be."""

    def later(n):
        left = [n]

        def begin(hook, epoch):
            left[0] -= 1
            if left[0] == 0:
                raise KeyboardInterrupt

        monkeypatch.setattr(Callbacks, "begin", begin)
        monkeypatch.setattr(Callbacks, "end", lambda *_: False)

    return later


@of_classes
def test_an_interrupt_ends_what_a_user_fits_with_a_warning(estimator, data, press):
    for n in {2, len(passes(estimator))}:
        press(n)
        with pytest.warns(InterruptedFitWarning, match="is kept"):
            estimator.fit(data.X, **data.y())
        rows, other = estimator.transform(data.X), clone(estimator)
        assert np.isfinite(rows).all()
        press(n)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(InterruptedFitWarning):
                other.fit(data.X, **data.y())
        np.testing.assert_array_equal(other.transform(data.X), rows)


@of_classes
def test_an_interrupt_ends_what_fits_for_a_user(estimator, data, press):
    press(2)
    with pytest.raises(KeyboardInterrupt, match="after 1 of .* is kept"):
        make_pipeline(estimator).fit(data.X, **data.y())
    assert np.isfinite(estimator.transform(data.X)).all()
    press(2)
    with pytest.raises(KeyboardInterrupt):
        GridSearchCV(estimator, {"random_state": [0, 1]}, cv=2).fit(data.X, **data.y())


@of_classes
def test_progress_bar(estimator, data, capsys):
    pytest.importorskip("rich")
    estimator.set_callbacks(ProgressBar()).fit(data.X, **data.y())
    assert type(estimator).__name__ in capsys.readouterr().out


@of_classes
def test_verbose(estimator, data, capsys, monkeypatch):
    monkeypatch.setattr(progress, "_LINE_PAUSE", 0.0)
    having(estimator, verbose=1).fit(data.X, **data.y())
    lines = capsys.readouterr().out.splitlines()
    read = [line for line in lines if "Columns: " in line]
    assert len(read) == (asked_value(estimator, "column_types", None) == "auto")
    header = re.compile(r"\] +epoch  .*  time +left$")
    n_headers = sum(header.search(line) is not None for line in lines)
    assert len(lines) - len(read) - n_headers == n_lines(estimator)
    assert n_headers
    assert all(type(estimator).__name__ in line for line in lines)


@of_classes
def test_unfitted(estimator, data):
    names = ["transform", "score", "impute", "gibbs", "elbo", "active_units", *OF_ROWS]
    names += ["score_features", "conditional_sample", "invert", "generate"]
    names += ["sample_sequences"]
    names += ["discriminator_score", "encode", "reconstruction_error"]
    methods = [name for name in names if hasattr(estimator, name)]
    assert len(methods) >= 5
    for name in methods:
        arguments = data.y() if name == "score" else {}
        with pytest.raises(NotFittedError):
            getattr(estimator, name)(data.X, **arguments)


@of_classes
def test_unfitted_without_data(estimator, data):
    calls = [estimator.sample, estimator.get_feature_names_out]
    if hasattr(estimator, "inverse_transform"):
        calls.append(lambda: estimator.inverse_transform(data.X))
    if "log_Z_" in type(estimator).__doc__:
        calls.append(lambda: estimator.log_Z_)
    for call in calls:
        with pytest.raises(NotFittedError):
            call()
    assert not hasattr(estimator, "density_kind_")


# The first two all have, by this name or by others.
NAMES = ["learning_rate", "n_components", "gradient", "n_steps", "momentum", "solver"]
NAMES += ["centering", "max_norm", "n_temperatures", "fast_learning_rate"]
NAMES += ["sparsity_target"]


@of_classes
def test_invalid_parameters_are_named(estimator, data):
    unnamed, stack = [], hasattr(machine(estimator), "hidden_layer_sizes")
    there = ["learning_rate", *["n_components"] * stack]
    names = [name for name in NAMES if name in there or having_option(estimator, name)]
    cases = [*product(names, [np.nan, -1, "nonsense", [3], ()])]
    cases += [(name, 10**400) for name in names if name != "n_components"]
    for name, value in cases:
        # A stack has sizes for numbers.
        named = name.replace("n_components", "n_components|_layer_sizes")
        fields = details_of(machine(estimator)) | details_of(estimator)
        named = "|".join([named, *fields.get(name, ())[1:]])
        try:
            having(clone(estimator), **{name: value}).fit(data.X, **data.y())
            unnamed.append((name, value, "no error"))
        except ValueError as error:
            if not re.search(named, str(error)):
                unnamed.append((name, value, str(error)))
    assert not unnamed


@of_classes
def test_invalid_weights(estimator, data):
    for weight, message in [
        (np.zeros(80), "zero"),
        (-np.ones(80), "[Nn]egative"),
        (np.full(80, np.nan), "NaN"),
        (np.ones(79), "sample_weight"),
        *((odd * 80, "sample_weight must be") for odd in (["a"], [{}], [1j], ["1"])),
    ]:
        with pytest.raises(ValueError, match=message):
            estimator.fit(data.X, **data.y(), sample_weight=weight)


@pytest.mark.exhaustive(default=["GaussianRBM-0", "RNADE-0", "Flow-0", "S3C-0"])
@pytest.mark.parametrize("estimator", OF_REALS, ids=name_of, indirect=True)
def test_what_is_far_away_is_improbable_and_no_more(estimator, data):
    estimator.fit(data.X, **data.y())
    far = data.X[:4].astype(np.float64)
    far[:3] = [[1e300], [-1e300], [1e30]]
    given = data.y(slice(4)) if data.conditional else {}
    found = estimator.score_samples(far, **given)
    assert np.isfinite(found).all()
    assert data.conditional or (found[:3] < found[3]).all()
    assert np.isfinite(estimator.transform(far)).all()


@of_classes
def test_a_failed_fit_loses_nothing(estimator, data):
    X = data.X
    estimator.fit(X, **data.y())
    before = learned(estimator)
    bad = [
        (np.full((5, 30), np.inf), data.y(slice(5)), "X contains infinity"),
        (X[:0], data.y(slice(0)), r"0 sample\(s\)|X has no rows"),
    ]
    if not data.real:
        bad += [(-X, data.y(), "Negative values"), (-X[:, :4], data.y(), "Neg|X has 4")]
    if data.labeled:
        wrong, message = np.full(80, np.inf), "y contains infinity"
        if data.classes:
            wrong, message = REAL[:, 0], "y has no classes: .*continuous"
        bad += [(X, {"y": None}, "requires y"), (X, {"y": wrong}, message)]
        bad += [(X, data.y(slice(-1)), "y has 79 rows, but X has 80")]
    for rows, labels, message in bad:
        for method in (estimator.fit, estimator.partial_fit):
            with pytest.raises(ValueError, match=message):
                method(rows, **labels)
    with pytest.raises(ValueError, match="non-zero|sample_weight is zero"):
        estimator.fit(X[:, :4], **data.y(), sample_weight=np.zeros(80))
    assert_learned(estimator, before)
    estimator.partial_fit(X, **data.y())
    assert np.isfinite(estimator.score_samples(X)).all()


AWKWARD = {
    "one row": np.tile(BITS[:1], (2, 1)),
    "constant": np.ones((20, 3)),
    "zeros": np.zeros((20, 3)),
    "one column": BITS[:, :1],
    "halves": np.full((9, 2), 0.5),
}
AWKWARD_REAL = {
    "one row": REAL[[0, 0]],
    "one column": REAL[:, :1],
    "far from zero": RNG.normal(100, 1, (60, 2)),
    "very far from zero": RNG.normal(1e9, 1, (60, 2)),
    "tiny": RNG.normal(0, 1e-12, (60, 2)),
    "huge": RNG.normal(0, 1e12, (60, 2)),
    "constant columns": np.column_stack([REAL[:, 0], np.full((80, 2), 0.1)]),
    "outliers": RNG.standard_cauchy((60, 3)),
}


def test_no_warning_and_no_nan_on_awkward_data(estimator, data):
    having(estimator, early_stopping=False)
    for name, X in (AWKWARD | AWKWARD_REAL if data.real else AWKWARD).items():
        if name == "one row" and not data.labeled:
            X = X[:1]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            one_by_one = getattr(estimator, "autoregressive", False)
            one_by_one = one_by_one or hasattr(estimator, "score_features")
            if name == "halves" and one_by_one:
                # Of gray rows these have no likelihood, and say so.
                warnings.filterwarnings("ignore", ".*got gray rows", DataRangeWarning)
            if isinstance(estimator, ReplicatedSoftmax):
                message = ".*(all counts in X are 0|fractions)"
                warnings.filterwarnings("ignore", message, DataRangeWarning)
            estimator.fit(X, **data.alternate(X))
            for result in (
                estimator.transform(X),
                estimator.score_samples(X),
                estimator.sample(X[:4] if data.conditional else 4, random_state=0),
                weights(estimator),
                losses(estimator),
            ):
                assert np.isfinite(result).all(), name
        if data.real and not data.conditional:
            sample = estimator.sample(200, random_state=0)
            # Constant columns are taken as of scale one.
            spread = np.where(np.ptp(X, axis=0) > 0, X.std(axis=0), 1.0)
            missed = abs(np.median(sample, axis=0) - np.median(X, axis=0))
            assert (missed < 3 * spread).all(), name
