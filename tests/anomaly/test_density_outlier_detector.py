import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, StandardScaler

from skdgm import DBN, FVBN, NADE, BernoulliRBM, EoNADE, GaussianRBM
from skdgm.anomaly import DensityOutlierDetector
from skdgm.metrics import anomaly_report
from tests.checks import with_checks

pd = pytest.importorskip("pandas")

X = load_iris().data
SMALL = GaussianRBM(4, n_iter=20, random_state=0)


@pytest.mark.exhaustive(default=["KernelDensity", "DensityOutlierDetector()"])
@with_checks(
    [
        DensityOutlierDetector(),
        DensityOutlierDetector(clone(SMALL).set_params(n_iter=5)),
        DensityOutlierDetector(make_pipeline(StandardScaler(), KernelDensity())),
    ]
)
def test_scikit_learns_checks(estimator, check):
    try:
        check(estimator)
    except pytest.skip.Exception as skipped:
        raise AssertionError(f"the check was skipped: {skipped}") from skipped


@pytest.mark.parametrize(
    "density",
    [
        None,
        SMALL,
        KernelDensity(),
        make_pipeline(MinMaxScaler(), BernoulliRBM(4, n_iter=5, random_state=0)),
        make_pipeline(MinMaxScaler(), DBN((4, 3), n_iter=3, random_state=0)),
    ],
    ids=repr,
)
def test_so_many_rows_are_outliers(density):
    detector = DensityOutlierDetector(density, contamination=0.2)
    found = detector.fit_predict(X)
    assert (found == -1).sum() == pytest.approx(30, abs=2)
    scores = detector.score_samples(X)
    np.testing.assert_allclose(detector.decision_function(X), scores - detector.offset_)
    np.testing.assert_array_equal(found == 1, scores >= detector.offset_)


def test_far_rows_are_found():
    far = np.vstack([X, X[:10] + 20])
    detector = DensityOutlierDetector(SMALL, contamination=0.1).fit(X)
    report = anomaly_report(np.arange(160) >= 150, detector.score_samples(far))
    assert report.roc_auc == report.precision_at_k == 1
    assert (detector.predict(far[150:]) == -1).all()


def test_missing_values_where_the_density_can():
    holes = X.copy()
    holes[::5, 0] = np.nan
    detector = DensityOutlierDetector(SMALL).fit(holes)
    assert (detector.predict(holes) == -1).sum() == 15
    with pytest.raises(ValueError, match="NaN"):
        DensityOutlierDetector(KernelDensity()).fit(holes)


def test_fitted_densities_and_weights():
    fitted = KernelDensity().fit(X[:50])
    detector = DensityOutlierDetector(FrozenEstimator(fitted)).fit(X)
    np.testing.assert_allclose(detector.score_samples(X), fitted.score_samples(X))
    weights = np.where(np.arange(150) < 50, 9.0, 1.0)
    weighted = DensityOutlierDetector(KernelDensity()).fit(X, sample_weight=weights)
    direct = KernelDensity().fit(X, sample_weight=weights)
    np.testing.assert_allclose(weighted.score_samples(X), direct.score_samples(X))


@pytest.mark.parametrize("contamination", [0.02, 0.1, 0.25, 0.5])
def test_weights_are_repetition_in_the_threshold(contamination):
    weights = np.random.default_rng(0).integers(0, 4, 150)
    repeated = np.repeat(X, weights, axis=0)
    frozen = FrozenEstimator(KernelDensity().fit(X))
    piped = make_pipeline(StandardScaler(), GaussianRBM(3, n_iter=3, random_state=0))
    for model, name in (
        (frozen, "sample_weight"),
        (SMALL, "sample_weight"),
        (piped[1:], "gaussianrbm__sample_weight"),
    ):
        detector = DensityOutlierDetector(model, contamination=contamination)
        weighted = clone(detector).fit(X, **{name: weights})
        assert weighted.offset_ == clone(detector).fit(repeated).offset_
        share = np.average(weighted.predict(X) == -1, weights=weights)
        assert share == pytest.approx(contamination, abs=2 / weights.sum())
        # Their scale is free where they are fractions.
        if model is frozen:
            shares = {name: np.full(150, 1 / 150)}
            assert detector.fit(X, **shares).offset_ == clone(detector).fit(X).offset_


