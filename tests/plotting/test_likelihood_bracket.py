"""Log weights of both sides."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from skdgm import BernoulliRBM
from skdgm.metrics import likelihood_bracket, partition_bracket
from skdgm.plotting import LikelihoodBracketDisplay

FEW = {"n_betas": 50, "burn_in": 20, "n_steps": 10, "max_bits": 0}


@pytest.fixture
def rbm(X):
    return BernoulliRBM(4, n_iter=3, random_state=0).fit(X)


def test_both_sides(rbm):
    display = LikelihoodBracketDisplay.from_estimator(rbm, n_chains=40, **FEW)
    found = partition_bracket(rbm, n_chains=40, **FEW)
    for side in (display.forward_, display.reverse_):
        assert side.get_data().values.sum() == 40
    edges = display.forward_.get_data().edges
    for shown, side in (
        (display.forward_, found.forward),
        (display.reverse_, found.reverse),
    ):
        counts, _ = np.histogram(side.log_w, edges)
        np.testing.assert_array_equal(shown.get_data().values, counts)
        np.testing.assert_array_equal(shown.get_data().edges, edges)
    ends = display.ends_.get_extents().transformed(
        display.axes_[0].transData.inverted()
    )
    np.testing.assert_allclose((ends.x0, ends.x1), (found.lower, found.upper))
    lines = [line.get_xdata()[0] for line in display.axes_[0].lines]
    assert lines == [
        part.log_Z for part in (found.forward, found.reverse, found.tempered)
    ]
    labels = [text.get_text() for text in display.axes_[0].get_legend().get_texts()]
    assert any(f"[{found.lower:.2f}, {found.upper:.2f}]" in text for text in labels)
    assert any(f"ESS {found.forward.ess:.0f}" in text for text in labels)
    plt.close("all")


def test_of_rows_too_and_of_what_is_exact(rbm, X):
    figure, ax = plt.subplots()
    found = likelihood_bracket(rbm, X, **FEW)
    display = LikelihoodBracketDisplay(found).plot(ax)
    assert display.figure_ is figure
    assert display.forward_.get_data().values.sum() == 100
    display = LikelihoodBracketDisplay.from_estimator(rbm)
    assert display.forward_ is None
    assert display.ends_ is not None
    plt.close("all")
