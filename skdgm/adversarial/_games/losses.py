r"""Losses of both players, given the outputs of a discriminator.

The first outputs are logits: a single logit, or one for each class and row of a pack,
which are averaged with weights m that sum to one,

.. math:: D(x) = \sum_k m_k \, o_k(x)

Subclasses can use further outputs.
"""

import numpy as np


class Verdict:
    """Losses of both players for the rows of an update. ``mask``, (n_packs, n_logits),
    are weights of the logits, None for a single logit; ``smoothing`` is one minus the
    target of real rows; ``n_more`` is the number of outputs in addition to logits."""

    def __init__(self, loss, mask=None, smoothing=0.0, n_more=0):
        self.loss, self.mask, self.smoothing = loss, mask, smoothing
        self.n_more = n_more

    def discriminator(self, real, fake):
        """Gradients of the discriminator's mean loss with respect to its outputs,
        (n_packs, n_outputs), for real and for generated rows."""
        r, f = self.picked(real), self.picked(fake)
        _, by_real, by_fake = self.loss.discriminator(r, f, self.smoothing)
        n = len(real)
        return self.spread(by_real / n, real), self.spread(by_fake / n, real)

    def generator(self, real, fake):
        """Gradient of the generator's mean loss with respect to the outputs for its
        rows; outputs for real rows are needed if the loss is ``paired``."""
        f = self.picked(fake)
        r = self.picked(real) if self.loss.paired else f
        return self.spread(self.loss.generator(r, f)[1] / len(f), fake)

    def both(self, real, fake):
        """Gradients of the generator's mean loss if both outputs depend on it: the
        discriminator's loss with real and generated rows exchanged, without smoothing.
        """
        r, f, n = self.picked(real), self.picked(fake), len(real)
        _, by_fake, by_real = self.loss.discriminator(f, r)
        return self.spread(by_real / n, real), self.spread(by_fake / n, fake)

    def picked(self, out):
        """Logit of each pack, (n_packs,)."""
        if self.mask is None:
            return out[:, 0]
        return (out[:, : self.mask.shape[1]] * self.mask).sum(axis=1)

    def spread(self, slope, out):
        """Gradient with respect to all outputs, given ``slope`` for the picked
        logits."""
        gradient = np.zeros_like(out)
        mask = np.ones((1, 1)) if self.mask is None else self.mask
        gradient[:, : mask.shape[1]] = slope[:, None] * mask
        return gradient

    def weights(self, n_packs):
        """Weights of all outputs in a logit, or None for a single output."""
        if self.mask is None and not self.n_more:
            return None
        mask = np.ones((n_packs, 1)) if self.mask is None else self.mask
        return np.pad(mask, [(0, 0), (0, self.n_more)])