def test_an_error_changes_nothing():
    frozen = FrozenEstimator(KernelDensity(kernel="tophat", bandwidth=0.1).fit(X))
    detector = DensityOutlierDetector(SMALL).fit(X)
    before = dict(vars(detector))
    with pytest.raises(ValueError, match="The density is 0"):
        detector.set_params(estimator=frozen).fit(X + 0.5)
    assert vars(detector) == before | {"estimator": frozen}


def test_metadata_are_routed():
    weights = np.where(np.arange(150) < 50, 9.0, 1.0)
    with config_context(enable_metadata_routing=True):
        density = KernelDensity().set_fit_request(sample_weight=True)
        outer = make_pipeline(MaxAbsScaler(), DensityOutlierDetector(density))
        found = outer.fit(X, sample_weight=weights).score_samples(X)
        with pytest.raises(ValueError, match="not explicitly set.*KernelDensity.fit"):
            DensityOutlierDetector(KernelDensity()).fit(X, sample_weight=weights)
    scaled = MaxAbsScaler().fit_transform(X)
    direct = KernelDensity().fit(scaled, sample_weight=weights).score_samples(scaled)
    np.testing.assert_allclose(found, direct)


@pytest.mark.filterwarnings("error")
def test_a_density_of_zero_has_no_threshold():
    narrow = KernelDensity(kernel="tophat", bandwidth=0.8).fit(X[:100])
    frozen = FrozenEstimator(narrow)
    n_none = np.isneginf(narrow.score_samples(X)).sum()
    assert 15 < n_none < 45
    with pytest.raises(ValueError, match=f"0 at {n_none} of 150 rows.*smoother"):
        DensityOutlierDetector(frozen).fit(X)
    detector = DensityOutlierDetector(frozen, contamination=0.4).fit(X)
    none = np.isneginf(detector.decision_function(X))
    assert (detector.predict(X[none]) == -1).all()


def test_bad_input():
    with pytest.raises(ValueError, match="'estimator'.*score_samples"):
        DensityOutlierDetector(KMeans(2)).fit(X)
    with pytest.raises(ValueError, match="'contamination'"):
        DensityOutlierDetector(SMALL, contamination=0.7).fit(X)


def test_anomaly_report():
    y, scores = [0, 0, 1, 1], [-1.0, -3.0, -2.0, -9.0]
    found = anomaly_report(y, scores)
    assert found == (0.75, pytest.approx(5 / 6), 0.5, 2)
    assert anomaly_report([1, 1, -1, -1], scores) == found
    assert anomaly_report(y, scores, k=1).precision_at_k == 1
    # Impossible rows are the first, and sizes do not matter.
    assert anomaly_report(y, [-1e308, -2e308, 1e308, -np.inf]).precision_at_k == 0.5
    assert anomaly_report(y, [1.0, 0.5, -1.5e308, -np.inf]).roc_auc == 1
    for odd in [np.nan] * 4, ["a"] * 4, np.array([1, 2, 3, 4], "datetime64[s]"):
        with pytest.raises(ValueError, match="log_likelihood"):
            anomaly_report(y, odd)
    with pytest.raises(ValueError, match="anomalies and others.*None"):
        anomaly_report([None] * 4, scores)
    with pytest.raises(ValueError, match="anomalies and others"):
        anomaly_report([0, 0], [1.0, 2.0])
    with pytest.raises(ValueError, match="k"):
        anomaly_report(y, scores, k=9)
    with pytest.raises(ValueError, match="inconsistent"):
        anomaly_report(y, [1.0])


def table_with_odd_entries():
    """Amounts of three kinds, of which some are large, and fees, of which ten do not
    suit the amount."""
    rng = np.random.default_rng(0)
    kind = rng.choice(3, 1000, p=[0.6, 0.3, 0.1])
    amount = np.exp(rng.normal(np.array([2.7, 3.9, 5.5])[kind], 0.5))
    odd = np.arange(1000) < 10
    fee = 0.02 * amount * np.where(odd, rng.choice([4, 0.2], 1000), 1)
    table = {"kind": np.array(list("abc"))[kind], "amount": amount, "fee": fee}
    return pd.DataFrame(table), odd


def test_the_least_usual_entry_finds_what_the_whole_row_does_not():
    X, odd = table_with_odd_entries()
    model = EoNADE((32,), column_types="mixed", n_iter=60, random_state=0)
    by = {}
    for name in ("row", "column"):
        detector = DensityOutlierDetector(model, contamination=0.01, score_by=name)
        scores = detector.fit(X).score_samples(X)
        by[name] = anomaly_report(odd, scores).average_precision
        assert (detector.predict(X) == -1).sum() == 10
    assert by["column"] > 0.8 > by["row"] + 0.1
    # Missing entries are not odd, nor are rows of nothing else.
    holes = X.head(3).assign(fee=np.nan)
    assert (detector.score_samples(holes) > scores[odd].max()).all()
    nothing = X.head(2).assign(kind=None, amount=np.nan, fee=np.nan)
    assert (detector.score_samples(nothing.astype({"kind": "str"})) == 0).all()


