r"""Autoencoders: nets that reconstruct rows from codes.

.. math:: h = f(x), \qquad \max \; \log p(x; g(h))
"""

from skdgm.autoencoder._reconstruction_estimator import (
    CodeOptions,
    ReconstructionEstimator,
)
from skdgm.base.options import KW_ONLY, Count, NotNegative


class Autoencoder(CodeOptions, ReconstructionEstimator):
    r"""Autoencoder: a net that encodes rows and reconstructs them from the codes.

    .. math:: h = f(x), \qquad \max \; \log p(x; g(h)) - \lambda \sum_k |h_k|

    Codes with fewer units than columns retain the main factors of variation [1]_.
    Larger codes can be sparse, by an L1 penalty, or by setting all but the largest
    units to zero [2]_. ``score_samples`` is the log-likelihood of a row given its
    reconstruction: it compares autoencoders and ranks anomalies, but it is not a
    density of rows. Up to the units of real columns, it is minus
    :meth:`reconstruction_error`. NaN is a missing value in every method. Computations
    are in float64 for float64 data, otherwise in float32.

    Parameters
    ----------
    sparsity
        Weight of the L1 penalty on the code, in nats.
    n_active
        Number of units of the code that may differ from zero; None for all.

    See Also
    --------
    DenoisingAutoencoder : Autoencoder with a density, sampled by a chain.
    VAE : Autoencoder with a probabilistic code.
    StackedAutoencoder : Several layers, pre-trained one by one.

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
