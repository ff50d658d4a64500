r"""Restricted Boltzmann machines of means and covariances of real columns.

.. math:: p(v) \propto e^{-F(v)}, \qquad F(v) = \tfrac12 \lvert \sqrt\lambda \odot (v -
   b) \rvert^2 - \sum_j \zeta(c_j + W_j^\top v) - \sum_k \zeta \Bigl(d_k - \tfrac12
   \sum_f P_{fk} (C_f^\top v)^2 \Bigr)
"""

from typing import Literal

import numpy as np

from skdgm.base import Estimator, forget_log_Z, lazy_log_Z
from skdgm.base.attributes import steady
from skdgm.base.common_options import FitOptions
from skdgm.base.frames import framed
from skdgm.base.options import (
    KW_ONLY,
    Auto,
    Count,
    CountOrZero,
    Fraction,
    Positive,
    Share,
)
from skdgm.boltzmann._covariance.model import CovarianceModel
from skdgm.boltzmann._structure.visible import REAL
from skdgm.training import Budget
from skdgm.typing import ArrayOrFrame, Data, Seed


@steady
class MeanCovarianceRBM(FitOptions, Estimator):
    r"""Machine whose hidden units set means and covariances of real columns.

    .. math::

        p(v) \propto e^{-F(v)}, \qquad F(v) = \tfrac12 \lvert \sqrt\lambda \odot (v -
        b) \rvert^2 - \sum_j \zeta(c_j + W_j^\top v) - \sum_k \zeta \Bigl(d_k - \tfrac12
        \sum_f P_{fk} (C_f^\top v)^2 \Bigr)

    with :math:`\zeta(x) = \log(1 + e^x)`, and :math:`P \ge 0` [1]_. Given the hidden
    units, rows are normal: mean units shift them, as in a :class:`GaussianRBM`, and
    covariance units that are on keep their projections on factors C small. One that is
    off allows a large projection: so covariances differ from row to row. Learning draws
    rows of the model by Hamiltonian Monte Carlo [2]_.

    Columns may have any scale: they are standardised internally. NaN is a missing
    value, in every method; such entries are drawn by the same chains. Float64 data are
    processed in float64, all others in float32.

    Parameters
    ----------
    n_mean
        Number of mean units; without any, it is a covariance machine [3]_.
    n_covariance
        Number of covariance units.
    n_factors
        Number of factors, whose squares covariance units pool with weights that are
        learned. If None, each unit has one factor.
    n_chains
        Number of persistent chains.
    n_leapfrog
        Leapfrog steps of each trajectory. Their size adapts to an acceptance of 0.9 in
        training, and is fixed after it.
    max_norm
        Maximum norm of the weights of a mean unit, and of a factor.
    min_variance
        Least variance of a standardised column given the hidden units.
    momentum
        Decay rate of the mean gradient, the first beta of Adam.
    schedule
        Learning rate after t of T epochs: ``learning_rate`` times 1,
        ``1 / (1 + t) ** power_t`` or ``1 - t / T``.
    n_iter
        Number of epochs; "auto": 4,000 updates, but between 10 and 400 epochs.

    Attributes
    ----------
    components_ : ndarray of shape (n_mean, n_features)
        Weights W of the standardised columns, transposed.
    factors_ : ndarray of shape (n_factors, n_features)
        Factors C, transposed.
    pooling_ : ndarray of shape (n_covariance, n_factors)
        Weights P of squared projections, transposed.
    intercept_mean_, intercept_covariance_ : ndarray
        Biases c and d.
    intercept_visible_ : ndarray of shape (n_features,)
        Visible biases b, of the standardised columns.
    mean_, scale_ : ndarray of shape (n_features,)
        Values that are subtracted from the columns, and by which these are then
        divided.
    precision_ : ndarray of shape (n_features,)
        Precisions of the original columns where all covariance units are off.
    chains_ : ndarray of shape (n_chains, n_features)
        Last states of the training chains.
    log_Z_, log_Z_se_ : float
        Log partition function and its standard error, by annealed importance sampling
        from both sides, computed at first access.
    density_kind_ : str
        Kind of :meth:`score_samples`: "estimate".
    loss_curve_ : list of float
        Negative pseudo-likelihood of some training rows after each epoch, in nats per
        row, of standardised columns.
    validation_curve_ : list of float
        ``loss_curve_`` of held-out rows, with ``early_stopping``.

    References
    ----------
    .. [1] Ranzato and Hinton (2010). Modeling pixel means and covariances using
       factorized third-order Boltzmann machines. CVPR.
    .. [2] Neal (2011). MCMC using Hamiltonian dynamics. Handbook of Markov Chain Monte
       Carlo.
    .. [3] Ranzato, Krizhevsky and Hinton (2010). Factored 3-way restricted Boltzmann
       machines for modeling natural images. AISTATS.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdgm import MeanCovarianceRBM
    >>> X = load_iris().data
    >>> machine = MeanCovarianceRBM(4, 8, n_iter=100, random_state=0).fit(X)
    >>> machine.transform(X).shape
    (150, 12)
    >>> machine.covariance(X[:2]).shape
    (2, 4, 4)
    """

    n_mean: CountOrZero = 64
    n_covariance: Count = 64
    _: KW_ONLY
    n_factors: Count | None = None
    n_chains: Count = 100
    learning_rate = 0.01
    n_leapfrog: Count = 20
    max_norm: Positive = 10.0
    min_variance: Fraction = 0.01
    momentum: Share = 0.9
    schedule: Literal["constant", "invscaling", "linear"] = "linear"
    n_iter: CountOrZero | Auto = "auto"

    _MODEL, _BUDGET, _domain = CovarianceModel(), Budget(4_000, 10, 400), REAL
    _KNOWN, _LISTED = ("_log_Zs",), False

    __getattr__ = lazy_log_Z

    def sample(
        self, n_samples: int = 1, random_state: Seed = None, *, n_steps: int = 20
    ) -> ArrayOrFrame:
        """Draw rows from the model by Hamiltonian Monte Carlo.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows, each from a chain of its own.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator: other rows at each call.
        n_steps : int, default=20
            Number of trajectories of each chain, from a state of ``chains_``.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if ``fit`` was given one.
        """
        return framed(self, self.density_.sample(n_samples, random_state, n_steps))

    def free_energy(self, X: Data) -> np.ndarray:
        """Free energy F of each row, in nats; an estimate where entries are missing.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        free_energy : ndarray of shape (n_samples,)
        """
        return self.density_.free_energy(X)

    def covariance(self, X: Data) -> np.ndarray:
        r"""Covariances of the columns, given the means of the hidden units of each row.

        .. math:: \left( \mathrm{diag}(\lambda) + \sum_k \mathbb{E}[g_k \mid v] \sum_f
           P_{fk} \, C_f C_f^\top \right)^{-1}

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        covariance : ndarray of shape (n_samples, n_features, n_features)
        """
        return self.density_.covariance(X)

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """Names of the features: mean units, then covariance units.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Ignored.

        Returns
        -------
        names : ndarray of str
        """
        super().get_feature_names_out(input_features)
        name, density = type(self).__name__.lower(), self.density_
        sizes = len(density.params.c), len(density.params.d)
        parts = zip(("mean", "covariance"), sizes)
        names = [f"{name}_{kind}{k}" for kind, n in parts for k in range(n)]
        return np.array(names, dtype=object)

    @property
    def _dtype(self):
        return self.intercept_mean_.dtype.type

    def _n_epochs(self, table):
        return self._BUDGET.epochs(
            self._options.n_iter, table, self._options.batch_size
        )

    def _forget(self):
        forget_log_Z(self)
        self._log_Zs = {}

    def _remedy(self):
        return (
            f"Lower learning_rate (now {self._options.learning_rate:g}) or max_norm "
            f"(now {self._options.max_norm:g})."
        )
