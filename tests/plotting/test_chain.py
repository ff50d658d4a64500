"""Traces and autocorrelations."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

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
    plt.close("all")


def test_axes_that_are_given(X):
    rbm = BernoulliRBM(4, n_iter=3, random_state=0).fit(X)
    figure, axes = plt.subplots(1, 2)
    display = ChainDisplay.from_estimator(rbm, ax=axes, **FEW)
    assert display.figure_ is figure
    with pytest.raises(ValueError, match="draws on 2 axes"):
        ChainDisplay.from_estimator(rbm, ax=axes[0], **FEW)
    plt.close("all")
