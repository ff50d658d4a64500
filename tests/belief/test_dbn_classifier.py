from copy import deepcopy

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.callback import ProgressBar
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skdgm import DBN, BernoulliRBM, DBNClassifier, DBNRegressor, GaussianRBM
from skdgm.exceptions import DivergenceError, InterruptedFitWarning
from skdgm.options import Pretraining
from skdgm.training import Verbose
from skdgm.utils import progress
from tests.belief.tuning import (
    FEW,
    FEW_Y,
    TEST,
    TRAIN,
    Y_TEST,
    Y_TRAIN,
    assert_same_net,
)
from tests.options import assign, grouped

SMALL = DBNClassifier((12, 9), pretrain=Pretraining(n_iter=2), n_iter=3, random_state=0)


@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
@pytest.mark.parametrize("holed", [False, True])
def test_the_net_begins_as_the_recognition_of_the_dbn(visible, holed):
    X = FEW.astype(np.float64)
    if holed:
        X[::3, ::5] = np.nan
    clf = DBNClassifier(
        (12, 9, 7), column_types=visible, pretrain=Pretraining(n_iter=3), n_iter=0
    )
    clf.set_params(random_state=0).fit(X, FEW_Y)
    found, expected = clf.transform_layers(X), clf.dbn_.transform_layers(X)
    for H, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(H, other, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(clf.transform(X), found[-1])
    np.testing.assert_allclose(clf.predict_proba(X), 0.1)
    assert [W.shape for W in clf.coefs_] == [(64, 12), (12, 9), (9, 7), (7, 10)]


def test_the_dbn_is_what_a_dbn_would_be():
    clf = clone(SMALL).fit(FEW, FEW_Y)
    dbn = DBN((12, 9), n_iter=2, feature_layer=-1).set_params(
        random_state=clf.dbn_.random_state
    )
    dbn.fit(FEW)
    np.testing.assert_array_equal(dbn.transform(FEW), clf.dbn_.transform(FEW))
    np.testing.assert_array_equal(dbn.score_samples(FEW), clf.score_samples(FEW))
    np.testing.assert_array_equal(
        dbn.sample(5, random_state=1), clf.sample(5, random_state=1)
    )
    assert clf.density_kind_ == dbn.density_kind_
    assert clf.log_Z_ == dbn.log_Z_


@pytest.mark.release
def test_layers_without_pre_training_begin_as_a_net_does():
    clf = DBNClassifier(
        (12, 9), pretrain=Pretraining(n_iter=(2, 0)), n_iter=0, random_state=0
    )
    clf.fit(FEW, FEW_Y)
    lower, upper = clf.dbn_.coefs_
    np.testing.assert_array_equal(clf.coefs_[0], lower)
    assert clf.coefs_[1].std() > 3 * upper.std()
    plain = assign(clf, hidden_layer_sizes=(64, 32), pretrain_iter=0, n_iter=60)
    plain.fit(TRAIN, Y_TRAIN)
    assert plain.dbn_.n_iter_ == 0
    assert plain.score(TEST, Y_TEST) > 0.9


@pytest.mark.release
def test_small_tables_of_scaled_columns_are_learned():
    X, y = load_iris(return_X_y=True)
    clf = make_pipeline(MinMaxScaler(), DBNClassifier((64, 64), random_state=0))
    assert cross_val_score(clf, X, y, cv=StratifiedKFold(3)).mean() > 0.9


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", [DBNClassifier, DBNRegressor])
def test_pre_training_takes_no_more_updates_than_tuning(kind):
    # 5,000 of each layer, where a DBN makes 12,000.
    net = grouped(kind, (2, 2), pretrain_batch_size=(1, 10), n_iter=1, random_state=0)
    net.fit(FEW, FEW_Y)
    assert [layer.n_iter_ for layer in net.dbn_.layers_] == [25, 200]


def test_rows_without_a_label_are_learned_of():
    y = np.where(np.arange(200) % 2, FEW_Y, -1)
    clf = clone(SMALL).set_params(unlabeled=-1)
    with_them = clone(clf).fit(FEW, y)
    without = clone(clf).fit(FEW[y >= 0], y[y >= 0])
    assert (with_them.coefs_[0] != without.coefs_[0]).any()
    # Of other rows only the belief network learns.
    still = assign(clf, pretrain_iter=0)
    assert_same_net(clone(still).fit(FEW, y), clone(still).fit(FEW[y >= 0], y[y >= 0]))


@pytest.mark.release
def test_few_labels():
    clf = DBNClassifier(
        (64, 64), pretrain=Pretraining(n_iter=30), unlabeled=-1, random_state=0
    )
    # Learned once, as labels are no part of it.
    pretrained = clone(clf).set_params(n_iter=0).fit(TRAIN, Y_TRAIN)
    pretrained.set_params(warm_start=True, n_iter=clf.n_iter)
    hits = []
    for seed in range(2):
        known = np.random.default_rng(seed).choice(len(TRAIN), 50, replace=False)
        y = np.full(len(TRAIN), -1)
        y[known] = Y_TRAIN[known]
        plain = assign(clone(clf), pretrain_iter=0)
        models = deepcopy(pretrained), plain
        hits.append([m.fit(TRAIN, y).score(TEST, Y_TEST) for m in models])
    with_it, without = np.mean(hits, axis=0)
    assert with_it > 0.75
    assert with_it > without + 0.04


@pytest.mark.release
def test_defaults_make_the_most_of_few_labels():
    # Learned once, as labels are no part of it.
    pretrained = DBNClassifier((128, 128), pretrain=Pretraining(n_iter=20), n_iter=0)
    pretrained.set_params(random_state=0).fit(TRAIN, Y_TRAIN)
    pretrained.set_params(warm_start=True, n_iter="auto")
    hits = []
    for seed in range(2):
        known = np.random.default_rng(seed).choice(len(TRAIN), 100, replace=False)
        clf = deepcopy(pretrained).fit(TRAIN[known], Y_TRAIN[known])
        hits.append(clf.score(TEST, Y_TEST))
    # 0.854 where nothing drops out and 100 epochs are the most.
    assert np.mean(hits) > 0.87


@pytest.mark.release
def test_digits():
    clf = DBNClassifier(
        (128, 128), pretrain=Pretraining(n_iter=30), n_iter=50, random_state=0
    )
    score = clf.fit(TRAIN, Y_TRAIN).score(TEST, Y_TEST)
    mlp = MLPClassifier((128, 128), tol=1e-3, random_state=0).fit(TRAIN, Y_TRAIN)
    assert score > 0.96
    assert score > mlp.score(TEST, Y_TEST) - 0.015
    assert clf.loss_curve_[-1] < 0.1 < clf.loss_curve_[0]
    p = clf.predict_proba(TEST)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(clf.classes_[p.argmax(axis=1)], clf.predict(TEST))
    bits = clone(clf).set_params(column_types="bernoulli")
    assert not hasattr(bits, "decision_function")


@pytest.mark.exhaustive
def test_two_classes_of_any_kind():
    y = np.array(["even", "odd"], dtype=object)[FEW_Y % 2]
    clf = assign(clone(SMALL), n_iter=60, pretrain_iter=10).fit(FEW, y)
    assert clf.score(FEW, y) > 0.8
    assert clf.predict_proba(FEW).shape == (200, 2)
    clf.set_params(column_types="gaussian").fit(FEW, y)
    odds = clf.decision_function(FEW)
    expected = np.diff(clf.predict_log_proba(FEW), axis=1).ravel()
    np.testing.assert_allclose(odds, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.exhaustive(default=["csr_array"])
@pytest.mark.parametrize("convert", [np.asarray, sp.csr_array, lambda y: y.tolist()])
def test_several_labels_at_once(convert):
    X, Y = make_multilabel_classification(400, 20, n_classes=4, random_state=0)
    clf = DBNClassifier(
        (30, 20), column_types="gaussian", pretrain=Pretraining(n_iter=5), n_iter=60
    )
    clf.set_params(random_state=0, learning_rate=0.01).fit(X, convert(Y))
    found = clf.predict(X)
    assert (found == Y).mean() > 0.8
    np.testing.assert_array_equal(clf.classes_, np.arange(4))
    p, z = clf.predict_proba(X), clf.decision_function(X)
    assert p.shape == z.shape == (400, 4)
    np.testing.assert_array_equal(z > 0, found)
    np.testing.assert_array_equal(p > 0.5, found)
    np.testing.assert_allclose(np.log(p), clf.predict_log_proba(X))
    assert 0.4 < clf.score(X, Y) <= (found == Y).mean()
    with pytest.raises(ValueError, match="one label for each row or several"):
        clf.partial_fit(X, Y[:, 0])
    with pytest.raises(ValueError, match="3 columns"):
        clf.partial_fit(X, Y[:, :3])
    with pytest.raises(ValueError, match="0 and 1"):
        clf.fit(X, Y + 1)


def test_several_labels_or_none():
    X, Y = make_multilabel_classification(100, 20, n_classes=4, random_state=0)
    marked = np.where(np.arange(100)[:, None] % 2, Y, -1)
    clf = DBNClassifier(
        (8,), column_types="gaussian", pretrain=Pretraining(n_iter=0), n_iter=3
    )
    clf.set_params(unlabeled=-1, random_state=0)
    # The first column's means are not of all rows.
    Z = X.copy()
    Z[::2] = X[1::2]
    assert_same_net(clone(clf).fit(Z, marked), clone(clf).fit(Z[1::2], Y[1::2]))


def test_partial_fit_goes_on_from_pre_training():
    clf = clone(SMALL).partial_fit(FEW[:100], FEW_Y[:100], classes=np.arange(11))
    assert clf.predict_proba(FEW).shape == (200, 11)
    dbn, before = clf.dbn_, clf.coefs_[0].copy()
    clf.partial_fit(FEW[100:], FEW_Y[100:])
    assert clf.dbn_ is dbn
    assert clf.n_iter_ == len(clf.loss_curve_) == 2
    assert (clf.coefs_[0] != before).any()
    with pytest.raises(ValueError, match=r"\[11\].*not among the classes"):
        clf.partial_fit(FEW, np.full(200, 11))


def test_partial_fit_without_labels_learns_the_rows():
    clf = clone(SMALL).set_params(unlabeled=-1)
    clf.partial_fit(FEW, np.full(200, -1), classes=np.arange(10))
    assert (clf.dbn_.n_iter_, clf.n_iter_) == (4, 0)
    clf.partial_fit(FEW, FEW_Y)
    assert clf.n_iter_ == 1


def test_a_class_of_one_row():
    y = np.where(np.arange(200) == 7, 1, 0)
    for options in {}, {"early_stopping": True}:
        clf = assign(clone(SMALL), **options).fit(FEW, y)
        np.testing.assert_array_equal(clf.classes_, [0, 1])


def test_what_cannot_be_learned():
    clf = clone(SMALL).set_params(unlabeled=-1)
    with pytest.raises(ValueError, match="one class only"):
        clf.fit(FEW, np.zeros(200))
    with pytest.raises(ValueError, match="no label at all"):
        clf.fit(FEW, np.full(200, -1))
    y = np.where(np.arange(200) < 100, FEW_Y, -1)
    with pytest.raises(ValueError, match="no row with a target has a weight"):
        clf.fit(FEW, y, sample_weight=np.arange(200) >= 100)
    assert not hasattr(clf, "coefs_")


@pytest.mark.parametrize(
    "options, message",
    [
        ({"hidden_layer_sizes": ()}, "hidden_layer_sizes"),
        ({"pretrain_iter": (1, 2, 3)}, "pretrain__n_iter must be one value"),
        ({"pretrain_learning_rate": (0.1, -1)}, "learning_rate"),
        ({"dropout": (0.1, 0.2, 0.3)}, "dropout must be"),
        ({"dropout": (0.1, 1.0)}, "dropout must be"),
        ({"layers": []}, "layers"),
    ],
)
def test_options_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        assign(clone(SMALL), **options).fit(FEW, FEW_Y)


def test_a_stack_made_by_hand():
    layers = [("real", GaussianRBM(9, n_iter=2)), ("top", BernoulliRBM(7, n_iter=3))]
    clf = DBNClassifier(layers=layers, n_iter=3, random_state=0)
    grid = {"top__n_components": [5], "real__learning_rate": [0.05]}
    best = GridSearchCV(clf, grid, cv=2).fit(FEW, FEW_Y).best_estimator_
    assert [len(b) for b in best.intercepts_] == [9, 5, 10]
    assert best.dbn_.layers_[0].learning_rate == 0.05
    assert layers[1][1].n_components == 7


def test_widths_are_kept_in_going_on():
    clf = clone(SMALL).set_params(warm_start=True).fit(FEW, FEW_Y)
    with pytest.raises(ValueError, match="Layer 1 is to have 8 units"):
        clf.set_params(hidden_layer_sizes=(12, 8)).fit(FEW, FEW_Y)


def test_divergence_is_named():
    clf = clone(SMALL).set_params(solver="sgd", learning_rate=1e6)
    with pytest.raises(DivergenceError, match="Lower learning_rate"):
        clf.fit(FEW, FEW_Y)
    assert np.isfinite(clf.predict_proba(FEW)).all()
    clf = assign(clone(SMALL), column_types="gaussian", pretrain_learning_rate=1e8)
    with pytest.raises(DivergenceError, match="pretrain__learning_rate") as told:
        clf.fit(FEW, FEW_Y)
    assert not hasattr(clf, "coefs_")
    assert "diverged after 0 of 2 epochs, and DBNClassifier is unchanged" in str(
        told.value
    )
    assert "kept" not in str(told.value)


def test_interruption_keeps_what_was_learned(monkeypatch):
    def after(n_epochs):
        left = [n_epochs]

        def interrupt(*arguments):
            left[0] -= 1
            if not left[0]:
                raise KeyboardInterrupt

        monkeypatch.setattr(Verbose, "end", interrupt)

    talking = clone(SMALL).set_params(verbose=1)
    after(1)
    with pytest.warns(InterruptedFitWarning, match="after 1 of 2 epochs"):
        clf = clone(talking).fit(FEW, FEW_Y)
    # The first layer learned something; the others are there.
    assert [layer.n_iter_ for layer in clf.dbn_.layers_] == [1, 0]
    assert clf.n_iter_ == 0
    assert clf.predict(FEW).shape == (200,)
    after(5)
    with pytest.warns(InterruptedFitWarning, match="after 1 of 3 epochs"):
        clf = clone(talking).fit(FEW, FEW_Y)
    assert clf.n_iter_ == 1


def test_callbacks_see_layers_and_epochs(capsys):
    pytest.importorskip("rich")
    clone(SMALL).set_callbacks(ProgressBar(max_propagation_depth=None)).fit(FEW, FEW_Y)
    out = capsys.readouterr().out
    for part in "pre-training", "layer", "fine-tuning":
        assert part in out


def test_lines_name_the_layers(capsys, monkeypatch):
    monkeypatch.setattr(progress, "_LINE_PAUSE", 0.0)
    clone(SMALL).set_params(verbose=1).fit(FEW, FEW_Y)
    lines = capsys.readouterr().out.splitlines()
    assert sum("[DBNClassifier pre-training layer 0]" in line for line in lines) == 3
    assert lines[0].startswith("[DBNClassifier] Columns: 64 ")
    rows = [line.split() for line in lines if line.startswith("[DBNClassifier] ")]
    assert [row[1] for row in rows] == ["Columns:", "epoch", "1/3", "2/3", "3/3"]


def test_a_net_that_was_tuned_differs_from_its_dbn():
    clf = clone(SMALL).fit(FEW, FEW_Y)
    assert (clf.transform(FEW) != clf.dbn_.transform(FEW)).any()
    assert clf.inverse_transform(clf.transform(FEW)).shape == FEW.shape


def test_a_tuned_net_has_the_density_of_its_dbn():
    clf = clone(SMALL).fit(FEW, FEW_Y)
    assert clf.density_kind_ == clf.dbn_.density_kind_
    assert (clf.log_Z_, clf.log_Z_se_) == (clf.dbn_.log_Z_, clf.dbn_.log_Z_se_)
    for name in "score_samples", "impute":
        ours, theirs = (getattr(model, name)(FEW[:5]) for model in (clf, clf.dbn_))
        np.testing.assert_array_equal(ours, theirs)
    ours, theirs = (model.sample(3, random_state=0) for model in (clf, clf.dbn_))
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.release
def test_epochs_that_are_not_said():
    clf = clone(SMALL).set_params(n_iter="auto", batch_size=2)
    assert clf.fit(FEW, FEW_Y).n_iter_ == 50
    assert DBNRegressor().n_iter == "auto"


@pytest.mark.parametrize("reading", ["auto", "gaussian", "bernoulli"])
def test_columns_that_are_bits_by_an_option_have_no_decision_function(reading):
    few = {"pretrain": Pretraining(n_iter=1), "n_iter": 1, "random_state": 0}
    clf = DBNClassifier((4,), column_types=reading, **few)
    may_be_real = reading != "bernoulli"
    assert hasattr(clf, "decision_function") == may_be_real
    # Bits that "auto" finds keep it.
    bits = FEW[:40] > 0.5
    clf.fit(bits.astype(float), FEW_Y[:40] % 2)
    assert hasattr(clf, "decision_function") == may_be_real