def test_scores_of_entries_do_not_depend_on_units():
    model = FVBN(column_types="gaussian")
    plain = DensityOutlierDetector(model, score_by="column").fit(X)
    other = DensityOutlierDetector(model, score_by="column").fit(X * 1e3)
    np.testing.assert_allclose(plain.score_samples(X), other.score_samples(X * 1e3))


@pytest.mark.parametrize("share", [0.07, 0.1, 0.25])
@pytest.mark.parametrize("n", [1, 2])
def test_weights_are_repetitions_in_the_usual_scores_of_entries(n, share):
    weight = n * (np.arange(150) % 3)
    model = FVBN(column_types="gaussian")
    detector = DensityOutlierDetector(model, score_by="column", contamination=share)
    weighted = clone(detector).fit(X, sample_weight=weight)
    repeated = clone(detector).fit(np.repeat(X, weight, axis=0))
    np.testing.assert_allclose(weighted.usual_, repeated.usual_)
    assert np.isclose(weighted.offset_, repeated.offset_)


def test_models_without_scores_of_entries_are_refused():
    with pytest.raises(ValueError, match="score_features.*not for KernelDensity"):
        DensityOutlierDetector(KernelDensity(), score_by="column").fit(X)


@pytest.mark.parametrize("score_by", ["row", "column"])
@pytest.mark.parametrize("weight", [1.7e308, 5e-324])
def test_weights_may_be_of_any_size(score_by, weight):
    X = np.random.default_rng(0).normal(size=(60, 2))
    model = DensityOutlierDetector(
        NADE(2, column_types="gaussian", n_iter=2, random_state=0),
        score_by=score_by,
    )
    weights = np.full(60, weight)
    expected = clone(model).fit(X, sample_weight=np.ones(60))
    model.fit(X, sample_weight=weights)
    close = {"rtol": 1e-6, "atol": 0.2}
    np.testing.assert_allclose(model.offset_, expected.offset_, **close)
    # One of several, however large.
    weights[:30] = 1.0
    assert np.isfinite(clone(model).fit(X, sample_weight=weights).offset_)


def test_a_later_fit_by_rows_knows_nothing_of_columns():
    detector = DensityOutlierDetector(NADE(4, "gaussian", n_iter=2, random_state=0))
    by_row = clone(detector).fit(X).score_samples(X)
    detector.set_params(score_by="column").fit(X)
    detector.set_params(score_by="row").fit(X)
    np.testing.assert_array_equal(detector.score_samples(X), by_row)
    assert not hasattr(detector, "usual_")


def test_usual_entries_are_weighted_means_of_known_ones():
    holes = X.copy()
    holes[::4, 1] = holes[::3, 3] = holes[5] = np.nan
    weight = np.arange(150.0) % 3
    nade = NADE(4, "gaussian", n_iter=2, random_state=0)
    detector = DensityOutlierDetector(nade, score_by="column", contamination=0.2)
    detector.fit(holes, sample_weight=weight)
    entries = detector.estimator_.score_features(holes)
    entries = np.ma.array(entries, mask=np.isnan(holes))
    usual = np.ma.average(entries, axis=0, weights=weight)
    np.testing.assert_allclose(detector.usual_, usual, rtol=1e-5)
    expected = (entries - usual).min(axis=1).filled(0)
    np.testing.assert_allclose(detector.score_samples(holes), expected, rtol=1e-5)
    assert expected[5] == 0


class Certain(BaseEstimator):
    """A density by which some rows are impossible."""

    def fit(self, X, y=None, sample_weight=None):
        return self

    def score_samples(self, X):
        return self.score_features(X).sum(axis=1)

    def score_features(self, X):
        return np.where(np.asarray(X) > 0, -1.0, -np.inf)


def test_rows_of_no_weight_do_not_count_in_columns():
    rows, weight = np.array([[1.0, 1], [1, 1], [0, 1]]), np.array([1.0, 1, 0])
    detector = DensityOutlierDetector(Certain(), score_by="column")
    detector.fit(rows, sample_weight=weight)
    np.testing.assert_array_equal(detector.usual_, [-1, -1])
