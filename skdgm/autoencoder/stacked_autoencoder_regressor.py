r"""Stacks of autoencoders fine-tuned as regressors.

.. math:: \mathbb{E}[y \mid x] = h^L W + b, \qquad
   h^k = f(c^k + h^{k-1} R^k), \qquad h^0 = x
"""

from skdgm.autoencoder._tuned_stack import TunedStack
from skdgm.stacks import TargetOptions, TunedRegressor


class StackedAutoencoderRegressor(TunedStack, TargetOptions, TunedRegressor):
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
