r"""Convolutional deep belief networks.

.. math:: p(v, h^1, \dots, h^L) = P(v \mid h^1) \prod_{k=2}^{L-1} P(h^{k-1} \mid
   p^{k-1}) \, P(p^{k-1} \mid h^k) \cdots p(p^{L-1}, h^L), \qquad p^k_B = \max_{j \in B}
   h^k_j

Each layer sees the pooled units p of the maps h of the layer below.
"""

from numbers import Integral

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions

from skdgm.base import rolled_back
from skdgm.belief import _maps
from skdgm.belief._network import BeliefNetwork
from skdgm.belief._stack import CONSTRAINTS
from skdgm.boltzmann import ConvRBM
from skdgm.training import AUTO

_OWN = (
    "column_types",
    "layers",
    "resample",
    "samples",
    "feature_layer",
    "warm_start",
    "verbose",
    "random_state",
)
_COUNTS = [Interval(Integral, 1, None, closed="left"), tuple, None]


class ConvDBN(BeliefNetwork):
    r"""Convolutional deep belief network with probabilistic max pooling.

    .. math::

        p(v, h^1, \dots, h^L) = p(p^{L-1}, h^L) \prod_{k=1}^{L-1} P(p^{k-1} \mid h^k) \,
        P(h^k \mid p^k), \qquad p^k_B = \sum_{j \in B} h^k_j \in \{0, 1\}, \quad
        p^0 = v

    where :math:`h^k` are maps of detection units under filters that are the same at all
    positions, in blocks B of neighbours of which at most one is on, and :math:`p^k`
    pooled units, one for each block, which are all that the next layer sees [1]_.
    :math:`P(p^{k-1} \mid h^k)` is the conditional distribution of a :class:`ConvRBM`,
    :math:`P(h^k \mid p^k)` puts the unit that is on at any position of its block with
    the same probability, and :math:`p(p^{L-1}, h^L)` is the joint distribution of the
    top-level machine: a ConvRBM, or, above layers of maps, a :class:`BernoulliRBM`. The
    layers are learned one by one from the bottom up, each on the pooled units of the
    layer below. Filters of higher layers see larger parts of the image.

    Rows are images, pixel after pixel, and of each pixel channel after channel. Data
    are 0, 1 or probabilities of 1 (grey values); or real numbers, which are
    standardised. NaN is a missing value in every method. Computations are in float64
    for float64 data, otherwise in float32.

    Parameters
    ----------
    conv_layer_sizes : int or tuple of int, default=(40, 40)
        Number of filters of each layer of maps, from the bottom up.
    filter_shape : int, None or tuple, default=None
        Shape of the filters, as of :class:`ConvRBM`. A tuple has one for each layer of
        maps: a number, a pair of them (rows and columns), or None for the default.
    pool_shape : int, None or tuple, default=None
        Shape of blocks of positions, as of :class:`ConvRBM`, or a tuple as for
        ``filter_shape``.
    stride : int or tuple, default=1
        Steps from a position of the filters to the next, as of :class:`ConvRBM`, or a
        tuple as for ``filter_shape``.
    pooling : {"probabilistic", "max", "mean"} or tuple, default="probabilistic"
        Pooled units, as of :class:`ConvRBM`. With "max" and "mean" the next layer sees
        one unit of each block: the one whose probability given the image is highest, or
        one at random. Given a pooled unit it is that of any position of its block, and
        all others are on as often as the biases of their maps say.
    hidden_layer_sizes : int or tuple of int, default=()
        Numbers of units of layers above the maps that are connected to all of them, as
        in :class:`DBN`, from the bottom up; by default there are none.
    image_shape : tuple of int or None, default=None
        Height, width and perhaps channels of the images. None is a square of one
        channel, or else one row of pixels.
    padding : {"valid", "same"}, default="valid"
        Whether filters stay within the images or maps that they see, or are centred at
        each of their pixels.
    column_types : {"bernoulli", "gaussian"}, default="bernoulli"
        Type of the columns: binary or real.
    visible_bias : {"pixel", "channel"}, default="pixel"
        Whether each pixel has a bias, of the image and of the pooled maps that a layer
        sees, or all pixels of a channel the same: then :meth:`resized` gives the
        network for images of any size.
    layers : list of (str, machine), default=None
        A stack of machines given explicitly, as the steps of a Pipeline are, in place
        of all parameters that describe one: ConvRBM, and above these perhaps
        BernoulliRBM. Clones of them are fitted, with the ``image_shape`` that the layer
        below gives. Their parameters can be set as ``name__parameter``.
    learning_rate, solver, momentum : default="auto"
        Options of training, as of :class:`ConvRBM`, of all layers; or a tuple with one
        value for each. "auto" are the defaults of the layer's machine.
    schedule : {"constant", "invscaling", "linear", "cooldown"} or tuple, \
            default="linear"
        Course of the learning rate, as of :class:`ConvRBM`.
    batch_size : int or tuple of int, default=10
        Number of rows in each update.
    n_iter : int, tuple of int or "auto", default="auto"
        Number of epochs. "auto": of a layer of maps as many as make 6,000 updates, from
        2 to 100; of another as in :class:`DBN`.
    gradient : {"auto", "cd", "pcd", "fpcd", "tempering"} or tuple, default="auto"
        Chains of the negative phase, as of :class:`ConvRBM`. "auto": "pcd" in the layer
        at the top, whose joint distribution is the network's, and "cd" in those below,
        of which only the conditional distributions are.
    n_steps : int or tuple, default=1
        Number of Gibbs steps of these chains in each update.
    n_chains : int, None or tuple, default=50
        Number of persistent chains.
    l2 : float or tuple of float, default=0.0
        Penalty on the weights, as of :class:`ConvRBM`.
    sparsity_target : float, None or tuple, default=None
        Target for the mean of each detection unit; see :class:`ConvRBM`.
    sparsity_cost : float or tuple of float, default=0.1
        Weight of the sparsity term.
    resample : bool, default=True
        If True, bits are drawn from grey data anew at each presentation; if False,
        grey values are used as they are.
    samples : bool, default=True
        If True, a layer above the first learns from samples of the pooled units below,
        drawn anew at each presentation; if False, from their means.
    feature_layer : int, tuple of int or "all", default="all"
        Layer whose pooled (or hidden) units' means :meth:`transform` returns: 0 at the
        bottom, -1 at the top; or several or all layers side by side. It may be changed
        after ``fit``.
    warm_start : bool, default=False
        If True, ``fit`` continues from the current parameters.
    verbose : int, default=0
        If not zero, print a line for each epoch.
    random_state : int, RandomState instance or None, default=None
        Seed of initial weights, order of rows and sampling; machines in ``layers`` may
        have their own.

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
    log_Z_ : float
        Log partition function of the top-level machine, computed at first use.
    log_Z_se_ : float
        Standard error of ``log_Z_``; 0 where log Z is exact.
    density_kind_ : {"exact", "lower bound", "estimate"}
        Meaning of :meth:`score_samples`, as for :class:`DBN`.
    loss_curves_ : list of list of float
        Losses of each layer, one per epoch.
    n_iter_ : int
        Total number of epochs, over all layers.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if X has names.

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
    >>> X = load_digits().data[:500] / 16
    >>> dbn = ConvDBN((8, 12), filter_shape=(3, 2), pool_shape=2, n_iter=2)
    >>> dbn = dbn.set_params(random_state=0).fit(X)
    >>> [maps.shape for maps in dbn.transform_maps(X)]
    [(500, 3, 3, 8), (500, 1, 1, 12)]
    >>> dbn.transform(X).shape
    (500, 84)
    >>> dbn.sample(3, random_state=0).shape
    (3, 64)
    """

    _parameter_constraints: dict = {
        **{name: CONSTRAINTS[name] for name in (*_OWN, *_maps.OPTIONS)},
        "conv_layer_sizes": CONSTRAINTS["hidden_layer_sizes"],
        "hidden_layer_sizes": CONSTRAINTS["hidden_layer_sizes"],
        "filter_shape": _COUNTS,
        "pool_shape": _COUNTS,
        "stride": _COUNTS[:2],
        "pooling": [*ConvRBM._parameter_constraints["pooling"], tuple],
        "image_shape": [tuple, None],
        "padding": [StrOptions({"valid", "same"})],
        "visible_bias": ConvRBM._parameter_constraints["visible_bias"],
    }
    for _option in "learning_rate", "solver", "momentum", "gradient":
        _parameter_constraints[_option] = [*CONSTRAINTS[_option], StrOptions({AUTO})]
    del _option
    _IMPLIED = {
        "init_layers": "transpose",
        "refine": None,
        "refine_iter": 0,
        "refine_steps": 1,
    }
    _specified, _cloned, _adapt = _maps.specified, _maps.given, _maps.adapt

    def __init__(
        self,
        conv_layer_sizes=(40, 40),
        *,
        filter_shape=None,
        pool_shape=None,
        stride=1,
        pooling="probabilistic",
        hidden_layer_sizes=(),
        image_shape=None,
        padding="valid",
        column_types="bernoulli",
        visible_bias="pixel",
        layers=None,
        learning_rate="auto",
        solver="auto",
        momentum="auto",
        schedule="linear",
        batch_size=10,
        n_iter="auto",
        gradient="auto",
        n_steps=1,
        n_chains=50,
        l2=0.0,
        sparsity_target=None,
        sparsity_cost=0.1,
        resample=True,
        samples=True,
        feature_layer="all",
        warm_start=False,
        verbose=0,
        random_state=None,
    ):
        self.conv_layer_sizes = conv_layer_sizes
        self.filter_shape = filter_shape
        self.pool_shape = pool_shape
        self.stride = stride
        self.pooling = pooling
        self.hidden_layer_sizes = hidden_layer_sizes
        self.image_shape = image_shape
        self.padding = padding
        self.column_types = column_types
        self.visible_bias = visible_bias
        self.layers = layers
        self.learning_rate = learning_rate
        self.solver = solver
        self.momentum = momentum
        self.schedule = schedule
        self.batch_size = batch_size
        self.n_iter = n_iter
        self.gradient = gradient
        self.n_steps = n_steps
        self.n_chains = n_chains
        self.l2 = l2
        self.sparsity_target = sparsity_target
        self.sparsity_cost = sparsity_cost
        self.resample = resample
        self.samples = samples
        self.feature_layer = feature_layer
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state

    @rolled_back
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Fit one layer after the other.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts. Whole numbers repeat rows, exactly.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            X is empty, infinite or outside the model's domain; a weight is negative, or
            all are zero; filters are larger than what they see, or blocks do not divide
            their positions; an option given as a tuple has not one value for each
            layer.
        DivergenceError
            Training of a layer diverged. The estimator keeps the layers below, and the
            last good parameters of this layer.
        """
        return self._fit(X, y, sample_weight)

    def partial_fit(self, X, y=None, sample_weight=None, layer=None):
        """Continue training: one pass over the rows for each layer in turn, or for one.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            As in :meth:`fit`.
        layer : int, default=None
            Layer to train, 0 at the bottom: a fitted one, or the next. All layers if
            None.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError, DivergenceError
            As in :meth:`fit`; or there is no such layer.
        """
        return self._partial_fit(X, y, sample_weight, layer=layer)

    def resized(self, image_shape):
        """Network with the same filters and biases for images of another size.

        Parameters
        ----------
        image_shape : tuple of int
            Height, width and perhaps channels, which are those that were learned.

        Returns
        -------
        network : ConvDBN
            A fitted copy, whose chains begin anew; ``partial_fit`` continues with
            images of this size.

        Raises
        ------
        ValueError
            ``visible_bias`` was not "channel", there are layers above the maps, the
            shape has other channels or is smaller than filters, or blocks do not divide
            the positions.
        """
        return _maps.resized(self, image_shape)

    def transform_maps(self, X):
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
