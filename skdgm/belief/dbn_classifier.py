r"""Deep belief networks that classify.

.. math:: p(y = k \mid x) = \operatorname{softmax}_k(h^L W + b), \qquad
   h^k = \sigma(c^k + h^{k-1} R^k), \qquad h^0 = x
"""

from sklearn.utils._param_validation import StrOptions

from skdgm.belief._class_outputs import ClassOutputs
from skdgm.belief._tuned import TunedModel


class DBNClassifier(ClassOutputs, TunedModel):
    r"""Deep belief network, fine-tuned as a net that classifies.

    .. math::

        p(y = k \mid x) = \operatorname{softmax}_k(h^L W + b), \qquad
        h^k = \sigma(c^k + h^{k-1} R^k), \qquad h^0 = x

    All rows, with a label or without, are learned layer by layer as a :class:`DBN`
    learns them, whose recognition is the net's beginning [1]_. Then the net with an
    output layer is tuned by back-propagation on rows with a label. The fewer these
    are, the more is owed to the others [3]_.

    y may be of one column, with classes of any kind; or of several, with 0 and 1 for
    labels each of which a row may have, which are as many logistic outputs. NaN in X is
    a missing value, in every method.

    Parameters
    ----------
    hidden_layer_sizes : int or tuple of int, default=(256, 256)
        Numbers of hidden units, from the bottom up.
    visible : {"bernoulli", "gaussian"}, default="bernoulli"
        Whether columns are 0, 1 or probabilities of 1; or real, and standardised
        inside.
    unlabeled : object, default=None
        The value of y for rows without a label (all along the row, of several columns);
        they take part in pre-training, and :meth:`score` leaves them out. None means
        that all rows are labelled.
    layers : list of (str, machine), default=None
        A stack made by hand, as of :class:`DBN`, in place of all parameters that
        describe one and its pre-training. Their parameters can be reached by
        ``name__parameter``.
    pretrain_iter : int, tuple of int or "auto", default="auto"
        Epochs of pre-training, of all layers or of each; "auto" as of :class:`DBN`. A
        layer with none of them begins with random weights, as a net's.
    pretrain_learning_rate, pretrain_batch_size, pretrain_gradient, pretrain_steps : \
            default=those of DBN
        Its ``learning_rate``, ``batch_size``, ``gradient`` and ``n_steps``; a tuple has
        one value for each layer.
    solver : {"adam", "sgd"}, default="adam"
        How the net is tuned: in units of each gradient's recent size, or along it.
    alpha : float, default=1e-4
        Penalty on the weights: alpha / 2 times their sum of squares is added to the
        loss of each batch, of all its rows: smaller batches have more of it.
    batch_size : int, default=20
        Rows for each update.
    learning_rate_init : float, default=0.005
        At the start; see ``schedule``.
    schedule : {"constant", "invscaling", "linear"}, default="linear"
        The learning rate after t of T epochs is ``learning_rate_init`` times 1,
        ``1 / (1 + t) ** power_t`` or ``1 - t / T``.
    power_t : float, default=0.5
        For ``schedule="invscaling"``.
    momentum : float, default=0.9
        What stays of the last step (of "adam": the first of its betas).
    max_iter : int or "auto", default="auto"
        Epochs of fine-tuning; if "auto", as many as make 5,000 updates, but from 20 to
        300.
    dropout : float or tuple of float, default=(0.2, 0.3)
        The share of hidden units that drop out at random while the net is tuned; or of
        inputs and of hidden units. Without it the net learns few labels by heart: with
        1,000 labels of MNIST and 19,000 rows without, the default classified 94.3 % of
        held-out rows rightly, ``dropout=0.0`` 92.9 % (one choice of labels each).
    max_norm : float or None, default=None
        The highest norm that the weights into a hidden unit may have.
    early_stopping : bool, default=False
        Hold out rows, stop when the log probability of their labels no longer
        improves, and keep the weights with which it was best. Pre-training sees the
        rows, but not their targets.
    validation_fraction : float, default=0.1
        The share of the rows with a target to hold out.
    n_iter_no_change : int, default=10
        Epochs without an improvement of ``tol`` before stopping early.
    tol : float, default=1e-4
    warm_start : bool, default=False
        If True, ``fit`` goes on with tuning the net there is.
    verbose : int, default=0
        If not zero, print a line for each epoch.
    random_state : int, RandomState instance or None, default=None
        For pre-training, initial weights, order of rows and what drops out.

    Attributes
    ----------
    dbn_ : DBN
        The network as it was pre-trained: a density of the data, for sampling, filling
        and scoring rows, as the methods of these names do.
    coefs_ : list of ndarray of shape (n_below, n_above)
        The net's weights, of the output layer last (of real columns,
        for standardised values).
    intercepts_ : list of ndarray of shape (n_above,)
        Its biases.
    classes_ : ndarray of shape (n_classes,)
        Of several columns, their numbers.
    n_outputs_ : int
        Number of output units.
    log_Z_, log_Z_se_ : float
        As of ``dbn_``.
    density_kind_ : {"exact", "lower bound", "estimate"}
        As of ``dbn_``: what :meth:`score_samples` is.
    loss_curve_ : list of float
        For each epoch of fine-tuning the mean of minus the log
        probability of the labels
        of some training rows.
    validation_curve_ : list of float
        The same for held-out rows, with ``early_stopping``.
    n_iter_ : int
        Epochs of fine-tuning done.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Where X has names for its columns.

    References
    ----------
    .. [1] Hinton and Salakhutdinov (2006). Reducing the dimensionality of data with
       neural networks. Science.
    .. [2] Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014). Dropout:
       a simple way to prevent neural networks from overfitting. JMLR.
    .. [3] Erhan, Bengio, Courville, Manzagol, Vincent and Bengio (2010). Why does
       unsupervised pre-training help deep learning? JMLR.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import DBNClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X /= 16
    >>> clf = DBNClassifier((64, 64), pretrain_iter=10, random_state=0)
    >>> clf.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.9
    True
    >>> clf.dbn_.density_kind_
    'estimate'
    """

    _parameter_constraints: dict = {
        **TunedModel._parameter_constraints,
        "visible": [StrOptions({"bernoulli", "gaussian"})],
        "unlabeled": "no_validation",
    }

    def __init__(
        self,
        hidden_layer_sizes=(256, 256),
        *,
        visible="bernoulli",
        unlabeled=None,
        layers=None,
        pretrain_iter="auto",
        pretrain_learning_rate=0.1,
        pretrain_batch_size=10,
        pretrain_gradient="pcd",
        pretrain_steps=1,
        solver="adam",
        alpha=1e-4,
        batch_size=20,
        learning_rate_init=0.005,
        schedule="linear",
        power_t=0.5,
        momentum=0.9,
        max_iter="auto",
        dropout=(0.2, 0.3),
        max_norm=None,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-4,
        warm_start=False,
        verbose=0,
        random_state=None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.visible = visible
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
        self.learning_rate_init = learning_rate_init
        self.schedule = schedule
        self.power_t = power_t
        self.momentum = momentum
        self.max_iter = max_iter
        self.dropout = dropout
        self.max_norm = max_norm
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state
