"""y of any kind is read or refused by name; rows without a label are no errors."""

import warnings
from datetime import date

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.metrics import accuracy_score, check_scoring, r2_score
from sklearn.model_selection import KFold, cross_val_score

from skdgm import (
    DBM,
    DBMClassifier,
    DBNClassifier,
    DBNRegressor,
    GANClassifier,
    GenerativeDBNClassifier,
    RBMClassifier,
    StackedAutoencoderClassifier,
)
from skdgm.exceptions import LabelWarning
from skdgm.options import Pretraining

pd = pytest.importorskip("pandas")

RNG = np.random.default_rng(0)
CODES = np.arange(24) % 3
X = abs(np.repeat(np.eye(3), 2, axis=1)[CODES] - (RNG.random((24, 6)) < 0.1))
KNOWN = np.arange(24) % 4 > 0
NAMES = np.array(["ant", "bee", "cat"])[CODES]
CLASSIFIERS = [
    RBMClassifier(3, n_iter=2, random_state=0),
    pytest.param(
        DBMClassifier(
            DBM((3,), n_iter=2, learning_rate=0.05), n_iter=2, random_state=0
        ),
        marks=pytest.mark.exhaustive,
    ),
    DBNClassifier((3,), pretrain=Pretraining(n_iter=1), n_iter=2, random_state=0),
    GenerativeDBNClassifier((3,), n_iter=2, random_state=0),
    StackedAutoencoderClassifier(
        (3,), pretrain=Pretraining(n_iter=1), n_iter=2, random_state=0
    ),
    GANClassifier(3, (4,), n_iter=2, random_state=0),
]
REGRESSOR = DBNRegressor(
    (3,), column_types="bernoulli", pretrain=Pretraining(n_iter=1), n_iter=2
)


def name(model):
    return type(model).__name__


@pytest.fixture(params=CLASSIFIERS, ids=name)
def clf(request):
    return clone(request.param)


def beside(labels, mark):
    """Labels as objects, with a mark where there is none."""
    labels = np.asarray(labels).astype(object)
    labels[~KNOWN] = mark
    return labels


@pytest.mark.exhaustive(default=["RBMClassifier"])
@pytest.mark.parametrize(
    "y, mark, classes",
    [
        (beside(CODES, -1).tolist(), -1, [0, 1, 2]),
        (beside(CODES, "?").tolist(), "?", [0, 1, 2]),
        (beside(NAMES, -1).tolist(), -1, ["ant", "bee", "cat"]),
        (beside(NAMES, np.nan).tolist(), np.nan, ["ant", "bee", "cat"]),
        (pd.Series(beside(NAMES, None)).astype("category"), pd.NA, None),
        (pd.Series(beside(CODES, pd.NA), dtype="Int64"), pd.NA, [0, 1, 2]),
        (pd.DataFrame({"y": beside(NAMES, "none")}), "none", None),
        (np.where(KNOWN, CODES, np.nan), np.nan, [0.0, 1.0, 2.0]),
    ],
    ids=range(8),
)
@pytest.mark.filterwarnings("ignore:A column-vector y")
def test_labels_in_any_container_are_the_same(clf, y, mark, classes):
    expected = clone(clf).set_params(unlabeled=-1).fit(X, np.where(KNOWN, CODES, -1))
    found = clf.set_params(unlabeled=mark).fit(X, y)
    classes = ["ant", "bee", "cat"] if classes is None else classes
    assert found.classes_.tolist() == classes
    assert isinstance(found.classes_.tolist()[0], type(classes[0]))
    p = expected.predict_proba(X)
    np.testing.assert_array_equal(found.predict_proba(X), p)
    # Rows without a label are no errors.
    assert found.score(X, y) == accuracy_score(CODES[KNOWN], p[KNOWN].argmax(axis=1))


@pytest.mark.parametrize(
    "y, message",
    [
        (None, "requires y"),
        (7, r"y should be.*\(\)"),
        ([], "y has 0 rows"),
        (CODES[:-1], "y has 23 rows, but X has 24"),
        ([[0]] * 23 + [[0, 1]], "y cannot be read"),
        (np.zeros((24, 2, 2)), r"y should be.*\(24, 2, 2\)"),
        (beside(NAMES, 1), "y has labels of several kinds"),
        (beside(NAMES, pd.NA), "y has 6 missing values"),
        ([date(2020, 1, 1)] * 24, "y has labels of the type date"),
        (CODES + 0.5, "y has no classes: .*continuous"),
        (np.zeros(24), "y has one class only"),
    ],
    ids=range(11),
)
def test_labels_that_are_none_are_named(clf, y, message):
    with pytest.raises(ValueError, match=message):
        clf.fit(X, y)
    assert not hasattr(clf, "classes_")


