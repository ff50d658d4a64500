r"""Mixing diagnostics of Markov chains.

For m chains of n draws, with within-chain variance W, between-chain variance B and
:math:`\widehat{\mathrm{var}}^+ = \frac{n-1}{n} W + \frac{1}{n} B`,

.. math:: \hat R = \sqrt{\frac{\widehat{\mathrm{var}}^+}{W}}, \qquad
   \hat\rho_t = 1 - \frac{W - \frac1m \sum_j s_j^2 \hat\rho_{t,j}}
   {\widehat{\mathrm{var}}^+}, \qquad
   \mathrm{ESS} = \frac{m n}{-1 + 2 \sum_t (\hat\rho_{2t} + \hat\rho_{2t+1})}

The last sum is truncated before its first negative term and made monotone [1]_. Chains
are split in halves and draws are rank-normalised, so that both diagnostics exist for
any distribution [2]_.

References
----------
.. [1] Geyer (1992). Practical Markov chain Monte Carlo. Statistical Science.
.. [2] Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021). Rank-normalization,
   folding, and localization: an improved R-hat. Bayesian Analysis.
"""

import numpy as np

from skdgm.metrics._chains import (
    SIZES,
    autocovariance,
    checked,
    each,
    reduction,
    still,
)


def autocorrelation(chains):
    r"""Autocorrelation of each chain at every lag.

    .. math:: \hat\rho_t = \frac{\sum_s (x_s - \bar x)(x_{s+t} - \bar x)}
       {\sum_s (x_s - \bar x)^2}

    Parameters
    ----------
    chains : array-like, (n_chains, n_draws) or (n_chains, n_draws, n_quantities)
        A single chain may be given as (n_draws,).

    Returns
    -------
    rho : ndarray of the same shape
        Equal to ArviZ's; 1 at every lag of a constant chain, for which ArviZ gives no
        number.

    Raises
    ------
    ValueError
        A draw is not finite.

    Examples
    --------
    >>> from skdgm.metrics import autocorrelation
    >>> autocorrelation([1.0, -1.0, 1.0, -1.0]).round(2)
    array([ 1.  , -0.75,  0.5 , -0.25])
    """
    rows = checked(np.atleast_2d(chains), min_draws=1)
    covariance = autocovariance(rows)
    covariance = np.where(still(rows)[:, None], 1.0, covariance)
    return (covariance / covariance[:, :1]).reshape(np.shape(chains))


def effective_sample_size(chains, *, method="bulk"):
    r"""Effective sample size: the equivalent number of independent draws.

    .. math:: \mathrm{ESS} = \frac{m n}{-1 + 2 \sum_t
       (\hat\rho_{2t} + \hat\rho_{2t+1})}

    Parameters
    ----------
    chains : array-like, (n_chains, n_draws) or (n_chains, n_draws, n_quantities)
    method : {"bulk", "tail", "mean"}, default="bulk"
        "bulk" is for the rank-normalised draws, "tail" the lower one for the 5 % and
        the 95 % quantile, "mean" for the mean of the draws without normalisation.

    Returns
    -------
    ess : float or ndarray of shape (n_quantities,)
        Equal to ArviZ's, which in the tails may round a quantile below the draws that
        are equal to it. The number of draws if all are equal.

    Raises
    ------
    ValueError
        There are fewer than four draws, one is not finite, or the method is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from skdgm.metrics import effective_sample_size
    >>> x = np.random.default_rng(0).normal(size=(4, 1000))
    >>> bool(3000 < effective_sample_size(x) < 5000)
    True
    """
    if method not in SIZES:
        raise ValueError(f"method must be 'bulk', 'tail' or 'mean', not {method!r}.")
    return each(SIZES[method], checked(chains))


def r_hat(chains):
    r"""Potential scale reduction, which is near 1 if all chains have mixed.

    .. math:: \hat R = \sqrt{\widehat{\mathrm{var}}^+ / W}

    The larger one for rank-normalised draws and for their rank-normalised distances
    from the median.

    Parameters
    ----------
    chains : array-like, (n_chains, n_draws) or (n_chains, n_draws, n_quantities)

    Returns
    -------
    r_hat : float or ndarray of shape (n_quantities,)
        Equal to ArviZ's. Above 1.01 the chains have not mixed. For a single chain it
        compares the halves. NaN if all draws are equal.

    Raises
    ------
    ValueError
        There are fewer than four draws, or one is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from skdgm.metrics import r_hat
    >>> x = np.random.default_rng(0).normal(size=(4, 1000))
    >>> bool(r_hat(x) < 1.01)
    True
    >>> x[0] += 3
    >>> bool(r_hat(x) > 1.2)
    True
    """
    return each(reduction, checked(chains))
