r"""Convolutional deep belief networks.

.. math:: p(v, h^1, \dots, h^L) = P(v \mid h^1) \prod_{k=2}^{L-1} P(h^{k-1} \mid
   p^{k-1}) \, P(p^{k-1} \mid h^k) \cdots p(p^{L-1}, h^L), \qquad p^k_B = \max_{j \in B}
   h^k_j

Each layer sees the pooled units p of the maps h of the layer below.
"""

from typing import Annotated, Literal, Self

import numpy as np

from skdgm.base.options import (
    KW_ONLY,
    Auto,
    Count,
    CountOrZero,
    Details,
    NotNegative,
    Positive,
    Probability,
)
from skdgm.base.solvers import SGD, Adam
from skdgm.belief import _maps
from skdgm.belief._network import BeliefNetwork
from skdgm.belief._options import MapFilters, MapLayers, MapSizes, UpperSizes
from skdgm.boltzmann.groups import Penalty, Phase
from skdgm.boltzmann.options import ImageShape
from skdgm.typing import Data


class ConvPhaseDetails(Details):
    """Details of negative phases of convolutional layers."""

    n_steps: int | tuple = 1
    n_chains: Count | tuple | None = 50


class ConvSolverDetails(Details):
    """Details of optimizers of convolutional layers."""

    momentum: float | tuple | Auto = "auto"
    schedule: Literal["constant", "invscaling", "linear", "cooldown"] | tuple = "linear"


class ConvPenaltyDetails(Details):
    """Details of penalties of convolutional layers."""

    alpha: NotNegative | tuple = 0.0
    sparsity_target: Probability | tuple | None = None
    sparsity_cost: NotNegative | tuple = 0.1