def test_targets_that_are_none_are_named():
    fitted = clone(REGRESSOR).fit(X, CODES)
    for y, kind, message in [
        (NAMES, ValueError, "y has values that are no numbers"),
        (
            np.full(24, "2020-01-01", "M8[D]"),
            TypeError,
            "y has values of the type date",
        ),
        (CODES[:-1], ValueError, "y has 23 rows, but X has 24"),
    ]:
        for method in clone(REGRESSOR).fit, fitted.partial_fit, fitted.score:
            with pytest.raises(kind, match=message):
                method(X, y)


@pytest.mark.parametrize(
    "convert", [np.asarray, np.ndarray.tolist, sp.coo_array, pd.DataFrame]
)
def test_scores_are_of_rows_with_a_label(clf, convert):
    y = np.where(KNOWN, CODES, -1)
    clf.set_params(unlabeled=-1).fit(X, y)
    weight = RNG.integers(0, 3, 24)
    given = convert(X)
    found = clf.score(given, y), clf.score(given, y, sample_weight=weight)
    assert found[0] == clf.score(X[KNOWN], CODES[KNOWN])
    assert found[1] == clf.score(X[KNOWN], CODES[KNOWN], weight[KNOWN])
    with pytest.raises(ValueError, match="y has no row with a label.*unlabeled=-1"):
        clf.score(given, np.full(24, -1))


def test_cross_validation_and_callbacks_see_labels_only(clf):
    y = np.where(KNOWN, CODES, -1)
    clf.set_params(unlabeled=-1)
    folds = KFold(3)
    expected = [
        clone(clf).fit(X[a], y[a]).score(X[b][KNOWN[b]], y[b][KNOWN[b]])
        for a, b in folds.split(X)
    ]
    assert cross_val_score(clf, X, y, cv=folds).tolist() == expected
    monitor = ScoringMonitor(scoring={"score": check_scoring(clf)})
    clf.set_callbacks(monitor).fit(X, y)
    (last,) = (r for r in monitor.get_logs().data if r["task_name"] == "fit")
    assert last["score"] == clf.score(X[KNOWN], CODES[KNOWN])


def test_scores_of_several_labels():
    Y = np.column_stack([CODES > 0, CODES > 1]).astype(int)
    marked = np.where(KNOWN[:, None], Y, -1)
    clf = clone(CLASSIFIERS[2]).set_params(unlabeled=-1)
    with pytest.raises(ValueError, match="classes=.0, 1, 2., but y has several col"):
        clf.partial_fit(X, marked, classes=[0, 1, 2])
    clf.partial_fit(X, marked, classes=[0, 1]).fit(X, marked)
    assert clf.score(X, marked) == clf.score(X[KNOWN], Y[KNOWN])
    assert clf.score(X, sp.csr_array(marked)) == clf.score(X, marked)
    with pytest.raises(ValueError, match="y has no row with a label"):
        clf.score(X, np.full((24, 2), -1))
    with pytest.raises(ValueError, match="y has labels of shape"):
        clf.score(X, CODES)
    marked[1, 0] = -1
    for method in clf.fit, clf.score:
        with pytest.raises(ValueError, match="y has unlabeled=-1 in some columns"):
            method(X, marked)


def test_scores_are_of_targets_that_there_are():
    Y = np.column_stack([X @ np.arange(6), CODES])
    holed = np.where(RNG.random(Y.shape) < 0.4, np.nan, Y)
    weight = RNG.integers(0, 3, 24)
    reg = clone(REGRESSOR).fit(X, holed)
    z = reg.predict(X)
    expected = []
    for column in range(2):
        there = ~np.isnan(holed[:, column])
        given = Y[there, column], z[there, column]
        expected.append(r2_score(*given, sample_weight=weight[there]))
    assert reg.score(X, holed, weight) == pytest.approx(np.mean(expected))
    assert reg.score(X, Y) == r2_score(Y, z)
    holed[:, 0] = np.nan
    assert reg.score(X, holed, weight) == pytest.approx(expected[1])
    with pytest.raises(ValueError, match="y has no target"):
        reg.score(X, np.full(Y.shape, np.nan))
    with pytest.raises(ValueError, match="y has 1 columns, but 2 are predicted"):
        reg.score(X, holed[:, 1])


