"""The default model of the imputer: conditional distributions, weights and tables."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from skops import io

import skdgm
from skdgm import DensityOutlierDetector, EoNADE, GenerativeImputer
from skdgm.exceptions import MissingDataWarning
from skdgm.imputation import _mixture
from skdgm.imputation._mixture import (
    NormalMixture,
    draw,
    family,
    mixture,
    normal,
    spreads,
)
from skdgm.imputation.normal_mixtures import NormalMixtures, _snapped, is_large
from skdgm.persistence import TRUSTED_TYPES
from tests.imputation.test_generative_imputer import FRAME

pd = pytest.importorskip("pandas")

RNG = np.random.default_rng(0)
A = RNG.normal(size=(2, 3, 3))
MIXTURE = NormalMixture(
    np.log([0.3, 0.7]),
    RNG.normal(size=(2, 3)),
    A @ A.transpose(0, 2, 1) + 0.2 * np.eye(3),
)
ROWS = np.where(RNG.random((20, 3)) < 0.4, np.nan, RNG.normal(size=(20, 3)))


def table(n=150):
    """Rows of a bit, two correlated numbers and a category, with missing entries."""
    rng = np.random.default_rng(1)
    label = rng.integers(0, 3, n)
    x = label + rng.normal(size=n) / 2
    frame = pd.DataFrame(
        {
            "bit": (x > 1).astype(float),
            "x": x,
            "y": x**2 + rng.normal(size=n) / 2,
            "label": pd.Categorical.from_codes(label, ["a", "b", "c"]),
        }
    )
    return frame.mask(rng.random(frame.shape) < 0.2)


def by_hand(row):
    """Probabilities of components and conditional moments of a row of ROWS."""
    seen, joint, moments = ~np.isnan(row), [], []
    for log_weight, mean, covariance in zip(*MIXTURE):
        log_p = 0.0
        gain = np.zeros((3, 0))
        if seen.any():
            own = covariance[np.ix_(seen, seen)]
            log_p = multivariate_normal(mean[seen], own).logpdf(row[seen])
            gain = np.linalg.solve(own, covariance[seen]).T
        center = mean + gain @ (row - mean)[seen]
        joint.append(log_weight + log_p)
        moments.append((center, covariance - gain @ covariance[seen]))
    return np.exp(joint - logsumexp(joint)), moments


def test_conditional_moments():
    share, means = MIXTURE.given(ROWS)
    for i, row in enumerate(ROWS):
        expected, moments = by_hand(row)
        np.testing.assert_allclose(share[i], expected)
        for k, (center, _) in enumerate(moments):
            known = np.where(np.isnan(row), center, row)
            np.testing.assert_allclose(means[k, i], known)
    for k in range(2):
        found = spreads(ROWS, np.full(len(ROWS), k), MIXTURE.covariance)
        for i, row in enumerate(ROWS):
            variance = np.diag(by_hand(row)[1][k][1])
            np.testing.assert_allclose(found[i] ** 2, variance, atol=1e-9)


def test_draws_have_conditional_moments():
    row = np.array([np.nan, 0.3, np.nan])
    share, moments = by_hand(row)
    rows = np.tile(row, (40_000, 1))
    found = MIXTURE.given(rows)
    drawn, chosen, rest = draw(
        rows, *found, MIXTURE.covariance, np.random.default_rng(0)
    )
    assert (drawn[:, 1] == 0.3).all()
    assert abs((chosen == 1).mean() - share[1]) < 0.01
    for k, (center, covariance) in enumerate(moments):
        own = drawn[chosen == k]
        np.testing.assert_allclose(rest[chosen == k] + center, own)
        error = 4 * np.sqrt(np.diag(covariance) / len(own)) + 1e-12
        assert (np.abs(own.mean(axis=0) - center) < error).all()
        scale = np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
        assert (np.abs(np.cov(own.T) - covariance) <= 0.06 * scale + 1e-9).all()


def test_blocks_of_rows(monkeypatch):
    whole = MIXTURE.given(ROWS), normal(ROWS, np.ones(20))
    monkeypatch.setattr(_mixture, "_BLOCK", 9 * 3)
    parts = MIXTURE.given(ROWS), normal(ROWS, np.ones(20))
    for a, b in zip((*whole[0], *whole[1]), (*parts[0], *parts[1])):
        np.testing.assert_allclose(a, b)


def test_a_normal_distribution_has_the_moments_of_complete_rows():
    z = RNG.normal(size=(500, 3)) @ A[0]
    weight = RNG.integers(1, 4, 500).astype(float)
    found = normal(z, weight)
    np.testing.assert_allclose(found.mean[0], np.average(z, axis=0, weights=weight))
    covariance = np.cov(z.T, aweights=weight, ddof=0)
    ridge = covariance + np.diag(np.diag(covariance)) / weight.sum()
    expected = ridge * weight.sum() / (weight.sum() + 1)
    ratio = found.covariance[0] / expected
    np.testing.assert_allclose(np.diag(ratio), 1, rtol=1e-4)
    # Other covariances are shrunk by one factor.
    shrunk = ratio[np.triu_indices(3, 1)]
    np.testing.assert_allclose(shrunk, shrunk[0], rtol=1e-4)
    assert 0.99 < shrunk[0] < 1.0001


def test_missing_entries_are_expected():
    z = RNG.normal(size=(4000, 3)) @ A[0]
    z /= z.std(axis=0)
    # Missing at random: the mean of the observed entries is biased.
    holes = np.where((z[:, [0]] > 0) & [False, True, False], np.nan, z)
    found = normal(holes, np.ones(len(z)))
    assert abs(np.nanmean(holes[:, 1])) > 0.1
    assert (np.abs(found.mean[0] - z.mean(axis=0)) < 0.05).all()
    assert (np.abs(found.covariance[0] - np.cov(z.T)) < 0.08).all()


def test_all_numbers_of_components_have_equal_weight():
    z = RNG.normal(size=(60, 4))
    models, share = family(z, np.ones(60), np.random.default_rng(0), np.copy)
    assert [len(model.mean) for model in models] == [1] + 4 * [2, 4]
    np.testing.assert_allclose(share, [1 / 3] + 8 * [1 / 12])
    models, share = family(z[:10], np.ones(10), np.random.default_rng(0), np.copy)
    assert len(models) == 1
    assert share == 1


def test_mixtures_find_clusters():
    rng = np.random.default_rng(3)
    centers = np.array([[-3.0, 0.0], [3.0, 0.0]])
    z = centers[rng.integers(0, 2, 300)] + rng.normal(size=(300, 2)) / 2
    found = mixture(z, np.ones(300), normal(z, np.ones(300)), 2, rng)
    order = found.mean[:, 0].argsort()
    assert (np.abs(found.mean[order] - centers) < 0.2).all()
    assert (np.abs(np.exp(found.log_weight) - 0.5) < 0.1).all()


def test_completed_rows_have_categories():
    rng, seen = np.random.default_rng(0), []
    z = np.where(rng.random((60, 2)) < 0.3, np.nan, rng.normal(size=(60, 2)))

    def snap(drawn):
        seen.append(drawn)
        return _snapped(drawn, [(np.array([1]), 2)], np.array([[0.0, 0.5], [1.0, 2.0]]))

    family(z, np.ones(60), rng, snap)
    snapped = snap(seen[0])
    np.testing.assert_array_equal(snapped[:, 0], seen[0][:, 0])
    expected = np.where(seen[0][:, 1] * 2 + 0.5 >= 0.5, 0.25, -0.25)
    np.testing.assert_allclose(snapped[:, 1], expected)


def test_functions_that_are_not_linear():
    rng = np.random.default_rng(2)
    x = rng.uniform(-2, 2, 400)
    z = np.column_stack([x, x**2 + rng.normal(size=400) / 10])
    holes = np.where([False, True] & (rng.random((400, 1)) < 0.3), np.nan, z)
    hidden = np.isnan(holes[:, 1])
    found = NormalMixtures(0).fit(holes).impute(holes)[hidden, 1]
    error = np.sqrt(np.mean((found - z[hidden, 1]) ** 2))
    assert error < 0.5 * z[hidden, 1].std()


def test_weights_are_repetition_and_rows_have_no_order():
    frame = table()
    n = np.random.default_rng(0).integers(0, 3, len(frame))
    rows = np.repeat(np.arange(len(frame)), n)
    expected = NormalMixtures(0).fit(frame, sample_weight=n).impute(frame)
    for order in rows, rows[::-1]:
        found = NormalMixtures(0).fit(frame.iloc[order]).impute(frame)
        pd.testing.assert_frame_equal(found, expected, rtol=1e-6)


@pytest.mark.parametrize("method", ["mean", "mode", "sample"])
def test_tables_of_all_types(method):
    imputer = GenerativeImputer(method=method, random_state=0).fit(FRAME)
    found = imputer.transform(FRAME)
    assert found.notna().all(axis=None)
    assert (found.dtypes == FRAME.dtypes).all()
    assert isinstance(imputer.estimator_, NormalMixtures)
    known = FRAME.notna()
    assert (found.where(known) == FRAME).where(known, True).all(axis=None)
    bits = table()
    drawn = GenerativeImputer(method=method, random_state=0).fit_transform(bits)
    assert drawn["x"].between(bits["x"].min(), bits["x"].max()).all()
    whole = drawn["bit"].isin([0, 1])
    assert whole.all() if method != "mean" else not whole.all()


def test_draws_have_the_frequencies_of_categories():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"label": rng.choice(["a", "b", "c"], 500, p=[0.7, 0.2, 0.1])})
    model = NormalMixtures(0).fit(frame)
    empty = pd.DataFrame({"label": pd.Series([None] * 20_000, dtype=object)})
    drawn = model.impute(empty, "sample", 0)["label"].value_counts(normalize=True)
    expected = frame["label"].value_counts(normalize=True)
    assert (np.abs(drawn - expected) < 0.015).all()
    assert (model.impute(empty)["label"] == "a").all()


def test_repeated_values_are_drawn_again():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(0, 5, 200) * 2.5, rng.normal(size=200)])
    X[:50] = np.where(rng.random((50, 2)) < 0.5, np.nan, X[:50])
    drawn = NormalMixtures(0).fit(X).impute(X, "sample", 1)
    assert np.isin(drawn[:, 0], np.arange(5) * 2.5).all()
    assert not np.isin(drawn[:50, 1], X[:, 1]).all()


def test_columns_without_variance_and_single_rows():
    frame = pd.DataFrame({"a": [2.0, None, 2.0], "b": ["x", "x", None]})
    found = GenerativeImputer().fit_transform(frame)
    assert found["a"].eq(2).all()
    assert found["b"].eq("x").all()
    one = np.array([[1.0, 2.0]])
    imputer = GenerativeImputer().fit(one)
    np.testing.assert_array_equal(imputer.transform([[np.nan, 3.0]]), [[1.0, 3.0]])


def test_unknown_categories_remain():
    frame = table()
    model = NormalMixtures(0).fit(frame)
    row = pd.DataFrame({"bit": [1.0], "x": [np.nan], "y": [2.0], "label": ["new"]})
    with pytest.warns(MissingDataWarning, match="'new' in column 'label'"):
        found = model.impute(row)
    assert found["label"].tolist() == ["new"]
    assert found["x"].notna().all()


def test_arrays_keep_their_type():
    X = table()[["bit", "x", "y"]].to_numpy(np.float32)
    found = GenerativeImputer(random_state=0).fit(X).transform(X)
    assert found.dtype == np.float32
    sparse = GenerativeImputer(random_state=0).fit(sp.csr_array(X))
    np.testing.assert_allclose(sparse.transform(sp.csr_array(X)), found, rtol=1e-5)
    whole = np.arange(12).reshape(6, 2)
    assert GenerativeImputer().fit_transform(whole).dtype == whole.dtype


def test_large_tables_have_a_net(monkeypatch):
    assert is_large(np.zeros((5001, 2)))
    assert is_large(np.zeros((2, 61)))
    names = pd.DataFrame({"name": np.arange(200).astype(str)})
    assert not is_large(names)
    wide = pd.concat([names, names, names], axis=1).set_axis(list("abc"), axis=1)
    assert is_large(wide)
    monkeypatch.setattr(EoNADE, "fit", lambda self, X, y=None: self)
    assert isinstance(GenerativeImputer().fit(wide).estimator_, EoNADE)


def test_seeds():
    frame = table()
    imputer = GenerativeImputer(random_state=0).fit(frame)
    first, second = imputer.draw(frame, 2)
    assert not first.equals(second)
    again = GenerativeImputer(random_state=0, method="sample").fit_transform(frame)
    pd.testing.assert_frame_equal(again, first)


def test_files_and_skops(tmp_path):
    frame = table()
    imputer = GenerativeImputer(random_state=0).fit(frame)
    skdgm.save(imputer, tmp_path / "imputer.skdgm")
    other = skdgm.load(tmp_path / "imputer.skdgm")
    pd.testing.assert_frame_equal(other.transform(frame), imputer.transform(frame))
    X = frame[["bit", "x", "y"]].to_numpy()
    kept = io.dumps(imputer.fit(X))
    assert set(io.get_untrusted_types(data=kept)) <= set(TRUSTED_TYPES)
    other = io.loads(kept, list(TRUSTED_TYPES))
    np.testing.assert_array_equal(other.transform(X), imputer.transform(X))


def test_errors_name_columns():
    rows = [[1.0, np.inf], [2.0, 3.0]]
    with pytest.raises(ValueError, match=r"infinity.* in columns \[1\]"):
        GenerativeImputer().fit(rows)
    with pytest.raises(ValueError, match="column 1 has other values.*in a DataFrame"):
        GenerativeImputer().fit(np.array([[1, "a"], [2, "b"]], dtype=object))
    frame = pd.DataFrame(np.eye(3), columns=["a", "b", "a"])
    for model in GenerativeImputer(), DensityOutlierDetector(), EoNADE():
        with pytest.raises(ValueError, match=r"several columns of the names \['a'\]"):
            model.fit(frame)
    with pytest.raises(ValueError, match=r"0 sample.*GenerativeImputer"):
        GenerativeImputer().fit(frame.iloc[:0, :2])


def test_complete_sparse_tables_of_integers():
    X = np.array([[0, 1], [1, 0], [2, 3]])
    for fitted_to in (X, X.astype(float)):
        imputer = GenerativeImputer().fit(fitted_to)
        found = imputer.transform(sp.csr_matrix(X))
        np.testing.assert_array_equal(found, X)
        assert found.dtype == X.dtype


@pytest.mark.parametrize("offset", [1e9, -1e9, 1.7e12])
def test_an_offset_of_columns_changes_nothing(offset):
    """Times in milliseconds have this size."""
    rng = np.random.default_rng(0)
    first = rng.normal(size=300)
    X = np.column_stack([first, 2 * first + 0.3 * rng.normal(size=300)])
    X = np.round(X * 2**10) / 2**10
    holes = X.copy()
    holes[::7, 1], holes[3::7, 0] = np.nan, np.nan
    expected = GenerativeImputer(random_state=0).fit_transform(holes)
    found = GenerativeImputer(random_state=0).fit_transform(holes + offset) - offset
    np.testing.assert_allclose(found, expected, atol=1e-2)
    detector = DensityOutlierDetector().fit(X)
    expected = detector.score_samples(X)
    found = DensityOutlierDetector().fit(X + offset).score_samples(X + offset)
    np.testing.assert_allclose(found, expected, atol=1e-2)
