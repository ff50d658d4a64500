r"""Spike-and-slab restricted Boltzmann machines of real columns.

.. math:: p(v) \propto e^{-F(v)}, \qquad F(v) = \tfrac12 g^\top \mathrm{diag}(\lambda) g
   - \sum_i \zeta \Bigl( c_i - \tfrac12 g^\top \mathrm{diag}(\Phi_i) g + \mu_i
   W_i^\top g + \tfrac{1}{2 \alpha_i} (W_i^\top g)^2 \Bigr), \qquad g = v - b
"""

from skdgm.base.attributes import reads_one_fit
from skdgm.base.options import KW_ONLY, Count
from skdgm.boltzmann._covariance.machine import CovarianceMachine
from skdgm.boltzmann._covariance.slabs import SlabModel


@reads_one_fit
class SpikeSlabRBM(CovarianceMachine):
    r"""Spike-and-slab restricted Boltzmann machine of real columns.

    .. math::

        p(v) \propto e^{-F(v)},

    .. math::

        F(v) = \tfrac12 g^\top \mathrm{diag}(\lambda) g -
        \sum_i \zeta \Bigl( c_i - \tfrac12 g^\top \mathrm{diag}(\Phi_i) g + \mu_i
        W_i^\top g + \tfrac{1}{2 \alpha_i} (W_i^\top g)^2 \Bigr),

    .. math::

        g = v - b

    with :math:`\zeta(x) = \log(1 + e^x)`, and :math:`\Phi \ge 0`. A hidden unit is the
    product of a bit, the spike, and a real number, the slab, with mean :math:`\mu`
    [2]_. Spikes that are on increase the variance of rows along their columns of W
    [1]_: given the spikes, rows are normal with the precision matrix
    :math:`\mathrm{diag}(\lambda + \Phi h) - W \mathrm{diag}(h / \alpha) W^\top`.
    Learning keeps this matrix positive definite for all h. A Gibbs step draws spikes,
    slabs and rows in turn; rows with at most 64 columns are drawn with the slabs
    marginalized. With few spikes (n at most 10, and :math:`2^{n} d^2 \le 2^{14}` for d
    columns) all their states are enumerated: learning then needs no chains, and
    likelihoods and samples are exact.

    Columns may have any scale: they are standardized internally. All methods accept NaN
    as a missing value, which is sampled by the same chains. Computations are in float64
    for float64 data, otherwise in float32.

    Parameters
    ----------
    n_components
        Number of hidden units, each with a spike and a slab.
    n_steps
        Number of Gibbs steps of the chains in each update.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Weights W of the standardized columns, transposed.
    component_precisions_ : ndarray of shape (n_components, n_features)
        Precisions :math:`\Phi` that spikes add to the columns, transposed.
    intercept_hidden_ : ndarray of shape (n_components,)
        Biases c of the spikes.
    slab_means_, slab_precisions_ : ndarray of shape (n_components,)
        Means :math:`\mu` and precisions :math:`\alpha` of the slabs.
    density_kind_ : {"exact", "estimate"}
        Kind of density that :meth:`score_samples` returns: exact if the states of the
        spikes are enumerated.

    See Also
    --------
    S3C : Directed model of spikes and slabs.
    MeanCovarianceRBM : Binary units for covariances.
    GaussianRBM : A fixed covariance.

    Notes
    -----
    A default fit to scikit-learn's digits takes about 28 s of one core, 53 times as
    long as ``MLPClassifier``. Each update factorizes a precision matrix for each chain.
    With half of the updates or of the chains, likelihoods are lower.

    References
    ----------
    .. [1] Courville, Bergstra and Bengio (2011). A spike and slab restricted Boltzmann
       machine. AISTATS.
    .. [2] Courville, Bergstra and Bengio (2011). Unsupervised models of images by
       spike-and-slab RBMs. ICML.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdgm import SpikeSlabRBM
    >>> X = load_iris().data
    >>> machine = SpikeSlabRBM(8, n_iter=100, random_state=0).fit(X)
    >>> machine.transform(X).shape
    (150, 8)
    >>> machine.covariance(X[:2]).shape
    (2, 4, 4)
    """

    n_components: Count = 64
    _: KW_ONLY
    n_steps: Count = 1

    _MODEL = SlabModel()
