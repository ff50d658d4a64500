"""BernoulliRBM in training: every option does what it says."""

import os
import signal
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from skdgm import DBM, BernoulliRBM, RBMClassifier
from skdgm.boltzmann._fused_epochs import runs
from skdgm.boltzmann.learning.state import clamp_rows
from skdgm.couplings import contrast
from skdgm.exceptions import (
    DataRangeWarning,
    DivergenceError,
    InterruptedFitWarning,
    MissingDataWarning,
)
from skdgm.options import SGD
from skdgm.utils import progress
from skdgm.utils.random import stream
from tests.callbacks import Callback
from tests.options import assign, grouped

X = load_digits().data[:400] / 16


def fit(n_components=8, n_iter=3, **options):
    return grouped(
        BernoulliRBM, n_components, n_iter=n_iter, random_state=0, **options
    ).fit(X)


@pytest.mark.exhaustive(
    default=[
        "gradient",
        "'solver'",
        "'alpha'",
        "resample",
        "random_state",
        "centering",
        "'schedule'",
    ]
)
@pytest.mark.parametrize(
    "option",
    [
        {"gradient": "cd"},
        {"gradient": "fpcd"},
        {"gradient": "tempering"},
        {"centering": "start"},
        {"centering": "data"},
        {"centering": "moving"},
        {"solver": "adam"},
        {"momentum": (0.1, 0.8)},
        pytest.param({"max_norm": 0.05}, marks=pytest.mark.exhaustive),
        {"sparsity_target": 0.1},
        {"n_steps": 2},
        {"n_steps": (1, 3)},
        {"n_chains": 5},
        {"momentum": 0.5},
        {"schedule": "constant"},
        {"schedule": "invscaling"},
        {"alpha": 0.1, "l1_ratio": 1.0},
        {"alpha": 0.1},
        {"resample": True},
        {"init_biases": "zeros"},
        {"batch_size": 20},
        {"learning_rate": 0.05},
        {"early_stopping": True},
        {"random_state": 1},
    ],
    ids=str,
)
def test_options_change_what_is_learned(option):
    other = assign(BernoulliRBM(8, n_iter=3, random_state=0), **option).fit(X)
    assert (other.components_ != fit().components_).any()


def test_power_t_bends_the_inverse_scaling():
    a, b = (fit(schedule="invscaling", power_t=p).components_ for p in (0.5, 1.0))
    assert (a != b).any()


def test_penalties_shrink_the_weights():
    free = fit(n_iter=10)
    l1 = fit(n_iter=10, alpha=1.0, l1_ratio=1.0, batch_size=100)
    l2 = fit(n_iter=10, alpha=10.0, batch_size=100)
    assert (abs(l1.components_) < 0.02).mean() > (abs(free.components_) < 0.02).mean()
    assert (l2.components_**2).sum() < (free.components_**2).sum() / 2


def test_initial_visible_biases():
    marginal, zero = fit(n_iter=0), fit(n_iter=0, init_biases="zeros")
    means = (X.sum(axis=0) + 1) / (len(X) + 2)
    np.testing.assert_allclose(
        marginal.inverse_transform(np.zeros((1, 8)))[0], means, rtol=1e-4
    )
    assert not zero.intercept_visible_.any()
    assert not marginal.intercept_hidden_.any()
    assert abs(marginal.components_.std() - 0.01) < 0.002


@pytest.mark.parametrize("n_chains, rows", [(7, 7), (None, 10)])
def test_persistent_chains(n_chains, rows):
    rbm = fit(n_chains=n_chains)
    assert rbm.chains_.shape == (rows, 64)
    assert rbm.h_samples_.shape == (rows, 8)
    before = rbm.chains_
    assert (rbm.partial_fit(X[:10]).chains_ != before).any()


def test_chains_go_on_between_updates():
    rbm = fit(n_chains=30, n_steps=1)
    moved = (rbm.chains_ != rbm.partial_fit(X[:10]).chains_).mean()
    independent = (rbm.chains_ != rbm.chains_[::-1]).mean()
    assert moved < independent


def test_the_number_of_chains_may_change():
    rbm = fit(n_chains=5)
    assert assign(rbm, n_chains=9).partial_fit(X).chains_.shape == (9, 64)
    assert rbm.set_params(gradient="cd").partial_fit(X).chains_.shape[1] == 64


def test_contrastive_divergence_keeps_nothing_near_rows():
    """Its chains start at rows: those that are kept have not moved."""
    start, after = fit(gradient="cd", n_iter=0), fit(gradient="cd", n_iter=3)
    np.testing.assert_array_equal(after.chains_, start.chains_)
    np.testing.assert_array_equal(after.h_samples_, start.h_samples_)
    assert after.chains_.shape == (50, 64)
    assert after._training[-1] == ()
    assert after.sample(3, random_state=0).shape == (3, 64)
    # Persistent ones stay where they were.
    before = fit()
    chains = before.chains_
    np.testing.assert_array_equal(
        before.set_params(gradient="cd").partial_fit(X).chains_, chains
    )


