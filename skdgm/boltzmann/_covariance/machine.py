"""Base class of machines whose hidden units set covariances of real columns."""

from typing import Annotated, Literal

import numpy as np

from skdgm.base import Estimator, lazy_log_Z
from skdgm.base.common_options import FitOptions
from skdgm.base.frames import as_frame
from skdgm.base.options import (
    KW_ONLY,
    Auto,
    Count,
    CountOrZero,
    Details,
    Fraction,
    NotNegative,
    Positive,
    Share,
)
from skdgm.base.solvers import Adam
from skdgm.boltzmann.methods import forget_partition
from skdgm.boltzmann.structure.visible import REAL
from skdgm.training import Budget
from skdgm.typing import ArrayOrFrame, Data, Seed


class CovarianceSolverDetails(Details):
    """Details of the optimizer of covariance machines."""

    momentum: Share = 0.9
    schedule: Literal["constant", "invscaling", "linear"] = "linear"
    power_t: NotNegative = 0.5


class CovarianceMachine(FitOptions, Estimator):
    """Base class of machines whose hidden units set covariances of real columns.

    Parameters
    ----------
    n_chains
        Number of persistent chains.
    max_norm
        Maximum norm of the weights of a hidden unit or a factor.
    min_variance
        Minimum variance of a standardized column given the hidden units.
    solver
        Adam, which divides the gradient of each parameter by its recent magnitude.
    n_iter
        Number of epochs; "auto": 4,000 updates, but between 10 and 400 epochs.

    Attributes
    ----------
    intercept_visible_ : ndarray of shape (n_features,)
        Visible biases b: means of the standardized columns if all hidden units are off.
    mean_, scale_ : ndarray of shape (n_features,)
        Mean and scale by which each column is standardized.
    precision_ : ndarray of shape (n_features,)
        Precisions of the original columns if all hidden units are off.
    chains_ : ndarray of shape (n_chains, n_features)
        Last states of the training chains.
    log_Z_, log_Z_se_ : float
        Log partition function and its standard error, computed at first access: by
        annealed importance sampling in both directions, or by enumeration.
    loss_curve_ : list of float
        Negative pseudo-likelihood of some training rows after each epoch, in nats per
        row, for standardized columns.
    validation_curve_ : list of float
        ``loss_curve_`` of held-out rows, with ``early_stopping``.
    """

    _: KW_ONLY
    n_chains: Count = 100
    learning_rate = 0.01
    max_norm: Positive = 10.0
    min_variance: Fraction = 0.01
    solver: Annotated[Literal["adam"] | Adam, CovarianceSolverDetails] = "adam"
    n_iter: CountOrZero | Auto = "auto"

    _BUDGET, _domain = Budget(4_000, 10, 400), REAL
    _MODEL_READS, _STORES_LISTS = ("_log_partition",), False

    __getattr__ = lazy_log_Z

    def sample(
        self, n_samples: int = 1, random_state: Seed = None, *, n_steps: int = 20
    ) -> ArrayOrFrame:
        """Draw rows from the model by Markov chains.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows, each from its own chain.
        random_state : int, RandomState instance or None, default=None
            By default, NumPy's global generator, so that rows differ between calls.
        n_steps : int, default=20
            Number of steps of each chain from a state in ``chains_``.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if ``fit`` was given one.
        """
        return as_frame(
            self, self.density_.sample(n_samples, random_state, n_steps=n_steps)
        )

    def free_energy(self, X: Data) -> np.ndarray:
        """Free energy F of each row, in nats; an estimate for rows with missing
        entries.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        free_energy : ndarray of shape (n_samples,)
        """
        return self.density_.free_energy(X)

    def covariance(self, X: Data) -> np.ndarray:
        """Covariances of the columns given the means of the hidden units of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        covariance : ndarray of shape (n_samples, n_features, n_features)
        """
        return self.density_.covariance(X)

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """Names of the features, by kind of hidden unit.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Ignored.

        Returns
        -------
        names : ndarray of str
        """
        super().get_feature_names_out(input_features)
        name, units = type(self).__name__.lower(), self._MODEL.units(self.density_)
        names = [f"{name}{kind}{k}" for kind, n in units for k in range(n)]
        return np.array(names, dtype=object)

    @property
    def _dtype(self):
        return self.intercept_visible_.dtype.type

    _forget = forget_partition

    def _remedy(self):
        return (
            f"Lower learning_rate (now {self._options.learning_rate:g}) or max_norm "
            f"(now {self._options.max_norm:g})."
        )
