r"""Restricted Boltzmann machines with real visible units.

.. math:: E(v, h) = \tfrac12 v^\top (\beta \odot v) - (v \odot \beta)^\top (W h + b) -
   c^\top h

Given the hidden units, the visible ones are normal with precisions :math:`\beta`.
"""

from typing import Literal

from skdgm.base.column_group import Precision
from skdgm.base.options import KW_ONLY, Count, Probability
from skdgm.boltzmann.groups import Phase
from skdgm.boltzmann.learning.sampling_free import OF_REALS
from skdgm.boltzmann.machine import Machine
from skdgm.boltzmann.methods import pseudo_likelihood
from skdgm.boltzmann.options import MachineOptions, MachineSolver, Quadratic


class GaussianRBM(MachineOptions, Machine):
    r"""Restricted Boltzmann machine with real visible and binary hidden units.

    .. math::

        p(v, h) = e^{-E(v, h)} / Z, \qquad E(v, h) = \tfrac12 v^\top (\beta \odot v) -
        (v \odot \beta)^\top (W h + b) - c^\top h

    so that :math:`p(v \mid h) = \mathcal{N}(v; W h + b, \beta^{-1})` and
    :math:`p(h_j = 1 \mid v) = \sigma(c_j + (v \odot \beta)^\top W_{:j})`
    [7]_: a mixture of as many normal distributions as the hidden units have states.

    Columns may have any scale: they are standardised internally, by the means and
    scales of the first data that the machine is fitted to. Densities and samples are
    those of the original columns. NaN is a missing value, in every method. Float64 data
    are processed in float64, all others in float32.

    Parameters
    ----------
    n_components
        Number of hidden units.
    learning_rate
        Initial learning rate, which ``schedule`` of the solver lowers. With "sgd",
        steps are shortened where many columns or hidden units would make them
        overshoot.
    gradient
        Chains of the negative phase: they start where the last update left them
        (persistent contrastive divergence, "pcd" [2]_), or at the data (contrastive
        divergence, "cd" [1]_). Persistent chains may have fast weights ("fpcd" [4]_),
        or exchange states with hotter ones (parallel tempering, "tempering" [5]_).
        Or an objective that needs no chains: the match of the slopes of the log density
        with those of the data's [8]_, or with those of rows to which noise is added, a
        fifth of a column's standard deviation [9]_. The model is then one of noisy
        rows. Samples start from chains that take a Gibbs step in each update all the
        same.
    penalty
        Penalties and limits of the weights, and a target of the activity of hidden
        units; None leaves them at the defaults below. For ``l1`` and ``l2`` each
        absolute value, or square, counts times the precision of its column; precisions
        are learned as if there were no ``l1``. Chains seldom change a unit whose
        weights have a larger norm than ``max_norm``.
    precision
        Precisions of the columns given the hidden units: one learned for each column,
        one learned for all standardised columns, or fixed at the inverse variances of
        the columns.
    min_variance
        Lower limit of a column's learned variance given the hidden units, as a share of
        the column's variance. The lower it is, the sooner the chains of long fits stop
        mixing.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Weights W of the standardised columns, transposed.
    intercept_hidden_ : ndarray of shape (n_components,)
        Hidden biases c.
    intercept_visible_ : ndarray of shape (n_features,)
        Visible biases b, of the standardised columns.
    mean_, scale_ : ndarray of shape (n_features,)
        Values that are subtracted from the columns, and by which these are then
        divided.
    precision_ : ndarray of shape (n_features,)
        Precisions of the original columns, given the hidden units.
    density_kind_ : {"exact", "estimate"}
        Kind of density that :meth:`score_samples` returns: exact where the smaller
        layer has at most 20 units. Else log Z is an estimate by annealed importance
        sampling [3]_.

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

    _IMPLIED = {"column_types": "gaussian", "resample": False}
    pseudo_likelihood = pseudo_likelihood
