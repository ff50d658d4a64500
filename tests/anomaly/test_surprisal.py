import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris
from threadpoolctl import threadpool_limits

import skdgm
from skdgm import DensityOutlierDetector
from skdgm.anomaly._densities import Histogram, JointNormal, MixtureOfColumns
from skdgm.data.input_scales import InputScales
from skdgm.metrics import anomaly_report

pd = pytest.importorskip("pandas")

X = load_iris().data
ONES = np.ones(len(X))
HOLES = X.copy()
HOLES[::5, 0] = HOLES[3::7, 2] = np.nan
NUMBERS = np.zeros(4, int)


def mixed_table(n=200):
    """Numbers, categories, bits and dates, some of them missing."""
    rng = np.random.default_rng(0)
    kind = rng.choice(list("abc"), n, p=[0.6, 0.3, 0.1])
    size = np.where(kind == "a", 1.0, 5.0) + rng.normal(0, 0.3, n)
    size[::9] = np.nan
    days = pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(300, size=n), "D")
    table = {"kind": kind, "size": size, "day": days, "bit": rng.random(n) < 0.5}
    return pd.DataFrame(table).astype({"kind": "category"})


def test_scores_of_entries_sum_to_scores_of_rows():
    for rows in (X, HOLES, mixed_table()):
        detector = DensityOutlierDetector().fit(rows)
        entries, scores = detector.score_features(rows), detector.score_samples(rows)
        np.testing.assert_allclose(np.sum(entries, axis=1), scores, atol=1e-12)
        missing = pd.isna(pd.DataFrame(rows)).to_numpy()
        assert (np.asarray(entries)[missing] == 0).all()
        # Calibrated on the training rows.
        known = np.ma.array(entries, mask=missing)
        np.testing.assert_allclose(known.mean(axis=0), 0, atol=1e-12)
        assert 0.5 < scores.std() < 1.01


def test_mahalanobis_distances_of_known_entries():
    z = InputScales.of(HOLES, ONES, NUMBERS).bent(HOLES)
    normal = JointNormal.of(z, ONES)
    joint, conditional = normal.joint(z), normal.conditional(z)
    for row in (0, 1, 3, 10):
        seen = np.flatnonzero(~np.isnan(z[row]))
        v, C = z[row, seen], normal.covariance[np.ix_(seen, seen)]
        np.testing.assert_allclose(joint[row].sum(), v @ np.linalg.solve(C, v) / 2)
        for i, j in enumerate(seen):
            rest = np.delete(np.arange(len(seen)), i)
            slope = np.linalg.solve(C[np.ix_(rest, rest)], C[rest, i])
            spread = C[i, i] - C[rest, i] @ slope
            r = (v[i] - v[rest] @ slope) / np.sqrt(spread)
            np.testing.assert_allclose(conditional[row, j], np.log1p(r**2))
        assert (joint[row] == 0).sum() == 4 - len(seen)
    plain = InputScales.of(X, ONES, NUMBERS).bent(X)
    expected = np.cov(plain.T, bias=True) + 0.03 * np.eye(4)
    np.testing.assert_allclose(JointNormal.of(plain, ONES).covariance, expected)


def test_surprisals_of_a_mixture():
    z = InputScales.of(HOLES, ONES, NUMBERS).standard(HOLES)
    mixture = MixtureOfColumns.of(z, ONES)
    log_p = norm.logpdf(z[:, None], mixture.mean, np.sqrt(mixture.variance))
    log_p = np.nan_to_num(log_p + np.log(2 * np.pi) / 2)
    expected = -logsumexp(mixture.log_weight + log_p.sum(axis=2), axis=1)
    entries = mixture.entries(z)
    np.testing.assert_allclose(entries.sum(axis=1), expected)
    # The first entry alone, and given all others.
    marginal = -logsumexp(mixture.log_weight + log_p[:, :, 0], axis=1)
    rest = -logsumexp(mixture.log_weight + log_p[:, :, 1:].sum(axis=2), axis=1)
    first = (marginal + expected - rest) / 2
    np.testing.assert_allclose(entries[:, 0], np.where(np.isnan(z[:, 0]), 0, first))
    np.testing.assert_allclose(np.exp(mixture.log_weight).sum(), 1)


def test_a_mixture_finds_clusters():
    rng = np.random.default_rng(0)
    centers = np.array([[0, 0], [4, 4], [0, 8]])
    z = centers[rng.integers(3, size=600)] + rng.normal(0, 0.5, (600, 2))
    mixture = MixtureOfColumns.of(z, np.ones(600))
    between = np.array([[2.0, 2.0], [2, 6], [4, 0]])
    assert mixture.entries(between).sum(axis=1).min() > 3 + np.quantile(
        mixture.entries(z).sum(axis=1), 0.95
    )


def test_histograms():
    x = np.column_stack([np.arange(100) % 50, np.arange(100) % 3, np.arange(100) % 2])
    x = x.astype(float)
    x[:5, 0] = np.nan
    histogram = Histogram.of(x, np.ones(100), np.array([0, 0, 4]))
    tests = np.array([[0, 0, 0], [49, 2, 3], [50, 1.5, -1], [np.nan, np.nan, np.nan]])
    counts = [[5, 34, 50], [10, 33, 0], [0, 0, 0]]
    expected = -np.log(np.array(counts) + 0.5)
    np.testing.assert_allclose(histogram.entries(tests), [*expected, [0, 0, 0]])


