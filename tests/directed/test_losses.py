"""Losses by which epochs are compared."""

import numpy as np
import pytest

from skdgm import BidirectionalHelmholtzMachine, SigmoidBeliefNetwork
from tests.directed.test_sigmoid_belief_network import BARS
from tests.options import grouped


@pytest.mark.parametrize("model", [SigmoidBeliefNetwork, BidirectionalHelmholtzMachine])
def test_few_rows_are_judged_by_more_draws(model):
    def losses(X, n_importance):
        options = {"n_importance": n_importance, "n_iter": 1, "learning_rate": 1e-9}
        return grouped(model, (8, 4), random_state=0, **options).fit(X).loss_curve_

    np.testing.assert_allclose(losses(BARS[:12], 5), losses(BARS[:12], 20), rtol=1e-5)
    assert abs(losses(BARS, 5)[0] - losses(BARS, 20)[0]) > 1e-3
