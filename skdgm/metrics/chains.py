r"""How well an estimator's own Markov chains mix.

Each chain's free energy is followed, :math:`F(v) = -\log \sum_h e^{-E(v, h)}`, which
moves as slowly as anything does; and whether all chains tell the same of each column.
"""

from numbers import Integral
from typing import NamedTuple

import numpy as np
from sklearn.utils.validation import check_is_fitted, check_scalar

from skdgm.metrics._chains import MIN_DRAWS
from skdgm.metrics._models import check_energy
from skdgm.metrics.mcmc import autocorrelation, effective_sample_size, r_hat

# Beyond which chains are not to be trusted, by the authors of both figures.
MAX_R_HAT, MIN_ESS = 1.01, 400


class ChainDiagnostics(NamedTuple):
    """What chains tell of their mixing.

    Parameters
    ----------
    trace : ndarray of shape (n_chains, n_draws)
        Free energies, in nats; of models with directed layers minus the log-likelihood
        but for log Z.
    ess, ess_tail : float
        Their effective sample size, in the bulk and in the tails.
    r_hat : float
        Their potential scale reduction.
    r_hat_columns : ndarray of shape (n_features,)
        That of each column, NaN where nothing moves.
    autocorrelation : ndarray of shape (n_draws,)
        Of the trace, the mean of all chains.
    time : float
        Gibbs steps that are worth one independent draw.
    swap_rates : ndarray or None
        Of the temperatures that the model was trained at, if it was.
    """

    trace: np.ndarray
    ess: float
    ess_tail: float
    r_hat: float
    r_hat_columns: np.ndarray
    autocorrelation: np.ndarray
    time: float
    swap_rates: np.ndarray

    @property
    def converged(self):
        """Whether R-hat is at most 1.01, of the trace and of 99 % of the columns, and
        there are 400 independent draws."""
        columns = np.nan_to_num(self.r_hat_columns, nan=1.0)
        worst = max(np.nan_to_num(self.r_hat, nan=1.0), np.quantile(columns, 0.99))
        return bool(worst <= MAX_R_HAT and min(self.ess, self.ess_tail) >= MIN_ESS)


def chain_diagnostics(
    estimator,
    *,
    n_chains=20,
    n_draws=200,
    thin=10,
    burn_in=200,
    init="chains",
    random_state=None,
):
    """Run an estimator's chains, and tell how well they mix.

    Parameters
    ----------
    estimator : object
        Fitted, with a partition function: one that samples by Markov chains.
    n_chains, n_draws : int
        Chains, and draws that are kept of each.
    thin : int, default=10
        Gibbs steps between them.
    burn_in : int, default=200
        Gibbs steps before the first.
    init : {"chains", "noise"} or array-like of shape (n, n_features), \
            default="chains"
        Where chains start, as of the estimator's ``sample``. Chains that start far
        apart ("noise") show best whether they meet.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    diagnostics : ChainDiagnostics

    Raises
    ------
    TypeError
        The estimator has no chains.
    ValueError
        A number is too low.

    References
    ----------
    Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021). Rank-normalization, folding,
    and localization: an improved R-hat. Bayesian Analysis.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.metrics import chain_diagnostics
    >>> X = load_digits().data / 16
    >>> rbm = BernoulliRBM(16, n_iter=5, random_state=0).fit(X)
    >>> found = chain_diagnostics(rbm, random_state=0)
    >>> found.converged
    True
    """
    check_energy(estimator, "chain_diagnostics")
    check_is_fitted(estimator)
    for name, value, low in (
        ("n_chains", n_chains, 1),
        ("n_draws", n_draws, MIN_DRAWS),
        ("thin", thin, 1),
    ):
        check_scalar(value, name, Integral, min_val=low)
    steps = {"n_steps": n_draws * thin, "thin": thin, "burn_in": burn_in}
    X = estimator.sample(n_chains * n_draws, random_state, init=init, **steps)
    trace = _free_energy(estimator, X).reshape(n_chains, n_draws)
    columns = np.moveaxis(X.reshape(n_chains, n_draws, -1), 2, 0)
    ess = effective_sample_size(trace)
    return ChainDiagnostics(
        trace,
        ess,
        effective_sample_size(trace, method="tail"),
        r_hat(trace),
        np.array([r_hat(column) for column in columns]),
        autocorrelation(trace).mean(axis=0),
        thin * trace.size / ess,
        getattr(estimator, "swap_rates_", None),
    )


def _free_energy(estimator, X):
    if hasattr(estimator, "free_energy"):
        return estimator.free_energy(X)
    return -estimator._numerator(X, n_draws=1)[0]
