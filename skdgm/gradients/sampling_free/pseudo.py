r"""Gradient of the pseudo-likelihood of sites.

.. math:: \mathrm{PL}(x) = \sum_i \log p(x_i \mid x_{-i}), \qquad
   \frac{\partial \mathrm{PL}}{\partial b} = r, \qquad
   \frac{\partial \mathrm{PL}}{\partial J} = r x^\top + x r^\top, \qquad
   r = x - \mathbb{E}[x_i \mid x_{-i}]_i

The gradient needs no chains. Like maximum likelihood, maximum pseudo-likelihood is
consistent [1]_. For machines whose hidden units are marginalized, see
:mod:`~skdgm.gradients.sampling_free.flips`.

References
----------
.. [1] Besag (1975). Statistical analysis of non-lattice data. The Statistician.
"""

from skdgm.energies import Params, mean_row
from skdgm.utils.products import matmul


def pseudo_likelihood(energy, params, x, counts=None):
    """Gradient of the mean log pseudo-likelihood of complete rows x of a Connected. The
    energy has no hidden sites; bits in x may be probabilities. ``counts``, a boolean
    array of shape (n_rows, size) or None, selects the entries whose sites have a
    term."""
    (unit,), (coupling,) = energy.units, energy.couplings
    eta = energy.field(params, 0, energy.received(params, (x,), 0))
    residual = x - unit.mean(eta)
    if counts is not None:
        residual = residual * counts
    G = matmul(x.T, residual) * residual.dtype.type(1 / len(x))
    return Params((mean_row(residual),), (coupling.gradient(G + G.T),))
