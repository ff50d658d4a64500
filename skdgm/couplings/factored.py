r"""Weights from one block to the factors of a three-way coupling.

.. math:: -E(x, y, h) = \sum_f \big(T(x)^\top A\big)_f \big(T(y)^\top B\big)_f
   \big(T(h)^\top C\big)_f

The weights between two blocks, :math:`\sum_f A_{if} B_{jf} C_{kf} T_k(h)`, are gated by
a third block [1]_. Each of A, B and C couples a block to the factors. A block receives
the product of the inputs of the other two blocks to the factors as if it were the
statistic of a neighboring block.

References
----------
.. [1] Memisevic and Hinton (2010). Learning to represent spatial transformations with
   factored higher-order Boltzmann machines. Neural Computation.
"""

import numpy as np

from skdgm.couplings.contrast import Contrast
from skdgm.couplings.dense import Dense
from skdgm.couplings.masked import Masked, MaskedContrast


class Factors(Masked):
    """Weights between the statistic of a block and the factors of a three-way coupling;
    weights of units where the mask, (n_below, 1), is False are always 0."""

    __slots__ = ()

    stretch, limit = Dense.stretch, Dense.limit

    def init(self, rng, scale=0.01, dtype=np.float64):
        """Draw normal weights, (n_below, n_factors), such that the input of a factor
        from independent units of variance 1 has variance 10 ``scale``. The gradient of
        a product of three small numbers would vanish."""
        seen = self.n_below if self.mask is None else max(1, self.mask.sum())
        return super().init(rng, np.sqrt(10 * scale / seen), dtype)

    def contrast(self, below, above, below_model, above_model):
        """Gradient as in :meth:`Dense.contrast`, with zeros for masked weights."""
        grad = Contrast(below, above, below_model, above_model)
        if self.mask is None:
            return grad
        return MaskedContrast.of(np.asarray(grad), self.mask)
