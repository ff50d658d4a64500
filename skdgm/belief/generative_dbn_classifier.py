r"""Deep belief networks with a label in the top machine.

.. math:: p(v, h^1, \dots, h^L, y) = P(v \mid h^1) \cdots P(h^{L-2} \mid h^{L-1})
   \, p(h^{L-1}, y, h^L)

Directed layers, and on top of them a restricted Boltzmann machine of units and a label.
"""

from skdgm.belief._label_on_top import LabelOnTop
from skdgm.belief._network import BeliefNetwork


class GenerativeDBNClassifier(LabelOnTop, BeliefNetwork):
    r"""Deep belief network of data and labels: a density that classifies.

    .. math::

        p(v, h^1, \dots, h^L, y) = p(h^{L-1}, y, h^L) \prod_{k=1}^{L-1}
        P(h^{k-1} \mid h^k), \qquad h^0 = v

    where :math:`P(h^{k-1} \mid h^k)` is the conditional distribution of a restricted
    Boltzmann machine, and the top one, :math:`p(h^{L-1}, y, h^L)`, an
    :class:`RBMClassifier` that learns the joint density of units and label [1]_. Each
    is learned in turn, on what the one below makes of the data. Then all may be refined
    together. A label's probability is that of the top machine, exactly, given means on
    the way up; a sample for a label is drawn from the top machine with the label held,
    and goes layer by layer down.

    Data are 0, 1 or probabilities of 1, or real columns of any scale, which are
    standardised inside. NaN is a missing value, in every method. Float64 data are
    computed in float64, all others in float32.

    Parameters
    ----------
    hidden_layer_sizes : int or tuple of int, default=(256, 256)
        Numbers of hidden units, from the bottom up.
    visible : {"bernoulli", "gaussian"}, default="bernoulli"
        Whether columns are binary or real.
    unlabeled : object, default=None
        The value of y for rows without a label, which are learned of in all layers; the
        top machine draws their labels, and :meth:`score` leaves them out. None means
        that all rows are labelled.
    layers : list of (str, machine), default=None
        A stack made by hand, as in a Pipeline, in place of all parameters that describe
        one: as of :class:`DBN`, but on top a RBMClassifier with
        ``objective="generative"``. Their parameters can be reached by
        ``name__parameter``.
    learning_rate, batch_size, n_iter, gradient, n_steps, n_chains, n_temperatures, \
            fast_learning_rate, centering, solver, momentum, schedule, power_t, l1, \
            l2, max_norm, sparsity_target, sparsity_cost, early_stopping, \
            validation_fraction, n_iter_no_change, tol : default=those of DBN
        How each layer learns, as of :class:`DBN`; a tuple has one value for each layer.
        Stopped early, the top machine is watched for its labels' log probability.
    resample, samples : bool, default=True
        Whether grey data are drawn as bits anew at each presentation; whether layers
        above the first one learn from draws of the units below.
    init : {"transpose", "random"}, default="transpose"
        Weights at the start of a layer above the first one, as of :class:`DBN`; those
        of the label are small random numbers.
    refine : {"up-down"} or None, default=None
        Whether to refine all layers together in the end, by contrastive wake-sleep
        [1]_, with labels in the top machine.
    refine_iter : int, default=10
        Epochs of it.
    refine_learning_rate : float, default=0.01
        At the start; it falls linearly.
    refine_steps : int or tuple of int, default=(3, 6, 10)
        Gibbs steps in the top machine. A tuple's values share the epochs evenly.
    feature_layer : int, tuple of int or "all", default="all"
        The layer whose units' means :meth:`transform` gives, 0 at the bottom, -1 at the
        top; or some, or all of them, side by side. It may be changed after ``fit``.
    warm_start : bool, default=False
        If True, ``fit`` goes on from the parameters there are; where they were refined,
        with refining.
    verbose : int, default=0
        If not zero, print a line for each epoch.
    random_state : int, RandomState instance or None, default=None
        For initial weights, order of rows and sampling; machines in ``layers`` may have
        their own.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    layers_ : list of machines
        From the bottom up, each fitted by itself, the last one a RBMClassifier;
        refining changes this one only.
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights on the way up, those of recognition.
    intercepts_ : list of ndarray of shape (n_above,)
        Biases on the way up.
    generative_coefs_ : list of ndarray of shape (n_above, n_below)
        Weights on the way down; not refined they are those of the way up.
    generative_intercepts_ : list of ndarray of shape (n_below,)
        Biases on the way down.
    log_Z_ : float
        Log partition function of the top machine, computed at first use.
    log_Z_se_ : float
        Its standard error; 0 where it is exact.
    density_kind_ : {"exact", "lower bound", "estimate"}
        What :meth:`score_samples` is, of data without their labels: as of a
        :class:`DBN`.
    loss_curves_ : list of list of float
        The layers' losses, epoch by epoch: the top machine's is minus the mean log
        probability of labels. Then those of refining: minus the bound on the log
        probability of some rows and their labels, with a pseudo-likelihood at the top.
    n_iter_ : int
        Epochs done, in all.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Where X has names for its columns.

    References
    ----------
    .. [1] Hinton, Osindero and Teh (2006). A fast learning algorithm for deep belief
       nets. Neural Computation.
    .. [2] Larochelle and Bengio (2008). Classification using discriminative restricted
       Boltzmann machines. ICML.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import GenerativeDBNClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X /= 16
    >>> clf = GenerativeDBNClassifier((128, 128), n_iter=60, random_state=0)
    >>> clf.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.9
    True
    >>> clf.sample(3, y=7, random_state=0).shape
    (3, 64)
    """

    _parameter_constraints: dict = {
        **BeliefNetwork._parameter_constraints,
        "unlabeled": "no_validation",
    }

    def __init__(
        self,
        hidden_layer_sizes=(256, 256),
        *,
        visible="bernoulli",
        unlabeled=None,
        layers=None,
        learning_rate=0.1,
        batch_size=10,
        n_iter="auto",
        gradient="pcd",
        n_steps=1,
        n_chains=50,
        n_temperatures=10,
        fast_learning_rate=None,
        centering="auto",
        solver="sgd",
        momentum=0.0,
        schedule="linear",
        power_t=0.5,
        l1=0.0,
        l2=0.0,
        max_norm="auto",
        sparsity_target=None,
        sparsity_cost=0.1,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=5,
        tol=1e-3,
        resample=True,
        samples=True,
        init="transpose",
        refine=None,
        refine_iter=10,
        refine_learning_rate=0.01,
        refine_steps=(3, 6, 10),
        feature_layer="all",
        warm_start=False,
        verbose=0,
        random_state=None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.visible = visible
        self.unlabeled = unlabeled
        self.layers = layers
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
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.resample = resample
        self.samples = samples
        self.init = init
        self.refine = refine
        self.refine_iter = refine_iter
        self.refine_learning_rate = refine_learning_rate
        self.refine_steps = refine_steps
        self.feature_layer = feature_layer
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state
