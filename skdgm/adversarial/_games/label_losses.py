r"""Losses of both players, given the logits of K classes.

With :math:`L = \log \sum_k e^{l_k}` and :math:`D = \sigma(L)`,

.. math:: -\log p(y) = L - l_y, \qquad -\log D = \zeta(-L), \qquad
   -\log (1 - D) = \zeta(L),

where :math:`\zeta(z) = \log(1 + e^z)`, and the gradient of L is
:math:`\operatorname{softmax}(l)`.
"""

import numpy as np
from scipy.special import expit, log_softmax, softmax

from skdgm.implicit.generator import one_hot
from skdgm.utils.math import log_sum_exp, softplus


class LabelVerdict:
    """Losses of both players for the rows of an update; ``weight`` is the weight of the
    discriminator's unsupervised loss."""

    def __init__(self, labels, weight):
        self.labels, self.weight = labels, weight

    def discriminator(self, real, fake):
        """Gradients of the discriminator's loss with respect to its logits for real
        rows, with separate labeled rows last, and for generated rows."""
        n, gradient = len(fake), np.zeros_like(real)
        _, (gradient[:n], by_fake) = sides(real[:n], fake, self.weight)
        labeled = slice(0, n) if self.labels.x is None else slice(n, None)
        if len(self.labels.codes):
            gradient[labeled] += of_labels(real[labeled], self.labels.codes)[1]
        return gradient, by_fake

    def generator(self, real, fake):
        r"""Gradient of the mean of :math:`-\log D` with respect to the logits of
        generated rows; ``real`` is unused."""
        return as_real(fake)[1]


def of_labels(out, codes):
    """Negative log-probabilities of class ``codes``, (n_rows,), given logits, (n_rows,
    n_classes), and the gradient of their mean with respect to logits."""
    y = one_hot(codes, out.shape[1], out.dtype)
    loss = -(y * log_softmax(out, axis=1)).sum(axis=1)
    return loss, (softmax(out, axis=1) - y) / max(1, len(out))


def sides(real, fake, weight):
    r"""Mean of :math:`-\log D(x) - \log (1 - D(g(z)))` times ``weight``, and its
    gradients with respect to the logits of real and generated rows, (n_rows, n_classes)
    each."""
    loss, real_gradient = as_real(real)
    log_sum = log_sum_exp(fake, axis=1)
    fake_gradient = expit(log_sum)[:, None] * softmax(fake, axis=1) / len(fake)
    loss = weight * (loss + softplus(log_sum).mean())
    return loss, (weight * real_gradient, weight * fake_gradient)


def as_real(out):
    r"""Mean of :math:`-\log D`, and its gradient with respect to logits."""
    log_sum = log_sum_exp(out, axis=1)
    gradient = -expit(-log_sum)[:, None] * softmax(out, axis=1) / len(out)
    return softplus(-log_sum).mean(), gradient
