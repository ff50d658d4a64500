r"""Detection of posterior collapse: latent units that carry no information on the rows.

.. math:: \operatorname{Var}_x(\mathbb{E}_q[z_j]) > 0.01

for at least one unit of each layer [1]_; unless columns are nearly independent, with no
eigenvalue of their correlations clearly greater than for independent columns [2]_,

.. math:: \lambda \le \Bigl(1 + \sqrt{D / n}\Bigr)^2

References
----------
.. [1] Burda, Grosse and Salakhutdinov (2016). Importance weighted autoencoders. ICLR.
.. [2] Marchenko and Pastur (1967). Distribution of eigenvalues for some sets of random
   matrices. Mathematics of the USSR-Sbornik.
"""

import numpy as np

from skdgm.autoencoder._likelihood import ACTIVE
from skdgm.utils.threads import one_blas_thread

# Factor by which an eigenvalue must exceed the limit for independent columns.
_CLEARLY = 1.5


def survey(model, monitor):
    """Variances of latent means over the monitored rows, and whether a layer collapsed.

    Parameters
    ----------
    model : VAE
        Fitted.
    monitor : Monitor

    Returns
    -------
    variances : ndarray of shape (sum of n_components,), float64
    collapsed : bool
        True if no unit of some layer is active although columns are dependent.
    """
    rows, index = monitor.trainer.rows, monitor.probe
    with one_blas_thread():
        parts = [model._means(rows.take(index[b])) for b in rows.blocks(len(index))]
        variances = np.concatenate(parts).var(axis=0, dtype=np.float64)
        ends = np.cumsum(model._learned["n_components"])[:-1]
        silent = any(part.max() <= ACTIVE for part in np.split(variances, ends))
        return variances, silent and _have_in_common(rows.take(np.unique(index)))


def _have_in_common(x):
    """Return whether columns are more dependent than by chance."""
    x = x - np.nanmean(np.where(np.isnan(x).all(axis=0), 0, x), axis=0)
    x = np.where(np.isnan(x), 0, x).astype(np.float64)
    size = np.sqrt((x**2).mean(axis=0))
    x = x[:, size > 0] / size[size > 0]
    if min(x.shape) < 2:
        return False
    largest = np.linalg.norm(x, 2) ** 2 / len(x)
    return largest > _CLEARLY * (1 + np.sqrt(x.shape[1] / len(x))) ** 2
