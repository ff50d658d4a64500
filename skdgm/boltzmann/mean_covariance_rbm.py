r"""Mean-covariance restricted Boltzmann machines of real columns.

.. math:: p(v) \propto e^{-F(v)}, \qquad F(v) = \tfrac12 \lvert \sqrt\lambda \odot (v -
   b) \rvert^2 - \sum_j \zeta(c_j + W_j^\top v) - \sum_k \zeta \Bigl(d_k - \tfrac12
   \sum_f P_{fk} (C_f^\top v)^2 \Bigr)
"""

from skdgm.base.attributes import reads_one_fit
from skdgm.base.options import KW_ONLY, Count, CountOrZero
from skdgm.boltzmann._covariance.machine import CovarianceMachine
from skdgm.boltzmann._covariance.model import CovarianceModel
from skdgm.training import Budget


@reads_one_fit
class MeanCovarianceRBM(CovarianceMachine):
    r"""Mean-covariance restricted Boltzmann machine of real columns.

    .. math::

        p(v) \propto e^{-F(v)},

    .. math::

        F(v) = \tfrac12 \lvert \sqrt\lambda \odot (v -
        b) \rvert^2 - \sum_j \zeta(c_j + W_j^\top v) - \sum_k \zeta \Bigl(d_k - \tfrac12
        \sum_f P_{fk} (C_f^\top v)^2 \Bigr)

    with :math:`\zeta(x) = \log(1 + e^x)`, and :math:`P \ge 0` [1]_. Given the hidden
    units, rows are normal. Mean units shift them, as in a :class:`GaussianRBM`. A
    covariance unit that is on constrains the projections on its factors C; a unit that
    is off allows large projections. Hence covariances differ between rows. The negative
    phase is sampled by Hamiltonian Monte Carlo [2]_.

    Columns may have any scale: they are standardized internally. All methods accept NaN
    as a missing value, which is sampled by Hamiltonian Monte Carlo, too. Computations
    are in float64 for float64 data, otherwise in float32.

    Parameters
    ----------
    n_mean
        Number of mean units. With 0, the model is a covariance RBM [3]_.
    n_covariance
        Number of covariance units.
    n_factors
        Number of factors. Covariance units pool the squared factors with learned
        weights. If None, each unit has one factor.
    n_leapfrog
        Number of leapfrog steps of each trajectory. Steps are scaled by the covariance
        of the columns given mean hidden units. Their size adapts to an acceptance rate
        of 0.7 during training, and is fixed afterwards.
    max_norm
        Maximum norm of the weights of a mean unit or a factor.
    n_iter
        Number of epochs; "auto": 2,000 updates, but between 10 and 400 epochs.

    Attributes
    ----------
    components_ : ndarray of shape (n_mean, n_features)
        Weights W of the standardized columns, transposed.
    factors_ : ndarray of shape (n_factors, n_features)
        Factors C, transposed.
    pooling_ : ndarray of shape (n_covariance, n_factors)
        Weights P of the squared projections, transposed.
    intercept_mean_, intercept_covariance_ : ndarray
        Biases c of shape (n_mean,) and d of shape (n_covariance,).
    density_kind_ : str
        Kind of density that :meth:`score_samples` returns: "estimate".

    See Also
    --------
    MeanProductOfT : The same means, with heavy-tailed factors.
    SpikeSlabRBM : Covariances by hidden spikes and slabs.
    GaussianRBM : A fixed covariance.

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
    n_leapfrog: Count = 5
    learning_rate = 0.02

    _MODEL, _BUDGET = CovarianceModel(), Budget(2_000, 10, 400)
