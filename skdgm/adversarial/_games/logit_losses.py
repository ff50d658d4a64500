r"""Losses of the two players of an adversarial game.

Given the discriminator's logits r of real rows and f of generated rows,
:math:`\zeta(z) = \log(1 + e^z)`, and targets 1 - s of real rows with one-sided label
smoothing s, discriminator and generator minimize the means of

=====================  =====================================  =======================
"minimax" [1]_         :math:`\zeta(-r) + s r + \zeta(f)`     :math:`-\zeta(f)`
"non-saturating" [1]_  the same                               :math:`\zeta(-f)`
"likelihood" [2]_      the same                               :math:`-e^f`
"least-squares" [3]_   :math:`\frac12 (r - 1 + s)^2           :math:`\frac12 (f - 1)^2`
                       + \frac12 f^2`
"wasserstein" [4]_     :math:`f - r`                          :math:`-f`
"relativistic" [5]_    :math:`\zeta(f - r)`                   :math:`\zeta(r - f)`
=====================  =====================================  =======================

The relativistic loss compares each generated row with a real row.

References
----------
.. [1] Goodfellow et al. (2014). Generative adversarial nets. NeurIPS.
.. [2] Goodfellow (2014). On distinguishability criteria for estimating generative
   models. arXiv:1412.6515.
.. [3] Mao, Li, Xie, Lau, Wang and Smolley (2017). Least squares generative adversarial
   networks. ICCV.
.. [4] Arjovsky, Chintala and Bottou (2017). Wasserstein generative adversarial
   networks. ICML.
.. [5] Jolicoeur-Martineau (2019). The relativistic discriminator: a key element missing
   from standard GAN. ICLR.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from skdgm.utils.math import softplus

# Logit above which "likelihood" is extrapolated linearly, so that it stays finite.
_HIGH = 10.0


class Loss(NamedTuple):
    """Losses of both players as functions of logits. ``of_real(gap, smoothing)``,
    ``of_fake(gap)`` and ``of_generator(gap)`` return the loss of each row and its
    derivative. For ``paired`` losses, a gap is the difference of the logits of a
    generated and a real row, otherwise a single logit. ``smooths`` is True if labels
    can be smoothed."""

    of_real: object
    of_fake: object
    of_generator: object
    paired: bool = False
    smooths: bool = False

    def discriminator(self, real, fake, smoothing=0.0):
        """Loss of the discriminator for each row, and its derivatives with respect to
        the logits; ``smoothing`` is one minus the target of real rows."""
        if self.paired:
            loss, slope = self.of_fake(fake - real)
            return loss, -slope, slope
        loss_of_real, by_real = self.of_real(real, smoothing)
        loss_of_fake, by_fake = self.of_fake(fake)
        return loss_of_real + loss_of_fake, by_real, by_fake

    def generator(self, real, fake):
        """Loss of the generator for each row, and its derivative; logits of real rows
        only matter in ``paired`` losses."""
        return self.of_generator(fake - real if self.paired else fake)


def _log_real(r, smoothing):
    return softplus(-r) + smoothing * r, expit(r) - 1 + smoothing


def _log_fake(f):
    return softplus(f), expit(f)


def _log_wrong(f):
    return softplus(-f), -expit(-f)


def _minus_log_fake(f):
    return -softplus(f), -expit(f)


def _ratio(f):
    low = np.exp(np.minimum(f, _HIGH))
    return -low * (1 + np.maximum(f - _HIGH, 0)), -low


def _square_real(r, smoothing):
    gap = r - 1 + smoothing
    return 0.5 * gap**2, gap


def _square_fake(f):
    return 0.5 * f**2, f


def _square_wrong(f):
    return _square_real(f, 0)


def _minus(r, smoothing=0.0):
    return -r, np.full_like(r, -1)


def _plus(f):
    return f, np.ones_like(f)


LOSSES = {
    "minimax": Loss(_log_real, _log_fake, _minus_log_fake, smooths=True),
    "non-saturating": Loss(_log_real, _log_fake, _log_wrong, smooths=True),
    "likelihood": Loss(_log_real, _log_fake, _ratio, smooths=True),
    "least-squares": Loss(_square_real, _square_fake, _square_wrong, smooths=True),
    "wasserstein": Loss(_minus, _plus, _minus),
    "relativistic": Loss(None, _log_fake, _log_wrong, paired=True),
}
