"""Losses of both players against their definitions, and their gradients."""

import numpy as np
import pytest

from skdgm.adversarial._games.logit_losses import LOSSES

RNG = np.random.default_rng(0)
REAL, FAKE = RNG.normal(0, 3, (2, 50))
STEP = 1e-6


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_gradients_are_differences(name, smoothing):
    loss = LOSSES[name]
    _, by_real, by_fake = loss.discriminator(REAL, FAKE, smoothing)
    for found, move in ((by_real, (STEP, 0)), (by_fake, (0, STEP))):
        up, down = (
            loss.discriminator(REAL + s * move[0], FAKE + s * move[1], smoothing)[0]
            for s in (1, -1)
        )
        np.testing.assert_allclose(found, (up - down) / (2 * STEP), atol=1e-4)
    up, down = (loss.generator(REAL, FAKE + s * STEP)[0] for s in (1, -1))
    found = loss.generator(REAL, FAKE)[1]
    np.testing.assert_allclose(found, (up - down) / (2 * STEP), atol=1e-4, rtol=1e-5)


def test_log_losses_are_those_of_a_classifier():
    d, g = sigmoid(REAL), sigmoid(FAKE)
    expected = -0.9 * np.log(d) - 0.1 * np.log(1 - d) - np.log(1 - g)
    for name in "minimax", "non-saturating", "likelihood":
        found = LOSSES[name].discriminator(REAL, FAKE, 0.1)[0]
        np.testing.assert_allclose(found, expected)
    found = LOSSES["minimax"].generator(REAL, FAKE)[0]
    np.testing.assert_allclose(found, np.log(1 - g))
    found = LOSSES["non-saturating"].generator(REAL, FAKE)[0]
    np.testing.assert_allclose(found, -np.log(g))
    found = LOSSES["likelihood"].generator(REAL, FAKE)[0]
    np.testing.assert_allclose(found, -g / (1 - g))


def test_the_likelihood_loss_stays_finite():
    loss, slope = LOSSES["likelihood"].generator(None, np.array([1e4, -1e4]))
    assert np.isfinite(loss).all()
    assert np.isfinite(slope).all()


# Two densities on few points, for which the game can be solved.
P, Q = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.2, 0.6])


def best_logits(name):
    """Logits of the points that minimize the discriminator's expected loss."""
    loss, z = LOSSES[name], np.zeros(3)
    for _ in range(20_000):
        _, by_real, by_fake = loss.discriminator(z, z)
        z -= 0.1 * (P * by_real + Q * by_fake)
    return z


@pytest.mark.exhaustive(default=["non-saturating"])
@pytest.mark.parametrize("name", ["minimax", "non-saturating", "likelihood"])
def test_the_best_discriminator_knows_the_ratio_of_densities(name):
    np.testing.assert_allclose(best_logits(name), np.log(P / Q), atol=1e-6)


def test_the_best_discriminator_of_least_squares():
    np.testing.assert_allclose(best_logits("least-squares"), P / (P + Q), atol=1e-6)


def test_the_likelihood_loss_has_the_gradient_of_maximum_likelihood():
    # Of E_Q[loss(D)] by Q, with D = log P / Q fixed: minus P / Q, that of E_P[log Q].
    loss, _ = LOSSES["likelihood"].generator(None, np.log(P / Q))
    np.testing.assert_allclose(loss, -P / Q)


def test_relativistic_losses_compare():
    loss = LOSSES["relativistic"]
    found, by_real, by_fake = loss.discriminator(REAL, FAKE)
    np.testing.assert_allclose(found, -np.log(sigmoid(REAL - FAKE)))
    np.testing.assert_allclose(by_real, -by_fake)
    found, _ = loss.generator(REAL, FAKE)
    np.testing.assert_allclose(found, -np.log(sigmoid(FAKE - REAL)))
