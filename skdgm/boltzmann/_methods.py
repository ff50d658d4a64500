"""Methods that only some machines have."""

import numpy as np

from skdgm.base.frames import framed
from skdgm.data.given import class_codes


def pseudo_likelihood(self, X):
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


def importance_likelihood(self, X, *, n_draws=100, return_se=False):
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


def sample_of_class(
    self,
    n_samples=1,
    random_state=None,
    *,
    y=None,
    init="chains",
    n_steps=100,
    burn_in=0,
    thin=None,
):
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
        if np.ndim(y) and thin is not None:
            raise ValueError(
                "thin is for chains, which have one label each: give one y."
            )
        n_labels = np.size(y)
        if np.ndim(y) and n_labels != n_samples:
            raise ValueError(f"y has {n_labels} labels, but n_samples={n_samples}.")
        options["codes"] = class_codes(self, y, n_labels)
    return framed(self, density.sample(n_samples, random_state, **options))
