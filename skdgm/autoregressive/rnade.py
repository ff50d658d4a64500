r"""Neural autoregressive density estimators of real numbers.

.. math:: h_t = f\Bigl(\rho_t \bigl(c + \sum_{i < t} x_i W_i\bigr)\Bigr), \qquad
   p(x_t \mid x_{<t}) = \sum_k \alpha_{tk} \, \mathcal{N}(x_t; \mu_{tk}, \sigma_{tk})
"""

from typing import Literal

from skdgm.autoregressive._estimator import AutoregressiveEstimator
from skdgm.autoregressive._residual import steady_covariance
from skdgm.autoregressive.model import ResidualModel
from skdgm.autoregressive.options import Ordering, Particles
from skdgm.base.options import KW_ONLY, Count, Fraction, within
from skdgm.nets.options import Initializer


class RNADE(AutoregressiveEstimator):
    r"""Neural autoregressive density estimator of real numbers.

    .. math::

        p(x) = \prod_t \sum_k \alpha_{tk} \, \mathcal{N}(x_t; \mu_{tk}, \sigma_{tk}),
        \qquad h_t = f\Bigl(\rho_t \bigl(c + \sum_{i < t} x_i W_i\bigr)\Bigr)

    The weights, means and scales of each column's mixture are functions of the hidden
    units :math:`h_t`, which all columns share. Learned factors :math:`\rho_t` scale
    their pre-activations [1]_. With up to 1,000 columns, means are relative to linear
    regressions on the previous columns, fitted to rows of the first fit. Means and
    scales are in units of the residuals, so that training starts close to a normal
    distribution. Gradients with respect to means are multiplied by scales, which
    stabilizes training; weight decay is not, and is therefore stronger where scales are
    small. Columns are standardized internally; densities are those of the original
    columns. Likelihoods and samples are exact. Computations are in float64 for float64
    data, and in float32 otherwise.

    Parameters
    ----------
    n_components
        Number of hidden units.
    n_mixtures
        Number of components of the mixture of each column.
    conditional
        Distribution of the components.
    min_variance
        Minimum of learned variances, as a share of the column's variance.

    Attributes
    ----------
    coefs_ : list of ndarray
        Weights of the net of each order: W, of shape (n_features, n_components), and V,
        of shape (3 * n_mixtures * n_features, n_components).

    See Also
    --------
    NADE : Columns of any kind.
    Flow : Densities of real columns by invertible layers.
    sklearn.mixture.GaussianMixture : Mixture with a few parameters.

    References
    ----------
    .. [1] Uria, Murray and Larochelle (2013). RNADE: the real-valued neural
       autoregressive density-estimator. NIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from skdgm import RNADE
    >>> X = load_wine().data
    >>> rnade = RNADE(n_components=32, n_mixtures=3, n_iter=50, random_state=0)
    >>> rnade.fit(X).sample(2, random_state=0).shape
    (2, 13)
    >>> rnade.score_features(X).shape
    (178, 13)
    """

    n_components: Count = 128
    _: KW_ONLY
    n_orderings: Count = 1
    n_mixtures: Count = 10
    conditional: Literal["gaussian", "laplace"] = "gaussian"
    activation: Literal["relu", "tanh", "logistic"] = "relu"
    init_weights: Initializer = within("solver", "glorot_uniform")
    min_variance: Fraction = 1e-4
    ordering: Ordering = "given"
    n_draws: Particles = 100

    _MODEL, _MODEL_READS = ResidualModel(), ("_gray", "_covariance")
    _LIGHTER = "drop columns, or lower n_components."

    def _count(self, table, fresh):
        super()._count(table, fresh)
        if fresh:
            self._covariance = steady_covariance(table)
