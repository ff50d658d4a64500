r"""Deep belief networks fine-tuned as regressors.

.. math:: \mathbb{E}[y \mid x] = h^L W + b, \qquad
   h^k = \sigma(c^k + h^{k-1} R^k), \qquad h^0 = x
"""

from skdgm.belief._tuned import TunedBelief
from skdgm.stacks import TunedRegressor


class DBNRegressor(TunedBelief, TunedRegressor):
    r"""Deep belief network fine-tuned as a feed-forward regressor.

    .. math::

        \mathbb{E}[y \mid x] = h^L W + b, \qquad
        h^k = \sigma(c^k + h^{k-1} R^k), \qquad h^0 = x

    A :class:`DBN` is pre-trained layer by layer on all rows, with or without a target,
    and its recognition weights initialize the net [1]_ [3]_. The net, with linear
    outputs, is then trained by back-propagation on the rows with a target, with the
    squared error and dropout [2]_. Real columns and targets are standardized. Small
    tables with noisy targets are better served by linear models: R² on diabetes (294
    rows) is .38, and .44 for linear regression.

    y may have several columns. NaN in y marks a missing target, which fine-tuning and
    :meth:`score` ignore; NaN in X marks a missing value in every method.

    See Also
    --------
    DBN : Network without targets.
    DBNClassifier : Network fine-tuned as a classifier.
    sklearn.neural_network.MLPRegressor : Regressor without pre-training.

    References
    ----------
    .. [1] Hinton and Salakhutdinov (2006). Reducing the dimensionality of data with
       neural networks. Science.
    .. [2] Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014). Dropout:
       a simple way to prevent neural networks from overfitting. JMLR.
    .. [3] Erhan, Bengio, Courville, Manzagol, Vincent and Bengio (2010). Why does
       unsupervised pre-training help deep learning? JMLR.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skdgm import DBNRegressor
    >>> from skdgm.options import Pretraining
    >>> X, y = load_diabetes(return_X_y=True)
    >>> reg = DBNRegressor((32, 32), pretrain=Pretraining(n_iter=5), n_iter=30)
    >>> reg = reg.set_params(random_state=0)
    >>> reg.fit(X[:300], y[:300]).score(X[300:], y[300:]) > 0.4
    True
    """
