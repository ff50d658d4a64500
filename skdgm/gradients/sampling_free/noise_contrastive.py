r"""Noise-contrastive estimation: classification of rows and noise of known density.

.. math:: J = \mathbb{E}_\text{data} \log \sigma(G(v)) + \mathbb{E}_q \log
   \sigma(-G(v)), \qquad G(v) = \log p^*(v) - \log Z - \log q(v)

with equal numbers of rows and noise samples [1]_. Log Z is a parameter like all others;
at the maximum of J it is the log partition function.

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
    """Gradient of J with respect to parameters, and with respect to log Z. The machine
    has one visible and one hidden block of bits. ``noise`` are rows of noise, and
    ``log_q(rows)`` is their log density. The first gradient is as of
    :func:`~skdgm.energies.contrast`."""
    (_, c), (W,) = params
    rows = np.concatenate([v, noise])
    gain = energy.log_marginal(params, (rows, None)) - log_Z - log_q(rows)
    # Weights of the gradients of log p* of each row.
    of_data, of_noise = sigmoid(-gain[: len(v)]), -sigmoid(gain[len(v) :])
    weights = np.concatenate([of_data / len(v), of_noise / len(noise)])
    means = sigmoid(matmul(rows, np.asarray(W)) + c)
    weighted = means * weights.astype(means.dtype)[:, None]
    weighted_rows = rows * weights.astype(rows.dtype)[:, None]
    couplings = (Contrast.of(matmul(rows.T, weighted)),)
    units = weighted_rows.sum(axis=0), weighted.sum(axis=0)
    return Params(units, couplings), -weights.sum()
