r"""Deep Boltzmann machines.

.. math:: E(v, h^1, \dots, h^L) = -b^\top v - \sum_l c_l^\top h^l - v^\top W^1 h^1 -
   \sum_{l > 1} h^{l - 1 \top} W^l h^l

A layer of visible units and several of hidden ones, each coupled to its neighbours.
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

    so that a hidden unit has inputs from the layers below and above:
    :math:`p(h^1_j = 1 \mid v, h^2) = \sigma(c_{1j} + v^\top W^1_{:j} + W^2_{j:} h^2)`.
    All layers are trained together, by variational stochastic maximum likelihood [1]_
    [2]_: mean field in the positive phase, persistent chains in the negative phase. The
    features of a row are its mean-field means.

    Data are 0 or 1, or probabilities of 1 (grey values), or real numbers. NaN is a
    missing value, in every method. Float64 data are processed in float64, all others in
    float32.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int
        Number of units of each hidden layer, from below.
    n_iter
        Number of epochs in which all layers are trained together. With "auto", as many
        as make 25,000 updates, but at least 10 and at most 200.
    gradient
        Sampler of the negative phase, whose chains start where the last update left
        them: Gibbs steps of the model itself, of the model with fast weights added, or
        parallel tempering. Or no likelihood: a random half of each row's entries is
        predicted from the others by ``mean_field_steps`` sweeps, through which errors
        are propagated back [4]_; for bits.

    Attributes
    ----------
    coefs_ : list of ndarray
        Weights between each layer and the layer above, from below; of shape (n_below,
        n_above).
    intercepts_ : list of ndarray
        Biases of all layers; for real columns, their means without input.
    precision_, mean_, scale_ : ndarray of shape (n_features,)
        For real columns, as in :class:`GaussianRBM`.
    density_kind_ : {"lower bound", "estimate"}
        Kind of density that :meth:`score_samples` returns: a lower bound where log Z is
        exact, because the odd or the even layers have at most 20 units.

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

    _MODEL = DEEP

    importance_likelihood = importance_likelihood