def test_drawn_bits_have_the_gray_means():
    v = np.repeat(np.array([[0.0, 0.2, 0.7, 1.0, np.nan]]), 20000, axis=0)
    (bits, _), (held, _) = clamp_rows(v, np.full(5, 0.3), 2, stream(0))
    np.testing.assert_array_equal(np.unique(bits[:, :4]), [0, 1])
    se = np.sqrt(v[0, :4] * (1 - v[0, :4]) / len(v))
    assert (abs(bits[:, :4].mean(axis=0) - v[0, :4]) <= 4 * se).all()
    np.testing.assert_array_equal(held[0], [True, True, True, True, False])
    np.testing.assert_array_equal(bits[:, 4], 0.3)


def test_early_stopping_keeps_the_best_parameters():
    rbm = BernoulliRBM(
        64,
        n_iter=100,
        learning_rate=0.5,
        solver=SGD(schedule="constant"),
        early_stopping=True,
        n_iter_no_change=3,
        random_state=0,
    ).fit(X[:60])
    best = int(np.argmin(rbm.validation_curve_))
    assert len(rbm.loss_curve_) == len(rbm.validation_curve_) == rbm.n_iter_ < 100
    assert best < rbm.n_iter_ - 1
    again = BernoulliRBM(
        64,
        n_iter=best + 1,
        learning_rate=0.5,
        solver=SGD(schedule="constant"),
        early_stopping=True,
        n_iter_no_change=100,
        random_state=0,
    ).fit(X[:60])
    np.testing.assert_array_equal(rbm.components_, again.components_)


def test_curves_count_the_epochs():
    rbm = fit()
    assert len(rbm.loss_curve_) == rbm.n_iter_ == 3
    assert rbm.validation_curve_ == []
    assert rbm.loss_curve_[-1] == pytest.approx(
        -rbm.pseudo_likelihood(X).mean(), rel=0.1
    )


def test_verbose(capsys, monkeypatch):
    monkeypatch.setattr(progress, "_LINE_PAUSE", 0.0)
    rbm = fit(verbose=1, early_stopping=True)
    header, *lines = capsys.readouterr().out.splitlines()
    names = ["[BernoulliRBM]", "epoch", "pseudo-likelihood", "held", "out", "time"]
    assert header.split() == [*names, "left"]
    curves = zip(rbm.loss_curve_, rbm.validation_curve_, strict=True)
    expected = [f"{k}/3 {-a:.2f} {-b:.2f}" for k, (a, b) in enumerate(curves, 1)]
    assert [" ".join(line.split()[1:4]) for line in lines] == expected
    fit(verbose=0)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("learning_rate", [1e2, 1e6, 1e38])
@pytest.mark.parametrize("gradient", ["pcd", "cd", "fpcd", "tempering"])
def test_divergence_is_caught_and_named(learning_rate, gradient):
    rbm = BernoulliRBM(8, learning_rate=learning_rate, gradient=gradient, n_iter=5)
    with pytest.raises(DivergenceError, match="Lower learning_rate"):
        rbm.fit(X)
    assert np.isfinite(rbm.score(X))


def test_divergence_keeps_what_was_good():
    rbm = fit(n_iter=5)
    before, score = rbm.components_, rbm.score(X)
    with pytest.raises(DivergenceError):
        rbm.set_params(learning_rate=1e6).partial_fit(X)
    np.testing.assert_array_equal(rbm.components_, before)
    assert rbm.score(X) == score
    rbm.set_params(learning_rate=0.01).partial_fit(X)


def test_harmful_learning_rate_is_warned_of():
    with pytest.warns(ConvergenceWarning, match="Lower learning_rate"):
        fit(learning_rate=10.0, schedule="constant")


class Interrupt(Callback):
    """Presses Ctrl-C in the second epoch."""

    def on_fit_task_begin(self, estimator, context):
        if context.task_name == "epoch" and context.task_id == 2:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_interruption_keeps_the_epochs_done(early_stopping):
    rbm = BernoulliRBM(
        8, n_iter=50, early_stopping=early_stopping, random_state=0
    ).set_callbacks(Interrupt())
    with pytest.warns(InterruptedFitWarning, match="after 2 of 50 epochs"):
        rbm.fit(X)
    assert rbm.n_iter_ == 2
    assert np.isfinite(rbm.score(X))
    assert rbm.transform(X).shape == (400, 8)
    rbm.set_callbacks().set_params(n_iter=2, warm_start=True).fit(X)
    assert rbm.n_iter_ == 4


