r"""Contractive autoencoders, whose codes are insensitive to most changes of a row.

.. math:: \max \; \log p(x; g(h)) - \lambda \,
   \Bigl\lVert \frac{\partial h}{\partial x} \Bigr\rVert_F^2
"""

from skdgm.autoencoder._contractive import ContractiveModel
from skdgm.autoencoder._reconstruction_estimator import (
    CodeOptions,
    ReconstructionEstimator,
)
from skdgm.base.options import KW_ONLY, Count, NotNegative
from skdgm.nets.options import Activation


class ContractiveAutoencoder(CodeOptions, ReconstructionEstimator):
    r"""Contractive autoencoder: reconstruction with a penalty on the encoder's
    Jacobian.

    .. math:: h = f(x), \qquad \max \; \log p(x; g(h)) - \lambda \,
        \Bigl\lVert \frac{\partial h}{\partial x} \Bigr\rVert_F^2

    The code must distinguish rows, so it remains sensitive to the directions in which
    rows vary, and to no others [1]_. The penalty is exact for an encoder of one layer,

    .. math:: \Bigl\lVert \frac{\partial h}{\partial x} \Bigr\rVert_F^2 =
        \sum_k f'(z_k)^2 \sum_j W_{jk}^2

    For a deeper encoder it is estimated without bias by the squared derivative along a
    random direction. Chains of ``sample`` add noise to codes, along the directions in
    which rows change them [2]_,

    .. math:: \tilde h = h + \sigma J J^\top \epsilon, \qquad
        J = \frac{\partial h}{\partial x}, \quad \epsilon \sim \mathcal{N}(0, I)

    Chains of ``impute`` have no such noise. ``score_samples`` is the log-likelihood of
    rows given their reconstructions, not a density of rows. NaN is a missing value in
    every method. Computations are in float64 for float64 data, otherwise in float32.

    Parameters
    ----------
    contraction
        Weight :math:`\lambda` of the penalty, in nats.
    code_noise
        Size :math:`\sigma` of the noise of codes in the chains of :meth:`sample`. It
        may be changed after ``fit``.

    See Also
    --------
    DenoisingAutoencoder : Autoencoder that is robust to larger changes.
    Autoencoder : Reconstruction without a penalty on the Jacobian.

    References
    ----------
    .. [1] Rifai, Vincent, Muller, Glorot and Bengio (2011). Contractive auto-encoders:
       explicit invariance during feature extraction. ICML.
    .. [2] Rifai, Bengio, Dauphin and Vincent (2012). A generative process for sampling
       contractive auto-encoders. ICML.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import ContractiveAutoencoder
    >>> X = load_digits().data
    >>> net = ContractiveAutoencoder(64, n_iter=5, random_state=0).fit(X)
    >>> net.transform(X).shape
    (1797, 64)
    """

    n_components: Count = 128
    hidden_layer_sizes: Count | tuple = ()
    _: KW_ONLY
    code_activation: Activation = "logistic"
    tied: bool = True
    contraction: NotNegative = 0.1
    code_noise: NotNegative = 0.5

    _MODEL = ContractiveModel()
