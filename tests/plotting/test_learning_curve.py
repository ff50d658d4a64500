"""Losses, epoch by epoch."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier

from skdgm import (
    DBM,
    DBN,
    FVBN,
    VAE,
    BernoulliRBM,
    DBMClassifier,
    DBNClassifier,
    DBNRegressor,
    GaussianRBM,
    GenerativeDBNClassifier,
    SigmoidBeliefNetwork,
)
from skdgm.options import BeliefObjective, UpDown
from skdgm.plotting import LearningCurveDisplay
from tests.options import assign, grouped

EARLY = {"early_stopping": True, "n_iter_no_change": 50, "validation_fraction": 0.3}


def check_line(line, curve):
    np.testing.assert_array_equal(line.get_ydata(), curve)
    np.testing.assert_array_equal(line.get_xdata(), 1 + np.arange(len(curve)))


def losses(display):
    """What the axes' losses are."""
    return [ax.get_ylabel().replace("\n", " ") for ax in display.axes_]


@pytest.mark.parametrize("cls", [BernoulliRBM, GaussianRBM])
def test_restricted_machines(cls, X):
    rbm = cls(4, n_iter=6, random_state=0).fit(X)
    display = LearningCurveDisplay.from_estimator(rbm)
    (line,) = display.lines_[0]["training"]
    check_line(line, rbm.loss_curve_)
    (ax,) = display.axes_
    assert ax.get_title() == cls.__name__
    assert ax.get_xlabel() == "epoch"
    assert losses(display) == ["minus pseudo-likelihood (nats a row)"]
    assert ax.get_legend() is None


def test_held_out_rows(X):
    rbm = grouped(BernoulliRBM, 4, n_iter=6, random_state=0, **EARLY).fit(X)
    display = LearningCurveDisplay.from_estimator(rbm, line_kw={"color": "red"})
    training, held_out = display.lines_[0]["training"]
    check_line(training, rbm.loss_curve_)
    check_line(held_out, rbm.validation_curve_)
    assert training.get_linestyle() != held_out.get_linestyle()
    assert training.get_color() == held_out.get_color() == "red"
    texts = display.axes_[0].get_legend().get_texts()
    labels = [text.get_text() for text in texts]
    assert labels == ["some training rows", "held-out rows"]


def test_labels(clf):
    display = LearningCurveDisplay.from_estimator(clf)
    check_line(display.lines_[0]["training"][0], clf.loss_curve_)
    assert losses(display) == ["minus log probability of labels (nats a row)"]


def test_deep_machines(dbm):
    display = LearningCurveDisplay.from_estimator(dbm)
    pairs, own = display.lines_
    assert list(pairs) == ["layer 0", "layer 1"]
    for lines, curve in zip(pairs.values(), dbm.pretrain_loss_curves_, strict=True):
        check_line(*lines, curve)
    check_line(*own["training"], dbm.loss_curve_)
    assert losses(display) == [
        "minus log-likelihood given the layer above (nats a row)",
        "minus pseudo-likelihood (nats a row)",
    ]


def test_belief_networks(X):
    dbn = grouped(
        DBN, (6, 4), n_iter=3, refine=UpDown(n_iter=2), random_state=0, **EARLY
    )
    display = LearningCurveDisplay.from_estimator(dbn.fit(X))
    layers, refined = display.lines_
    for lines, machine in zip(layers.values(), dbn.layers_, strict=True):
        check_line(lines[0], machine.loss_curve_)
        check_line(lines[1], machine.validation_curve_)
    check_line(*refined["training"], dbn.loss_curves_[2])
    assert losses(display) == [
        "minus pseudo-likelihood (nats a row)",
        "minus bound (nats a row)",
    ]
    texts = display.axes_[0].get_legend().get_texts()
    assert texts[3].get_text() == "layer 1, held out"


def test_belief_networks_with_a_label(X):
    dbn = GenerativeDBNClassifier((6, 5, 4), n_iter=3, random_state=0)
    display = LearningCurveDisplay.from_estimator(dbn.fit(X, X[:, 0]))
    below, top = display.lines_
    assert (list(below), list(top)) == (["layer 0", "layer 1"], ["layer 2"])
    check_line(*top["layer 2"], dbn.loss_curves_[2])
    assert losses(display) == [
        "minus pseudo-likelihood (nats a row)",
        "minus log probability of labels (nats a row)",
    ]


