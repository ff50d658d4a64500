r"""Gradient of the pseudo-likelihood of sites.

.. math:: \mathrm{PL}(x) = \sum_i \log p(x_i \mid x_{-i}), \qquad
   \frac{\partial \mathrm{PL}}{\partial b} = r, \qquad
   \frac{\partial \mathrm{PL}}{\partial J} = r x^\top + x r^\top, \qquad
   r = x - \mathbb{E}[x_i \mid x_{-i}]_i

It needs no chains, and has its maximum at the parameters of the model that rows come
from, as the likelihood has [1]_. With hidden units that are summed out it is one of
:mod:`~skdgm.gradients.sampling_free.flips`.

References
----------
.. [1] Besag (1975). Statistical analysis of non-lattice data. The Statistician.
"""

from skdgm.energies import Params, mean_row
from skdgm.utils.products import matmul


def pseudo_likelihood(energy, params, x, counts=None):
    """Gradient of the mean pseudo-likelihood of complete rows of a
    :class:`~skdgm.energies.Connected` without hidden sites; bits may be probabilities.
    If given, ``counts``, (n_rows, size), is True for entries of sites whose term
    counts."""
    (unit,), (coupling,) = energy.units, energy.couplings
    eta = energy.field(params, 0, energy.received(params, (x,), 0))
    rest = x - unit.mean(eta)
    if counts is not None:
        rest = rest * counts
    G = matmul(x.T, rest) * rest.dtype.type(1 / len(x))
    return Params((mean_row(rest),), (coupling.gradient(G + G.T),))
