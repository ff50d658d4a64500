r"""Predictability minimization: codes with independent units.

.. math:: \max_f \min_P \; \mathbb{E} \sum_k (P_k(h_{-k}) - h_k)^2, \qquad h = f(x)
"""

from typing import Literal

import numpy as np

from skdgm.autoencoder._predictability import PredictabilityMinimizationModel
from skdgm.autoencoder._reconstruction_estimator import (
    CodedColumns,
    ReconstructionEstimator,
)
from skdgm.base.common_groups import Architecture
from skdgm.base.options import KW_ONLY, Count, NotNegative, within
from skdgm.nets.options import Activation, Initializer
from skdgm.training import Budget
from skdgm.typing import Any, Data
from skdgm.utils.threading.threads import DeferredInterrupt


class PredictabilityMinimization(ReconstructionEstimator):
    r"""Predictability minimization: an encoder whose units cannot be predicted.

    .. math::

        h = f(x), \qquad
        \min_P \; \mathbb{E} \sum_k (P_k(h_{-k}) - h_k)^2,

    .. math::

        \max_f \; \mathbb{E} \sum_k (P_k(h_{-k}) - h_k)^2 +
        \rho \log p(x; g(h))

    A predictor of each unit of the code tries to predict it from the other units, while
    the encoder maximizes the error [1]_. If predictors are optimal, that is conditional
    expectations, the encoder maximizes the variances of units minus the variances that
    other units explain: the code becomes factorial, as far as encoder and predictors
    are flexible enough. Linear predictors, the default, remove correlations between
    units, and predictors with hidden layers also remove nonlinear dependence [2]_. The
    output layers of predictors are solved by least squares at each update, given
    running moments of recent codes. A decoder is trained at the same time. The weight
    :math:`\rho` of its log-likelihood in the encoder's objective makes codes represent
    rows. ``score_samples`` is the log-likelihood of rows given their reconstructions,
    not a density of rows. NaN is a missing value in every method. Computations are in
    float64 for float64 data, otherwise in float32.

    Parameters
    ----------
    codes
        "binary": logistic units, whose prediction errors are largest close to 0 and 1;
        or "real": real numbers of unit variance, by batch normalization.
    predictor_layer_sizes : int or tuple of int
        Numbers of hidden units of the predictor of each unit, from the code up.
    reconstruction
        Weight :math:`\rho` of the decoder's log-likelihood, in nats, in the objective
        of the encoder; with 0 the encoder only evades the predictors.
    n_predictor_steps
        Number of updates of hidden layers of the predictors for each update of the
        encoder.
    activation
        Activation function of hidden units, also of predictors.
    n_iter
        Number of epochs; "auto": 3,500 updates, but between 20 and 300 epochs.

    Attributes
    ----------
    predictability_ : ndarray of shape (n_components,)
        :meth:`predictability` of each unit, on some training rows.
    loss_curve_ : list of float
        Negative log-likelihood of the reconstructions of some training rows after each
        epoch, in nats per row, with real columns standardized.

    See Also
    --------
    Autoencoder : Codes without an adversary.
    InfoGAN : Adversarial model with independent codes.

    References
    ----------
    .. [1] Schmidhuber (1992). Learning factorial codes by predictability minimization.
       Neural Computation.
    .. [2] Schmidhuber, Eldracher and Foltin (1996). Semilinear predictability
       minimization produces well-known feature detectors. Neural Computation.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import PredictabilityMinimization
    >>> X = load_digits().data
    >>> net = PredictabilityMinimization(8, n_iter=5, random_state=0).fit(X)
    >>> net.transform(X).shape
    (1797, 8)
    >>> net.predictability(X).shape
    (8,)
    """

    n_components: Count = 16
    hidden_layer_sizes: Count | tuple = ()
    _: KW_ONLY
    codes: Literal["binary", "real"] = "binary"
    predictor_layer_sizes: Count | tuple = ()
    reconstruction: NotNegative = 0.1
    n_predictor_steps: Count = 3
    activation: Activation = "tanh"
    tied: bool = False
    column_types: CodedColumns = "auto"
    init_weights: Initializer = within("solver", "glorot_uniform")
    architecture: Architecture = "dense"

    _MODEL, _BUDGET = PredictabilityMinimizationModel(), Budget(3_500, 20, 300)

    def predictability(self, X: Data, regressor: Any = None) -> np.ndarray:
        r"""Share of the variance of each unit that the other units explain.

        .. math:: R^2_k = 1 - \frac{\mathbb{E} (P_k(h_{-k}) - h_k)^2}
            {\operatorname{Var} h_k}

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value.
        regressor : estimator, default=None
            A scikit-learn regressor, whose five-fold cross-validated predictions on
            these rows are used. By default the best of three: the predictors, with
            output layers refitted by cross-validated least squares on these rows;
            linear regression on the other units; and the mean of each unit.

        Returns
        -------
        predictability : ndarray of shape (n_components,), float64
            0, or less with a ``regressor``, if the other units explain nothing; 1 for a
            constant unit.
        """
        return self.density_.predictability(X, regressor)

    def _report(self, learned, n_epochs, watch):
        with DeferredInterrupt():
            self.predictability_ = self.density_.survey(watch.rows, watch.monitored)
        super()._report(learned, n_epochs, watch)
