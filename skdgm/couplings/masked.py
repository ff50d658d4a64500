r"""Couplings with masked weights, and couplings within a block.

.. math:: -E(x) = T(x)^\top W \, T(y), \qquad -E(x) = \tfrac12 T(x)^\top J \, T(x)

Weights are 0 outside of a mask. J is symmetric, both of its halves are one set of
parameters, and its diagonal is 0.
"""

from typing import NamedTuple

import numpy as np

from skdgm.couplings.contrast import Contrast
from skdgm.couplings.dense import Dense


class MaskedContrast(NamedTuple):
    """Gradient of masked weights, (n_below, n_above), zero outside of the mask; a mask
    of None excludes nothing. The flag ``within`` marks couplings of a block with
    itself."""

    grad: np.ndarray
    mask: np.ndarray | None = None
    within: bool = False

    ascend, apply = Contrast.ascend, Contrast.apply

    def plus(self, other, weight):
        """Sum of this gradient and ``weight`` times another."""
        weight = self.grad.dtype.type(weight)
        return self._replace(grad=self.grad + weight * other.grad)

    @classmethod
    def of(cls, grad, mask, within=False):
        """Gradient G times the mask; within a block it is symmetrized to the last bit,
        as BLAS products are not exactly symmetric."""
        grad = (grad + grad.T) * grad.dtype.type(0.5) if within else grad
        return cls(grad if mask is None else grad * mask, mask, within)

    def __array__(self, dtype=None, copy=None):
        return self.grad.copy()

    def center(self, below, above, mu, lam, shift):
        """Gradient with centered statistics; see :meth:`Contrast.center`."""
        thin = np.multiply.outer(mu, above) + np.multiply.outer(below, lam)
        centered = MaskedContrast.of(self.grad - thin, self.mask, self.within)
        correction_above = (
            np.zeros_like(above) if self.within else centered.grad.T @ shift
        )
        return centered, centered.grad @ lam, correction_above


class _Mask(NamedTuple):
    n_below: int
    n_above: int
    mask: np.ndarray | None = None


class Masked(_Mask):
    """Weights between two blocks, which are always 0 where the mask, (n_below,
    n_above), is False."""

    __slots__ = ()

    matrix, send, log_weight = Dense.matrix, Dense.send, Dense.log_weight

    def init(self, rng, scale=0.01, dtype=np.float64):
        """Draw normal weights of standard deviation ``scale``, (n_below, n_above)."""
        weights = rng.normal(0.0, scale, (self.n_below, self.n_above)).astype(dtype)
        return weights if self.mask is None else weights * self.mask

    def contrast(self, below, above, below_model, above_model):
        """Gradient of the weights from the statistics of both blocks in both phases,
        one row per state."""
        factors = Contrast(below, above, below_model, above_model)
        return MaskedContrast.of(np.asarray(factors), self.mask)


class Within(_Mask):
    """Symmetric weights between the entries of a block.

    The mask excludes the diagonal and pairs of entries that are never both 1.
    """

    __slots__ = ()

    matrix, send = Dense.matrix, Dense.send

    def init(self, rng, scale=0.01, dtype=np.float64):
        """Return zero weights, (n_below, n_below): a block without interactions."""
        return np.zeros((self.n_below, self.n_below), dtype)

    def log_weight(self, weights, below, above):
        """Minus the energy of each row of statistics, of shape (n_rows,)."""
        return 0.5 * Dense.log_weight(self, weights, below, above)

    def contrast(self, below, above, below_model, above_model):
        """Gradient as in :meth:`Masked.contrast`; both halves hold the gradient of the
        shared weight."""
        return self.gradient(
            np.asarray(Contrast(below, above, below_model, above_model))
        )

    def gradient(self, G):
        """Wrap a gradient G of shape (n_below, n_below)."""
        return MaskedContrast.of(G, self.mask, True)
