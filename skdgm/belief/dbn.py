r"""Deep belief networks.

.. math:: p(v, h^1, \dots, h^L) = P(v \mid h^1) \cdots P(h^{L-2} \mid h^{L-1})
   \, p(h^{L-1}, h^L)

Directed layers below a restricted Boltzmann machine.
"""

from sklearn.base import _fit_context

from skdgm.base import rolled_back
from skdgm.belief._network import BeliefNetwork


class DBN(BeliefNetwork):
    r"""Deep belief network: directed layers below a restricted Boltzmann machine.

    .. math::

        p(v, h^1, \dots, h^L) = p(h^{L-1}, h^L) \prod_{k=1}^{L-1} P(h^{k-1} \mid h^k),
        \qquad h^0 = v

    where :math:`P(h^{k-1} \mid h^k)` is the conditional distribution of a restricted
    Boltzmann machine, and :math:`p(h^{L-1}, h^L)` the joint distribution of the
    top-level machine [1]_. The layers are learned one by one from the bottom up, each
    on the hidden units of the layer below: each may raise a lower bound on the
    log-likelihood further. Then all layers may be refined together.

    Data are 0, 1 or probabilities of 1; or real columns of any scale, which are
    standardised internally. NaN marks a missing value in every method. Computations
    are in float64 for float64 data, otherwise in float32.

    Parameters
    ----------
    hidden_layer_sizes : int or tuple of int, default=(256, 256)
        Number of hidden units of each layer, from the bottom up.
    column_types : {"bernoulli", "gaussian"}, default="bernoulli"
        Type of the columns: binary or real.
    layers : list of (str, machine), default=None
        A stack of machines given explicitly, as the steps of a Pipeline are, in place
        of all parameters that describe one: BernoulliRBM, or at the bottom
        GaussianRBM. Clones of them are fitted. Their parameters can be set as
        ``name__parameter``.
    learning_rate, batch_size, n_iter, gradient, n_steps, n_chains, n_temperatures, \
            fast_learning_rate, centering, solver, momentum, schedule, power_t, l1, \
            l2, max_norm, sparsity_target, sparsity_cost, early_stopping, \
            validation_fraction, n_iter_no_change, tol : default=those of the layers
        Training options of each layer, as in :class:`~skdgm.BernoulliRBM`. A tuple
        gives one value for each layer (which may be a tuple itself). ``schedule`` is
        "linear", since a layer has more epochs than a BernoulliRBM alone. Three are
        "auto" by default. ``n_iter``: as many epochs as present 20 million values of X,
        or make 12,000 updates if that is fewer (not below a label); at least 20 and at
        most 200. ``centering`` and ``max_norm``: the machine's own defaults, which are
        None for binary columns, "data" and 4.0 for real columns; but layers above the
        first, whose units are on about half of the time, have ``centering="data"``.
    resample : bool, default=True
        If True, bits are drawn from grey data anew at each presentation; if False,
        grey values are used as they are.
    samples : bool, default=True
        If True, a layer above the first learns from samples of the units below, drawn
        anew at each presentation; if False, from their means.
    init_layers : {"transpose", "random"}, default="transpose"
        Initial weights of a layer above the first. "transpose": the transposed weights
        of the layer below, where the new layer has enough units and the layer below no
        real ones, so that the bound starts where the layer below ended. Otherwise, and
        for "random": small random numbers.
    refine : {"up-down"} or None, default=None
        Joint refinement of all layers after they have been learned one by one: by
        contrastive wake-sleep [2]_, which gives the directed layers separate
        recognition and generative weights; or none.
    refine_iter : int, default=10
        Epochs of refinement.
    refine_learning_rate : float, default=0.01
        Learning rate at the start of refinement; it decreases linearly.
    refine_steps : int or tuple of int, default=(3, 6, 10)
        Number of Gibbs steps in the top-level machine during refinement. The values of
        a tuple share the epochs evenly.
    feature_layer : int, tuple of int or "all", default="all"
        Layer whose hidden units' means :meth:`transform` returns: 0 at the bottom, -1
        at the top; or several or all layers side by side. Labels are best predicted
        from all. It may be changed after ``fit``.
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
    layers_ : list of machines
        Fitted machines from the bottom up; refinement changes the last one only.
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
        Meaning of :meth:`score_samples`: a lower bound, in expectation over draws, if
        log Z is exact, because one of the top-level machine's layers has at most 20
        units, otherwise an estimate of one. For a single layer, as for a BernoulliRBM.
    loss_curves_ : list of list of float
        Losses of each layer, one per epoch; after refinement also its losses: minus the
        mean bound of some training rows, with a pseudo-likelihood in place of the
        top-level machine's log probability.
    n_iter_ : int
        Total number of epochs, over all layers and refinement.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if X has names.

    References
    ----------
    .. [1] Hinton and Salakhutdinov (2006). Reducing the dimensionality of data with
       neural networks. Science.
    .. [2] Hinton, Osindero and Teh (2006). A fast learning algorithm for deep belief
       nets. Neural Computation.
    .. [3] Salakhutdinov and Murray (2008). On the quantitative analysis of deep belief
       networks. ICML.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import DBN
    >>> X = load_digits().data / 16
    >>> dbn = DBN((64, 16), n_iter=20, learning_rate=(0.1, 0.05), random_state=0).fit(X)
    >>> dbn.transform(X).shape
    (1797, 80)
    >>> dbn.density_kind_
    'lower bound'
    >>> dbn.sample(3, random_state=0).shape
    (3, 64)
    """

    def __init__(
        self,
        hidden_layer_sizes=(256, 256),
        *,
        column_types="bernoulli",
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
        init_layers="transpose",
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
        self.column_types = column_types
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
        self.init_layers = init_layers
        self.refine = refine
        self.refine_iter = refine_iter
        self.refine_learning_rate = refine_learning_rate
        self.refine_steps = refine_steps
        self.feature_layer = feature_layer
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state

    @rolled_back
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Fit one layer after the other; then refine all, if ``refine`` is set.

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
            all are zero; an option given as a tuple has not one value for each layer.
        DivergenceError
            Training of a layer diverged. The estimator keeps the layers below, and the
            last good parameters of this layer.
        """
        return self._fit(X, y, sample_weight)

    def partial_fit(self, X, y=None, sample_weight=None, layer=None):
        """Continue training: one pass over the rows for each layer in turn, or for one.

        A pass is an epoch as in :meth:`fit`, and may come before or after calls of it;
        but the total number of epochs is unknown, so ``schedule="linear"`` leaves
        ``learning_rate`` as it is, and the last of several ``n_steps`` holds. If
        ``fit`` refined the layers, a pass refines all of them further.

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
            As in :meth:`fit`; or there is no such layer, or the layers were refined and
            only learn jointly now.
        """
        return self._partial_fit(X, y, sample_weight, layer=layer)