class ConvDBN(BeliefNetwork):
    r"""Convolutional deep belief network with probabilistic max pooling.

    .. math::

        p(v, h^1, \dots, h^L) = p(p^{L-1}, h^L) \prod_{k=1}^{L-1} P(p^{k-1} \mid h^k) \,
        P(h^k \mid p^k),

    .. math::

        p^k_B = \sum_{j \in B} h^k_j \in \{0, 1\}, \quad
        p^0 = v

    Here :math:`h^k` are maps of detection units, whose filters are shared by all
    positions. Blocks B of neighboring detection units have at most one active unit, and
    one pooled unit :math:`p^k_B`, which is the input of the next layer [1]_.
    :math:`P(p^{k-1} \mid h^k)` is the conditional distribution of a :class:`ConvRBM`.
    :math:`P(h^k \mid p^k)` places the active unit uniformly in its block.
    :math:`p(p^{L-1}, h^L)` is the joint distribution of the top-level machine: a
    ConvRBM, or a :class:`BernoulliRBM` above convolutional layers. The layers are
    trained one by one from the bottom up [2]_, each on the pooled units of the layer
    below. Filters of higher layers have larger receptive fields.

    Rows are images in pixel-major order, with the channels of a pixel next to each
    other. Data are 0, 1 or probabilities of 1 (gray values), or real numbers, which are
    standardized. NaN marks a missing value in every method. Computations are in float64
    for float64 data, otherwise in float32.

    Parameters
    ----------
    filters
        Filters and pooling of the convolutional layers, as in :class:`ConvRBM`; None
        selects the defaults below. A tuple has one value for each layer; a shape is a
        number, a pair (rows, columns), or None for the default. With ``pooling="max"``
        or "mean", the pooled unit is one unit of the block: the most probable unit
        given the image, or a random unit. In generation, it is placed at a random
        position of its block, and all other units are drawn from the biases of their
        maps.
    visible_bias
        Visible biases of each layer: one for each "pixel" of the image or of the pooled
        maps, or one for each "channel". With "channel", :meth:`resized` returns the
        network for images of any size.
    learning_rate
        Learning rate of all layers, or a tuple with a value for each layer; "auto" is
        the default of the layer's machine.
    solver
        Optimizer of all layers, or a tuple with a value for each layer, a string or an
        object with details. "auto", also as the value of ``beta_1`` or ``momentum``, is
        the default of the layer's machine.
    penalty
        Penalty on the weights of each layer, and a target for the activity of its
        (detection) units; None selects the defaults below. A tuple has one value for
        each layer.
    batch_size : int or tuple of int
        Number of rows in each update.
    n_iter : int, tuple of int or "auto"
        Number of epochs. "auto": for convolutional layers, the number for 6,000
        updates, between 2 and 100; for other layers, as in :class:`DBN`.
    gradient
        Chains of the negative phase, as in :class:`ConvRBM`. "auto": "pcd" in the top
        layer, whose joint distribution the network uses, and "cd" in the layers below,
        whose conditional distributions it uses. A tuple has one value for each layer, a
        string or an object with details; a detail can also be a tuple.
    feature_layer : int, tuple of int or "all"
        Layer whose means of pooled (or hidden) units :meth:`transform` returns: 0 is
        the bottom, -1 the top. The columns of several or all layers are concatenated.
        May be changed after ``fit``.

    Attributes
    ----------
    layers_ : list of machines
        Fitted machines from the bottom up.
    coefs_ : list of ndarray
        Weights of each layer: filters of shape (n_weights, n_maps), in the pixel-major
        order of the maps below, or dense weights of shape (n_below, n_above).
    intercepts_ : list of ndarray of shape (n_maps,) or (n_above,)
        Biases of the maps, or of the units above.
    generative_coefs_ : list of ndarray
        Transposed weights.
    generative_intercepts_ : list of ndarray of shape (n_below,)
        Biases of the units below.
    loss_curves_ : list of list of float
        Losses of each layer, one per epoch.

    See Also
    --------
    ConvRBM : A single layer.
    ConvDBNClassifier : Network fine-tuned as a classifier.
    ConvDBM : Undirected layers, trained jointly.

    Notes
    -----
    A default fit to scikit-learn's digits takes about 10 s of one core, 25 times as
    long as ``MLPClassifier``. Each Gibbs step of the second layer has as many
    convolutions as pairs of channels and filters. Features of a single :class:`ConvRBM`
    are almost as good, in a sixth of the time.

    References
    ----------
    .. [1] Lee, Grosse, Ranganath and Ng (2009). Convolutional deep belief networks for
       scalable unsupervised learning of hierarchical representations. ICML.
    .. [2] Hinton, Osindero and Teh (2006). A fast learning algorithm for deep belief
       nets. Neural Computation.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import ConvDBN
    >>> from skdgm.options import Filters
    >>> X = load_digits().data[:500]
    >>> dbn = ConvDBN((8, 12), filters=Filters(shape=(3, 2), pool_shape=2), n_iter=2)
    >>> dbn = dbn.set_params(random_state=0).fit(X)
    >>> [maps.shape for maps in dbn.transform_maps(X)]
    [(500, 3, 3, 8), (500, 1, 1, 12)]
    >>> dbn.transform(X).shape
    (500, 84)
    >>> dbn.sample(3, random_state=0).shape
    (3, 64)
    """

    conv_layer_sizes: MapSizes = (40, 40)
    _: KW_ONLY
    visible_bias: Literal["pixel", "channel"] = "pixel"
    learning_rate: Positive | tuple | Auto = "auto"
    solver: Annotated[
        Literal["adam", "sgd"] | tuple | Auto | Adam | SGD, ConvSolverDetails
    ] = "auto"
    penalty: Annotated[Penalty | None, ConvPenaltyDetails] = None
    batch_size: Count | tuple = 10
    n_iter: CountOrZero | tuple | Auto = "auto"
    gradient: Annotated[
        Literal["cd", "pcd", "fpcd", "tempering"] | tuple | Auto | Phase,
        ConvPhaseDetails,
    ] = "auto"
    filters: MapFilters = None
    image_shape: ImageShape = None
    hidden_layer_sizes: UpperSizes = ()
    layers: MapLayers = None

    _MODEL, _IMAGES = _maps.ConvStackModel(), True

    def resized(self, image_shape: tuple) -> Self:
        """Network with the same filters and biases for images of another size.

        Parameters
        ----------
        image_shape : tuple of int
            Height, width and optionally the number of channels, which cannot change.

        Returns
        -------
        network : ConvDBN
            A fitted copy with new chains; ``partial_fit`` continues with images of this
            size.

        Raises
        ------
        ValueError
            ``visible_bias`` is not "channel", there are dense layers above the maps,
            the number of channels differs, or filters or blocks do not fit the shape.
        """
        return _maps.resized(self, image_shape)

    def transform_maps(self, X: Data) -> list[np.ndarray]:
        """Means of the pooled units of every convolutional layer, as images.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        maps : list of ndarray of shape (n_samples, height, width, n_maps)
            From the bottom up.
        """
        shapes = [
            _maps.pooled_shape(machine)
            for machine in self.layers_
            if _maps.is_convolutional(machine)
        ]
        return [
            np.reshape(means, (-1, *shape))
            for means, shape in zip(self.transform_layers(X), shapes)
        ]
