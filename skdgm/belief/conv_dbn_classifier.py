r"""Convolutional deep belief networks fine-tuned as classifiers.

.. math:: p(y = k \mid x) = \operatorname{softmax}_k(p^L W + b), \qquad p^k_B = 1 -
   \frac{1}{1 + \sum_{j \in B} e^{\eta_j}}, \qquad \eta = c^k + R^k * p^{k-1}, \quad
   p^0 = x
"""

from functools import partial

from skdgm.base import Classifier
from skdgm.belief import _classes, _maps
from skdgm.belief._fine_tuning import ACTIVATION
from skdgm.belief._tuned import TunedNetwork
from skdgm.belief.conv_dbn import ConvDBN
from skdgm.distributions import Pooled
from skdgm.nets import dense, pooled_convolution
from skdgm.training import Budget

_STRUCTURE = (
    "conv_layer_sizes",
    "filter_shape",
    "pool_shape",
    "stride",
    "pooling",
    "hidden_layer_sizes",
    "image_shape",
    "padding",
    "column_types",
    "layers",
)


class ConvDBNClassifier(Classifier, TunedNetwork):
    r"""Convolutional deep belief network fine-tuned as a convolutional net.

    .. math::

        p(y = k \mid x) = \operatorname{softmax}_k(p^L W + b), \qquad p^k_B = 1 -
        \frac{1}{1 + \sum_{j \in B} e^{\eta_j}}, \qquad \eta = c^k + R^k * p^{k-1},
        \quad p^0 = x

    for filters :math:`R^k` at all positions of the maps :math:`p^{k-1}`, and blocks B
    of neighbouring positions. A :class:`ConvDBN` is pre-trained layer by layer on all
    rows, labelled or not, and its filters and biases initialise the net, whose hidden
    units are the means of the network's pooled units [1]_. Then the net with an output
    layer is trained by back-propagation on the labelled rows. The fewer of these there
    are, the more the unlabelled rows contribute.

    Rows are images, as in :class:`ConvDBN`. y has one column, with classes of any type;
    or several columns of 0 and 1, one for each label that a row may have, and as many
    logistic outputs. NaN in X marks a missing value in every method.

    Parameters
    ----------
    conv_layer_sizes : int or tuple of int, default=(40, 40)
        Number of filters of each layer of maps, from the bottom up.
    filter_shape, pool_shape : int, None or tuple, default=None
        Shapes of filters and of blocks of positions, as in :class:`ConvDBN`.
    stride : int or tuple, default=1
        Steps from a position of the filters to the next, as in :class:`ConvDBN`.
    pooling : {"probabilistic", "max", "mean"} or tuple, default="probabilistic"
        Pooled units, as in :class:`ConvDBN`: with "max" or "mean" the net has maxima or
        means of logistic functions.
    hidden_layer_sizes : int or tuple of int, default=()
        Numbers of units of layers above the maps that are connected to all of them.
    image_shape : tuple of int or None, default=None
        Height, width and perhaps channels of the images. None is a square of one
        channel, or else one row of pixels.
    padding : {"valid", "same"}, default="valid"
        Whether filters stay within the images or maps that they see, or are centred at
        each of their pixels.
    column_types : {"bernoulli", "gaussian"}, default="bernoulli"
        Type of the columns: 0, 1 or probabilities of 1; or real, and standardised
        internally.
    unlabeled : object, default=None
        Value of y that marks rows without a label (in all columns of y, if there are
        several). These rows take part in pre-training; :meth:`score` leaves them out.
        None means that all rows are labelled.
    layers : list of (str, machine), default=None
        A stack of machines given explicitly, as in :class:`ConvDBN`, in place of all
        parameters that describe one and its pre-training. Their parameters can be set
        as ``name__parameter``.
    pretrain_iter : int, tuple of int or "auto", default="auto"
        Epochs of pre-training, of every layer or one value for each; "auto" as in
        :class:`ConvDBN`. A layer with 0 epochs starts from random weights, as in an
        ordinary net.
    pretrain_learning_rate, pretrain_batch_size, pretrain_gradient, pretrain_steps : \
            default=those of ConvDBN
        Options ``learning_rate``, ``batch_size``, ``gradient`` and ``n_steps`` of
        pre-training; a tuple gives one value for each layer.
    solver : {"adam", "sgd"}, default="adam"
        Optimiser of fine-tuning: Adam, or stochastic gradient descent with momentum.
    alpha : float, default=1e-4
        Weight decay: ``alpha / 2`` times the sum of squared weights is added to the sum
        of the losses of a batch, so it weighs more in smaller batches.
    batch_size : int, default=20
        Rows per update in fine-tuning.
    learning_rate : float, default=0.005
        Learning rate at the start of fine-tuning; see ``schedule``.
    schedule : {"constant", "invscaling", "linear"}, default="linear"
        The learning rate after t of T epochs is ``learning_rate`` times 1,
        ``1 / (1 + t) ** power_t`` or ``1 - t / T``.
    power_t : float, default=0.5
        Exponent of ``schedule="invscaling"``.
    momentum : float, default=0.9
        Momentum coefficient (for "adam", its first beta).
    n_iter : int or "auto", default="auto"
        Epochs of fine-tuning; "auto": as many as make 5,000 updates, at least 20 and at
        most 300.
    dropout : float or tuple of float, default=(0.1, 0.2)
        Fraction of the pooled and hidden units dropped at random during fine-tuning; or
        a pair: of the inputs and of these units.
    max_norm : float or None, default=None
        Maximum norm of the weights into a hidden unit.
    early_stopping : bool, default=False
        If True, hold out rows, stop when the log probability of their labels no longer
        improves, and keep the weights with which it was best. Pre-training sees the
        held-out rows, but not their labels.
    validation_fraction : float, default=0.1
        Fraction of the rows with a label to hold out.
    n_iter_no_change : int, default=10
        Number of epochs without an improvement of more than ``tol`` before early
        stopping.
    tol : float, default=1e-4
        Smallest improvement of the validation loss that counts.
    warm_start : bool, default=False
        If True, ``fit`` continues fine-tuning the current net.
    verbose : int, default=0
        If not zero, print a line for each epoch.
    random_state : int, RandomState instance or None, default=None
        Seed of pre-training, initial weights, order of rows and dropout.

    Attributes
    ----------
    dbn_ : ConvDBN
        Pre-trained network, a density of the data: :meth:`sample`, :meth:`impute` and
        :meth:`score_samples` use it.
    coefs_ : list of ndarray
        Weights of the net: filters, of shape (n_weights, n_maps), each pixel after
        pixel and of each pixel map after map; those of hidden layers and of the output
        layer, last, of shape (n_below, n_above). For real columns filters apply to
        standardised values.
    intercepts_ : list of ndarray of shape (n_maps,) or (n_above,)
        Biases of the net.
    classes_ : ndarray of shape (n_classes,)
        Classes, in order; if y has several columns, their numbers.
    n_outputs_ : int
        Number of output units.
    log_Z_, log_Z_se_ : float
        Log partition function of the top-level machine of ``dbn_``, and its standard
        error.
    density_kind_ : {"exact", "lower bound", "estimate"}
        Meaning of :meth:`score_samples`, as for ``dbn_``.
    loss_curve_ : list of float
        Mean negative log-likelihood of the labels of some training rows after each
        epoch of fine-tuning.
    validation_curve_ : list of float
        The same for held-out rows, with ``early_stopping``.
    n_iter_ : int
        Number of epochs of fine-tuning.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if X has names.

    References
    ----------
    .. [1] Lee, Grosse, Ranganath and Ng (2009). Convolutional deep belief networks for
       scalable unsupervised learning of hierarchical representations. ICML.
    .. [2] Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014). Dropout:
       a simple way to prevent neural networks from overfitting. JMLR.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import ConvDBNClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X /= 16
    >>> clf = ConvDBNClassifier(24, filter_shape=3, pretrain_iter=3, random_state=0)
    >>> clf.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.9
    True
    """

    # With dropout, more epochs pay off when labels are few.
    _BUDGET = Budget(5_000, 20, 300)
    _NETWORK, _STRUCTURE = ConvDBN, _STRUCTURE
    _parameter_constraints: dict = {
        **TunedNetwork._parameter_constraints,
        **{name: ConvDBN._parameter_constraints[name] for name in _STRUCTURE},
        "pretrain_learning_rate": ConvDBN._parameter_constraints["learning_rate"],
        "pretrain_gradient": ConvDBN._parameter_constraints["gradient"],
        "unlabeled": "no_validation",
    }

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
        unlabeled=None,
        layers=None,
        pretrain_iter="auto",
        pretrain_learning_rate="auto",
        pretrain_batch_size=10,
        pretrain_gradient="auto",
        pretrain_steps=1,
        solver="adam",
        alpha=1e-4,
        batch_size=20,
        learning_rate=0.005,
        schedule="linear",
        power_t=0.5,
        momentum=0.9,
        n_iter="auto",
        dropout=(0.1, 0.2),
        max_norm=None,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-4,
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
        self.unlabeled = unlabeled
        self.layers = layers
        self.pretrain_iter = pretrain_iter
        self.pretrain_learning_rate = pretrain_learning_rate
        self.pretrain_batch_size = pretrain_batch_size
        self.pretrain_gradient = pretrain_gradient
        self.pretrain_steps = pretrain_steps
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.power_t = power_t
        self.momentum = momentum
        self.n_iter = n_iter
        self.dropout = dropout
        self.max_norm = max_norm
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state

    fit = TunedNetwork.fit
    predict, decision_function = _classes.predict, _classes.decision_function
    predict_log_proba, _count = _classes.predict_log_proba, _classes.count
    _label, _values, _labels = _classes.label, _classes.values, _classes.labels
    __sklearn_tags__ = _classes.tags

    @property
    def _activation(self):
        """Functions of the hidden layers: convolutions and their pooled units."""
        found = []
        for layer in self.density_.directed(n_layers=len(self.dbn_.layers_)):
            if isinstance(layer.units[1], Pooled):
                window = layer.energy.couplings[0].window
                given = {"window": window, "unit": layer.units[1]}
                found.append(partial(pooled_convolution, **given))
            else:
                found.append(_logistic)
        return tuple(found)

    def _depth(self, options):
        """Number of hidden layers that options ask for."""
        return sum(map(len, _maps.sizes(options)))


def _logistic(x, W, b):
    return dense(x, W, b, ACTIVATION)
