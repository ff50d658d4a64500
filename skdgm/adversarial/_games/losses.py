r"""Losses of both players by the outputs of a discriminator.

The first outputs are logits: one, or one for each class, of which those of a pack's
classes count,

.. math:: D(x) = \sum_k m_k \, o_k(x),

with weights m that sum to one. Others, if there are any, are for subclasses.
"""

import numpy as np


class Verdict:
    """Losses of both players for the rows of an update.

    ``mask``, (n_packs, n_logits), are weights of the logits, None for the only logit;
    ``smoothing`` is one minus the target of real rows; and there are ``n_more`` outputs
    besides logits.
    """

    def __init__(self, loss, mask=None, smoothing=0.0, n_more=0):
        self.loss, self.mask, self.smoothing = loss, mask, smoothing
        self.n_more = n_more

    def discriminator(self, real, fake):
        """Gradients of the discriminator's mean loss by its outputs,
        (n_packs, n_outputs), for real rows and for generated ones."""
        r, f = self.picked(real), self.picked(fake)
        _, by_real, by_fake = self.loss.discriminator(r, f, self.smoothing)
        n = len(real)
        return self.spread(by_real / n, real), self.spread(by_fake / n, real)

    def generator(self, real, fake):
        """Gradient of the generator's mean loss by outputs for its rows; those for real
        ones are needed if the loss is ``paired``."""
        f = self.picked(fake)
        r = self.picked(real) if self.loss.paired else f
        return self.spread(self.loss.generator(r, f)[1] / len(f), fake)

    def both(self, real, fake):
        """Gradients of the generator's mean loss where both sides depend on it: the
        discriminator's with the sides exchanged, without smoothing."""
        r, f, n = self.picked(real), self.picked(fake), len(real)
        _, by_fake, by_real = self.loss.discriminator(f, r)
        return self.spread(by_real / n, real), self.spread(by_fake / n, fake)

    def picked(self, out):
        """The logit of each pack, of shape (n_packs,)."""
        if self.mask is None:
            return out[:, 0]
        return (out[:, : self.mask.shape[1]] * self.mask).sum(axis=1)

    def spread(self, slope, out):
        """Gradient by all outputs, given that by the picked ones."""
        back = np.zeros_like(out)
        mask = np.ones((1, 1)) if self.mask is None else self.mask
        back[:, : mask.shape[1]] = slope[:, None] * mask
        return back

    def weights(self, n_packs):
        """Weights of all outputs that add up to a logit, or None for the only one."""
        if self.mask is None and not self.n_more:
            return None
        mask = np.ones((n_packs, 1)) if self.mask is None else self.mask
        return np.pad(mask, [(0, 0), (0, self.n_more)])
