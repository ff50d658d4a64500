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
    """Details of negative phases of layers of maps."""

    n_steps: int | tuple = 1
    n_chains: Count | tuple | None = 50


class ConvSolverDetails(Details):
    """Details of their optimisers."""

    momentum: float | tuple | Auto = "auto"
    schedule: Literal["constant", "invscaling", "linear", "cooldown"] | tuple = "linear"


class ConvPenaltyDetails(Details):
    """Details of their penalties."""

    l2: NotNegative | tuple = 0.0
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

    where :math:`h^k` are maps of detection units under filters that are the same at all
    positions, in blocks B of neighbours of which at most one is on, and :math:`p^k`
    pooled units, one for each block, which are all that the next layer sees [1]_.
    :math:`P(p^{k-1} \mid h^k)` is the conditional distribution of a :class:`ConvRBM`,
    :math:`P(h^k \mid p^k)` puts the unit that is on at any position of its block with
    the same probability, and :math:`p(p^{L-1}, h^L)` is the joint distribution of the
    top-level machine: a ConvRBM, or, above layers of maps, a :class:`BernoulliRBM`. The
    layers are learned one by one from the bottom up [2]_, each on the pooled units of
    the layer below. Filters of higher layers see larger parts of the image.

    Rows are images, pixel after pixel, and of each pixel channel after channel. Data
    are 0, 1 or probabilities of 1 (grey values); or real numbers, which are
    standardised. NaN is a missing value in every method. Computations are in float64
    for float64 data, otherwise in float32.

    Parameters
    ----------
    filters
        Filters of the layers of maps, and how maps are pooled, as of :class:`ConvRBM`;
        None leaves them at the defaults below. A tuple has one value for each layer of
        maps: of a shape a number, a pair of them (rows and columns), or None for the
        default. With ``pooling="max"`` and "mean" the next layer sees one unit of each
        block: the one whose probability given the image is highest, or one at random.
        Given a pooled unit it is that of any position of its block, and all others are
        on as often as the biases of their maps say.
    visible_bias
        Whether each pixel has a bias, of the image and of the pooled maps that a layer
        sees, or all pixels of a channel the same: then :meth:`resized` gives the
        network for images of any size.
    learning_rate
        Learning rate of all layers, or a tuple with one for each; "auto" is the default
        of the layer's machine.
    solver
        Optimiser of all layers, or a tuple with one for each, as text or with details;
        "auto" is the default of the layer's machine, and so is ``beta_1``, or
        ``momentum``, if it is "auto".
    penalty
        Penalty on the weights of each layer, and a target of the activity of its
        (detection) units; None leaves them at the defaults below. A tuple has one value
        for each layer.
    batch_size : int or tuple of int
        Number of rows in each update.
    n_iter : int, tuple of int or "auto"
        Number of epochs. "auto": of a layer of maps as many as make 6,000 updates, from
        2 to 100; of another as in :class:`DBN`.
    gradient
        Chains of the negative phase, as of :class:`ConvRBM`. "auto": "pcd" in the layer
        at the top, whose joint distribution is the network's, and "cd" in those below,
        of which only the conditional distributions are. A tuple has one for each layer,
        as text or with details; a detail may be a tuple, too.
    feature_layer : int, tuple of int or "all"
        Layer whose pooled (or hidden) units' means :meth:`transform` returns: 0 at the
        bottom, -1 at the top; or several or all layers side by side. It may be changed
        after ``fit``.

    Attributes
    ----------
    layers_ : list of machines
        Fitted machines from the bottom up.
    coefs_ : list of ndarray
        Weights of each layer: filters, of shape (n_weights, n_maps), each pixel after
        pixel and of each pixel map after map; or of shape (n_below, n_above).
    intercepts_ : list of ndarray of shape (n_maps,) or (n_above,)
        Biases of the maps, or of the units above.
    generative_coefs_ : list of ndarray
        Transposed weights.
    generative_intercepts_ : list of ndarray of shape (n_below,)
        Biases of the units below.
    loss_curves_ : list of list of float
        Losses of each layer, one per epoch.

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

    _IMPLIED = {
        "init_layers": "transpose",
        "refine": None,
        "refine_iter": 0,
        "refine_steps": 1,
    }
    _MODEL, _IMAGES = _maps.MapsModel(), True

    def resized(self, image_shape: tuple) -> Self:
        """Network with the same filters and biases for images of another size.

        Parameters
        ----------
        image_shape : tuple of int
            Height, width and perhaps channels, which are those that were learned.

        Returns
        -------
        network : ConvDBN
            A fitted copy with new chains; ``partial_fit`` continues with
            images of this size.

        Raises
        ------
        ValueError
            ``visible_bias`` was not "channel", there are layers above the maps, the
            shape has other channels or is smaller than filters, or blocks do not divide
            the positions.
        """
        return _maps.resized(self, image_shape)

    def transform_maps(self, X: Data) -> list[np.ndarray]:
        """Means of pooled units of every layer of maps, as images.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        maps : list of ndarray of shape (n_samples, height, width, n_maps)
            From the bottom up.
        """
        shapes = [_maps.pooled_shape(one) for one in self.layers_ if _maps.has(one)]
        return [
            np.reshape(part, (-1, *shape))
            for part, shape in zip(self.transform_layers(X), shapes)
        ]
