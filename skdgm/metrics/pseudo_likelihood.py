r"""Conditionals of single binary units, and the pseudo-likelihood they add up to.

.. math:: \mathrm{PL}(v) = \sum_i \log p(v_i \mid v_{-i})
   = \sum_i \left[v_i \Delta_i - \log(1 + e^{\Delta_i})\right], \qquad
   \Delta_i = \log \tilde p(v_i = 1, v_{-i}) - \log \tilde p(v_i = 0, v_{-i})

where :math:`\tilde p` is the unnormalised probability with the next layer summed
out: no partition function is needed [1]_. It is not a likelihood, but it is cheap
enough to be watched during training.

References
----------
.. [1] Besag (1975). Statistical analysis of non-lattice data. The Statistician.
"""

import numpy as np

from skdgm.energies import plain
from skdgm.utils.lists import Lists
from skdgm.utils.math import softplus


def log_conditionals(energy, params, x, units=None, block=0):
    r"""Log p(v_i | all other units) of units of a bottom block.

    Parameters
    ----------
    x : tuple
        A value for each block of the even layers; the odd ones are summed out.
    units : ndarray of int, shape (n_rows, n_units), optional
        Which units of each row; all of them where not given.
    block : int
        The block they are in.

    Returns
    -------
    log_p : ndarray of shape (n_rows, n_units), float64
    """
    v, binary = np.asarray(x[block]), isinstance(x[block], Lists) and x[block].binary
    bias = energy.units[block].field(params.units[block])
    above, matrices = [], plain(params).couplings
    for link, other, _ in energy.wiring.neighbours(block):
        W = matrices[link]
        field = energy.field(params, other, energy.received(params, x, other))
        above.append((W, field, energy.units[other].log_partition))
    now = [total(field) for _, field, total in above] if binary else None
    columns = range(v.shape[1]) if units is None else units.T
    log_p = np.empty((len(v), len(columns)))
    for column, i in enumerate(columns):
        own = v[np.arange(len(v)), i]
        odds = bias[i].astype(np.float64)
        for number, (W, field, total) in enumerate(above):
            if binary:
                # One of on and off is how things are.
                turn = 1 - 2 * own
                gain = total(field + turn[:, None] * W[i]) - now[number]
                odds = odds + turn * gain
            else:
                off = field - own[:, None] * W[i]
                odds = odds + total(off + W[i]) - total(off)
        log_p[:, column] = own * odds - softplus(odds)
    return log_p
