"""Traces and autocorrelations."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from skdgm import DBN, BernoulliRBM
from skdgm.metrics import chain_diagnostics
from skdgm.plotting import ChainDisplay

FEW = {"n_chains": 3, "n_draws": 30, "burn_in": 5, "random_state": 0}


@pytest.mark.parametrize("model", [BernoulliRBM(4, n_iter=3), DBN((4, 3), n_iter=2)])
def test_traces_are_those_of_the_diagnostics(model, X):
    model.set_params(random_state=0).fit(X)
    display = ChainDisplay.from_estimator(model, thin=5, trace_kw={"color": "r"}, **FEW)
    found = chain_diagnostics(model, thin=5, **FEW)
    assert len(display.traces_) == 3
    for line, trace in zip(display.traces_, found.trace):
        np.testing.assert_array_equal(line.get_ydata(), trace)
        np.testing.assert_array_equal(line.get_xdata(), 5 * np.arange(1, 31))
        assert line.get_color() == "r"
    rho = display.autocorrelation_.get_ydata()
    np.testing.assert_array_equal(rho, found.autocorrelation[: len(rho)])
    assert f"{found.r_hat:.3f}" in display.axes_[0].get_title()
    assert "steps for an independent draw" in display.axes_[1].get_title()


@pytest.mark.parametrize(
    "figures, title",
    [
        ({"time": 37.2, "thin": 10}, "37 steps for an independent draw"),
        ({"time": 9.8, "thin": 10}, "at most 10 steps for an independent draw"),
        ({"time": 10.0, "thin": 10}, "at most 10 steps for an independent draw"),
        ({"r_hat": np.nan}, "nothing moves"),
    ],
)
def test_what_is_said_of_memory(X, figures, title):
    rbm = BernoulliRBM(4, n_iter=3, random_state=0).fit(X)
    found = chain_diagnostics(rbm, **FEW)._replace(**figures)
    display = ChainDisplay(found).plot()
    assert display.axes_[1].get_title() == title
    step = display.traces_[0].get_xdata()[0]
    assert step == display.autocorrelation_.get_xdata()[1] == found.thin


@pytest.mark.parametrize(
    "rho, n_lags",
    [
        (np.r_[1, 0.5, np.zeros(38)], 10),
        (np.r_[np.ones(7), 0.02, 0.01, np.zeros(31)], 16),
        (np.r_[np.ones(30), np.zeros(10)], 40),
        (np.ones(40), 40),
        (np.zeros(4), 4),
    ],
)
def test_lags_go_to_twice_the_first_that_is_small(X, rho, n_lags):
    """At least ten, and below .02, which is not."""
    rbm = BernoulliRBM(4, n_iter=3, random_state=0).fit(X)
    trace = np.arange(90.0).reshape(9, 10)
    found = chain_diagnostics(rbm, **FEW)
    found = found._replace(autocorrelation=rho, trace=trace, thin=3)
    display = ChainDisplay(found).plot()
    lags, shown = display.autocorrelation_.get_data()
    np.testing.assert_array_equal(lags, 3 * np.arange(n_lags))
    np.testing.assert_array_equal(shown, rho[:n_lags])
    assert len(display.traces_) == 8
    left, right = display.axes_
    assert (left.get_xlabel(), left.get_ylabel()) == ("steps", "trace (nats)")
    assert right.get_xlabel() == "lag (steps)"
    assert not any(
        ax.spines[side].get_visible()
        for ax in (left, right)
        for side in ("top", "right")
    )
    plt.close("all")


def test_axes_that_are_given(X):
    rbm = BernoulliRBM(4, n_iter=3, random_state=0).fit(X)
    figure, axes = plt.subplots(1, 2)
    display = ChainDisplay.from_estimator(rbm, ax=axes, **FEW)
    assert display.figure_ is figure
    with pytest.raises(ValueError, match="draws on 2 axes"):
        ChainDisplay.from_estimator(rbm, ax=axes[0], **FEW)


def test_what_has_no_chains(X):
    with pytest.raises(TypeError, match="ChainDisplay.*StandardScaler has none"):
        ChainDisplay.from_estimator(StandardScaler().fit(X))
