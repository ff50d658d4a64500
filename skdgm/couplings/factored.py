r"""Weights of one block to the factors of a three-way coupling.

.. math:: -E(x, y, h) = \sum_f \big(T(x)^\top A\big)_f \big(T(y)^\top B\big)_f
   \big(T(h)^\top C\big)_f

The weights between two blocks, :math:`\sum_f A_{if} B_{jf} C_{kf} T_k(h)`, depend on a
third one: it gates them [1]_. Each of A, B and C is a coupling of a block and the
factors; to a block, what the other two send to the factors is a statistic like that of
a neighbour.

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
    """A matrix of weights between the statistic of a block and the factors of a
    three-way coupling, of which those of some units are perhaps always 0: those with
    False in the mask, (n_below, 1)."""

    __slots__ = ()

    stretch, limit = Dense.stretch, Dense.limit

    def init(self, rng, scale=0.01, dtype=np.float64):
        """Draw normal weights, (n_below, n_factors), by which a factor sees of
        independent units of variance 1 a number of variance 10 ``scale``. The product
        of three small numbers would be nothing, and so would be its gradient."""
        seen = self.n_below if self.mask is None else max(1, self.mask.sum())
        return super().init(rng, np.sqrt(10 * scale / seen), dtype)

    def contrast(self, below, above, below_model, above_model):
        """As :meth:`Dense.contrast`, with zeros for excluded weights."""
        grad = Contrast(below, above, below_model, above_model)
        if self.mask is None:
            return grad
        return MaskedContrast.of(np.asarray(grad), self.mask)
