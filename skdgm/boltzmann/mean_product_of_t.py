r"""Products of Student's t distributions of real columns, with units of means.

.. math:: p(v) \propto e^{-F(v)}, \qquad F(v) = \tfrac12 \lvert \sqrt\lambda \odot (v -
   b) \rvert^2 - \sum_j \zeta(c_j + W_j^\top v) + \sum_k \alpha_k \log \Bigl(1 +
   \tfrac12 \sum_f P_{fk} (C_f^\top v)^2 \Bigr)
"""

from skdgm.base.attributes import steady
from skdgm.base.options import KW_ONLY, Count, CountOrZero, Positive
from skdgm.boltzmann._covariance.machine import CovarianceMachine
from skdgm.boltzmann._covariance.model import CovarianceModel
from skdgm.energies.covariance import ProductOfT


@steady
class MeanProductOfT(CovarianceMachine):
    r"""Machine of heavy-tailed real columns: gamma units scale projections.

    .. math::

        p(v) \propto e^{-F(v)},

    .. math::

        F(v) = \tfrac12 \lvert \sqrt\lambda \odot (v -
        b) \rvert^2 - \sum_j \zeta(c_j + W_j^\top v) + \sum_k \alpha_k \log \Bigl(1 +
        \tfrac12 \sum_f P_{fk} (C_f^\top v)^2 \Bigr)

    with :math:`\zeta(x) = \log(1 + e^x)`, and :math:`P \ge 0` [1]_. It is the
    :class:`MeanCovarianceRBM` with gamma units in place of bits: given these, rows are
    normal, and a unit may narrow its projections as much as it takes, so that tails are
    those of Student's t. Rows that differ in contrast, as patches of images do, are its
    domain. Learning draws rows of the model by Hamiltonian Monte Carlo [3]_.

    Columns may have any scale: they are standardised internally. NaN is a missing
    value, in every method; such entries are drawn by the same chains. Float64 data are
    processed in float64, all others in float32.

    Parameters
    ----------
    n_mean
        Number of mean units; without any, it is a product of Student's t [2]_.
    n_covariance
        Number of gamma units.
    n_factors
        Number of factors, whose squares gamma units pool with weights that are learned.
        If None, each unit has one factor.
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
    intercept_mean_ : ndarray of shape (n_mean,)
        Biases c.
    intercept_covariance_ : ndarray of shape (n_covariance,)
        Logs of the shapes :math:`\alpha` of the gamma units.
    density_kind_ : str
        Kind of :meth:`score_samples`: "estimate".

    References
    ----------
    .. [1] Ranzato, Mnih and Hinton (2010). Generating more realistic images using gated
       MRF's. NIPS.
    .. [2] Welling, Hinton and Osindero (2003). Learning sparse topographic
       representations with products of Student-t distributions. NIPS.
    .. [3] Neal (2011). MCMC using Hamiltonian dynamics. Handbook of Markov Chain Monte
       Carlo.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdgm import MeanProductOfT
    >>> X = load_iris().data
    >>> machine = MeanProductOfT(4, 8, n_iter=100, random_state=0).fit(X)
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
    max_norm: Positive = 100.0

    _MODEL = CovarianceModel(ProductOfT)
