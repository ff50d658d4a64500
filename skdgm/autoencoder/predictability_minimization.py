r"""Predictability minimization: codes whose units do not tell each other.

.. math:: \max_f \min_P \; \mathbb{E} \sum_k (P_k(h_{-k}) - h_k)^2, \qquad h = f(x)
"""

from typing import Literal

import numpy as np

from skdgm.autoencoder._predictability import EvasionModel
from skdgm.autoencoder._reconstruction_estimator import (
    CodedColumns,
    ReconstructionEstimator,
)
from skdgm.base.common_groups import Architecture
from skdgm.base.options import KW_ONLY, Count, NotNegative, within
from skdgm.nets.options import Activation, Initialiser
from skdgm.training import Budget
from skdgm.typing import Any, Data
from skdgm.utils.threading.threads import Held


class PredictabilityMinimization(ReconstructionEstimator):
    r"""Predictability minimization: a code whose units do not tell each other.

    .. math::

        h = f(x), \qquad
        \min_P \; \mathbb{E} \sum_k (P_k(h_{-k}) - h_k)^2,

    .. math::

        \max_f \; \mathbb{E} \sum_k (P_k(h_{-k}) - h_k)^2 +
        \rho \log p(x; g(h))

    For each unit of the code a predictor guesses it from all others, while the encoder
    evades the guesses [1]_. Against the best ones, conditional expectations, it has the
    variances of units raised and their shares that others explain lowered: a factorial
    code, if predictors can represent these and the code can. Linear predictors, the
    default, remove correlations of units, and those with hidden layers other
    dependence, too [2]_. Their outputs are least squares at each update, given running
    moments of recent codes. A decoder is learned at the same time, and the encoder
    heeds it by the weight :math:`\rho`, so that codes represent rows. ``score_samples``
    is the log-likelihood of rows given their own reconstructions, and not a density of
    the rows. NaN is a missing value, in every method. Float64 data are computed in
    float64, all others in float32.

    Parameters
    ----------
    codes
        Units between 0 and 1, by a logistic function, which evade guesses best at
        either end; or real numbers of unit variance, by batch normalisation.
    predictor_layer_sizes : int or tuple of int
        Numbers of hidden units of the predictor of each unit, from the code up.
    reconstruction
        Weight :math:`\rho` of the decoder's log-likelihood, in nats, for the encoder;
        by 0 the code evades predictors only.
    n_predictor_steps
        Updates of hidden layers of the predictors for each one of the encoder.
    activation
        Activation function of hidden units, of predictors too.
    n_iter
        Number of epochs; "auto": 3,500 updates, but between 20 and 300 epochs.

    Attributes
    ----------
    predictability_ : ndarray of shape (n_components,)
        :meth:`predictability` of each unit, for some training rows.
    loss_curve_ : list of float
        Minus the log-likelihood of reconstructions of some training rows after each
        epoch, in nats per row, with real columns standardised.

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
    init_weights: Initialiser = within("solver", "glorot_uniform")
    architecture: Architecture = "dense"

    _MODEL, _BUDGET = EvasionModel(), Budget(3_500, 20, 300)

    def predictability(self, X: Data, regressor: Any = None) -> np.ndarray:
        r"""Share of the variance of each unit that the others tell.

        .. math:: R^2_k = 1 - \frac{\mathbb{E} (P_k(h_{-k}) - h_k)^2}
            {\operatorname{Var} h_k}

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value.
        regressor : estimator, default=None
            A scikit-learn regressor, whose guesses are those of a five-fold
            cross-validation on these rows. By default the best of three: output layers
            of the predictors, which are least squares given their hidden units and
            cross-validated on these rows; least squares given the other units; and the
            mean of each unit.

        Returns
        -------
        predictability : ndarray of shape (n_components,), float64
            0, or less by a regressor, where the others tell nothing; 1 of a unit that
            is constant.
        """
        return self.density_.predictability(X, regressor)

    def _report(self, learned, n_epochs, watch):
        with Held():
            self.predictability_ = self.density_.survey(watch.rows, watch.probe)
        super()._report(learned, n_epochs, watch)
