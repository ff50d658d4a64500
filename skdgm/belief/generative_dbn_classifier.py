r"""Deep belief networks with a label in the top-level machine.

.. math:: p(v, h^1, \dots, h^L, y) = P(v \mid h^1) \cdots P(h^{L-2} \mid h^{L-1})
   \, p(h^{L-1}, y, h^L)

Directed layers below a restricted Boltzmann machine of hidden units and a label.
"""

from skdgm.belief._label_on_top import LabelOnTop
from skdgm.belief._network import BeliefNetwork


class GenerativeDBNClassifier(LabelOnTop, BeliefNetwork):
    r"""Deep belief network of data and labels: a density model that classifies.

    .. math::

        p(v, h^1, \dots, h^L, y) = p(h^{L-1}, y, h^L) \prod_{k=1}^{L-1}
        P(h^{k-1} \mid h^k), \qquad h^0 = v

    where :math:`P(h^{k-1} \mid h^k)` is the conditional distribution of a restricted
    Boltzmann machine, and the top-level machine, :math:`p(h^{L-1}, y, h^L)`, is an
    :class:`RBMClassifier` that learns the joint density of its units and the label
    [1]_. The layers are learned one by one from the bottom up, each on the hidden units
    of the layer below. Then all may be refined together. Label probabilities are exact
    under the top-level machine, given the means of one upward pass. A sample for a
    label is drawn from the top-level machine with the label clamped, then layer by
    layer downwards.

    Data are 0, 1 or probabilities of 1; or real columns of any scale, which are
    standardised internally. NaN marks a missing value in every method. Computations
    are in float64 for float64 data, otherwise in float32.

    Parameters
    ----------
    hidden_layer_sizes : int or tuple of int, default=(256, 256)
        Number of hidden units of each layer, from the bottom up.
    visible : {"bernoulli", "gaussian"}, default="bernoulli"
        Type of the columns: binary or real.
    unlabeled : object, default=None
        Value of y that marks rows without a label. All layers learn from these rows,
        too: the top-level machine draws their labels; :meth:`score` leaves them out.
        None means that all rows are labelled.
    layers : list of (str, machine), default=None
        A stack of machines given explicitly, as the steps of a Pipeline are, in place
        of all parameters that describe one: as in :class:`DBN`, but with an
        RBMClassifier of ``objective="generative"`` at the top. Their parameters can be
        set as ``name__parameter``.
    learning_rate, batch_size, n_iter, gradient, n_steps, n_chains, n_temperatures, \
            fast_learning_rate, centering, solver, momentum, schedule, power_t, l1, \
            l2, max_norm, sparsity_target, sparsity_cost, early_stopping, \
            validation_fraction, n_iter_no_change, tol : default=those of DBN
        Training options of each layer, as in :class:`DBN`; a tuple gives one value for
        each layer. Early stopping of the top-level machine monitors the log probability
        of labels.
    resample, samples : bool, default=True
        ``resample``: draw bits from grey data anew at each presentation. ``samples``:
        layers above the first learn from samples of the units below, not from their
        means.
    init : {"transpose", "random"}, default="transpose"
        Initial weights of a layer above the first, as in :class:`DBN`; those of the
        label are small random numbers.
    refine : {"up-down"} or None, default=None
        Joint refinement of all layers after they have been learned one by one: by
        contrastive wake-sleep [1]_, with labels in the top-level machine; or none.
    refine_iter : int, default=10
        Epochs of refinement.
    refine_learning_rate : float, default=0.01
        Learning rate at the start of refinement; it decreases linearly.
    refine_steps : int or tuple of int, default=(3, 6, 10)
        Number of Gibbs steps in the top-level machine during refinement. The values of
        a tuple share the epochs evenly.
    feature_layer : int, tuple of int or "all", default="all"
        Layer whose hidden units' means :meth:`transform` returns: 0 at the bottom, -1
        at the top; or several or all layers side by side. It may be changed after
        ``fit``.
    warm_start : bool, default=False
        If True, ``fit`` continues from the current parameters; if these were refined,
        it only refines them further.
    verbose : int, default=0
        If not zero, print a line for each epoch.
    random_state : int, RandomState instance or None, default=None
        Seed of initial weights, order of rows and sampling; machines in ``layers`` may
        have their own.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, in order.
    layers_ : list of machines
        Fitted machines from the bottom up, the last one an RBMClassifier; refinement
        changes the last one only.
    coefs_ : list of ndarray of shape (n_below, n_above)
        Recognition weights of each layer.
    intercepts_ : list of ndarray of shape (n_above,)
        Recognition biases, of the units above.
    generative_coefs_ : list of ndarray of shape (n_above, n_below)
        Generative weights of each layer; without refinement the transposed recognition
        weights.
    generative_intercepts_ : list of ndarray of shape (n_below,)
        Generative biases, of the units below.
    log_Z_ : float
        Log partition function of the top-level machine, computed at first use.
    log_Z_se_ : float
        Standard error of ``log_Z_``; 0 where log Z is exact.
    density_kind_ : {"exact", "lower bound", "estimate"}
        Meaning of :meth:`score_samples`, which scores data without their labels: as in
        a :class:`DBN`.
    loss_curves_ : list of list of float
        Losses of each layer, one per epoch; that of the top-level machine is the mean
        negative log-likelihood of labels. After refinement also its losses: minus the
        mean bound on the log probability of some training rows and their labels, with a
        pseudo-likelihood in place of the top-level machine's log probability.
    n_iter_ : int
        Total number of epochs, over all layers and refinement.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if X has names.

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
