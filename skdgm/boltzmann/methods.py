"""Methods that several estimators with chains have."""

import numpy as np

from skdgm.base.frames import filled_in, framed
from skdgm.base.given import chain_codes
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
    """Draw rows from the model by blocked Gibbs sampling.

    In a network the steps are those of its top-level machine, and a downward pass
    through the directed layers turns its visible units into rows.

    Parameters
    ----------
    n_samples : int, default=1
        Number of rows.
    random_state : int, RandomState instance or None, default=None
        By default NumPy's global generator: other rows at each call.
    init : {"chains", "noise"} or array-like of shape (n, n_features), \
            default="chains"
        Start of the chains: the last states of the training chains (see
        ``chains_``); noise, which is fair coins, or standard normal numbers in
        standardised real columns; or given rows, from which a network draws
        upwards. If there are more chains than starts, these are used in turn.
    n_steps : int, default=100
        Number of Gibbs steps of each chain after ``burn_in``.
    burn_in : int, default=0
        Number of Gibbs steps before those.
    thin : int, default=None
        Keep every ``thin``-th state of a chain, and run as many chains as this
        takes. By default each chain gives one row, its last state.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Chain after chain, each in the order of time. A DataFrame if ``fit`` was
        given one.

    Raises
    ------
    TypeError
        A number is not a whole number.
    ValueError
        A number is too low, ``thin`` is more than ``n_steps``, or ``init`` is
        unknown or not as wide as the model.
    """
    options = {"init": init, "n_steps": n_steps, "burn_in": burn_in, "thin": thin}
    rows = self.density_.sample(n_samples, random_state, **options)
    return framed(self, rows)


def impute(
    self: Any,
    X: Data,
    *,
    method: Filling = "mean",
    n_steps: int = 100,
    random_state: Seed = None,
) -> ArrayOrFrame:
    """Fill missing entries, given the others of their row.

    A chain of Gibbs steps with the observed entries clamped starts at the
    mean-field solution (of a network, that of the first layer; a step is an upward
    pass, a Gibbs step in the top-level machine and a downward pass).

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        NaN where missing.
    method : {"mean", "sample"}, default="mean"
        "mean" fills in means (probabilities, where units are binary), averaged over
        the chain, the same at each call; "sample" fills in the chain's last state.
    n_steps : int, default=100
        Number of Gibbs steps.
    random_state : int, RandomState instance or None, default=None
        For "sample".

    Returns
    -------
    X_filled : ndarray of shape (n_samples, n_features)
        Observed entries are unchanged. A DataFrame with its index if X
        and what the model was fitted to are such.

    Raises
    ------
    TypeError
        ``n_steps`` is not a whole number.
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
        By default NumPy's global generator: other rows at each call.
    y : object or array-like of shape (n_samples,), default=None
        Label of all rows, or of each row, to which the chains are clamped. If None,
        labels are sampled, too.
    init, n_steps, burn_in, thin
        As in :meth:`BernoulliRBM.sample`. Where y is given, chains start from
        training chains with the same label, if there are any.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        A DataFrame if ``fit`` was given one.

    Raises
    ------
    ValueError
        A label is unknown; y has one label for each row, but not ``n_samples`` of
        them, or ``thin`` is given; or as in :meth:`BernoulliRBM.sample`.
    """
    density = self.density_
    options = {"init": init, "n_steps": n_steps, "burn_in": burn_in, "thin": thin}
    if y is not None:
        options["codes"] = chain_codes(self, y, n_samples, thin)
    return framed(self, density.sample(n_samples, random_state, **options))


def pseudo_likelihood(self: Any, X: Data) -> np.ndarray:
    r"""Log pseudo-likelihood of each row, in nats.

    .. math:: \mathrm{PL}(v) = \sum_i \log p(v_i \mid v_{-i})

    The sum over all units is computed exactly, and so is deterministic. Missing
    entries are filled by mean field and left out of the sum.

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

    The estimate is above the bound of :meth:`score_samples`. Apart from the error
    of log Z, it is on average below the log-likelihood.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Without missing values.
    n_draws : int, default=100
        Number of draws for each row, the same ones at each call.
    return_se : bool, default=False
        If True, return standard errors, too.

    Returns
    -------
    log_likelihood : ndarray of shape (n_samples,)
    se : ndarray of shape (n_samples,)
        Standard errors of the averages, without that of log Z. Only returned if
        ``return_se`` is True.

    Raises
    ------
    TypeError
        ``n_draws`` is not a whole number.
    ValueError
        A value is missing, ``n_draws`` is less than 1, or weights or biases are not
        finite.
    """
    log_p, se = self.density_.importance(X, n_draws)
    return (log_p - self.log_Z_, se) if return_se else log_p - self.log_Z_
