r"""Deep Boltzmann machines.

.. math:: E(v, h^1, \dots, h^L) = -b^\top v - \sum_l c_l^\top h^l - v^\top W^1 h^1 -
   \sum_{l > 1} h^{l - 1 \top} W^l h^l

A layer of visible units and L layers of hidden units, each coupled to its neighbors.
"""

from typing import Literal

from skdgm.base.options import KW_ONLY, ArrayLike
from skdgm.boltzmann.groups import FPCD, PCD, Tempering
from skdgm.boltzmann.machine import Machine
from skdgm.boltzmann.methods import importance_likelihood
from skdgm.boltzmann.options import DeepOptions
from skdgm.boltzmann.structure.deep import DEEP


class DBM(DeepOptions, Machine):
    r"""Deep Boltzmann machine with binary hidden units.

    .. math::

        p(v, h) = e^{-E(v, h)} / Z, \qquad E(v, h) = -b^\top v - \sum_l c_l^\top h^l -
        v^\top W^1 h^1 - \sum_{l > 1} h^{l - 1 \top} W^l h^l

    A hidden unit has inputs from the layers below and above: :math:`p(h^1_j = 1 \mid v,
    h^2) = \sigma(c_{1j} + v^\top W^1_{:j} + W^2_{j:} h^2)`. All layers are trained
    jointly, by variational stochastic maximum likelihood [1]_ [2]_, with mean field in
    the positive phase and persistent chains in the negative phase. The features of a
    row are its mean-field means.

    Data are 0, 1 or probabilities of 1 (gray values), or real numbers. All methods
    accept NaN as a missing value. Computations are in float64 for float64 data,
    otherwise in float32.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int
        Number of units of each hidden layer, from bottom to top.
    n_iter
        Number of epochs in which all layers are trained jointly. "auto": 6,000 updates,
        but between 10 and 100 epochs.
    gradient
        Sampler of the negative phase, whose chains continue from the previous update:
        Gibbs sampling of the model ("pcd"), Gibbs sampling with fast weights added
        ("fpcd"), or parallel tempering ("tempering"). "multi-prediction", for binary
        columns, replaces the likelihood: ``mean_field_steps`` sweeps predict a random
        half of each row's entries from the other half, and the error is
        back-propagated through the sweeps [4]_.

    Attributes
    ----------
    coefs_ : list of ndarray
        Weights between neighboring layers, from bottom to top, each of shape (n_below,
        n_above).
    intercepts_ : list of ndarray
        Biases of all layers; for real columns, their means without input.
    precision_, mean_, scale_ : ndarray of shape (n_features,)
        For real columns, as in :class:`GaussianRBM`.
    density_kind_ : {"lower bound", "estimate"}
        Kind of density that :meth:`score_samples` returns: a lower bound if log Z is
        exact, that is, if the odd or the even layers have at most 20 units.

    See Also
    --------
    BernoulliRBM : One hidden layer, with a likelihood that is exact up to log Z.

    References
    ----------
    .. [1] Salakhutdinov and Hinton (2009). Deep Boltzmann machines. AISTATS.
    .. [2] Goodfellow, Bengio and Courville (2016). Deep Learning, section 20.4. MIT
       Press.
    .. [3] Montavon and Müller (2012). Deep Boltzmann machines and the centering trick.
       Neural Networks: Tricks of the Trade.
    .. [4] Goodfellow, Mirza, Courville and Bengio (2013). Multi-prediction deep
       Boltzmann machines. NIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import DBM
    >>> X = load_digits().data
    >>> dbm = DBM((16, 32), n_iter=20, random_state=0).fit(X)
    >>> dbm.transform(X).shape
    (1797, 48)
    >>> dbm.density_kind_
    'lower bound'
    """

    hidden_layer_sizes: ArrayLike | int = (256, 256)
    _: KW_ONLY
    gradient: (
        Literal["pcd", "fpcd", "tempering", "multi-prediction"] | PCD | FPCD | Tempering
    ) = "pcd"
    batch_size = 20
    schedule = "cooldown"

    _MODEL = DEEP

    importance_likelihood = importance_likelihood
