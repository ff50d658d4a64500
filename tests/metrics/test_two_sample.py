import numpy as np
import pytest
from scipy.stats import binom, binomtest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import (
    LeaveOneOut,
    RepeatedKFold,
    StratifiedShuffleSplit,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skdgm.exceptions import DataRangeWarning
from skdgm.metrics import classifier_two_sample_test


@pytest.mark.parametrize("odd", [np, 3, LogisticRegression, LinearRegression()])
def test_classifiers_are_checked(odd):
    with pytest.raises(TypeError, match="must be a classifier, not|estimator instance"):
        classifier_two_sample_test(*tables(), classifier=odd)


def tables(m=100, n=100, d=3, seed=0, shift=0.0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(m, d)), shift + rng.normal(size=(n, d))


def test_the_best_accuracy_is_found():
    # Of N(0, 1) and N(1, 1) a threshold of 1/2 tells 69.1 %; the AUC is Φ(1/√2).
    X, Y = tables(4000, 4000, d=1, shift=1.0)
    found = classifier_two_sample_test(
        X, Y, classifier=LogisticRegression(), random_state=0
    )
    assert found.n_tested == 4000
    assert abs(found.accuracy - 0.69146) < 4 * np.sqrt(0.69 * 0.31 / 4000)
    assert abs(found.roc_auc - 0.76025) < 4 * np.sqrt(0.76 * 0.24 / 2000)


@pytest.mark.parametrize("cv, n_tested", [(None, 100), (5, 200)])
def test_p_values_are_those_of_a_coin(cv, n_tested):
    found = classifier_two_sample_test(
        *tables(shift=0.3), classifier=LogisticRegression(), cv=cv, random_state=0
    )
    correct = round(found.accuracy * n_tested)
    assert found.n_tested == n_tested
    expected = binomtest(correct, n_tested, 0.5, alternative="greater").pvalue
    assert found.p_value == pytest.approx(expected)


@pytest.mark.release
@pytest.mark.parametrize("sizes", [(60, 60), (60, 90)])
def test_without_a_difference_levels_are_kept(sizes):
    n = 150
    p = np.array(
        [
            classifier_two_sample_test(
                *tables(*sizes, seed=seed),
                classifier=LogisticRegression(),
                random_state=seed,
            ).p_value
            for seed in range(n)
        ]
    )
    for level in (0.05, 0.3):
        # A coin thrown 60 times cannot keep any level, but one below it.
        reached = binom.sf(binom.isf(level, 60, 0.5), 60, 0.5)
        assert abs((p <= level).mean() - reached) < 4 * np.sqrt(reached / n)


def test_the_larger_sample_is_thinned():
    X, Y = tables(40, 1000)
    assert classifier_two_sample_test(X, Y, cv=4).n_tested == 80
    assert classifier_two_sample_test(Y, X).n_tested == 40


def test_dependence_alone_is_found():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 2, (300, 4)).astype(float)
    Y = rng.integers(0, 2, (300, 4)).astype(float)
    Y[:, 0] = np.logical_xor(Y[:, 1], Y[:, 2])
    found = classifier_two_sample_test(X, Y, random_state=0)
    assert found.p_value < 1e-3
    again = classifier_two_sample_test(X, Y, random_state=0)
    assert again == found


@pytest.mark.parametrize(
    "classifier",
    [
        LinearSVC(),
        KNeighborsClassifier(),
        make_pipeline(StandardScaler(), LogisticRegression()),
    ],
)
def test_any_classifier(classifier):
    found = classifier_two_sample_test(
        *tables(shift=3.0), classifier=classifier, random_state=0
    )
    assert found.accuracy > 0.9
    assert found.roc_auc > 0.95
    assert not hasattr(classifier, "classes_")


def test_splitters():
    cv = StratifiedShuffleSplit(1, test_size=0.25, random_state=0)
    assert classifier_two_sample_test(*tables(), cv=cv).n_tested == 50
    with pytest.raises(ValueError, match="more than once"):
        classifier_two_sample_test(
            *tables(), classifier=LogisticRegression(), cv=RepeatedKFold(n_splits=2)
        )
    with pytest.raises(ValueError, match="rows of both samples"):
        classifier_two_sample_test(*tables(9, 9), cv=LeaveOneOut())


def test_bad_input():
    X, Y = tables(9, 9)
    holed = np.full((2, 3), np.nan)
    for message, given in (
        ("X contains NaN", (holed, Y)),
        ("Y contains NaN", (X, holed)),
        ("X has 2 features, but Y has 3", (X[:, :2], Y)),
        ("minimum of 2", (X, Y[:1])),
    ):
        with pytest.raises(ValueError, match=message):
            classifier_two_sample_test(*given)
    with pytest.raises(TypeError, match="classifier must be a classifier, not Linear"):
        classifier_two_sample_test(X, Y, classifier=LinearRegression())
    with pytest.warns(DataRangeWarning, match="X has values"):
        classifier_two_sample_test(255 * X, Y)
