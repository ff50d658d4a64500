"""Figures of labels and of arguments of fits, which all estimators share."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.utils._param_validation import InvalidParameterError

from skdgm import (
    MADE,
    NADE,
    VAE,
    BernoulliRBM,
    DensityOutlierDetector,
    GenerativeImputer,
    RBMClassifier,
)
from skdgm.base.meta import weight_of
from skdgm.callbacks import Checkpoint

RNG = np.random.default_rng(0)
X = RNG.integers(0, 2, (12, 3)).astype(float)
Y = np.array(list("aababcaabaca"))


def test_labels_of_several_calls_add_up():
    """Smoothed as if each class had been seen once more."""
    clf = RBMClassifier(2, random_state=0)
    weight = np.r_[np.full(5, 2.0), 1]
    clf.partial_fit(X[:6], Y[:6], classes=list("abcd"), sample_weight=weight)
    counts = np.array([(weight * (Y[:6] == k)).sum() for k in "abcd"])
    np.testing.assert_array_equal(clf._label_counts, counts)
    clf.partial_fit(X[6:], Y[6:])
    counts += [(Y[6:] == k).sum() for k in "abcd"]
    np.testing.assert_array_equal(clf._label_counts, counts)
    expected = (counts + 1) / (counts.sum() + 4)
    np.testing.assert_allclose(clf._label_frequencies, expected)
    clf.fit(X, Y)
    np.testing.assert_array_equal(clf._label_counts, [7, 3, 2])


def test_curves_of_several_calls_go_on():
    rbm = BernoulliRBM(2, n_iter=3, random_state=0).fit(X)
    losses = list(rbm.loss_curve_)
    rbm.partial_fit(X).partial_fit(X)
    assert rbm.n_iter_ == 5
    assert len(rbm.loss_curve_) == 5
    assert list(rbm.loss_curve_[:3]) == losses
    rbm.set_params(warm_start=True, early_stopping=True).fit(X)
    assert rbm.n_iter_ == len(rbm.loss_curve_)
    assert list(rbm.loss_curve_[:3]) == losses
    assert len(rbm.validation_curve_) == rbm.n_iter_ - 5


@pytest.mark.parametrize("name", ["sample_weight", "step__sample_weight"])
def test_weights_among_the_arguments_of_a_model(name):
    weight = np.arange(12.0)
    found = weight_of({name: weight, "other": 1}, X)
    np.testing.assert_array_equal(found, weight)
    np.testing.assert_array_equal(weight_of({"weights": weight}, X), np.ones(12))
    with pytest.raises(ValueError, match="[Nn]egative"):
        weight_of({name: weight - 1}, X)


@pytest.mark.parametrize(
    "meta",
    [GenerativeImputer(BernoulliRBM(2, n_iter=1)), DensityOutlierDetector()],
    ids=lambda meta: type(meta).__name__,
)
def test_names_of_an_earlier_fit_are_forgotten(meta):
    frame = pd.DataFrame(X, columns=list("abc"))
    meta.fit(frame)
    assert list(meta.feature_names_in_) == list("abc")
    meta.fit(X[:, :2])
    assert not hasattr(meta, "feature_names_in_")
    assert meta.n_features_in_ == 2


@pytest.mark.parametrize("value, fine", [(2**63 - 1, True), (2**63, False)])
def test_whole_numbers_are_words_of_a_machine(value, fine):
    rbm = BernoulliRBM(2, n_iter=1, verbose=0).set_params(n_iter_no_change=value)
    if fine:
        rbm.fit(X)
    else:
        with pytest.raises(InvalidParameterError, match="between -2..63 and 2..63 - 1"):
            rbm.fit(X)


@pytest.mark.parametrize(
    "model",
    [BernoulliRBM(2), NADE(2), VAE(2, hidden_layer_sizes=(3,)), MADE(3)],
    ids=lambda model: type(model).__name__,
)
def test_curves_of_a_fit_that_is_kept_go_on(model, tmp_path):
    """What is in a file between epochs has the curves of calls before, too."""
    seen = []

    class Each(Checkpoint):
        def write(self, estimator):
            curves = estimator.loss_curve_, estimator.validation_curve_
            seen.append([estimator.n_iter_, *map(list, curves)])
            super().write(estimator)

    options = {"warm_start": True, "early_stopping": True, "n_iter_no_change": 9}
    model = clone(model).set_params(n_iter=2, random_state=0, **options)
    first = model.fit(X)
    before = list(first.loss_curve_), list(first.validation_curve_)
    checkpoint = Each(tmp_path / "a.skdgm", n_epochs=1)
    model.set_params(n_iter=3).set_callbacks(checkpoint).fit(X)
    assert len(seen) >= 3
    for n_iter, *curves in seen:
        assert n_iter == len(curves[0]) == len(curves[1])
        for curve, old in zip(curves, before):
            assert curve[:2] == old
