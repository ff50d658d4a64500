r"""Losses of both players by the logits of K classes.

With :math:`L = \log \sum_k e^{l_k}` and :math:`D = \sigma(L)`,

.. math:: -\log p(y) = L - l_y, \qquad -\log D = \zeta(-L), \qquad
   -\log (1 - D) = \zeta(L),

where :math:`\zeta(z) = \log(1 + e^z)`, and the gradient of L is
:math:`\operatorname{softmax}(l)`.
"""

import numpy as np
from scipy.special import expit, log_softmax, logsumexp, softmax

from skdgm.implicit.generator import one_hot
from skdgm.utils.math import softplus


class LabelVerdict:
    """Losses of both players for the rows of an update: the discriminator's needs
    labels, and ``weight`` is that of its loss without them."""

    def __init__(self, labels, weight):
        self.labels, self.weight = labels, weight

    def discriminator(self, real, fake):
        """Gradients of the discriminator's loss by its logits for real rows, those with
        labels last unless all have some, and for generated ones."""
        n, back = len(fake), np.zeros_like(real)
        _, (back[:n], by_fake) = sides(real[:n], fake, self.weight)
        labelled = slice(0, n) if self.labels.x is None else slice(n, None)
        if len(self.labels.codes):
            back[labelled] += of_labels(real[labelled], self.labels.codes)[1]
        return back, by_fake

    def generator(self, real, fake):
        """Gradient of the mean of :math:`-\\log D` by the logits of generated rows;
        ``real`` does not matter."""
        return as_real(fake)[1]


def of_labels(out, codes):
    """Negative log probabilities of classes, (n_rows,), by logits, (n_rows, n_classes),
    and the gradient of their mean by logits."""
    y = one_hot(codes, out.shape[1], out.dtype)
    loss = -(y * log_softmax(out, axis=1)).sum(axis=1)
    return loss, (softmax(out, axis=1) - y) / max(1, len(out))


def sides(real, fake, weight):
    r"""Loss of real and of generated rows, the mean of :math:`-\log D(x) - \log (1 -
    D(g(z)))` times a weight, and its gradients by their logits, (n_rows, n_classes)
    each."""
    loss, back = as_real(real)
    total = logsumexp(fake, axis=1)
    other = expit(total)[:, None] * softmax(fake, axis=1) / len(fake)
    loss = weight * (loss + softplus(total).mean())
    return loss, (weight * back, weight * other)


def as_real(out):
    """Mean of :math:`-\\log D`, and its gradient by logits."""
    total = logsumexp(out, axis=1)
    back = -expit(-total)[:, None] * softmax(out, axis=1) / len(out)
    return softplus(-total).mean(), back
