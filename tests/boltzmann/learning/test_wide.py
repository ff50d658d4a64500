"""Layers so wide that all weights of a unit together push its field too far."""

import numpy as np
import pytest

from skdgm import DBM, DBN, BernoulliRBM, RBMClassifier
from skdgm.boltzmann.learning.sampling_free import OF_BITS
from tests.options import grouped

X = (np.random.default_rng(0).random((200, 16)) < 0.5).astype(np.float64)
INDEPENDENT = 16 * np.log(2)
FEW = {"batch_size": 100, "random_state": 0}
KINDS = ["pcd", "cd", "fpcd", *sorted(set(OF_BITS) - {"block-pseudo-likelihood"})]


@pytest.mark.exhaustive(default=["pseudo", "noise", "cd"])
@pytest.mark.parametrize("gradient", KINDS)
def test_few_updates_do_not_overshoot(gradient):
    machine = grouped(BernoulliRBM, 2000, gradient=gradient, n_iter=3, **FEW)
    assert max(machine.fit(X).loss_curve_) < 1.2 * INDEPENDENT


def test_a_stack_does_not_overshoot():
    machine = grouped(DBN, (2000, 2), n_iter=(3, 1), **FEW).fit(X)
    assert max(machine.loss_curves_[0]) < 1.2 * INDEPENDENT


def test_pairs_of_a_deep_machine_do_not_overshoot():
    options = {"pretrain": "layerwise", "pretrain_iter": 3, "n_iter": 1}
    machine = grouped(DBM, (4000, 2), mean_field_steps=1, **options, **FEW).fit(X)
    assert max(machine.pretrain_loss_curves_[0]) < 1.2 * INDEPENDENT


@pytest.mark.parametrize("solver, rate", [("adam", 0.01), ("sgd", 0.1)])
def test_classes_are_learned(solver, rate):
    machine = grouped(
        RBMClassifier, 4000, n_iter=5, solver=solver, learning_rate=rate, **FEW
    )
    machine.fit(X, X[:, 0] > 0.5)
    assert max(machine.loss_curve_) < 2 * np.log(2)


def test_narrow_layers_learn_as_they_did():
    """Without offsets, and whatever the user asks for is done."""
    for n, centering, centered in (
        (100, None, False),
        (2000, None, True),
        (100, "data", True),
    ):
        machine = grouped(BernoulliRBM, n, centering=centering, n_iter=1, **FEW).fit(X)
        offsets = machine._state().offsets
        assert bool(offsets) == centered


@pytest.mark.filterwarnings("ignore:BernoulliRBM predicts")
def test_a_later_run_does_as_the_first():
    machine = grouped(BernoulliRBM, 2000, n_iter=1, **FEW).fit(X)
    # Of units that are now seldom on, a step would not be too long.
    machine.intercept_hidden_[:] = -1
    assert machine.partial_fit(X)._state().offsets