@pytest.mark.parametrize("unlabeled", [None, "-1"])
@pytest.mark.parametrize("labels", [[-1, 0, 1], [-1, 0], [-1, 3]], ids=str)
def test_a_class_like_a_mark_is_warned_of(clf, labels, unlabeled):
    y = np.array(labels)[np.arange(24) % len(labels)]
    with pytest.warns(LabelWarning, match="set unlabeled=-1") as caught:
        clf.set_params(unlabeled=unlabeled).fit(X, y)
    assert len([w for w in caught if w.category is LabelWarning]) == 1
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(clf.classes_, labels)


@pytest.mark.exhaustive(default=["RBMClassifier"])
@pytest.mark.parametrize(
    "labels", [[-1, 1], [-2, -1], [-1.0, 0.0], ["-1", "0"], [0, 1]]
)
def test_other_labels_are_not_warned_of(clf, labels):
    with warnings.catch_warnings():
        warnings.simplefilter("error", LabelWarning)
        clf.fit(X, np.array(labels)[np.arange(24) % 2])
        clf.set_params(unlabeled=-1).fit(X, np.where(KNOWN, CODES, -1))


@pytest.mark.parametrize(
    "classes, message",
    [
        (None, "classes must be passed on the first call to partial_fit"),
        ([0, 1], r"y has labels \[2\] that are not among the classes \[0, 1\]"),
        (["0", "1", "2"], r"y has labels \[0, 1, 2\] that are not among"),
        ([0, 1, 2, np.nan], "classes has 1 missing values"),
        ([0, 1, 2, None], "classes has 1 missing values"),
        ([0, 1, 2, -1], "classes has -1, which is not a label"),
        ([0, 1, 2, "a"], "classes has labels of several kinds"),
        ([2], "classes has one class only"),
        ([], "classes has no label at all"),
        ([[0, 1, 2]], r"classes should be a 1d array.*\(1, 3\)"),
        ({0, 1, 2}, r"classes should be a 1d array"),
    ],
    ids=str,
)
def test_classes_of_partial_fits_are_checked(clf, classes, message):
    y = np.where(KNOWN, CODES, -1)
    clf.set_params(unlabeled=-1)
    with pytest.raises(ValueError, match=message):
        clf.partial_fit(X, y, classes=classes)
    assert not hasattr(clf, "classes_")


def test_classes_stay_those_of_the_first_call(clf):
    clf.partial_fit(X[:4], CODES[:4], classes=[3, 2, 1, 0])
    for classes in None, range(4):
        clf.partial_fit(X, CODES, classes=classes)
    with pytest.raises(
        ValueError, match=r"classes=\[0, 1, 2\], but there are \[0, 1, 2, 3"
    ):
        clf.partial_fit(X, CODES, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"y has labels \['0'"):
        clf.partial_fit(X, CODES.astype(str))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [2.0**-1060, 2.0**1017])
def test_scores_with_weights_of_any_size(clf, size):
    weight = 0.5 + np.arange(24) % 7
    regressor = clone(REGRESSOR).fit(X, CODES)
    for model, y in ((clf.fit(X, CODES), CODES), (regressor, CODES.astype(float))):
        for truth in (y, np.where(KNOWN, y, np.nan)) if model is regressor else (y,):
            score = model.score(X, truth, sample_weight=weight)
            assert model.score(X, truth, sample_weight=weight * size) == score


def test_scores_of_labels_of_another_kind_name_y(clf):
    with pytest.raises(ValueError, match="y has labels of another kind"):
        clf.fit(X, CODES).score(X, CODES.astype(str))


def test_text_is_no_target():
    with pytest.raises(ValueError, match="y has values that are no numbers.*text"):
        clone(REGRESSOR).fit(X, CODES.astype(str))


@pytest.mark.parametrize("cls", [DBNClassifier, GenerativeDBNClassifier])
def test_a_warning_before_learning_changes_nothing(cls):
    clf = cls((3,))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(LabelWarning):
            clf.fit(X, CODES - 1)
    assert vars(clf) == vars(cls((3,)))


def test_a_type_that_cannot_hold_the_mark_is_warned_of(clf):
    marked = np.where(KNOWN, CODES.astype(np.uint8), np.array(-1).astype(np.uint8))
    with pytest.warns(LabelWarning, match="uint8, which cannot hold unlabeled=-1"):
        clf.set_params(unlabeled=-1).fit(X, marked)
