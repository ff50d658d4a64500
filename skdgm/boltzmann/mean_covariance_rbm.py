r"""Restricted Boltzmann machines of means and covariances of real columns.

.. math:: p(v) \propto e^{-F(v)}, \qquad F(v) = \tfrac12 \lvert \sqrt\lambda \odot (v -
   b) \rvert^2 - \sum_j \zeta(c_j + W_j^\top v) - \sum_k \zeta \Bigl(d_k - \tfrac12
   \sum_f P_{fk} (C_f^\top v)^2 \Bigr)
"""

from skdgm.base.attributes import steady
from skdgm.base.options import KW_ONLY, Count, CountOrZero
from skdgm.boltzmann._covariance.machine import CovarianceMachine
from skdgm.boltzmann._covariance.model import CovarianceModel


@steady
class MeanCovarianceRBM(CovarianceMachine):
    r"""Machine whose hidden units set means and covariances of real columns.

    .. math::

        p(v) \propto e^{-F(v)},

    .. math::

        F(v) = \tfrac12 \lvert \sqrt\lambda \odot (v -
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
    n_leapfrog
        Leapfrog steps of each trajectory. Their size adapts to an acceptance of 0.9 in
        training, and is fixed after it.
    max_norm
        Maximum norm of the weights of a mean unit, and of a factor.

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
    density_kind_ : str
        Kind of :meth:`score_samples`: "estimate".

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
    n_leapfrog: Count = 20

    _MODEL = CovarianceModel()
