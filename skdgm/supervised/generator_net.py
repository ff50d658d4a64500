r"""Supervised generators: nets from attributes to rows.

.. math:: x \sim p(x; g(a))
"""

from numbers import Integral, Real

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight

from skdgm.base import rolled_back
from skdgm.nets import ACTIVATIONS, INITIALISERS, LEARNING
from skdgm.supervised._model import AttributeModel
from skdgm.training import Budget
from skdgm.utils.math import shares


class GeneratorNet(AttributeModel):
    r"""Supervised generator: a net that draws rows of given attributes.

    .. math::

        \log p(x \mid a) = \sum_j \log p(x_j; g_j(a)), \qquad
        p(x) = \sum_k w_k \, p(x \mid a_k)

    for rows x with attributes a, such as the class, the style and the angle of an
    image, which are known while the net g learns [1]_. There is nothing to infer: it
    maximises the log-likelihood, of real columns with a fixed variance minus the
    squared error. Attributes between those of the training rows, or mixtures of their
    classes, give images between theirs.

    What attributes are in general, for rows given without them, are those of the
    training rows with their shares :math:`w_k`. The model keeps the distinct ones,
    1,000 at most, drawn by weight. So ``score_samples`` has two exact densities, and
    ``transform`` infers attributes of rows by Bayes' rule.
    NaN in X is a missing value, in every method. Float64 data are computed in float64,
    all others in float32.

    Parameters
    ----------
    hidden_layer_sizes : tuple, default=(256, 256)
        Numbers of hidden units of dense layers, from the attributes on.
    column_types : {"bernoulli", "gaussian", "categorical", "mixed"}, tuple or dict, \
            default="bernoulli"
        Kind of the columns, as of :class:`~skdgm.VAE`.
    min_categories : int or array-like of int, default=None
        Least number of categories of "categorical", in all columns or in each; more
        are found in the data.
    attribute_types : "auto", tuple or dict, default="auto"
        Kind of each attribute, "categorical" or "gaussian" (real), in order or by
        name. By default text, truth values and categories are categorical and numbers
        real; a y of one dimension is categorical also if its numbers are whole.
    variance : {"feature", "sample"} or float, default="feature"
        Variance of "gaussian", as of :class:`~skdgm.VAE`: learned for each column; an
        output of the net; or fixed, as a share of the column's variance.
    min_variance : float, default=0.01
        Lower limit of learned variances, as a share of the column's variance.
    activation : {"relu", "leaky_relu", "tanh", "logistic", "softplus", "identity"}, \
            default="leaky_relu"
        Activation function of hidden units.
    dropout : float, default=0.0
        Share of units of dense hidden layers that drop out at random in training.
    init_weights : {"he_normal", "he_uniform", "glorot_uniform", "glorot_normal"}, \
            default="he_normal"
        Initialiser of weights; of outputs always Glorot's.
    architecture : {"dense", "conv"}, default="dense"
        Whether outputs are those of a dense layer, or of convolutions: dense layers
        then make small images, which grow twofold from layer to layer.
    conv_layer_sizes : tuple, default=(32, 16)
        For "conv", the number of maps of the small images and of each layer that makes
        larger ones; another one makes the pixels.
    upsampling : {"unpool", "nearest"}, default="unpool"
        Whether each pixel of a smaller image becomes the upper left one of four, the
        others zero [1]_, or all four of them; convolutions by 5 x 5 filters follow.
    image_shape : tuple, default=None
        Height and width of images, and their number of channels if it is not 1; by
        default they are square. For "conv".
    solver : {"adam", "rmsprop", "sgd"}, default="adam"
        Optimiser.
    alpha : float, default=0.0
        Weight decay: alpha / 2 times the sum of squared weights is added to the loss of
        each batch, summed over its rows.
    batch_size : int, default=100
        Rows for each update.
    learning_rate : float, default=0.003
        Initial learning rate; see ``schedule``.
    schedule : {"constant", "invscaling", "linear"}, default="linear"
        Learning rate after t of T epochs: ``learning_rate`` times 1,
        ``1 / (1 + t) ** power_t`` or ``1 - t / T``.
    power_t : float, default=0.5
        Exponent of ``schedule="invscaling"``.
    momentum : float, default=0.9
        Momentum coefficient; for "adam", the first beta.
    clip_norm : float or None, default=None
        Upper limit of the norm of gradients; longer ones are scaled down to it.
    n_iter : int or "auto", default="auto"
        Number of epochs; "auto": 3,000 updates, but between 20 and 200 epochs.
    early_stopping : bool, default=False
        Hold out rows, stop when their likelihood no longer rises, and keep the
        parameters for which it was highest.
    validation_fraction : float, default=0.1
        Share of the rows to hold out.
    n_iter_no_change : int, default=10
        Epochs without an improvement of ``tol`` before stopping early.
    tol : float, default=1e-3
        Least improvement that counts, in nats per row.
    warm_start : bool, default=False
        If True, ``fit`` continues from the current parameters.
    verbose : int, default=0
        If not zero, print a line for each epoch.
    random_state : int, RandomState instance or None, default=None
        Seed of initial weights and of the order of rows.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of all layers, from the attributes on.
    intercepts_ : list of ndarray of shape (n_above,)
        Biases of the same layers.
    attribute_types_ : dict
        How each attribute is read, by its name (or number): a
        :class:`~skdgm.data.ColumnType`, whose ``values`` are the classes.
    column_types_ : dict
        The same of each column.
    density_kind_ : str
        Kind of :meth:`score_samples`: "exact", or after grey rows "lower bound".
    loss_curve_ : list of float
        Negative log-likelihood of some training rows given their attributes after each
        epoch, in nats per row, with real columns standardised.
    validation_curve_ : list of float
        The same for held-out rows, with ``early_stopping``.
    n_iter_ : int
        Number of epochs done.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, if X has any.

    References
    ----------
    .. [1] Dosovitskiy, Springenberg and Brox (2015). Learning to generate chairs with
       convolutional neural networks. CVPR.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import GeneratorNet
    >>> X, y = load_digits(return_X_y=True)
    >>> net = GeneratorNet(n_iter=10, random_state=0).fit(X / 16, y)
    >>> net.sample(3, random_state=0, y=7).shape
    (3, 64)
    >>> one, other = net.encode([1, 7])
    >>> net.inverse_transform([0.5 * one + 0.5 * other]).shape
    (1, 64)
    >>> net.transform(X / 16).shape
    (1797, 10)
    """

    _parameter_constraints: dict = {
        "hidden_layer_sizes": [Interval(Integral, 1, None, closed="left"), tuple],
        "column_types": [
            StrOptions({"bernoulli", "gaussian", "categorical", "mixed"}),
            tuple,
            dict,
        ],
        "min_categories": [
            Interval(Integral, 1, None, closed="left"),
            "array-like",
            None,
        ],
        "attribute_types": [StrOptions({"auto"}), tuple, dict],
        "variance": [
            StrOptions({"feature", "sample"}),
            Interval(Real, 0, None, closed="neither"),
        ],
        "min_variance": [Interval(Real, 0, 1, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "init_weights": [StrOptions(set(INITIALISERS))],
        "architecture": [StrOptions({"dense", "conv"})],
        "conv_layer_sizes": [Interval(Integral, 1, None, closed="left"), tuple],
        "upsampling": [StrOptions({"unpool", "nearest"})],
        "image_shape": [tuple, None],
        **LEARNING,
    }
    _BUDGET = Budget(3_000, 20, 200)

    def __init__(
        self,
        hidden_layer_sizes=(256, 256),
        *,
        column_types="bernoulli",
        min_categories=None,
        attribute_types="auto",
        variance="feature",
        min_variance=0.01,
        activation="leaky_relu",
        dropout=0.0,
        init_weights="he_normal",
        architecture="dense",
        conv_layer_sizes=(32, 16),
        upsampling="unpool",
        image_shape=None,
        solver="adam",
        alpha=0.0,
        batch_size=100,
        learning_rate=0.003,
        schedule="linear",
        power_t=0.5,
        momentum=0.9,
        clip_norm=None,
        n_iter="auto",
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-3,
        warm_start=False,
        verbose=0,
        random_state=None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.column_types = column_types
        self.min_categories = min_categories
        self.attribute_types = attribute_types
        self.variance = variance
        self.min_variance = min_variance
        self.activation = activation
        self.dropout = dropout
        self.init_weights = init_weights
        self.architecture = architecture
        self.conv_layer_sizes = conv_layer_sizes
        self.upsampling = upsampling
        self.image_shape = image_shape
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.power_t = power_t
        self.momentum = momentum
        self.clip_norm = clip_norm
        self.n_iter = n_iter
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state

    @rolled_back
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Fit the model to rows and their attributes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : array-like of shape (n_samples,) or (n_samples, n_attributes)
            Attributes of each row; required. A DataFrame has names and kinds for them.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row. Whole numbers are exactly so many repetitions.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            X is empty, infinite or outside the model's domain; y is missing, or has
            missing values; a weight is negative, or all weights are zero.
        DivergenceError
            Training diverged. The estimator keeps its last good parameters.
        """
        return self._fit(X, y, sample_weight)

    def partial_fit(self, X, y=None, sample_weight=None):
        """Continue training: one pass over the rows, as of an epoch of :meth:`fit`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : array-like of shape (n_samples,) or (n_samples, n_attributes)
            Attributes, whose classes must all be in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, as for :meth:`fit`.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError, DivergenceError
            As raised by :meth:`fit`; or a class is unknown.
        """
        return self._partial_fit(X, y, sample_weight)

    def score(self, X, y=None, sample_weight=None):
        """Mean log-likelihood of the rows, in nats.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_attributes), default=None
            Attributes of the rows, if known.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row; by default all are equal.

        Returns
        -------
        score : float
            The (weighted) mean of :meth:`score_samples`.
        """
        scores = self.score_samples(X, y)
        if sample_weight is not None:
            given, how = (sample_weight, scores[:, None]), {"ensure_non_negative": True}
            sample_weight, _ = shares(_check_sample_weight(*given, **how))
        return float(np.average(scores, weights=sample_weight))
