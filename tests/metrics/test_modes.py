import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from skdgm.exceptions import DataRangeWarning
from skdgm.metrics import mode_coverage

CENTRES = np.array([[x, y] for x in range(5) for y in range(5)], dtype=float)
NUMBERS = np.arange(25)


def test_shares_of_labelled_rows():
    X, y = [[0.0], [1.0], [5.0], [6.0], [9.0]], ["a", "a", "b", "b", "c"]
    found = mode_coverage([[0.9], [0.2], [-3.0], [5.2]], X, y)
    assert found.classes.tolist() == ["a", "b", "c"]
    np.testing.assert_allclose(found.share, [0.75, 0.25, 0])
    np.testing.assert_allclose(found.expected, [0.4, 0.4, 0.2])
    assert found.kl == pytest.approx(
        0.75 * np.log(0.75 / 0.4) + 0.25 * np.log(0.25 / 0.4)
    )
    assert found.found.tolist() == [True, True, False]
    assert found.n_modes == 2
    assert found.high_quality == 1


def test_a_grid_of_normal_distributions():
    rng, std, n = np.random.default_rng(0), 0.05, 20_000
    samples = CENTRES[rng.integers(0, 25, n)] + std * rng.normal(size=(n, 2))
    found = mode_coverage(samples, CENTRES, NUMBERS, radius=3 * std)
    # In two dimensions 1 - exp(-9/2) lie within three standard deviations.
    quality = 1 - np.exp(-4.5)
    error = np.sqrt(quality * (1 - quality) / n)
    assert abs(found.high_quality - quality) < 4 * error
    assert found.n_modes == 25
    # Twice n times the divergence is chi-squared, of 24 degrees of freedom.
    assert abs(2 * n * found.kl - 24) < 4 * np.sqrt(48)
    np.testing.assert_allclose(found.expected, 1 / 25)


def test_collapse_to_one_mode():
    found = mode_coverage(CENTRES[[3, 3, 3]], CENTRES, NUMBERS, radius=0.1)
    assert found.n_modes == 1
    assert found.kl == pytest.approx(np.log(25))
    assert found.share[3] == 1


def test_far_samples_are_of_no_mode():
    samples = np.concatenate([CENTRES[:2], [[0.5, 0.5], [30.0, 0.0]]])
    found = mode_coverage(samples, CENTRES, NUMBERS, radius=0.1)
    assert found.high_quality == 0.5
    np.testing.assert_allclose(found.share[:3], [0.5, 0.5, 0])
    none = mode_coverage(samples[2:], CENTRES, NUMBERS, radius=0.1)
    assert (none.high_quality, none.n_modes) == (0, 0)
    assert np.isnan(none.kl)
    assert np.isnan(none.share).all()


def test_modes_of_few_samples():
    y = np.repeat([0, 1], 5)
    # 15 of one mode and 1 of the other: an eighth of what half of them would be.
    samples = np.repeat([[0.0], [1.0]], [15, 1], axis=0)
    for min_share, n_found in ((0, 2), (0.12, 2), (0.13, 1), (1, 1)):
        found = mode_coverage(samples, y[:, None], y, min_share=min_share)
        assert found.n_modes == n_found


def test_a_classifier_labels_both():
    X, y = load_digits(return_X_y=True)
    X = X / 16
    classifier = KNeighborsClassifier().fit(X[:900], y[:900])
    samples, X = X[900:1300], X[1300:]
    found = mode_coverage(samples, X, classifier=classifier)
    np.testing.assert_array_equal(found.classes, range(10))
    for rows, shares in ((samples, found.share), (X, found.expected)):
        counts = np.bincount(classifier.predict(rows), minlength=10)
        np.testing.assert_allclose(shares, counts / len(rows))
    told = mode_coverage(samples, X, y[1300:], classifier=classifier)
    np.testing.assert_array_equal(told.share, found.share)
    np.testing.assert_allclose(told.expected, np.bincount(y[1300:]) / len(X))
    same = mode_coverage(X, X, classifier=classifier)
    assert same.kl == pytest.approx(0)
    near = mode_coverage([X[0], 1 - X[0]], X, classifier=classifier, radius=0.1)
    assert near.high_quality == 0.5


def test_modes_that_data_do_not_have():
    thrice = np.repeat(NUMBERS, 3)
    classifier = KNeighborsClassifier(1).fit(CENTRES[thrice], thrice)
    found = mode_coverage(CENTRES[:6], CENTRES[:4], classifier=classifier)
    assert found.kl == np.inf
    assert found.n_modes == 4
    assert found.classes.tolist() == [0, 1, 2, 3, 4, 5]


def test_bad_input():
    samples, holed = CENTRES[:3], np.full((2, 2), np.nan)
    classifier = LogisticRegression()
    for message, given, options in (
        ("samples contains NaN", (holed, CENTRES, NUMBERS), {}),
        ("X contains NaN", (samples, holed, [0, 1]), {}),
        ("samples has 1 features, but X has 2", (samples[:, :1], CENTRES, NUMBERS), {}),
        ("inconsistent numbers", (samples, CENTRES, NUMBERS[:4]), {}),
        ("1d array", (samples, CENTRES, CENTRES), {}),
        ("y contains NaN", (samples, CENTRES, np.full(25, np.nan)), {}),
        ("Give y.*or a fitted", (samples, CENTRES), {}),
        ("radius == 0", (samples, CENTRES, NUMBERS), {"radius": 0}),
        ("radius must be a finite", (samples, CENTRES, NUMBERS), {"radius": np.nan}),
        ("min_share == 2", (samples, CENTRES, NUMBERS), {"min_share": 2}),
    ):
        with pytest.raises(ValueError, match=message):
            mode_coverage(*given, **options)
    names = KNeighborsClassifier(1).fit(CENTRES, np.where(NUMBERS < 9, "a", "b"))
    with pytest.raises(ValueError, match="Mix of label input types"):
        mode_coverage(samples, CENTRES, NUMBERS, classifier=names)
    with pytest.raises(TypeError, match="classifier must have predict, which 'knn'"):
        mode_coverage(samples, CENTRES, classifier="knn")
    with pytest.raises(NotFittedError):
        mode_coverage(samples, CENTRES, classifier=classifier)
    with pytest.warns(DataRangeWarning, match="samples has values"):
        mode_coverage(samples, 64 * CENTRES, NUMBERS)
