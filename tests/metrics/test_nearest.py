import numpy as np
import pytest
from scipy.stats import kstest
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from skdgm.exceptions import DataRangeWarning
from skdgm.metrics import mode_coverage, nearest_training_neighbors

CENTERS = np.array([[x, y] for x in range(5) for y in range(5)], dtype=float)
NUMBERS = np.arange(25)


def tables(*sizes, d=3, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, d)) for n in sizes]


@pytest.mark.parametrize("d", [2, 40])
def test_distances_and_shares_by_brute_force(d):
    samples, X_train, X_valid = tables(30, 50, 20, d=d)
    found = nearest_training_neighbors(samples, X_train, X_valid)
    table = np.sqrt(((samples[:, None] - X_train) ** 2).sum(axis=2))
    valid = np.sqrt(((X_valid[:, None] - X_train) ** 2).sum(axis=2)).min(axis=1)
    np.testing.assert_array_equal(found.index, table.argmin(axis=1))
    np.testing.assert_allclose(found.distance, table.min(axis=1))
    np.testing.assert_allclose(found.valid_distance, valid)
    nearer = (table.min(axis=1)[:, None] < valid).mean()
    assert found.closer == pytest.approx(nearer)
    assert found.copied == found.valid_copied == 0


def test_ties_count_one_half():
    found = nearest_training_neighbors(
        [[1.0], [1.0], [3.0]], [[0.0]], [[1.0], [2.0], [0.0]]
    )
    # Of nine pairs samples are nearer in two, and as near in two.
    assert found.closer == pytest.approx((2 + 0.5 * 2) / 9)
    assert found.valid_copied == pytest.approx(1 / 3)


@pytest.mark.parametrize("d", [3, 64])
def test_copies_are_found(d):
    X_train, X_valid = tables(100, 100, d=d)
    X_train *= 100
    samples = np.concatenate([X_train[:30], 100 * X_valid[:10]])
    found = nearest_training_neighbors(samples, X_train, 100 * X_valid[10:])
    assert found.copied == 0.75
    np.testing.assert_array_equal(found.index[:30], np.arange(30))
    assert found.closer > 0.75
    assert found.p_value < 1e-6


@pytest.mark.parametrize("d", [3, 64])
def test_copies_far_from_zero_are_found(d):
    (X_train,) = tables(100, d=d)
    X_train += 1e9
    found = nearest_training_neighbors(X_train[:30], X_train)
    assert found.copied == 1
    np.testing.assert_array_equal(found.index, np.arange(30))


def test_p_values_of_data_are_uniform():
    # Given the training rows, samples and validation rows are alike.
    p = [
        nearest_training_neighbors(*tables(40, 60, 50, seed=seed)).p_value
        for seed in range(200)
    ]
    assert kstest(p, "uniform").pvalue > 0.01
    samples, X_train, X_valid = tables(40, 60, 50)
    assert nearest_training_neighbors(3 * samples, X_train, X_valid).p_value > 0.999


def test_without_validation_rows():
    samples, X_train = tables(5, 9)
    found = nearest_training_neighbors(samples, X_train)
    assert len(found.distance) == 5
    assert found[3:] == (None,) * 4


def test_bad_input():
    samples, X_train, X_valid = tables(5, 9, 7)
    holed = np.full((2, 3), np.nan)
    for message, given in (
        ("samples contains NaN", (holed, X_train)),
        ("X_train contains NaN", (samples, holed)),
        ("X_valid contains NaN", (samples, X_train, holed)),
        ("samples has 2 features, but X_train has 3", (samples[:, :2], X_train)),
        ("X_valid has 2 features", (samples, X_train, X_valid[:, :2])),
    ):
        with pytest.raises(ValueError, match=message):
            nearest_training_neighbors(*given)
    with pytest.warns(DataRangeWarning, match="samples has values"):
        nearest_training_neighbors(samples, 16 * X_train)


def test_shares_of_labeled_rows():
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
    samples = CENTERS[rng.integers(0, 25, n)] + std * rng.normal(size=(n, 2))
    found = mode_coverage(samples, CENTERS, NUMBERS, radius=3 * std)
    # In two dimensions 1 - exp(-9/2) lie within three standard deviations.
    quality = 1 - np.exp(-4.5)
    error = np.sqrt(quality * (1 - quality) / n)
    assert abs(found.high_quality - quality) < 4 * error
    assert found.n_modes == 25
    # Twice n times the divergence is chi-squared, of 24 degrees of freedom.
    assert abs(2 * n * found.kl - 24) < 4 * np.sqrt(48)
    np.testing.assert_allclose(found.expected, 1 / 25)


def test_collapse_to_one_mode():
    found = mode_coverage(CENTERS[[3, 3, 3]], CENTERS, NUMBERS, radius=0.1)
    assert found.n_modes == 1
    assert found.kl == pytest.approx(np.log(25))
    assert found.share[3] == 1


def test_far_samples_are_of_no_mode():
    samples = np.concatenate([CENTERS[:2], [[0.5, 0.5], [30.0, 0.0]]])
    found = mode_coverage(samples, CENTERS, NUMBERS, radius=0.1)
    assert found.high_quality == 0.5
    np.testing.assert_allclose(found.share[:3], [0.5, 0.5, 0])
    none = mode_coverage(samples[2:], CENTERS, NUMBERS, radius=0.1)
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
    classifier = KNeighborsClassifier(1).fit(CENTERS[thrice], thrice)
    found = mode_coverage(CENTERS[:6], CENTERS[:4], classifier=classifier)
    assert found.kl == np.inf
    assert found.n_modes == 4
    assert found.classes.tolist() == [0, 1, 2, 3, 4, 5]


def test_bad_input_of_mode_coverage():
    samples, holed = CENTERS[:3], np.full((2, 2), np.nan)
    classifier = LogisticRegression()
    for message, given, options in (
        ("samples contains NaN", (holed, CENTERS, NUMBERS), {}),
        ("X contains NaN", (samples, holed, [0, 1]), {}),
        ("samples has 1 features, but X has 2", (samples[:, :1], CENTERS, NUMBERS), {}),
        ("inconsistent numbers", (samples, CENTERS, NUMBERS[:4]), {}),
        ("1d array", (samples, CENTERS, CENTERS), {}),
        ("y contains NaN", (samples, CENTERS, np.full(25, np.nan)), {}),
        ("Give y.*or a fitted", (samples, CENTERS), {}),
        ("radius == 0", (samples, CENTERS, NUMBERS), {"radius": 0}),
        ("radius must be a finite", (samples, CENTERS, NUMBERS), {"radius": np.nan}),
        ("min_share == 2", (samples, CENTERS, NUMBERS), {"min_share": 2}),
    ):
        with pytest.raises(ValueError, match=message):
            mode_coverage(*given, **options)
    names = KNeighborsClassifier(1).fit(CENTERS, np.where(NUMBERS < 9, "a", "b"))
    with pytest.raises(ValueError, match="Mix of label input types"):
        mode_coverage(samples, CENTERS, NUMBERS, classifier=names)
    with pytest.raises(TypeError, match="classifier must have predict, which 'knn'"):
        mode_coverage(samples, CENTERS, classifier="knn")
    with pytest.raises(NotFittedError):
        mode_coverage(samples, CENTERS, classifier=classifier)
    with pytest.warns(DataRangeWarning, match="samples has values"):
        mode_coverage(samples, 64 * CENTERS, NUMBERS)
