r"""Convolutional restricted Boltzmann machines.

.. math:: -E(v, h) = b^\top v + \sum_{k, p} h_{kp} \, (c_k + W_k^\top P_p v)

Every filter is the same at all positions of an image, and at most one of the hidden
units in a block of positions is on.
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

    for images v, with the patch :math:`P_p v` under a filter at position p, K filters
    :math:`W_k` whose detection units :math:`h_{kp}` form K maps, and blocks B of
    neighbouring positions, in each of which at most one unit of a map is on [1]_ [2]_.
    With :math:`\eta_{kp} = c_k + W_k^\top P_p v`,

    .. math::

        p(h_{kp} = 1 \mid v) = \frac{e^{\eta_{kp}}}{1 + \sum_{q \in B} e^{\eta_{kq}}},
        \qquad p(\text{block B of map k is on} \mid v) = \frac{\sum_{q \in B}
        e^{\eta_{kq}}}{1 + \sum_{q \in B} e^{\eta_{kq}}},

    and the latter are the features of an image. Visible units have a bias each, maps
    one for all of their units. It is the :class:`BernoulliRBM` (or
    :class:`GaussianRBM`) whose weights are the filters at all positions, with few
    parameters: a feature learned at one place serves at all.

    Most features are near 0, and the penalty of a linear model shrinks their weights
    too much, above all with few rows. Put a
    :class:`~sklearn.preprocessing.StandardScaler` behind them.

    Rows are images, pixel after pixel, and of each pixel channel after channel. Data
    are 0 or 1, or probabilities of 1 (grey values); or real numbers, which are
    standardised. NaN is a missing value, in every method. Float64 data are processed in
    float64, all others in float32.

    Parameters
    ----------
    n_components
        Number of filters, and of maps.
    column_types
        Kind of the pixels. "auto": read from the data, as the guide's page "How columns
        are read" says; "bernoulli": bits, or probabilities of these; "gaussian": real
        numbers; "categorical": codes 0, 1, ..., of which all pixels have as many as the
        highest code asks for, and a filter has a weight for each.
    visible_bias
        Whether each pixel has a bias, and real ones a scale, or all pixels of a channel
        have the same, so that nothing depends on the place: then :meth:`resized` gives
        the machine for images of any size.
    centering
        If not None, use the centred gradient, as :class:`BernoulliRBM` does, with one
        offset for all units of a map.
    penalty
        Penalties and limits of the filters, and a target of the activity of detection
        units, whose term counts for each position of a filter; None leaves them at the
        defaults below.
    gradient
        Chains of the negative phase: they start where the last update left them
        (persistent contrastive divergence, "pcd" [4]_), or at the data (contrastive
        divergence, "cd" [3]_). Persistent chains may have fast weights ("fpcd" [5]_),
        or exchange states with hotter ones (parallel tempering, "tempering" [6]_).

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_weights)
        Filters W, each pixel after pixel of ``filter_shape_``, and of each pixel
        channel after channel.
    intercept_hidden_ : ndarray of shape (n_components,)
        Biases c of the maps.
    intercept_visible_ : ndarray of shape (n_features,)
        Visible biases b.
    image_shape_ : tuple of int
        Height, width and channels of the images.
    filter_shape_, pool_shape_, stride_ : tuple of int
        Rows and columns of filters, of blocks, and of a step between positions.
    map_shape_ : tuple of int
        Rows and columns of positions of the filters.
    h_samples_ : ndarray of shape (n_chains, n_positions * n_components)
        Detection units of the training chains: position after position, and of each
        map after map.
    density_kind_ : {"exact", "estimate"}
        Kind of density that :meth:`score_samples` returns: exact where images have at
        most 20 bits, or the hidden units 2**20 states.
    precision_, mean_, scale_ : ndarray of shape (n_features,)
        Of real columns: precisions given the hidden units, and what standardises them.

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
        """Machine with the same filters and biases for images of another size.

        A machine that learned patches may so transform, sample, complete or score whole
        images, and continue to learn from them by ``partial_fit``.

        Parameters
        ----------
        image_shape : tuple of int
            Height, width and perhaps channels, which are those that were learned.

        Returns
        -------
        machine : ConvRBM
            A fitted copy with new chains.

        Raises
        ------
        ValueError
            ``visible_bias`` was not "channel", the shape has other channels or is
            smaller than filters, or blocks do not divide the positions.
        """
        return resized(self, image_shape)

    def _label(self, rows, y, fresh, classes):
        # Raise before anything learned earlier is lost.
        geometry_of(self._options, rows.shape[1])
        return super()._label(rows, y, fresh, classes)
