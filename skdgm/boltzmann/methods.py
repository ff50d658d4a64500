"""Methods of estimators that sample by Markov chains."""

import numpy as np

from skdgm.base import forget_log_Z
from skdgm.base.frames import as_frame, filled_in
from skdgm.base.given import chain_codes
from skdgm.partition import LogPartition
from skdgm.typing import Any, ArrayLike, ArrayOrFrame, Data, Filling, Seed


def sample(
    self: Any,
    n_samples: int = 1,
    random_state: Seed = None,
    *,
    init: str | ArrayLike = "chains",
    n_steps: int = 100,
    burn_in: int = 0,
    thin: int | None = None,
) -> ArrayOrFrame:
    r"""Draw rows from the model by blocked Gibbs sampling.

    In a belief network, the Gibbs steps are those of the top-level machine. A downward
    pass through the directed layers then converts its visible units to rows.

    Parameters
    ----------
    n_samples : int, default=1
        Number of rows.
    random_state : int, RandomState instance or None, default=None
        By default, NumPy's global generator, so that rows differ between calls.
    init : {"chains", "noise"} or array-like of shape (n, n_features), \
            default="chains"
        Initial states of the chains. "chains": the last states of the training chains
        (see ``chains_``). "noise": fair coins, or standard normal numbers for
        standardized real columns. An array: these rows, which a belief network first
        propagates upwards. If there are more chains than initial states, these are used
        in turn.
    n_steps : int, default=100
        Number of Gibbs steps of each chain after ``burn_in``.
    burn_in : int, default=0
        Number of Gibbs steps that are discarded at the start of each chain.
    thin : int, default=None
        Return every ``thin``-th state of a chain, and run as many chains as are needed
        for ``n_samples`` rows. By default each chain gives one row, its last state.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Chain after chain, each in temporal order. A DataFrame if ``fit`` was given one.

    Raises
    ------
    TypeError
        A number is not an integer.
    ValueError
        A number is too low, ``thin`` is larger than ``n_steps``, or ``init`` is unknown
        or has another number of columns than the model.
    """
    options = {"init": init, "n_steps": n_steps, "burn_in": burn_in, "thin": thin}
    rows = self.density_.sample(n_samples, random_state, **options)
    return as_frame(self, rows)


def impute(
    self: Any,
    X: Data,
    *,
    method: Filling = "mean",
    n_steps: int = 100,
    random_state: Seed = None,
) -> ArrayOrFrame:
    """Impute missing entries, given the observed entries of each row.

    A Gibbs chain with the observed entries clamped starts at the mean-field solution.
    In a belief network, the mean field is that of the first layer, and a step of the
    chain is an upward pass, a Gibbs step in the top-level machine and a downward pass.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        NaN where missing.
    method : {"mean", "sample"}, default="mean"
        "mean" imputes means, averaged over the chain (probabilities for binary
        units), which are the same at each call. "sample" imputes the last state of the
        chain.
    n_steps : int, default=100
        Number of Gibbs steps.
    random_state : int, RandomState instance or None, default=None
        For "sample".

    Returns
    -------
    X_filled : ndarray of shape (n_samples, n_features)
        X with its missing entries imputed. A DataFrame with the index of X if X is a
        DataFrame and the model was fitted to one.

    Raises
    ------
    TypeError
        ``n_steps`` is not an integer.
    ValueError
        ``method`` is unknown, or ``n_steps`` is less than 1.
    """
    filled = self.density_.fill(X, method, random_state, n_steps=n_steps)
    return filled_in(self, X, filled)


def sample_of_class(
    self: Any,
    n_samples: int = 1,
    random_state: Seed = None,
    *,
    y: object = None,
    init: str | ArrayLike = "chains",
    n_steps: int = 100,
    burn_in: int = 0,
    thin: int | None = None,
) -> ArrayOrFrame:
    """Draw rows from the model by blocked Gibbs sampling.

    Parameters
    ----------
    n_samples : int, default=1
        Number of rows.
    random_state : int, RandomState instance or None, default=None
        By default, NumPy's global generator, so that rows differ between calls.
    y : object or array-like of shape (n_samples,), default=None
        Label of all rows, or of each row, to which the chains are clamped. If None,
        labels are sampled, too.
    init, n_steps, burn_in, thin
        As in :meth:`BernoulliRBM.sample`. If y is given, chains start from training
        chains with the same label, if there are any.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        A DataFrame if ``fit`` was given one.

    Raises
    ------
    ValueError
        A label is unknown; y is an array, but its length is not ``n_samples`` or
        ``thin`` is given; or as in :meth:`BernoulliRBM.sample`.
    """
    density = self.density_
    options = {"init": init, "n_steps": n_steps, "burn_in": burn_in, "thin": thin}
    if y is not None:
        options["codes"] = chain_codes(self, y, n_samples, thin)
    return as_frame(self, density.sample(n_samples, random_state, **options))


def pseudo_likelihood(self: Any, X: Data) -> np.ndarray:
    r"""Log pseudo-likelihood of each row, in nats.

    .. math:: \mathrm{PL}(v) = \sum_i \log p(v_i \mid v_{-i})

    The sum over all units is exact, and hence deterministic. Missing entries are
    imputed by mean field and have no term in the sum.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        NaN where missing.

    Returns
    -------
    pseudo_likelihood : ndarray of shape (n_samples,)
    """
    return self.density_.pseudo_likelihood(X)


def importance_likelihood(
    self: Any, X: Data, *, n_draws: int = 100, return_se: bool = False
) -> Any:
    r"""Estimate the log-likelihood of each row, in nats, by importance sampling.

    .. math:: \log \frac1n \sum_{k=1}^n \frac{\tilde p(v, h_k)}{Q(h_k)} - \log Z,
       \qquad h_k \sim Q

    The estimate is above the bound of :meth:`score_samples`. Apart from the error of
    log Z, its expectation is below the log-likelihood.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows without missing values.
    n_draws : int, default=100
        Number of draws for each row, which are the same at each call.
    return_se : bool, default=False
        If True, also return standard errors.

    Returns
    -------
    log_likelihood : ndarray of shape (n_samples,)
    se : ndarray of shape (n_samples,)
        Standard errors of the averages, which exclude the error of log Z. Only returned
        if ``return_se`` is True.

    Raises
    ------
    TypeError
        ``n_draws`` is not an integer.
    ValueError
        A value is missing, ``n_draws`` is less than 1, or weights or biases are not
        finite.
    """
    log_p, se = self.density_.importance(X, n_draws)
    return (log_p - self.log_Z_, se) if return_se else log_p - self.log_Z_


def forget_partition(self):
    """``_forget`` of machines, which discards the estimate of log Z."""
    forget_log_Z(self)
    self._log_partition = LogPartition({})