@pytest.mark.parametrize("rows", [X, HOLES], ids=["complete", "holes"])
def test_weights_are_repetitions_in_any_order(rows):
    rng = np.random.default_rng(0)
    weights = rng.integers(0, 4, len(rows))
    repeated = rng.permutation(np.repeat(rows, weights, axis=0))
    weighted = DensityOutlierDetector().fit(rows, sample_weight=weights)
    other = DensityOutlierDetector().fit(repeated)
    assert weighted.offset_ == other.offset_
    np.testing.assert_array_equal(
        weighted.score_features(rows), other.score_features(rows)
    )


def test_weights_of_any_size():
    plain = DensityOutlierDetector().fit(X).score_samples(X)
    for weight in (1e-3, 5e-324):
        other = DensityOutlierDetector().fit(X, sample_weight=np.full(len(X), weight))
        np.testing.assert_allclose(other.score_samples(X), plain, atol=1e-8)
    large = np.full(len(X), 1.7e308)
    other = DensityOutlierDetector().fit(X, sample_weight=large)
    assert np.corrcoef(other.score_samples(X), plain)[0, 1] > 0.95


def test_units_do_not_matter():
    factor, shift = np.array([1e6, 1e-6, -1.0, 2.0]), np.array([0.0, 1e-5, 3.0, -7.0])
    plain = DensityOutlierDetector().fit(X)
    other = DensityOutlierDetector().fit(X * factor + shift)
    found = other.score_samples(X * factor + shift)
    np.testing.assert_allclose(found, plain.score_samples(X), rtol=0.05, atol=0.05)


def test_wrong_entries_are_to_blame():
    rng = np.random.default_rng(0)
    cells = load_breast_cancer().data[:, :10]
    rows = rng.choice(len(cells), 20, replace=False)
    columns = rng.integers(10, size=20)
    dirty = cells.copy()
    for row, j in zip(rows, columns):
        dirty[row, j] = np.quantile(cells[:, j], 0.99 if rng.random() < 0.5 else 0.01)
    detector = DensityOutlierDetector(contamination=0.05).fit(dirty)
    blamed = detector.score_features(dirty).argmin(axis=1)[rows]
    assert (blamed == columns).mean() > 0.5
    odd = np.isin(np.arange(len(cells)), rows)
    assert anomaly_report(odd, detector.score_samples(dirty)).roc_auc > 0.85
    by_column = clone(detector).set_params(score_by="column").fit(dirty)
    entries = by_column.score_features(dirty)
    np.testing.assert_allclose(entries.min(axis=1), by_column.score_samples(dirty))


def test_tables_of_several_kinds_of_columns():
    table = mixed_table()
    detector = DensityOutlierDetector(contamination=0.05).fit(table)
    entries = detector.score_features(table)
    assert entries.columns.equals(table.columns)
    assert entries.index.equals(table.index)
    odd = table.iloc[[1, 1, 1]].reset_index(drop=True)
    odd["kind"] = pd.Categorical(["a", "c", "new"])
    odd["size"] = 1.0
    scores = detector.score_samples(odd)
    assert scores[0] > scores[1] > scores[2]
    assert detector.score_features(odd.iloc[[2]]).iloc[0].idxmin() == "kind"
    with pytest.raises(ValueError, match="feature names"):
        detector.predict(table.iloc[:, ::-1])


def test_constant_columns_and_few_rows():
    rng = np.random.default_rng(0)
    rows = np.column_stack([rng.normal(size=50), np.full(50, 7.0), np.full(50, np.nan)])
    detector = DensityOutlierDetector().fit(rows)
    scores = detector.score_features([[0.0, 7.0, np.nan], [0.0, 8.0, 1.0]])
    assert scores[1, 1] < scores[0, 1] - 1
    for few in (X[:3], X[:1], np.zeros((3, 2)), np.array([[1e150, -1e150], [0, 1]])):
        assert np.isfinite(DensityOutlierDetector().fit(few).score_samples(few)).all()


@pytest.mark.exhaustive
def test_many_rows():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(30_000, 5))
    rows[:, 1] += rows[:, 0]
    detector = DensityOutlierDetector().fit(rows)
    few = DensityOutlierDetector().fit(rows[:20_000])
    found, expected = (d.score_samples(rows[:500]) for d in (detector, few))
    assert np.corrcoef(found, expected)[0, 1] > 0.98
    assert (detector.predict(rows) == -1).mean() == pytest.approx(0.1, abs=1e-3)
    # Columns beyond the maximum number of correlated columns.
    wide = rng.normal(size=(40, 1100))
    assert np.isfinite(DensityOutlierDetector().fit(wide).score_samples(wide)).all()


def test_results_do_not_depend_on_threads():
    scores = []
    for n in (1, 2):
        with threadpool_limits(n):
            scores.append(DensityOutlierDetector().fit(HOLES).score_samples(HOLES))
    np.testing.assert_array_equal(*scores)


def test_files(tmp_path):
    table = mixed_table()
    detector = DensityOutlierDetector().fit(table)
    skdgm.save(detector, tmp_path / "detector.skdgm")
    other = skdgm.load(tmp_path / "detector.skdgm")
    np.testing.assert_array_equal(
        other.score_samples(table), detector.score_samples(table)
    )


def test_models_without_scores_of_entries():
    from sklearn.neighbors import KernelDensity

    assert not hasattr(DensityOutlierDetector(KernelDensity()), "score_features")
    assert hasattr(DensityOutlierDetector(), "score_features")


def test_many_values_are_counted_in_ten_bins():
    x = np.random.default_rng(0).normal(size=(200, 1))
    counts, edges = np.histogram(x, 10)
    histogram = Histogram.of(x, np.ones(200), [0])
    inside = edges[:-1] + 0.4 * np.diff(edges)
    found = histogram.entries(np.append(inside, edges[-1] + 1)[:, None])
    np.testing.assert_allclose(found[:, 0], -np.log(np.append(counts, 0) + 0.5))
