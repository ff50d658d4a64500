"""A Helmholtz machine is a sigmoid belief network that learns by wake-sleep."""

import numpy as np
from scipy.special import expit

from skdgm import HelmholtzMachine, SigmoidBeliefNetwork
from tests.directed.test_sigmoid_belief_network import BARS, UNSEEN
from tests.options import grouped


def test_it_is_a_network_by_wake_sleep():
    how = {"n_iter": 3, "random_state": 0}
    machine = grouped(HelmholtzMachine, (5, 3), **how).fit(BARS)
    network = grouped(SigmoidBeliefNetwork, (5, 3), objective="wake-sleep", **how).fit(
        BARS
    )
    for found, expected in zip(machine.coefs_, network.coefs_, strict=True):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(
        machine.score_samples(UNSEEN), network.score_samples(UNSEEN)
    )


def test_weights_have_the_names_of_the_documents():
    machine = HelmholtzMachine((5, 3), n_iter=3, random_state=0).fit(BARS)
    up = zip(machine.recognition_weights_, machine.recognition_biases_, strict=True)
    means = [BARS]
    for W, b in up:
        means.append(expit(means[-1] @ W + b))
    found = machine.transform(BARS)
    np.testing.assert_allclose(found, np.hstack(means[1:]), rtol=1e-5)
    shapes = [b.shape for b in machine.generative_biases_]
    assert shapes == [(9,), (5,), (3,)]
    below = expit(
        means[1] @ machine.generative_weights_[0] + machine.generative_biases_[0]
    )
    np.testing.assert_allclose(machine.inverse_transform(found), below, rtol=1e-5)
