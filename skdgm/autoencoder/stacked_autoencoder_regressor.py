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

    A :class:`StackedAutoencoder` is pre-trained layer by layer on all rows, with a
    target or without, and its encoders initialise the net [1]_. Then the net with
    linear outputs is trained by back-propagation on the rows with a target, to minimise
    the squared error, with dropout. Real columns and targets are standardised. It is
    not for few rows whose targets are mostly noise: R² on diabetes (294 rows) is .40,
    a linear regression's .44.

    y may have several columns. NaN in y marks a missing target, which training and
    :meth:`score` leave out; NaN in X marks a missing value in every method.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of the net, those of the output layer last; inputs are standardised real
        columns, bits, and indicators of categories.
    stack_ : StackedAutoencoder
        Pre-trained stack, as which :meth:`reconstruction_error`, :meth:`score_samples`,
        :meth:`sample` and :meth:`impute` reconstruct rows.
    density_kind_ : str
        Kind of :meth:`score_samples`: "estimate".
    density_ : Density
        Density of ``stack_``.

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
