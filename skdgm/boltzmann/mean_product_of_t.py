r"""Products of Student's t distributions of real columns, with mean units.

.. math:: p(v) \propto e^{-F(v)}, \qquad F(v) = \tfrac12 \lvert \sqrt\lambda \odot (v -
   b) \rvert^2 - \sum_j \zeta(c_j + W_j^\top v) + \sum_k \alpha_k \log \Bigl(1 +
   \tfrac12 \sum_f P_{fk} (C_f^\top v)^2 \Bigr)
"""

from skdgm.base.attributes import reads_one_fit
from skdgm.base.options import KW_ONLY, Count, CountOrZero, Positive
from skdgm.boltzmann._covariance.machine import CovarianceMachine
from skdgm.boltzmann._covariance.model import CovarianceModel
from skdgm.energies.covariance import ProductOfT


@reads_one_fit
class MeanProductOfT(CovarianceMachine):
    r"""Mean product of Student's t distributions, a model of heavy-tailed real columns.

    .. math::

        p(v) \propto e^{-F(v)},

    .. math::

        F(v) = \tfrac12 \lvert \sqrt\lambda \odot (v -
        b) \rvert^2 - \sum_j \zeta(c_j + W_j^\top v) + \sum_k \alpha_k \log \Bigl(1 +
        \tfrac12 \sum_f P_{fk} (C_f^\top v)^2 \Bigr)

    with :math:`\zeta(x) = \log(1 + e^x)`, and :math:`P \ge 0` [1]_. It is a
    :class:`MeanCovarianceRBM` whose covariance units are gamma variables instead of
    bits. Given all hidden units, rows are normal. With the gamma units marginalized,
    projections on factors have the tails of Student's t distribution. The model suits
    rows that differ in contrast, such as image patches. The negative phase is sampled
    by Hamiltonian Monte Carlo [3]_.

    Columns may have any scale: they are standardized internally. All methods accept NaN
    as a missing value, which is sampled by Hamiltonian Monte Carlo, too. Computations
    are in float64 for float64 data, otherwise in float32.

    Parameters
    ----------
    n_mean
        Number of mean units. With 0, the model is a product of Student's t
        distributions [2]_.
    n_covariance
        Number of gamma units.
    n_factors
        Number of factors. Gamma units pool the squared factors with learned weights. If
        None, each unit has one factor.
    n_leapfrog
        Number of leapfrog steps of each trajectory. The step size adapts to an
        acceptance rate of 0.9 during training, and is fixed afterwards.
    max_norm
        Maximum norm of the weights of a mean unit or a factor.

    Attributes
    ----------
    components_ : ndarray of shape (n_mean, n_features)
        Weights W of the standardized columns, transposed.
    factors_ : ndarray of shape (n_factors, n_features)
        Factors C, transposed.
    pooling_ : ndarray of shape (n_covariance, n_factors)
        Weights P of the squared projections, transposed.
    intercept_mean_ : ndarray of shape (n_mean,)
        Biases c.
    intercept_covariance_ : ndarray of shape (n_covariance,)
        Logarithms of the shape parameters :math:`\alpha` of the gamma units.
    density_kind_ : str
        Kind of density that :meth:`score_samples` returns: "estimate".

    See Also
    --------
    MeanCovarianceRBM : Binary units for covariances.
    GaussianRBM : A fixed covariance.

    Notes
    -----
    A default fit to scikit-learn's digits takes about 20 s of one core, 38 times as
    long as ``MLPClassifier``. Hybrid Monte Carlo has many steps in each update. With
    longer steps, training diverged.

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
