r"""Restricted Boltzmann machines with labels.

.. math:: E(v, y, h) = -b^\top v - d_y - c^\top h - v^\top W h - U_{y:} h

The visible layer has two blocks: the data, and a softmax unit for the label.
"""

from numbers import Real

from sklearn.utils._param_validation import Interval, StrOptions

from skdgm.base import Classifier
from skdgm.boltzmann import _options
from skdgm.boltzmann._density.labelled import LabelledDensity
from skdgm.boltzmann._learning.label_objective import HybridObjective
from skdgm.boltzmann._machine import Machine
from skdgm.boltzmann._methods import sample_of_class


class RBMClassifier(Classifier, Machine):
    r"""Restricted Boltzmann machine as a classifier and a density.

    .. math::

        p(v, y, h) = e^{-E(v, y, h)} / Z, \qquad
        E(v, y, h) = -b^\top v - d_y - c^\top h - v^\top W h - U_{y:} h

    so that labels have the exact distribution :math:`p(y \mid v) \propto \exp(d_y +
    \sum_j \log(1 + e^{c_j + U_{yj} + v^\top W_{:j}}))`, with an exact gradient [4]_.
    Columns are binary, or real with the energy of :class:`GaussianRBM`. NaN is a
    missing value, in every method.

    Parameters
    ----------
    n_components : int, default=256
        Number of hidden units.
    column_types : {"bernoulli", "gaussian"}, default="bernoulli"
        Kind of columns: 0, 1 or probabilities of 1; or real numbers, which are
        standardised internally, as in :class:`GaussianRBM`.
    objective : {"hybrid", "discriminative", "generative"}, default="hybrid"
        Objective to maximise: log p(y | v) + ``generative_weight`` log p(v, y),
        log p(y | v) alone, or log p(v, y) alone.
    generative_weight : float, default=0.01
        Weight of the generative part in the "hybrid" objective.
    unlabeled : object, default=None
        Value of y for rows without a label: they train the generative part, and
        :meth:`score` leaves them out. None means that all rows are labelled.
    precision, min_variance, quadratic
        For real columns, as in :class:`GaussianRBM`.
    learning_rate : float, default=0.01
        Initial learning rate; see ``schedule``.
    batch_size : int, default=10
        Number of rows in each update.
    n_iter : int, default=20
        Number of epochs.
    gradient : {"pcd", "cd", "fpcd", "tempering"}, default="pcd"
        Chains of the generative part: they start where the last update left them
        (persistent contrastive divergence, "pcd" [2]_), or at the data (contrastive
        divergence, "cd" [1]_). Persistent chains may have fast weights ("fpcd" [3]_),
        or exchange states with hotter ones (parallel tempering, "tempering" [5]_).
    n_steps : int or tuple of int, default=1
        Number of Gibbs steps of these chains in each update. The values of a tuple
        share the epochs evenly, in order.
    n_chains : int or None, default=50
        Number of persistent chains; ``batch_size`` if None.
    n_temperatures : int, default=10
        Number of temperatures for "tempering", with ``n_chains`` chains at each.
    fast_learning_rate : float or None, default=None
        Learning rate of the fast weights for "fpcd", which decay by a twentieth in each
        update; the initial ``learning_rate`` if None.
    centering : {"start", "data", "moving"} or None, default=None
        If not None, use the centred gradient [6]_, whose offsets are means of visible
        and hidden units: those at the start of training, running means in the positive
        phase ("data"), or running averages of the means in both phases ("moving").
    solver : {"sgd", "adam"}, default="adam"
        Stochastic gradient descent, or Adam, which divides the gradient by its recent
        size, parameter by parameter.
    momentum : float or tuple of float, default=0.9
        Momentum coefficient (for "adam" the first beta). The values of a tuple share
        the epochs evenly, in order.
    schedule : {"constant", "invscaling", "linear", "cooldown"}, default="linear"
        The learning rate after t of T epochs is ``learning_rate`` times 1,
        ``1 / (1 + t) ** power_t``, ``1 - t / T`` or ``min(1, 5 * (1 - t / T))``.
    power_t : float, default=0.5
        Exponent for ``schedule="invscaling"``.
    l1, l2 : float, default=0.0
        Penalties on the weights: l1 times the sum of their absolute values and l2 / 2
        times the sum of their squares are subtracted from the log-likelihood per row;
        for real columns, as in :class:`GaussianRBM`.
    max_norm : float or None, default=None
        Maximum norm of the weights of each hidden unit, in the units of
        :class:`GaussianRBM`; with real columns, 4 keeps chains moving.
    sparsity_target : float or None, default=None
        Target for the mean of each hidden unit. If not None, the cross entropy of this
        and the running mean, times ``sparsity_cost``, is subtracted from the objective.
    sparsity_cost : float, default=0.1
        Weight of the sparsity term; see ``sparsity_target``.
    resample : bool, default=False
        If True, draw the bits of grey values anew at each presentation. If False, use
        grey values as they are.
    init_biases : {"marginals", "zeros"}, default="marginals"
        Initial visible biases: those with which independent units have the means of the
        data, or zeros. Initial weights are normal with standard deviation 0.01.
    early_stopping : bool, default=False
        If True, hold out rows, stop when the log probability of their labels no longer
        rises, and keep the parameters with which it was highest.
    validation_fraction : float, default=0.1
        Share of the rows to hold out.
    n_iter_no_change : int, default=5
        Number of epochs without an improvement of ``tol`` before stopping early.
    tol : float, default=1e-3
        Smallest improvement that counts, in nats per row.
    warm_start : bool, default=False
        If True, ``fit`` continues from the learned parameters.
    verbose : int, default=0
        If not 0, print a line for each epoch.
    random_state : int, RandomState instance or None, default=None
        Source of initial weights, the order of rows and samples.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    components_ : ndarray of shape (n_components, n_features)
        Weights W, transposed.
    label_components_ : ndarray of shape (n_components, n_classes)
        Weights U of the labels, transposed.
    intercept_hidden_ : ndarray of shape (n_components,)
        Hidden biases c.
    intercept_visible_ : ndarray of shape (n_features,)
        Visible biases b.
    intercept_label_ : ndarray of shape (n_classes,)
        Biases d of the labels.
    precision_ : ndarray of shape (n_features,)
        For real columns, the precisions of the original columns given the hidden units.
    mean_, scale_ : ndarray of shape (n_features,)
        For real columns, the values that are subtracted from them, and by which they
        are then divided; weights and biases are of the standardised columns.
    h_samples_ : ndarray of shape (n_chains, n_components)
        Hidden units of the training chains.
    chains_ : ndarray of shape (n_chains, n_features)
        Visible units of the training chains. With "cd", chains start at the data in
        each update and are not kept: these are then the chains of an earlier fit or, in
        the first one, draws from the initial model.
    swap_rates_ : ndarray of shape (n_temperatures - 1,)
        For "tempering": recent swap rates of chains at neighbouring temperatures, from
        the model's own temperature on.
    log_Z_ : float
        Log partition function, computed at first access.
    log_Z_se_ : float
        Standard error of ``log_Z_``; 0 where that is exact.
    density_kind_ : {"exact", "estimate"}
        Kind of density that :meth:`score_samples` returns: exact where the smaller
        layer has at most 20 units.
    loss_curve_ : list of float
        For each epoch the mean negative log probability of the labels of some training
        rows, in nats.
    validation_curve_ : list of float
        The same for held-out rows, with ``early_stopping``.
    n_iter_ : int
        Number of epochs done.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where X has some.

    References
    ----------
    .. [1] Hinton (2002). Training products of experts by minimizing contrastive
       divergence. Neural Computation.
    .. [2] Tieleman (2008). Training restricted Boltzmann machines using approximations
       to the likelihood gradient. ICML.
    .. [3] Tieleman and Hinton (2009). Using fast weights to improve persistent
       contrastive divergence. ICML.
    .. [4] Larochelle and Bengio (2008). Classification using discriminative restricted
       Boltzmann machines. ICML.
    .. [5] Desjardins, Courville, Bengio, Vincent and Delalleau (2010). Tempered Markov
       chain Monte Carlo for training of restricted Boltzmann machines. AISTATS.
    .. [6] Melchior, Fischer and Wiskott (2016). How to center deep Boltzmann machines.
       JMLR.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import RBMClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X /= 16
    >>> clf = RBMClassifier(n_components=50, random_state=0).fit(X[:1000], y[:1000])
    >>> clf.score(X[1000:], y[1000:]) > 0.9
    True
    >>> clf.sample(3, y=7, random_state=0).shape
    (3, 64)
    """

    _parameter_constraints: dict = {
        **_options.MACHINE,
        **_options.REAL,
        **_options.VISIBLE,
        "objective": [StrOptions({"hybrid", "discriminative", "generative"})],
        "generative_weight": [Interval(Real, 0, None, closed="left")],
        "unlabeled": "no_validation",
    }
    _DENSITY, _OBJECTIVE = LabelledDensity, HybridObjective

    def __init__(
        self,
        n_components=256,
        *,
        column_types="bernoulli",
        objective="hybrid",
        generative_weight=0.01,
        unlabeled=None,
        precision="diagonal",
        min_variance=0.05,
        quadratic=False,
        learning_rate=0.01,
        batch_size=10,
        n_iter=20,
        gradient="pcd",
        n_steps=1,
        n_chains=50,
        n_temperatures=10,
        fast_learning_rate=None,
        centering=None,
        solver="adam",
        momentum=0.9,
        schedule="linear",
        power_t=0.5,
        l1=0.0,
        l2=0.0,
        max_norm=None,
        sparsity_target=None,
        sparsity_cost=0.1,
        resample=False,
        init_biases="marginals",
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=5,
        tol=1e-3,
        warm_start=False,
        verbose=0,
        random_state=None,
    ):
        self.n_components = n_components
        self.column_types = column_types
        self.objective = objective
        self.generative_weight = generative_weight
        self.unlabeled = unlabeled
        self.precision = precision
        self.min_variance = min_variance
        self.quadratic = quadratic
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.n_iter = n_iter
        self.gradient = gradient
        self.n_steps = n_steps
        self.n_chains = n_chains
        self.n_temperatures = n_temperatures
        self.fast_learning_rate = fast_learning_rate
        self.centering = centering
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

    sample = sample_of_class

    def predict_log_proba(self, X):
        r"""Log probabilities of the labels.

        .. math:: \log p(y \mid v) = -F(v, y) - \log \sum_{y'} e^{-F(v, y')}

        Exact, except for rows with missing values under more than 20 hidden units, for
        which each label's free energy :math:`F(v, y)` is that of its mean-field bound.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        return super().predict_log_proba(X)

    def _logits(self, rows):
        return self.density_.log_joint_of(rows)
