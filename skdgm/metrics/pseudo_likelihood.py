r"""Conditional log probabilities of single binary units, the pseudo-likelihood's terms.

.. math:: \mathrm{PL}(v) = \sum_i \log p(v_i \mid v_{-i})
   = \sum_i \left[v_i \Delta_i - \log(1 + e^{\Delta_i})\right], \qquad
   \Delta_i = \log \tilde p(v_i = 1, v_{-i}) - \log \tilde p(v_i = 0, v_{-i})

where :math:`\tilde p` is the unnormalised probability with the next layer summed out.
No partition function is needed [1]_. The pseudo-likelihood is not a likelihood, but
cheap enough to monitor training.

References
----------
.. [1] Besag (1975). Statistical analysis of non-lattice data. The Statistician.
"""

import numpy as np

from skdgm.energies import plain
from skdgm.utils.lists import Lists
from skdgm.utils.math import softplus


def log_conditionals(energy, params, x, units=None, block=0):
    r"""Conditional log probabilities of binary units given all others, in nats.

    .. math:: \log p(v_i \mid v_{-i}) = v_i \Delta_i - \log(1 + e^{\Delta_i}), \qquad
       \Delta_i = \log \frac{\tilde p(v_i = 1, v_{-i})}{\tilde p(v_i = 0, v_{-i})}

    Parameters
    ----------
    energy : Energy
        Energy of the model.
    params : Params
        Its parameters.
    x : tuple
        Values of all colours but the last, which is summed out.
    units : ndarray of int, shape (n_rows, n_units), optional
        Indices of the units of each row; by default all units of the block.
    block : int, default=0
        Index of the block in the bottom layer that the units belong to.

    Returns
    -------
    log_p : ndarray of shape (n_rows, n_units), float64
    """
    v, binary = np.asarray(x[block]), isinstance(x[block], Lists) and x[block].binary
    bias = energy.units[block].field(params.units[block])
    above, matrices = [], plain(params).couplings
    for link, other, _ in energy.neighbours(block):
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
                # The weight of the current value of the unit is known already.
                turn = 1 - 2 * own
                gain = total(field + turn[:, None] * W[i]) - now[number]
                odds = odds + turn * gain
            else:
                off = field - own[:, None] * W[i]
                odds = odds + total(off + W[i]) - total(off)
        log_p[:, column] = own * odds - softplus(odds)
    return log_p
