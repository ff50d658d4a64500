r"""Noise-contrastive estimation: telling rows from noise of known density.

.. math:: J = \mathbb{E}_\text{data} \log \sigma(G(v)) + \mathbb{E}_q \log
   \sigma(-G(v)), \qquad G(v) = \log p^*(v) - \log Z - \log q(v)

with as many rows of noise as of data [1]_. Log Z is a parameter like all others: at the
maximum it is the log partition function.

References
----------
.. [1] Gutmann and Hyvärinen (2012). Noise-contrastive estimation of unnormalized
   statistical models, with applications to natural image statistics. JMLR.
"""

import numpy as np

from skdgm.couplings import Contrast
from skdgm.energies import Params
from skdgm.utils.math import sigmoid
from skdgm.utils.products import matmul


def noise_contrastive(energy, params, log_Z, v, noise, log_q):
    """Gradient of J by the parameters, as :func:`~skdgm.energies.contrast` returns it,
    and by log Z; of a machine of bits, one visible and one hidden block.
    ``log_q(rows)`` is the log density of the noise, of which ``noise`` has rows."""
    (_, c), (W,) = params
    rows = np.concatenate([v, noise])
    gain = energy.log_marginal(params, (rows, None)) - log_Z - log_q(rows)
    # Weights of the rows' own gradients of log p*.
    of_data, of_noise = sigmoid(-gain[: len(v)]), -sigmoid(gain[len(v) :])
    weights = np.concatenate([of_data / len(v), of_noise / len(noise)])
    means = sigmoid(matmul(rows, np.asarray(W)) + c)
    weighted = means * weights.astype(means.dtype)[:, None]
    own = rows * weights.astype(rows.dtype)[:, None]
    couplings = (Contrast.of(matmul(rows.T, weighted)),)
    units = own.sum(axis=0), weighted.sum(axis=0)
    return Params(units, couplings), -weights.sum()
