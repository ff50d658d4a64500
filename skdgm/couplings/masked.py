r"""Couplings of which only some weights are there, and those of a block with itself.

.. math:: -E(x) = T(x)^\top W \, T(y), \qquad -E(x) = \tfrac12 T(x)^\top J \, T(x)

with weights that are 0 outside of a mask. J is symmetric, both of its halves are one
set of parameters, and nothing is coupled with itself.
"""

from typing import NamedTuple

import numpy as np

from skdgm.couplings.contrast import Contrast
from skdgm.couplings.dense import Dense


class MaskedContrast(NamedTuple):
    """Gradient of masked weights, multiplied out, (n_below, n_above): zero outside of
    the mask, which is None if all weights are there. With ``within``, the weights link
    a block with itself."""

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
        """The gradient G, less what the mask excludes; within a block symmetric to the
        last bit, which products by BLAS are not."""
        grad = (grad + grad.T) * grad.dtype.type(0.5) if within else grad
        return cls(grad if mask is None else grad * mask, mask, within)

    def __array__(self, dtype=None, copy=None):
        return self.grad.copy()

    def center(self, below, above, mu, lam, shift):
        """Gradient with centred statistics; see :meth:`Contrast.center`."""
        thin = np.multiply.outer(mu, above) + np.multiply.outer(below, lam)
        part = MaskedContrast.of(self.grad - thin, self.mask, self.within)
        of_above = np.zeros_like(above) if self.within else part.grad.T @ shift
        return part, part.grad @ lam, of_above


class _Mask(NamedTuple):
    n_below: int
    n_above: int
    mask: np.ndarray | None = None


class Masked(_Mask):
    """A matrix of weights between two blocks, of which some are always 0: where the
    mask, (n_below, n_above), is False."""

    __slots__ = ()

    matrix, send, log_weight = Dense.matrix, Dense.send, Dense.log_weight

    def init(self, rng, scale=0.01, dtype=np.float64):
        """Draw normal weights of standard deviation ``scale``, (n_below, n_above), by
        a ``numpy.random.Generator``."""
        weights = rng.normal(0.0, scale, (self.n_below, self.n_above)).astype(dtype)
        return weights if self.mask is None else weights * self.mask

    def contrast(self, below, above, below_model, above_model):
        """Gradient of the weights from statistics of both blocks in the positive phase
        and in the negative one, a row for each state: a :class:`MaskedContrast`."""
        factors = Contrast(below, above, below_model, above_model)
        return MaskedContrast.of(np.asarray(factors), self.mask)


class Within(_Mask):
    """A symmetric matrix of weights between the entries of a block.

    Parameters are those of :class:`Masked`, with a mask that excludes the weights
    between entries of which one at most is 1, and those of an entry with itself.
    """

    __slots__ = ()

    matrix, send = Dense.matrix, Dense.send

    def init(self, rng, scale=0.01, dtype=np.float64):
        """Weights of a block without interactions: zeros, (n_below, n_below)."""
        return np.zeros((self.n_below, self.n_below), dtype)

    def log_weight(self, weights, below, above):
        """Minus the energy of each row of statistics, of shape (n_rows,)."""
        return 0.5 * Dense.log_weight(self, weights, below, above)

    def contrast(self, below, above, below_model, above_model):
        """As :meth:`Masked.contrast`; both halves are the gradient by one weight."""
        return self.gradient(
            np.asarray(Contrast(below, above, below_model, above_model))
        )

    def gradient(self, G):
        """The gradient G, of shape (n_below, n_below), where there are weights."""
        return MaskedContrast.of(G, self.mask, True)
