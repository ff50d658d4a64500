r"""Rubin's rules, which pool estimates from several imputed tables.

.. math:: T = \bar U + \left(1 + \tfrac1m\right) B
"""

from numbers import Real
from typing import NamedTuple

import numpy as np
from scipy import stats
from sklearn.utils.validation import check_scalar

from skdgm.metrics._pairs import check_number
from skdgm.typing import ArrayLike
from skdgm.utils.domains import HUGE, as_numbers
from skdgm.utils.tree import tree_map


class PooledEstimate(NamedTuple):
    """Result of :func:`pool_estimates`: numbers, or arrays of shape (n_estimates,).

    Parameters
    ----------
    estimate : float or ndarray
        Mean of the estimates.
    within : float or ndarray
        Variance within tables: the mean of the variances.
    between : float or ndarray
        Variance of the estimates between tables.
    total : float or ndarray
        Variance of the pooled estimate.
    dof : float or ndarray
        Degrees of freedom of Student's t distribution of the pooled estimate.
    low, high : float or ndarray
        Ends of the confidence interval.
    missing_information : float or ndarray
        Fraction of information that is missing because of missing values.

    See Also
    --------
    pool_estimates : Function that returns the result.
    """

    estimate: float | np.ndarray
    within: float | np.ndarray
    between: float | np.ndarray
    total: float | np.ndarray
    dof: float | np.ndarray
    low: float | np.ndarray
    high: float | np.ndarray
    missing_information: float | np.ndarray


def pool_estimates(
    estimates: ArrayLike,
    variances: ArrayLike,
    *,
    complete_dof: float = np.inf,
    confidence: float = 0.95,
) -> PooledEstimate:
    r"""Pool estimates from several imputed tables by Rubin's rules.

    .. math::

        \bar Q = \frac1m \sum_k Q_k, \quad \bar U = \frac1m \sum_k U_k, \quad
        B = \frac{1}{m - 1} \sum_k (Q_k - \bar Q)^2, \quad
        T = \bar U + \left(1 + \tfrac1m\right) B

    for estimates Q and their variances U, the squared standard errors, from m tables
    [1]_. The confidence interval is that of Student's t distribution. The inverse of
    its degrees of freedom is

    .. math::

        \nu_m = \frac{m - 1}{\lambda^2}, \quad
        \nu_\text{obs} = \frac{\nu + 1}{\nu + 3}\, \nu\, (1 - \lambda), \quad
        \frac{1}{\nu_m} + \frac{1}{\nu_\text{obs}} \quad \text{for}\quad
        \lambda = \left(1 + \tfrac1m\right) \frac{B}{T}

    if the analysis of a complete table has ν degrees of freedom [2]_. Infinite ν, the
    default, gives :math:`1 / \nu_m`. The fraction of missing information is :math:`(r +
    2 / (\nu_m + 3)) / (r + 1)` with the relative increase in variance :math:`r =
    \lambda / (1 - \lambda)` [1]_.

    Parameters
    ----------
    estimates : array-like of shape (n_tables,) or (n_tables, n_estimates)
        Estimates from each table. They should be approximately normal: transform a
        correlation, for example, by ``arctanh``.
    variances : array-like of the same shape
        Squared standard errors of the analysis of complete tables.
    complete_dof : float, default=inf
        Degrees of freedom of the analysis of a complete table, such as the number of
        rows less the number of coefficients.
    confidence : float, default=0.95
        Confidence level of the interval.

    Returns
    -------
    pooled : PooledEstimate

    Raises
    ------
    ValueError
        There are fewer than two tables, shapes differ, or a variance is negative. A
        value is not finite, or its square overflows or underflows.

    References
    ----------
    .. [1] Rubin (1987). Multiple Imputation for Nonresponse in Surveys. Wiley.
    .. [2] Barnard and Rubin (1999). Small-sample degrees of freedom with multiple
       imputation. Biometrika.
    .. [3] van Buuren (2018). Flexible Imputation of Missing Data, second edition.
       Chapman and Hall.

    Examples
    --------
    >>> from skdgm.metrics import pool_estimates
    >>> pooled = pool_estimates([4.0, 5.0, 6.0], [2.0, 2.0, 2.0])
    >>> pooled.estimate, pooled.within, pooled.between, round(pooled.total, 4)
    (5.0, 2.0, 1.0, 3.3333)
    >>> round(pooled.dof, 3), round(pooled.low, 3), round(pooled.high, 3)
    (12.5, 1.04, 8.96)
    """
    Q, U = (
        as_numbers(value, name, "pool_estimates", ensure_2d=False)
        for value, name in ((estimates, "estimates"), (variances, "variances"))
    )
    if Q.shape != U.shape or Q.ndim > 2:
        raise ValueError(
            "estimates and variances must have the same shape, (n_tables,) or "
            f"(n_tables, n_estimates); got {Q.shape} and {U.shape}."
        )
    m = len(Q)
    if m < 2:
        raise ValueError("Estimates of at least two tables are needed.")
    sizes = np.concatenate([abs(Q).ravel(), abs(U).ravel()])
    if sizes.max() > HUGE or (sizes[sizes > 0] < 1 / HUGE).any():
        raise ValueError(
            "estimates and variances are so large or small that their squares overflow "
            "or underflow: multiply them by a constant."
        )
    if (U < 0).any():
        raise ValueError("A variance is negative: give squared standard errors.")
    check_scalar(complete_dof, "complete_dof", Real, min_val=1 / HUGE)
    limits = {"min_val": 0, "max_val": 1, "include_boundaries": "neither"}
    check_number(confidence, "confidence", **limits)
    estimate, within, between = Q.mean(axis=0), U.mean(axis=0), Q.var(axis=0, ddof=1)
    between_error = (1 + 1 / m) * between
    total = within + between_error
    with np.errstate(divide="ignore", invalid="ignore"):
        lambda_ = np.where(total > 0, between_error / total, 0.0)
        dof = large_sample_dof = (m - 1) / lambda_**2
        if np.isfinite(complete_dof):
            observed = (
                (complete_dof + 1) / (complete_dof + 3) * complete_dof * (1 - lambda_)
            )
            dof = 1 / (1 / large_sample_dof + 1 / observed)
    half_width = stats.t.ppf((1 + confidence) / 2, dof) * np.sqrt(total)
    # The fraction (r + 2 / (ν + 3)) / (r + 1) with r = λ / (1 - λ), if this is finite.
    missing = lambda_ + 2 * (1 - lambda_) / (large_sample_dof + 3)
    low, high = estimate - half_width, estimate + half_width
    pooled = PooledEstimate(estimate, within, between, total, dof, low, high, missing)
    return tree_map(
        lambda value: float(value) if np.ndim(value) == 0 else value, pooled
    )
