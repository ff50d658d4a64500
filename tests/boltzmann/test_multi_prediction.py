"""Machines that learn to predict a part of each row from the rest."""

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.datasets import load_digits

from skdgm import DBM, DBMClassifier
from skdgm.inference import unroll
from tests.options import grouped

X, Y = load_digits(return_X_y=True)
ORDER = np.random.default_rng(0).permutation(len(X))
X, Y = (X[ORDER] / 16).astype(np.float32), Y[ORDER]
ADAM = {"solver": "adam", "centering": None, "momentum": 0.9, "learning_rate": 0.01}


def machine(**options):
    given = {"gradient": "multi-prediction", "batch_size": 50, "n_iter": 60} | ADAM
    given |= {"hidden_layer_sizes": (48, 24), "resample": False}
    return grouped(DBM, **given | options)


@pytest.fixture(scope="module")
def classifier():
    dbm = machine(hidden_layer_sizes=(64,), n_iter=40)
    clf = DBMClassifier(dbm, fine_tune=None, random_state=0)
    return clf.fit(X[:1200], Y[:1200])


@pytest.mark.release
def test_digits_with_and_without_half_of_their_pixels(classifier):
    rest, labels = X[1200:].copy(), Y[1200:]
    assert classifier.score(rest, labels) > 0.9
    rest[np.random.default_rng(0).random(rest.shape) < 0.5] = np.nan
    assert classifier.score(rest, labels) > 0.8


@pytest.mark.exhaustive
def test_labels_are_those_of_sweeps(classifier):
    density, rows = classifier.density_, X[:5]
    (v, *others), _ = density.clamp_rows(rows)
    seen = np.ones(rows.shape, bool), None, None
    given = density.energy, density.params, (np.asarray(v), *others), seen
    *_, last = (u for u in unroll(*given, 10) if u.block == 2)
    np.testing.assert_allclose(classifier.predict_proba(rows), last.mean, atol=1e-6)
    log_p = classifier.predict_log_proba(rows)
    np.testing.assert_allclose(log_p, log_softmax(log_p, axis=1), atol=1e-6)


def test_rows_without_labels_are_learned_from():
    y = np.where(np.arange(1200) < 100, Y[:1200], -1)
    clf = DBMClassifier(machine(n_iter=5), unlabeled=-1, fine_tune=None, random_state=0)
    few = clf.fit(X[:1200], y)
    assert np.isfinite(few.coefs_[0]).all()
    assert list(few.classes_) == list(range(10))


@pytest.mark.release
def test_pixels_are_predicted_from_others():
    dbm = machine(n_iter=30, random_state=0).fit(X[:1200])
    holes = X[1200:].copy()
    hidden = np.random.default_rng(0).random(holes.shape) < 0.5
    holes[hidden] = np.nan
    (v, *others), (clamped, *_) = dbm.density_.clamp_rows(holes)
    given = (np.asarray(v), *others), (clamped, None, None)
    last = unroll(dbm.density_.energy, dbm.density_.params, *given, 10)
    found = next(u.mean for u in reversed(last) if u.block == 0)
    blank = np.broadcast_to(X[:1200].mean(axis=0), X[1200:].shape)
    error = ((found - X[1200:])[hidden] ** 2).mean()
    assert error < 0.7 * ((blank - X[1200:])[hidden] ** 2).mean()


@pytest.mark.release
@pytest.mark.parametrize("centering", ["start", "data", "moving"])
def test_centered_coordinates_predict_better_than_means(centering):
    options = {"solver": "sgd", "learning_rate": 0.05, "centering": centering}
    dbm = machine(**options, momentum=0.5, n_iter=20, random_state=0).fit(X[:600])
    assert dbm.loss_curve_[-1] < dbm.loss_curve_[0]


def test_real_columns_are_refused():
    with pytest.raises(ValueError, match="predicts bits"):
        machine(column_types="gaussian").fit(X)
    with pytest.raises(ValueError, match="dbm: gradient.*predicts bits"):
        DBMClassifier(machine(column_types="gaussian")).fit(X, Y)