def test_values_above_one_are_clipped_with_a_warning():
    with pytest.warns(DataRangeWarning, match="MinMaxScaler") as record:
        clipped = BernoulliRBM(4, n_iter=2, random_state=0).fit(X * 3)
    assert "255" in str(record[0].message)
    plain = BernoulliRBM(4, n_iter=2, random_state=0).fit(np.minimum(X * 3, 1))
    np.testing.assert_array_equal(clipped.components_, plain.components_)


def test_negative_values_are_an_error_in_training_only():
    rbm = fit()
    shifted = X - 0.5
    for method in (rbm.fit, rbm.partial_fit):
        with pytest.raises(ValueError, match="Negative values in data.*MinMaxScaler"):
            method(shifted)
    for method in (rbm.transform, rbm.score_samples):
        with pytest.warns(DataRangeWarning):
            found = method(shifted)
        np.testing.assert_array_equal(found, method(np.maximum(shifted, 0)))
    # What is known stays as it is.
    with pytest.warns(DataRangeWarning):
        np.testing.assert_array_equal(rbm.impute(shifted), shifted)


def test_range_is_judged_by_what_was_observed():
    holed = X.copy()
    holed[0, 0] = np.nan
    with pytest.raises(ValueError, match="Negative"):
        BernoulliRBM().fit(holed - 0.5)
    with pytest.warns(DataRangeWarning):
        BernoulliRBM(4, n_iter=1).fit(holed * 2)


def test_infinite_values():
    rbm, bad = fit(), X.copy()
    bad[3, 5] = np.inf
    for method in (rbm.fit, rbm.partial_fit, rbm.transform, rbm.score, rbm.impute):
        with pytest.raises(ValueError, match="infinity"):
            method(bad)


def test_columns_without_values_are_named():
    holed = X.copy()
    holed[:, [2, 9]] = np.nan
    with pytest.warns(MissingDataWarning, match=r"\[2, 9\]"):
        rbm = BernoulliRBM(8, n_iter=3, random_state=0).fit(holed)
    assert np.isfinite(rbm.score(holed))
    assert np.isfinite(rbm.sample(5)).all()


def test_no_rows():
    rbm = fit()
    for method in (rbm.fit, rbm.partial_fit, rbm.transform, rbm.score_samples):
        with pytest.raises(ValueError, match="0 sample"):
            method(X[:0])


def test_wrong_width():
    rbm = fit()
    for method in (rbm.partial_fit, rbm.transform, rbm.score_samples, rbm.impute):
        with pytest.raises(ValueError, match="64 features"):
            method(X[:, :9])
    with pytest.raises(ValueError, match="64 features"):
        rbm.sample(3, init=X[:, :9])
    with pytest.raises(ValueError, match="9 columns.*8 hidden units"):
        rbm.inverse_transform(np.zeros((2, 9)))


def test_changed_number_of_units():
    rbm = fit(warm_start=True).set_params(n_components=9)
    for method in (rbm.fit, rbm.partial_fit):
        with pytest.raises(ValueError, match="n_components changed.*warm_start=False"):
            method(X)
    assert rbm.transform(X).shape == (400, 8)
    assert rbm.set_params(warm_start=False).fit(X).transform(X).shape == (400, 9)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"n_samples": 0}, "n_samples"),
        ({"n_steps": 0}, "n_steps"),
        ({"burn_in": -1}, "burn_in"),
        ({"thin": 11, "n_steps": 10}, "thin"),
        ({"init": "data"}, "init must be"),
    ],
)
def test_invalid_sampling(options, message):
    with pytest.raises(ValueError, match=message):
        fit().sample(**options)


def test_invalid_imputation():
    with pytest.raises(ValueError, match="method must be"):
        fit().impute(X, method="median")
    with pytest.raises(ValueError, match="n_steps"):
        fit().impute(X, n_steps=0)


def test_early_stopping_on_one_row():
    assert BernoulliRBM(early_stopping=True).fit(np.ones((5, 3))).n_iter_ > 0


@pytest.mark.parametrize(
    "estimator", [BernoulliRBM(8), RBMClassifier(8, solver="sgd"), DBM((8, 4))]
)
def test_a_fit_reaches_its_kernel_in_nine_calls(estimator, monkeypatch):
    kernel, depths = contrast.update, []

    def spy(*arguments):
        frame, depth = sys._getframe(1), 1
        # Calls of ours, without those of NumPy's decorators.
        while frame.f_code.co_name != "fit":
            depth += frame.f_globals["__name__"].startswith("skdgm.")
            frame = frame.f_back
        depths.append(depth)
        return kernel(*arguments)

    monkeypatch.setattr(contrast, "update", spy)
    # A small plain machine makes its updates in one call of another kernel.
    monkeypatch.setattr(runs, "supports_epoch", lambda *given: False)
    estimator.set_params(n_iter=1, random_state=0).fit(np.round(X[:20]), [0, 1] * 10)
    assert depths
    assert max(depths) <= 9
