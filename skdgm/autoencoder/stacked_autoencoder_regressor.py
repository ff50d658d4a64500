r"""Stacks of autoencoders fine-tuned as regressors.

.. math:: \mathbb{E}[y \mid x] = h^L W + b, \qquad
   h^k = f(c^k + h^{k-1} R^k), \qquad h^0 = x
"""

from skdgm.autoencoder._stack_options import (
    StackPretraining,
    StackStructure,
    TunedLayers,
)
from skdgm.autoencoder.stacked_autoencoder import NET
from skdgm.base.options import KW_ONLY
from skdgm.stacks import TunedRegressor


class StackedAutoencoderRegressor(StackStructure, TunedRegressor):
    r"""Stack of autoencoders fine-tuned as a feed-forward regressor.

    .. math::

        \mathbb{E}[y \mid x] = h^L W + b, \qquad
        h^k = f(c^k + h^{k-1} R^k), \qquad h^0 = x

    A :class:`StackedAutoencoder` is pretrained layer by layer on all rows, with or
    without a target, and its encoders initialize the net [1]_. The net with linear
    outputs is then trained by back-propagation on the rows with a target, with dropout,
    to minimize the squared error. Real columns and targets are standardized. It is not
    suited to few rows with noisy targets: R² on diabetes (294 rows) is .40, compared
    with .44 for linear regression.

    y may have several columns. NaN in y marks a missing target, which training and
    :meth:`score` ignore; NaN in X marks a missing value in every method.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of the net, the output layer last; inputs are standardized real columns,
        bits, and indicators of categories.
    stack_ : StackedAutoencoder
        Pretrained stack, which :meth:`reconstruction_error`, :meth:`score_samples`,
        :meth:`sample` and :meth:`impute` use.
    density_kind_ : str
        Kind of :meth:`score_samples`: "reconstruction", which is not a density.
    density_ : Density
        Density of ``stack_``.

    See Also
    --------
    StackedAutoencoder : Stack without targets.
    DBNRegressor : Regressor pre-trained as a deep belief network.
    sklearn.neural_network.MLPRegressor : Regressor without pre-training.

    References
    ----------
    .. [1] Vincent, Larochelle, Lajoie, Bengio and Manzagol (2010). Stacked denoising
       autoencoders. JMLR.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skdgm import StackedAutoencoderRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> reg = StackedAutoencoderRegressor((32, 32), n_iter=30, random_state=0)
    >>> reg.fit(X[:300], y[:300]).score(X[300:], y[300:]) > 0.4
    True
    """

    _: KW_ONLY
    layers: TunedLayers = None
    pretrain: StackPretraining = "layerwise"

    _MODEL, _NUMBERS = NET, "gaussian"
