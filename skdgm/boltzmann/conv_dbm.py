r"""Convolutional deep Boltzmann machines.

.. math:: -E(v, h^1, \dots, h^L) = b^\top v + \sum_l \sum_{k, p} h^l_{kp} \, (c^l_k +
   W_k^{l \top} P_p \, q^{l-1}), \qquad q^0 = v, \quad q^l_{kB} = \sum_{p \in B}
   h^l_{kp} \le 1

The filters of a layer are applied to the pooled units of the maps below. All layers are
learned jointly.
"""

from typing import Annotated, Literal

import numpy as np

from skdgm.base.column_group import Columns
from skdgm.base.options import KW_ONLY, ArrayLike, Positive
from skdgm.boltzmann.machine import Machine
from skdgm.boltzmann.methods import importance_likelihood
from skdgm.boltzmann.options import (
    CONV_RATE,
    ConvFilters,
    DeepOptions,
    ImageShape,
    MapFeatures,
    PixelDetails,
)
from skdgm.boltzmann.structure.convolved_deep import (
    CONVOLVED_DEEP,
    geometries,
    pooled_maps,
)
from skdgm.training import Budget
from skdgm.typing import Data


class ConvDBM(DeepOptions, Machine):
    r"""Convolutional deep Boltzmann machine with probabilistic max pooling.

    .. math::

        p(v, h) = e^{-E(v, h)} / Z, \qquad
        -E(v, h) = b^\top v + \sum_l \sum_{k, p}
        h^l_{kp} \, (c^l_k + W_k^{l \top} P_p \, q^{l-1}),

    .. math::

        q^0 = v, \quad
        q^l_{kB} = \sum_{p \in B} h^l_{kp} \le 1

    for images v. Each hidden layer consists of maps of detection units :math:`h^l`, in
    blocks B of neighboring positions, of which at most one is on. Each block has a
    pooled unit :math:`q^l`. The filters :math:`W^{l+1}` of the next layer are applied
    to the pooled units at all positions p [2]_. The model is undirected: a detection
    unit has input from below, and an input from above that it shares with its block,

    .. math::

        p(h^l_{kp} = 1 \mid v, h^{l+1}) = \frac{e^{\eta_{kp}}}{1 + \sum_{p' \in B}
        e^{\eta_{kp'}}},

    .. math::

        \eta_{kp} = c^l_k + W_k^{l \top} P_p \, q^{l-1} +
        \sum_{k', p'} \big(P_{p'}^\top W^{l+1}_{k'}\big)_{kB} \, h^{l+1}_{k'p'} .

    All layers are trained jointly, as in a :class:`DBM` [1]_: by mean field in the
    positive phase, and persistent chains in the negative phase. The model is a DBM with
    shared weights. A layer whose filters are as large as the maps below is fully
    connected, like a layer of a DBM.

    Rows are images in the order (height, width, channels). Data are 0, 1 or
    probabilities of 1 (gray values), or real numbers, which are standardized. All
    methods accept NaN as a missing value. Computations are in float64 for float64 data,
    otherwise in float32.

    Parameters
    ----------
    conv_layer_sizes : int or tuple of int
        Number of filters, and of maps, of each hidden layer, from bottom to top.
    filters
        Filters and blocks, as in :class:`ConvRBM`; None keeps the defaults below. A
        tuple of shapes or strides has an element for each layer: a number, a pair
        (rows and columns), or None for the default.
    column_types
        Type of the pixels. "auto": read from the data, as described in the guide, page
        "How columns are read"; "bernoulli": bits, or probabilities of 1; "gaussian":
        real numbers.
    n_iter
        Number of epochs in which all layers are trained jointly. "auto": 6,000 updates,
        but between 5 and 100 epochs.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_weights, n_maps)
        Filters of each layer, from bottom to top. A filter is a column, in the order
        (rows, columns, channels or maps below).
    intercepts_ : list of ndarray
        Visible biases of shape (n_features,), or means without input of real columns;
        then biases of the maps of each layer, of shape (n_maps,).
    image_shape_ : tuple of int
        Height, width and channels of the images.
    filter_shapes_, pool_shapes_, map_shapes_ : list of tuple of int
        For each layer, rows and columns of the filters, of the blocks, and of the
        positions.
    h_samples_ : list of ndarray
        Detection units of the training chains for each layer, in the order (positions,
        maps).
    density_kind_ : {"lower bound", "estimate"}
        Kind of density that :meth:`score_samples` returns: a lower bound if log Z is
        exact, that is, if the odd or the even layers have at most 2**20 states.
    precision_, mean_, scale_ : ndarray of shape (n_features,)
        Precisions of real columns given the hidden units, and the means and scales by
        which real columns are standardized.

    See Also
    --------
    ConvDBN : The same layers, learned one by one: faster, and undirected only at the
        top.

    Notes
    -----
    A default fit to scikit-learn's digits takes about 14 s of one core, 33 times as
    long as ``MLPClassifier``. Each update has several mean-field steps and Gibbs steps
    of all layers, with their convolutions. Features of a single :class:`ConvRBM` are as
    good, in an eighth of the time.

    References
    ----------
    .. [1] Salakhutdinov and Hinton (2009). Deep Boltzmann machines. AISTATS.
    .. [2] Lee, Grosse, Ranganath and Ng (2009). Convolutional deep belief networks for
       scalable unsupervised learning of hierarchical representations. ICML.
    .. [3] Montavon and Müller (2012). Deep Boltzmann machines and the centering trick.
       Neural Networks: Tricks of the Trade.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import ConvDBM
    >>> from skdgm.options import Filters
    >>> X = load_digits().data[:500]
    >>> dbm = ConvDBM((8, 12), filters=Filters(shape=(3, 2), pool_shape=2), n_iter=2)
    >>> dbm = dbm.set_params(random_state=0).fit(X)
    >>> [maps.shape for maps in dbm.transform_maps(X)]
    [(500, 3, 3, 8), (500, 1, 1, 12)]
    >>> dbm.transform(X).shape
    (500, 84)
    >>> dbm.sample(3, random_state=0).shape
    (3, 64)
    """

    conv_layer_sizes: ArrayLike | int = (24, 40)
    _: KW_ONLY
    filters: ConvFilters = None
    image_shape: ImageShape = None
    features: MapFeatures = "pooled"
    column_types: Annotated[
        Literal["auto", "bernoulli", "gaussian"] | Columns, PixelDetails
    ] = "auto"
    resample = True
    learning_rate: Annotated[Positive, CONV_RATE] = 0.003
    pretrain_learning_rate = 0.01
    solver = "adam"
    momentum = 0.9

    _MODEL, _IMAGES = CONVOLVED_DEEP, True
    _BUDGET = Budget(6_000, 5, 100)

    importance_likelihood = importance_likelihood

    def transform_maps(self, X: Data) -> list[np.ndarray]:
        """Means of the pooled units of each layer, as images.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        maps : list of ndarray of shape (n_samples, height, width, n_maps)
            From bottom to top.
        """
        return pooled_maps(self.density_, X)

    def _label(self, rows, y, fresh, classes):
        # Raise errors before parameters of an earlier fit are lost.
        geometries(self._options, rows.shape[1])
        return super()._label(rows, y, fresh, classes)
