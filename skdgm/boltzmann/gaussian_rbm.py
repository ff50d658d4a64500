r"""Restricted Boltzmann machines with real visible units.

.. math:: E(v, h) = \tfrac12 v^\top (\beta \odot v) - (v \odot \beta)^\top (W h + b) -
   c^\top h

Given the hidden units, the visible units are normal with precisions :math:`\beta`.
"""

from typing import Literal

from skdgm.base.column_group import Precision
from skdgm.base.options import KW_ONLY, Count, Probability
from skdgm.boltzmann.groups import Phase
from skdgm.boltzmann.learning.sampling_free import OF_REALS
from skdgm.boltzmann.machine import Machine
from skdgm.boltzmann.methods import pseudo_likelihood
from skdgm.boltzmann.options import MachineOptions, MachineSolver, Quadratic
from skdgm.boltzmann.structure.restricted import REAL


class GaussianRBM(MachineOptions, Machine):
    r"""Restricted Boltzmann machine with real visible and binary hidden units.

    .. math::

        p(v, h) = e^{-E(v, h)} / Z, \qquad E(v, h) = \tfrac12 v^\top (\beta \odot v) -
        (v \odot \beta)^\top (W h + b) - c^\top h

    Hence :math:`p(v \mid h) = \mathcal{N}(v; W h + b, \beta^{-1})` and
    :math:`p(h_j = 1 \mid v) = \sigma(c_j + (v \odot \beta)^\top W_{:j})` [7]_. The
    marginal p(v) is a mixture of normal distributions, one for each state of the hidden
    layer.

    Columns may have any scale: they are standardized internally, by the means and
    standard deviations of the first data that the machine is fitted to. Densities and
    samples refer to the original columns. All methods accept NaN as a missing value.
    Computations are in float64 for float64 data, otherwise in float32.

    Parameters
    ----------
    n_components
        Number of hidden units.
    learning_rate
        Initial learning rate, which the ``schedule`` of the solver lowers. With "sgd",
        steps are shortened if the number of columns or hidden units would make them
        overshoot.
    gradient
        Sampler of the negative phase: contrastive divergence ("cd" [1]_), whose chains
        start at the data; or persistent contrastive divergence ("pcd" [2]_), whose
        chains continue from the previous update. Persistent chains may also have fast
        weights ("fpcd" [4]_), or exchange states with chains at higher temperatures
        ("tempering" [5]_).
        Other values replace the likelihood by an objective without a negative phase:
        "score-matching" [8]_, or "denoising" score matching [9]_, with noise of a fifth
        of a column's standard deviation, which fits the distribution of noisy rows.
        Chains still take a Gibbs step in each update, so that :meth:`sample` can start
        from them.
    penalty
        Penalties and limits of the weights, and a sparsity target for the hidden units;
        None keeps the defaults below. The term of each weight in the penalty is
        multiplied by the precision of its column; precisions are learned without the
        term of absolute weights. Chains seldom flip hidden units whose weights have a
        norm above ``max_norm``.
    precision
        Precisions of the columns given the hidden units: learned for each column
        ("diagonal"), shared by all standardized columns ("scalar"), or fixed at the
        inverse variances of the columns ("fixed").
    min_variance
        Lower limit of a column's learned variance given the hidden units, as a fraction
        of the column's variance. With lower values, the chains of long fits stop mixing
        sooner.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Weights W of the standardized columns, transposed.
    intercept_hidden_ : ndarray of shape (n_components,)
        Hidden biases c.
    intercept_visible_ : ndarray of shape (n_features,)
        Visible biases b of the standardized columns.
    mean_, scale_ : ndarray of shape (n_features,)
        Mean and scale by which each column is standardized.
    precision_ : ndarray of shape (n_features,)
        Precisions of the original columns, given the hidden units.
    density_kind_ : {"exact", "estimate"}
        Kind of density that :meth:`score_samples` returns: exact if the smaller layer
        has at most 20 units. Otherwise log Z is estimated by annealed importance
        sampling [3]_.

    See Also
    --------
    SpikeSlabRBM : Hidden units with real slabs, which model covariances.
    MeanCovarianceRBM : Hidden units for means and for covariances.
    RBM : Units of any kind.

    References
    ----------
    .. [1] Hinton (2002). Training products of experts by minimizing contrastive
       divergence. Neural Computation.
    .. [2] Tieleman (2008). Training restricted Boltzmann machines using approximations
       to the likelihood gradient. ICML.
    .. [3] Salakhutdinov and Murray (2008). On the quantitative analysis of deep belief
       networks. ICML.
    .. [4] Tieleman and Hinton (2009). Using fast weights to improve persistent
       contrastive divergence. ICML.
    .. [5] Desjardins, Courville, Bengio, Vincent and Delalleau (2010). Tempered Markov
       chain Monte Carlo for training of restricted Boltzmann machines. AISTATS.
    .. [6] Melchior, Fischer and Wiskott (2016). How to center deep Boltzmann machines.
       JMLR.
    .. [7] Goodfellow, Bengio and Courville (2016). Deep Learning, section 20.5.1. MIT
       Press.
    .. [8] Hyvärinen (2005). Estimation of non-normalized statistical models by score
       matching. JMLR.
    .. [9] Vincent (2011). A connection between score matching and denoising
       autoencoders. Neural Computation.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdgm import GaussianRBM
    >>> X = load_iris().data
    >>> rbm = GaussianRBM(n_components=8, n_iter=100, random_state=0).fit(X)
    >>> rbm.transform(X).shape
    (150, 8)
    >>> rbm.density_kind_
    'exact'
    >>> print(f"{rbm.score(X):.1f} nats")
    -2.8 nats
    """

    n_components: Count = 256
    _: KW_ONLY
    gradient: Literal["pcd", "cd", "fpcd", "tempering", *OF_REALS] | Phase = "pcd"
    solver: MachineSolver = "sgd"
    centering = "data"
    max_norm = 4.0
    quadratic: Quadratic = False
    precision: Precision = "diagonal"
    min_variance: Probability = 0.05

    _MODEL = REAL
    pseudo_likelihood = pseudo_likelihood
