r"""Deep Boltzmann machines with labels.

.. math:: E(v, h, y) = -b^\top v - \sum_l c_l^\top h^l - d_y - v^\top W^1 h^1 -
   \sum_{l > 1} h^{l - 1 \top} W^l h^l - h^{L \top} U_{:y}

The label is a softmax unit above the last hidden layer.
"""

from skdgm.boltzmann._deep_labelled import LabelledDeepMachine


class DBMClassifier(LabelledDeepMachine):
    r"""Deep Boltzmann machine as a classifier and a density.

    .. math::

        p(v, h, y) = e^{-E(v, h, y)} / Z, \qquad E(v, h, y) = -b^\top v - \sum_l
        c_l^\top h^l - d_y - v^\top W^1 h^1 - \sum_{l > 1} h^{l - 1 \top} W^l h^l -
        h^{L \top} U_{:y}

    First data and labels are learned together, as :class:`DBM` learns data. Then the
    label is taken away, and what mean field does in a sweep becomes a net of data and
    of the second hidden layer's means, which backpropagation makes predict labels
    [1]_ [2]_. The machine stays as it was: rows are drawn, scored and filled in by it.

    Data are 0 or 1, or probabilities of 1 (grey values), or real numbers. NaN is a
    missing value, in every method. ``partial_fit`` teaches the machine alone; to give
    it a net after that, ``fit`` with ``warm_start`` and ``n_iter=0``.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(256, 256)
        Number of units of each hidden layer, from below.
    visible : {"bernoulli", "gaussian"}, default="bernoulli"
        What the data are: values in [0, 1], or real columns of any scale, which the
        model sees standardised.
    unlabeled : object, default=None
        The value of y for rows without a label: while the machine learns, these have
        labels drawn by it; :meth:`score` leaves them out. None means that all rows are
        labelled.
    fine_tune : {"backprop"} or None, default="backprop"
        Whether a net is made of the machine. Without, labels are predicted by it.
    max_iter : int, default=50
        Epochs of fine-tuning.
    learning_rate_init : float, default=0.003
        Of the net, at the start; see ``schedule``.
    alpha : float, default=0.0001
        L2 penalty on the net's weights, per batch.
    dropout : float or pair of float, default=0.0
        Which share of the net's hidden units drop out at each presentation; or of its
        inputs, and of these.
    fine_tune_solver, fine_tune_batch_size, fine_tune_momentum, fine_tune_max_norm : \
            default="adam", 50, 0.9, None
        Of the net what ``solver``, ``batch_size``, ``momentum`` and ``max_norm`` are of
        the machine.
    learning_rate, batch_size, n_iter : default=0.05, 10, "auto"
        Of the machine, as of :class:`DBM`.
    gradient, n_steps, n_chains, n_temperatures, fast_learning_rate, negative
        As of :class:`DBM`.
    mean_field_steps, centering, precision, min_variance
        As of :class:`DBM`.
    pretrain : {"layerwise"} or None, default=None
        As of :class:`DBM`; the label learns together with the last pair of layers.
    pretrain_iter, pretrain_learning_rate, pretrain_steps
        As of :class:`DBM`.
    inference_steps, inference_tol, n_restarts, feature_layer
        As of :class:`DBM`.
    solver, momentum, max_norm, l1, l2, sparsity_target, sparsity_cost, resample, init
        As of :class:`DBM`.
    schedule, power_t
        As of :class:`DBM`; of the net's learning rate, too.
    early_stopping : bool, default=False
        Hold out rows, stop when the log probability of their labels no longer rises,
        and keep the parameters with which it was highest: of the machine, and then of
        the net.
    validation_fraction, n_iter_no_change, tol, warm_start, verbose
        As of :class:`BernoulliRBM`.
    random_state : int, RandomState instance or None, default=None
        Source of initial weights, the order of rows and samples.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    coefs_, intercepts_ : list of ndarray
        The machine's weights and biases but for the label's, as of :class:`DBM`.
    label_components_ : ndarray of shape (n_units, n_classes)
        The weights U between the last hidden layer and the label.
    intercept_label_ : ndarray of shape (n_classes,)
        Biases d of the labels.
    net_coefs_, net_intercepts_ : list of ndarray
        Those of the net, if there is one; the first weights are from data, and below
        these from the second hidden layer.
    net_loss_curve_, net_validation_curve_ : list of float
        For each epoch of fine-tuning minus the mean log probability of the labels of
        some training rows, and of rows held out, in nats.
    loss_curve_, validation_curve_ : list of float
        The same for each epoch of the machine, by a mean field in which the label is
        free.
    pretrain_loss_curves_ : list of list of float
        As of :class:`DBM`.
    chains_, h_samples_, swap_rates_
        Of the training chains, as of :class:`DBM`.
    precision_, mean_, scale_ : ndarray of shape (n_features,)
        For real columns, as of :class:`GaussianRBM`.
    log_Z_, log_Z_se_ : float
        Log partition function, computed at first use, and its standard error.
    density_kind_ : {"lower bound", "estimate"}
        What :meth:`score_samples` is: a lower bound where log Z is exact, because the
        odd or the even layers, the label among them, have few states.
    n_iter_ : int
        Epochs of the machine.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where X has some.

    See Also
    --------
    RBMClassifier : One hidden layer, and exact probabilities of labels.

    References
    ----------
    .. [1] Salakhutdinov and Hinton (2009). Deep Boltzmann machines. AISTATS.
    .. [2] Goodfellow, Bengio and Courville (2016). Deep Learning, figure 20.4. MIT
       Press.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import DBMClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X /= 16
    >>> clf = DBMClassifier((64, 64), learning_rate=0.1, n_iter=20, random_state=0)
    >>> clf.fit(X[:1200], y[:1200]).score(X[1200:], y[1200:]) > 0.85
    True
    >>> clf.sample(3, y=7, random_state=0).shape
    (3, 64)
    """

    def __init__(
        self,
        hidden_layer_sizes=(256, 256),
        *,
        visible="bernoulli",
        unlabeled=None,
        fine_tune="backprop",
        max_iter=50,
        learning_rate_init=3e-3,
        alpha=1e-4,
        dropout=0.0,
        fine_tune_solver="adam",
        fine_tune_batch_size=50,
        fine_tune_momentum=0.9,
        fine_tune_max_norm=None,
        precision="diagonal",
        min_variance=0.05,
        learning_rate=0.05,
        batch_size=10,
        n_iter="auto",
        gradient="pcd",
        n_steps=1,
        n_chains=50,
        n_temperatures=10,
        fast_learning_rate=None,
        negative="samples",
        mean_field_steps=10,
        centering="data",
        pretrain=None,
        pretrain_iter=10,
        pretrain_learning_rate=0.05,
        pretrain_steps=1,
        inference_steps=50,
        inference_tol=1e-3,
        n_restarts=0,
        feature_layer="all",
        solver="sgd",
        momentum=0.0,
        schedule="linear",
        power_t=0.5,
        l1=0.0,
        l2=0.0,
        max_norm=None,
        sparsity_target=None,
        sparsity_cost=0.1,
        resample=True,
        init="marginals",
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=5,
        tol=1e-3,
        warm_start=False,
        verbose=0,
        random_state=None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.visible = visible
        self.unlabeled = unlabeled
        self.fine_tune = fine_tune
        self.max_iter = max_iter
        self.learning_rate_init = learning_rate_init
        self.alpha = alpha
        self.dropout = dropout
        self.fine_tune_solver = fine_tune_solver
        self.fine_tune_batch_size = fine_tune_batch_size
        self.fine_tune_momentum = fine_tune_momentum
        self.fine_tune_max_norm = fine_tune_max_norm
        self.precision = precision
        self.min_variance = min_variance
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.n_iter = n_iter
        self.gradient = gradient
        self.n_steps = n_steps
        self.n_chains = n_chains
        self.n_temperatures = n_temperatures
        self.fast_learning_rate = fast_learning_rate
        self.negative = negative
        self.mean_field_steps = mean_field_steps
        self.centering = centering
        self.pretrain = pretrain
        self.pretrain_iter = pretrain_iter
        self.pretrain_learning_rate = pretrain_learning_rate
        self.pretrain_steps = pretrain_steps
        self.inference_steps = inference_steps
        self.inference_tol = inference_tol
        self.n_restarts = n_restarts
        self.feature_layer = feature_layer
        self.solver = solver
        self.momentum = momentum
        self.schedule = schedule
        self.power_t = power_t
        self.l1 = l1
        self.l2 = l2
        self.max_norm = max_norm
        self.sparsity_target = sparsity_target
        self.sparsity_cost = sparsity_cost
        self.resample = resample
        self.init = init
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state
