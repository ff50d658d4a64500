r"""Deep Boltzmann machines with labels.

.. math:: E(v, h, y) = -b^\top v - \sum_l c_l^\top h^l - d_y - v^\top W^1 h^1 -
   \sum_{l > 1} h^{l - 1 \top} W^l h^l - h^{L \top} U_{:y}

The label is a softmax unit above the last hidden layer.
"""

from skdgm.base import Classifier
from skdgm.boltzmann import _options
from skdgm.boltzmann._deep import DEEP
from skdgm.boltzmann._deep_density import DeepDensity
from skdgm.boltzmann._fine_tuning import logits, tune
from skdgm.boltzmann._label_objective import LabelledObjective
from skdgm.boltzmann._machine import Machine
from skdgm.boltzmann._methods import importance_likelihood, sample_of_class
from skdgm.nets import check_dropout
from skdgm.training import labelled


class DBMClassifier(Classifier, Machine):
    r"""Deep Boltzmann machine as a classifier and a density.

    .. math::

        p(v, h, y) = e^{-E(v, h, y)} / Z, \qquad E(v, h, y) = -b^\top v - \sum_l
        c_l^\top h^l - d_y - v^\top W^1 h^1 - \sum_{l > 1} h^{l - 1 \top} W^l h^l -
        h^{L \top} U_{:y}

    First the machine is trained on data and labels together, as :class:`DBM` is on
    data. Then one mean-field sweep without the label becomes a feed-forward network
    from the data and the means of the second hidden layer to the label, which is
    trained by back-propagation [1]_ [2]_. The machine stays as it was: samples, scores
    and imputed values come from it.

    Data are 0 or 1, or probabilities of 1 (grey values), or real numbers. NaN is a
    missing value, in every method. ``partial_fit`` trains the machine alone; to obtain
    a network afterwards, ``fit`` with ``warm_start=True`` and ``n_iter=0``.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(256, 256)
        Number of units of each hidden layer, from below.
    column_types : {"bernoulli", "gaussian"}, default="bernoulli"
        Kind of data: values in [0, 1], or real columns of any scale, which are
        standardised internally.
    unlabeled : object, default=None
        Value of y for rows without a label: while the machine is trained, these have
        labels drawn from it; :meth:`score` leaves them out. None means that all rows
        are labelled.
    fine_tune : {"backprop"} or None, default="backprop"
        If None, no network is trained, and the machine itself predicts labels.
    fine_tune_iter : int, default=50
        Number of epochs of fine-tuning.
    fine_tune_learning_rate : float, default=0.003
        Initial learning rate of the network; see ``schedule``.
    fine_tune_alpha : float, default=0.0001
        L2 penalty on the network's weights: ``fine_tune_alpha / 2`` times the sum of
        their squares, divided by the number of rows of the batch.
    fine_tune_dropout : float or pair of float, default=0.0
        Share of the network's hidden units that are dropped at each presentation; of a
        pair, the first is the share of its inputs, the second that of hidden units.
    fine_tune_solver, fine_tune_batch_size, fine_tune_momentum, fine_tune_max_norm : \
            default="adam", 50, 0.9, None
        For the network, as ``solver``, ``batch_size``, ``momentum`` and ``max_norm``
        are for the machine.
    learning_rate, batch_size, n_iter : default=0.05, 10, "auto"
        For the machine, as in :class:`DBM`.
    gradient, n_steps, n_chains, n_temperatures, fast_learning_rate, negative
        As in :class:`DBM`.
    mean_field_steps, centering, precision, min_variance
        As in :class:`DBM`.
    pretrain : {"layerwise"} or None, default=None
        As in :class:`DBM`; the label is trained together with the last pair of layers.
    pretrain_iter, pretrain_learning_rate, pretrain_steps
        As in :class:`DBM`.
    inference_steps, inference_tol, n_restarts, feature_layer
        As in :class:`DBM`.
    solver, momentum, max_norm, l1, l2, sparsity_target, sparsity_cost, resample
        As in :class:`DBM`.
    init_biases
        As in :class:`DBM`.
    schedule, power_t
        As in :class:`DBM`, also for the learning rate of the network.
    early_stopping : bool, default=False
        If True, hold out rows, stop when the log probability of their labels no longer
        rises, and keep the parameters with which it was highest: first for the machine,
        then for the network.
    validation_fraction, n_iter_no_change, tol, warm_start, verbose
        As in :class:`BernoulliRBM`.
    random_state : int, RandomState instance or None, default=None
        Source of initial weights, the order of rows and samples.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    coefs_, intercepts_ : list of ndarray
        Weights and biases of the machine, without the label's, as in :class:`DBM`.
    label_components_ : ndarray of shape (n_units, n_classes)
        Weights U between the last hidden layer and the label.
    intercept_label_ : ndarray of shape (n_classes,)
        Biases d of the labels.
    net_coefs_, net_intercepts_ : list of ndarray
        Weights and biases of the network, if there is one. In the first weights, rows
        for the data are followed by rows for the second hidden layer.
    net_loss_curve_, net_validation_curve_ : list of float
        For each epoch of fine-tuning the mean negative log probability of the labels of
        some training rows, and of held-out rows, in nats.
    loss_curve_, validation_curve_ : list of float
        The same for each epoch of the machine, by mean field with the label free.
    pretrain_loss_curves_ : list of list of float
        As in :class:`DBM`.
    chains_, h_samples_, swap_rates_
        Of the training chains, as in :class:`DBM`.
    precision_, mean_, scale_ : ndarray of shape (n_features,)
        For real columns, as in :class:`GaussianRBM`.
    log_Z_, log_Z_se_ : float
        Log partition function, computed at first access, and its standard error.
    density_kind_ : {"lower bound", "estimate"}
        Kind of density that :meth:`score_samples` returns: a lower bound where log Z is
        exact, because the odd or the even layers, including the label, have few states.
    n_iter_ : int
        Number of epochs done by the machine.
    n_features_in_ : int
        Number of columns of X.
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

    _parameter_constraints: dict = {
        **_options.DEEP,
        **_options.TUNING,
        "unlabeled": "no_validation",
    }
    _layers, _DENSITY, _OBJECTIVE = DEEP, DeepDensity, LabelledObjective

    def __init__(
        self,
        hidden_layer_sizes=(256, 256),
        *,
        column_types="bernoulli",
        unlabeled=None,
        fine_tune="backprop",
        fine_tune_iter=50,
        fine_tune_learning_rate=3e-3,
        fine_tune_alpha=1e-4,
        fine_tune_dropout=0.0,
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
        init_biases="marginals",
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=5,
        tol=1e-3,
        warm_start=False,
        verbose=0,
        random_state=None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.column_types = column_types
        self.unlabeled = unlabeled
        self.fine_tune = fine_tune
        self.fine_tune_iter = fine_tune_iter
        self.fine_tune_learning_rate = fine_tune_learning_rate
        self.fine_tune_alpha = fine_tune_alpha
        self.fine_tune_dropout = fine_tune_dropout
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
        self.init_biases = init_biases
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state

    importance_likelihood, sample = importance_likelihood, sample_of_class

    def predict_log_proba(self, X):
        r"""Log probabilities of the labels.

        Those of the network, where there is one. Otherwise each label is tried:

        .. math:: \log p(y \mid v) \approx \mathcal{L}(v, y) - \log \sum_{y'}
           e^{\mathcal{L}(v, y')}

        where :math:`\mathcal{L}` is the mean-field bound with data and label clamped,
        which is exact with one hidden layer.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Missing entries (NaN) are inferred by mean field.

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        return super().predict_log_proba(X)

    def _logits(self, rows):
        if not hasattr(self, "net_coefs_"):
            return self.density_.log_joint_of(rows)
        return logits(self.density_, rows, self.net_coefs_, self.net_intercepts_)

    def _check_options(self):
        super()._check_options()
        check_dropout(self._options.fine_tune_dropout, "fine_tune_dropout")

    def _finish(self, table):
        table = labelled(table)
        if self.fine_tune is not None and len(table.index):
            tune(self, table)

    def _forget(self):
        super()._forget()
        # A network is of no use without the machine that it was initialised from.
        for name in ("coefs", "intercepts", "loss_curve", "validation_curve"):
            vars(self).pop(f"net_{name}_", None)
