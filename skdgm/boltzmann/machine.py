"""Base class of Boltzmann machines on one table of data."""

from typing import Any

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import _num_samples, check_is_fitted

from skdgm.base import Estimator, lazy_log_Z
from skdgm.base.attributes import shared
from skdgm.base.groups import name_of
from skdgm.boltzmann import methods
from skdgm.boltzmann.structure.restricted import RESTRICTED
from skdgm.boltzmann.structure.visible import columns_kind
from skdgm.nets.estimator import check_categories
from skdgm.training import Budget
from skdgm.typing import ArrayOrFrame, Data

# Fitted attributes that only some options create.
TRANSIENT = "swap_rates_", "precision_", "mean_", "scale_", "_log_precision"


class Machine(Estimator):
    """Base class of estimators whose energy has layers, the first of which is visible.

    ``_MODEL`` is an :class:`~skdgm.boltzmann.structure.model.EnergyModel`. Models that
    consist of machines read ``_given``, initial parameters of the visible and hidden
    units; ``_ended``, the reason why training ended; ``_attributes(state)``, the fitted
    attributes of a :class:`~skdgm.boltzmann.learning.state.TrainState`; and
    ``density_``.
    """

    _MODEL = RESTRICTED
    _MODEL_READS = (
        "classes_",
        "_label_counts",
        "_given",
        "_log_partition",
        "feature_names_in_",
    )
    _SHORTENS_STEPS = True
    # Number of epochs with n_iter="auto".
    _BUDGET = Budget(6_000, 10, 100)
    _TRANSIENT = TRANSIENT

    __getattr__ = lazy_log_Z

    @shared(methods.sample)
    def sample(self): ...

    @shared(methods.impute)
    def impute(self): ...

    def _check_cost(self, table, n_epochs):
        names = getattr(self, "feature_names_in_", None)
        check_categories(self._facts(), table, n_epochs, 1, names)

    def gibbs(self, v: Data) -> ArrayOrFrame:
        """Take one step of Gibbs sampling.

        Parameters
        ----------
        v : {array-like, sparse matrix} of shape (n_samples, n_features)
            Initial values of the visible units.

        Returns
        -------
        v_new : ndarray of shape (n_samples, n_features)
            Visible units after the step, of type bool for binary columns. Values differ
            between calls, because ``random_state`` advances.
        """
        check_is_fitted(self)
        if not hasattr(self, "random_state_"):
            self.random_state_ = check_random_state(self.random_state)
        n, random_state = _num_samples(v), self.random_state_
        sample = self.density_.sample(n, random_state, init=v, n_steps=1)
        kind = self._domain.sample_type
        return sample if kind is None else sample.astype(kind)

    def free_energy(self, X: Data) -> np.ndarray:
        r"""Free energy of each row, in nats.

        .. math:: F(v) = -\log \sum_h e^{-E(v, h)} \le \min_Q \mathbb{E}_Q[E(v, h)] -
           H(Q)

        With several hidden layers, the variational free energy on the right-hand side
        is returned, for the factorial Q found by mean field. Missing entries (NaN) are
        marginalized like hidden units: exactly if one of the two layers has at most 20
        units, otherwise by the same upper bound.

        :meth:`score_samples` is :math:`-F(v) - \log Z`. Log Z is computed once. It is
        exact if the even or the odd layers have at most 20 units. Otherwise it is
        estimated by annealed importance sampling in both directions, with the standard
        error ``log_Z_se_``. A short run suffices if its standard error is at most 0.07
        nats and both directions agree with parallel tempering. Otherwise the run is as
        long as that of :func:`~skdgm.metrics.partition_bracket`; if its two directions
        differ by more than a nat, the higher value is used and a warning is issued.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        free_energy : ndarray of shape (n_samples,)
        """
        return self.density_.free_energy(X)

    @property
    def _domain(self) -> Any:
        return columns_kind(self._options)

    @property
    def _dtype(self):
        return self._state().params.dtype.type

    _forget = methods.forget_partition

    def _remedy(self):
        options = self._options
        momentum = name_of(type(self), "momentum", options.solver)
        return (
            f"Lower learning_rate (now {options.learning_rate:g}) or {momentum} (now "
            f"{options.momentum}), or raise batch_size (now {options.batch_size})."
        )