def test_a_single_layer_is_named(X):
    dbn = grouped(GenerativeDBNClassifier, (3, 2), n_iter=2, random_state=0, **EARLY)
    display = LearningCurveDisplay.from_estimator(dbn.fit(X, X[:, 0]))
    for number, ax in enumerate(display.axes_):
        labels = [text.get_text() for text in ax.get_legend().get_texts()]
        assert labels == [f"layer {number}", f"layer {number}, held out"]


def test_a_label_above(X):
    dbm = grouped(DBM, (6, 4), n_iter=4, learning_rate=0.05, **EARLY)
    clf = grouped(DBMClassifier, dbm, n_iter=3, random_state=0, **EARLY)
    display = LearningCurveDisplay.from_estimator(clf.fit(X, X[:, 0]))
    machine, net = display.lines_
    check_line(machine["training"][1], clf.validation_curve_)
    check_line(net["training"][0], clf.net_loss_curve_)
    check_line(net["training"][1], clf.net_validation_curve_)
    assert [ax.get_title() for ax in display.axes_] == [
        "DBMClassifier",
        "DBMClassifier, net",
    ]


@pytest.mark.parametrize(
    "cls, loss",
    [
        (DBNClassifier, "minus log probability of labels (nats a row)"),
        (DBNRegressor, "half the squared error of standardized targets"),
    ],
)
def test_tuned_networks(cls, loss, X):
    net = grouped(cls, (6, 4), pretrain_iter=3, n_iter=3, random_state=0).fit(
        X, X[:, 0]
    )
    figure, axes = plt.subplots(2)
    display = LearningCurveDisplay.from_estimator(net, ax=axes)
    layers, own = display.lines_
    for lines, curve in zip(layers.values(), net.dbn_.loss_curves_, strict=True):
        check_line(*lines, curve)
    check_line(*own["training"], net.loss_curve_)
    assert losses(display)[1] == loss
    assert display.figure_ is figure
    with pytest.raises(ValueError, match="draws on 2 axes, but ax has 1"):
        display.plot(axes[0])


def test_others(X):
    net = MLPClassifier((4,), max_iter=1000, tol=1.0, random_state=0)
    display = LearningCurveDisplay.from_estimator(net.fit(X, X[:, 0]))
    check_line(*display.lines_[0]["training"], net.loss_curve_)
    assert losses(display) == ["loss"]


def test_one_epoch_can_be_seen(X):
    rbm = BernoulliRBM(4, n_iter=1).fit(X)
    (line,) = LearningCurveDisplay.from_estimator(rbm).lines_[0]["training"]
    assert line.get_marker() == "."


def test_no_epoch(X):
    with pytest.raises(ValueError, match="was fitted for no epoch"):
        LearningCurveDisplay.from_estimator(BernoulliRBM(4, n_iter=0).fit(X))


@pytest.mark.parametrize(
    "model, loss",
    [
        (FVBN(n_iter=2), "minus log-likelihood (nats a row)"),
        (VAE(2, (4,), n_iter=2), "minus lower bound on log-likelihood (nats a row)"),
    ],
)
def test_the_axis_says_what_is_lost(model, loss, X):
    display = LearningCurveDisplay.from_estimator(model.fit(X))
    assert losses(display) == [loss]
    with pytest.raises(TypeError, match="line_kw of LearningCurveDisplay"):
        LearningCurveDisplay.from_estimator(model, line_kw="red")


def test_variances_of_gradients(X):
    sbn = SigmoidBeliefNetwork(
        (4, 3),
        n_iter=4,
        objective=BeliefObjective("rws", gradient_draws=3),
        random_state=0,
    )
    display = LearningCurveDisplay.from_estimator(sbn.fit(X))
    check_line(display.lines_[0]["training"][0], sbn.loss_curve_)
    (line,) = display.lines_[0]["gradient"]
    check_line(line, sbn.gradient_variance_curve_)
    assert line.axes is not display.axes_[0]
    assert line.axes.get_yscale() == "log"
    assert line.axes.get_ylabel() == "variance of the gradient"
    assign(sbn, gradient_draws=None)
    display = LearningCurveDisplay.from_estimator(sbn.fit(X))
    assert list(display.lines_[0]) == ["training"]
