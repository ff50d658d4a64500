"""Parameters that are averaged over late updates."""

import numpy as np
import pytest

from skdgm import (
    BidirectionalHelmholtzMachine,
    HelmholtzMachine,
    SigmoidBeliefNetwork,
)
from skdgm.utils.tree import leaves
from tests.directed.test_sigmoid_belief_network import BARS, UNSEEN
from tests.options import assign, grouped

MODELS = SigmoidBeliefNetwork, HelmholtzMachine, BidirectionalHelmholtzMachine


def equal(own, other):
    parts = zip(leaves(own), leaves(other), strict=True)
    return all(np.array_equal(*pair) for pair in parts)


@pytest.mark.parametrize("model", MODELS)
def test_the_average_is_used_and_does_not_change_what_is_learned(model):
    options = {"hidden_layer_sizes": (8, 4), "n_iter": 5, "random_state": 0}
    averaged = grouped(model, **options, schedule="constant").fit(BARS)
    last = grouped(model, **options, schedule="constant", average=False).fit(BARS)
    assert equal(averaged._training.params, last._training.params)
    assert not equal(averaged.density_.net, last.density_.net)
    assert averaged.loss_curve_ != last.loss_curve_
    score = averaged.score_samples(UNSEEN)
    averaged._training = averaged._training._replace(params=(), optimizer=())
    averaged.__dict__.pop("density_", None)
    np.testing.assert_array_equal(averaged.score_samples(UNSEEN), score)


@pytest.mark.parametrize("model", MODELS)
def test_training_goes_on_from_the_average_or_from_the_last(model):
    options = {"hidden_layer_sizes": (8, 4), "random_state": 0}
    whole, parts = (
        grouped(model, **options, n_iter=4),
        grouped(model, **options, n_iter=2),
    )
    assign(whole, schedule="constant").fit(BARS)
    assign(parts, schedule="constant", warm_start=True).fit(BARS).fit(BARS)
    assert equal(whole.density_.net, parts.density_.net)
    average = parts._training.learned
    assign(parts, average=False, n_iter=0).fit(BARS)
    assert equal(parts._training.params, average)
    assert parts._training.mean == ()


def test_another_objective_begins_with_the_average():
    sbn = SigmoidBeliefNetwork((8, 4), n_iter=3, random_state=0, warm_start=True)
    average = sbn.fit(BARS)._training.learned.model
    sbn.set_params(objective="nvil", n_iter=0).fit(BARS)
    assert equal(sbn._training.params.model, average)
    assert equal(sbn.density_.net.params, average)
