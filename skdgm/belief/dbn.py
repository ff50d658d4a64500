r"""Deep belief networks.

.. math:: p(v, h^1, \dots, h^L) = P(v \mid h^1) \cdots P(h^{L-2} \mid h^{L-1})
   \, p(h^{L-1}, h^L)

Directed layers, and a restricted Boltzmann machine on top of them.
"""

from skdgm.belief._network import BeliefNetwork


class DBN(BeliefNetwork):
    r"""Deep belief network: a restricted Boltzmann machine over directed layers.

    .. math::

        p(v, h^1, \dots, h^L) = p(h^{L-1}, h^L) \prod_{k=1}^{L-1} P(h^{k-1} \mid h^k),
        \qquad h^0 = v

    where :math:`P(h^{k-1} \mid h^k)` is the conditional distribution of a restricted
    Boltzmann machine, and :math:`p(h^{L-1}, h^L)` all of the top one [1]_. Each is
    learned in turn, on what the one below makes of the data: each may raise a bound on
    their likelihood further. Then all may be refined together.

    Data are 0, 1 or probabilities of 1, or real columns of any scale, which are
    standardised inside. NaN is a missing value, in every method. Float64 data are
    computed in float64, all others in float32.

    Parameters
    ----------
    hidden_layer_sizes : int or tuple of int, default=(256, 256)
        Numbers of hidden units, from the bottom up.
    visible : {"bernoulli", "gaussian"}, default="bernoulli"
        Whether columns are binary or real.
    layers : list of (str, machine), default=None
        A stack made by hand, as in a Pipeline, in place of all parameters that describe
        one: BernoulliRBM, or GaussianRBM at the bottom. Copies of them are fitted.
        Their parameters can be reached by ``name__parameter``.
    learning_rate, batch_size, n_iter, gradient, n_steps, n_chains, n_temperatures, \
            fast_learning_rate, centering, solver, momentum, schedule, power_t, l1, \
            l2, max_norm, sparsity_target, sparsity_cost, early_stopping, \
            validation_fraction, n_iter_no_change, tol : default=those of the layers
        How each layer learns: see :class:`~skdgm.BernoulliRBM`. A tuple has one value
        for each layer (which may be a tuple itself). Three are "auto". ``n_iter``: so
        many epochs as show 20 million values of X, but from 20 to 200.
        ``centering`` and ``max_norm``: a machine's own default, which is None for
        binary columns, "data" and 4.0 for real ones; but above the first layer, where
        units are on half of the time, "data" is the centering.
    resample : bool, default=True
        If True, grey data are drawn as bits anew at each presentation. If False, they
        are taken as they are.
    samples : bool, default=True
        Whether a layer above the first one learns from draws of the units below it,
        new ones at each presentation, or from their means.
    init : {"transpose", "random"}, default="transpose"
        Weights at the start of a layer above the first one: those of the layer below,
        transposed, where there are enough units (and no real ones), so that the bound
        starts where the layer below ended; or small random numbers.
    refine : {"up-down"} or None, default=None
        Whether to refine all layers together in the end, by contrastive wake-sleep
        [2]_, which gives the directed ones weights of their own for either direction.
    refine_iter : int, default=10
        Epochs of it.
    refine_learning_rate : float, default=0.01
        At the start; it falls linearly.
    refine_steps : int or tuple of int, default=(3, 6, 10)
        Gibbs steps in the top machine. A tuple's values share the epochs evenly.
    feature_layer : int, tuple of int or "all", default="all"
        The layer whose units' means :meth:`transform` gives, 0 at the bottom, -1 at the
        top; or some, or all of them, side by side, by which labels are told best. It
        may be changed after ``fit``.
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
    layers_ : list of machines
        From the bottom up, each fitted by itself; refining changes the last one only.
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
        What :meth:`score_samples` is: a lower bound where log Z is exact, since one of
        the top machine's layers has at most 20 units, else an estimate of one. Of a
        single layer it is as of a BernoulliRBM.
    loss_curves_ : list of list of float
        The layers' losses, epoch by epoch, and those of refining: minus the bound, with
        a pseudo-likelihood at the top, of some rows.
    n_iter_ : int
        Epochs done, in all.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Where X has names for its columns.

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
        visible="bernoulli",
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
