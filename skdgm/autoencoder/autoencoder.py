r"""Autoencoders: nets that reconstruct rows from codes.

.. math:: h = f(x), \qquad \max \; \log p(x; g(h))
"""

from skdgm.autoencoder._reconstruction_estimator import (
    CodeOptions,
    ReconstructionEstimator,
)
from skdgm.base.options import KW_ONLY, Count, NotNegative


class Autoencoder(CodeOptions, ReconstructionEstimator):
    r"""Autoencoder: a code from which a net reconstructs rows.

    .. math:: h = f(x), \qquad \max \; \log p(x; g(h)) - \lambda \sum_k |h_k|

    Codes with fewer units than columns keep the main factors of rows [1]_; larger ones
    are sparse, by a penalty or as all but the largest units are zero [2]_.
    ``score_samples`` is the log-likelihood of rows given their own reconstructions,
    less :meth:`reconstruction_error` but for the units of real columns: it compares
    autoencoders, and ranks anomalies, and is not a density of the rows. NaN is a
    missing value, in every method. Float64 data are computed in float64, all others in
    float32.

    Parameters
    ----------
    sparsity
        Weight of the penalty on absolute values of the code, in nats.
    n_active
        Number of units of a code that may differ from zero, its largest; None for all.

    References
    ----------
    .. [1] Hinton and Salakhutdinov (2006). Reducing the dimensionality of data with
       neural networks. Science.
    .. [2] Makhzani and Frey (2014). k-sparse autoencoders. ICLR.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import Autoencoder
    >>> X = load_digits().data
    >>> net = Autoencoder(8, n_iter=5, random_state=0).fit(X)
    >>> net.transform(X).shape
    (1797, 8)
    >>> net.reconstruction_error(X, by="column").shape
    (1797, 64)
    """

    n_components: Count = 16
    hidden_layer_sizes: Count | tuple = (256,)
    _: KW_ONLY
    sparsity: NotNegative = 0.0
    n_active: Count | None = None
