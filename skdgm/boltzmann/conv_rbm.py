r"""Convolutional restricted Boltzmann machines.

.. math:: -E(v, h) = b^\top v + \sum_{k, p} h_{kp} \, (c_k + W_k^\top P_p v)

A filter has the same weights at all positions of an image. In each block of positions,
at most one hidden unit of a map is on.
"""

from typing import Annotated, Literal, Self

from skdgm.base.column_group import Columns
from skdgm.base.options import KW_ONLY, Count, Positive, within
from skdgm.boltzmann.machine import Machine
from skdgm.boltzmann.methods import pseudo_likelihood
from skdgm.boltzmann.options import (
    CONV_RATE,
    ConvFilters,
    ImageShape,
    MachineOptions,
    MapFeatures,
    PixelDetails,
)
from skdgm.boltzmann.structure.convolved import CONVOLVED, geometry_of
from skdgm.boltzmann.structure.resized import resized
from skdgm.boltzmann.structure.visible import pixels_of


class ConvRBM(MachineOptions, Machine):
    r"""Convolutional restricted Boltzmann machine with probabilistic max pooling.

    .. math::

        p(v, h) = e^{-E(v, h)} / Z, \qquad
        -E(v, h) = b^\top v + \sum_{k, p} h_{kp}
        \, (c_k + W_k^\top P_p v),

    .. math::

        \sum_{p \in B} h_{kp} \le 1

    for images v, where :math:`P_p v` is the patch under a filter at position p. The
    detection units :math:`h_{kp}` of filter :math:`W_k` form a map. In each block B of
    neighboring positions, at most one unit of a map is on [1]_ [2]_. With
    :math:`\eta_{kp} = c_k + W_k^\top P_p v`,

    .. math::

        p(h_{kp} = 1 \mid v) = \frac{e^{\eta_{kp}}}{1 + \sum_{q \in B} e^{\eta_{kq}}},
        \qquad p(\text{block B of map k is on} \mid v) = \frac{\sum_{q \in B}
        e^{\eta_{kq}}}{1 + \sum_{q \in B} e^{\eta_{kq}}},

    and the probabilities of the blocks are the features of an image. Each visible unit
    has a bias, and all units of a map share one. The model is a :class:`BernoulliRBM`
    or :class:`GaussianRBM` with shared weights: a feature learned at one position
    applies to all positions.

    Most features are near 0, and a penalized linear model would shrink their weights
    too much, especially with few rows. Apply a
    :class:`~sklearn.preprocessing.StandardScaler` to the features.

    Rows are images in the order (height, width, channels). Data are 0, 1 or
    probabilities of 1 (gray values), or real numbers, which are standardized. All
    methods accept NaN as a missing value. Computations are in float64 for float64 data,
    otherwise in float32.

    Parameters
    ----------
    n_components
        Number of filters, and of maps.
    column_types
        Type of the pixels. "auto": read from the data, as described in the guide, page
        "How columns are read"; "bernoulli": bits, or probabilities of 1; "gaussian":
        real numbers; "categorical": codes 0, 1, .... All categorical pixels have the
        same number of categories, and a filter has a weight for each category.
    visible_bias
        "pixel": each pixel has its own bias, and each real pixel its own scale.
        "channel": all pixels of a channel share them, so that the model is the same at
        all positions, and :meth:`resized` gives the machine for images of any size.
    centering
        Offsets of the centered gradient, as in :class:`BernoulliRBM`, with one offset
        for all units of a map.
    penalty
        Penalties and limits of the filters, and a sparsity target for the detection
        units, whose term is summed over positions; None keeps the defaults below.
    gradient
        Sampler of the negative phase: contrastive divergence ("cd" [3]_), whose chains
        start at the data; or persistent contrastive divergence ("pcd" [4]_), whose
        chains continue from the previous update. Persistent chains may also have fast
        weights ("fpcd" [5]_), or exchange states with chains at higher temperatures
        ("tempering" [6]_).

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_weights)
        Filters W, each in the order (rows, columns, channels) with the rows and columns
        of ``filter_shape_``.
    intercept_hidden_ : ndarray of shape (n_components,)
        Biases c of the maps.
    intercept_visible_ : ndarray of shape (n_features,)
        Visible biases b.
    image_shape_ : tuple of int
        Height, width and channels of the images.
    filter_shape_, pool_shape_, stride_ : tuple of int
        Rows and columns of the filters, of the blocks, and of the stride.
    map_shape_ : tuple of int
        Rows and columns of positions of the filters.
    h_samples_ : ndarray of shape (n_chains, n_positions * n_components)
        Detection units of the training chains, in the order (positions, maps).
    density_kind_ : {"exact", "estimate"}
        Kind of density that :meth:`score_samples` returns: exact if images have at most
        20 bits, or the hidden units at most 2**20 states.
    precision_, mean_, scale_ : ndarray of shape (n_features,)
        Precisions of real columns given the hidden units, and the means and scales by
        which real columns are standardized.

    See Also
    --------
    ConvDBN : Several layers, trained one by one.
    ConvDBM : Several layers, trained jointly.
    BernoulliRBM : Layers that are fully connected.

    References
    ----------
    .. [1] Desjardins and Bengio (2008). Empirical evaluation of convolutional RBMs for
       vision. Technical report 1327, Université de Montréal.
    .. [2] Lee, Grosse, Ranganath and Ng (2009). Convolutional deep belief networks for
       scalable unsupervised learning of hierarchical representations. ICML.
    .. [3] Hinton (2002). Training products of experts by minimizing contrastive
       divergence. Neural Computation.
    .. [4] Tieleman (2008). Training restricted Boltzmann machines using approximations
       to the likelihood gradient. ICML.
    .. [5] Tieleman and Hinton (2009). Using fast weights to improve persistent
       contrastive divergence. ICML.
    .. [6] Desjardins, Courville, Bengio, Vincent and Delalleau (2010). Tempered Markov
       chain Monte Carlo for training of restricted Boltzmann machines. AISTATS.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import ConvRBM
    >>> from skdgm.options import Filters
    >>> X = load_digits().data
    >>> rbm = ConvRBM(8, filters=Filters(shape=5, pool_shape=2), n_iter=2)
    >>> rbm = rbm.set_params(random_state=0).fit(X)
    >>> rbm.filter_shape_, rbm.map_shape_, rbm.pool_shape_
    ((5, 5), (4, 4), (2, 2))
    >>> rbm.transform(X).shape
    (1797, 32)
    """

    n_components: Count = 24
    _: KW_ONLY
    column_types: Annotated[
        Literal["auto", "bernoulli", "gaussian", "categorical"] | Columns, PixelDetails
    ] = "auto"
    min_categories: Count | None = within("column_types", None)
    visible_bias: Literal["pixel", "channel"] = "pixel"
    filters: ConvFilters = None
    pooling: Literal["probabilistic", "max", "mean"] = within(
        "filters", "probabilistic"
    )
    image_shape: ImageShape = None
    features: MapFeatures = "pooled"
    learning_rate: Annotated[Positive, CONV_RATE] = 0.01
    solver = "adam"
    momentum = 0.9
    resample = True

    _MODEL, _IMAGES = CONVOLVED, True

    pseudo_likelihood = pseudo_likelihood

    @property
    def _domain(self):
        return pixels_of(self._options)

    def resized(self, image_shape: tuple) -> Self:
        """Return a machine with the same filters and biases for images of another size.

        A machine trained on patches can thus transform, sample, impute or score whole
        images, and continue to learn from them with ``partial_fit``.

        Parameters
        ----------
        image_shape : tuple of int
            Height and width, and optionally the number of channels, which must be the
            number that was learned.

        Returns
        -------
        machine : ConvRBM
            A fitted copy with new chains.

        Raises
        ------
        ValueError
            ``visible_bias`` was not "channel"; the number of channels differs; images
            are smaller than the filters; or blocks do not divide the positions.
        """
        return resized(self, image_shape)

    def _label(self, rows, y, fresh, classes):
        # Raise errors before parameters of an earlier fit are lost.
        geometry_of(self._options, rows.shape[1])
        return super()._label(rows, y, fresh, classes)
