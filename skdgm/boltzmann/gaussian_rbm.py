r"""Restricted Boltzmann machines with real visible units.

.. math:: E(v, h) = \tfrac12 v^\top (\beta \odot v) - (v \odot \beta)^\top (W h + b) -
   c^\top h

Given the hidden units, the visible ones are normal with precisions :math:`\beta`.
"""

from sklearn.utils._param_validation import StrOptions

from skdgm.boltzmann import _options
from skdgm.boltzmann._learning.sampling_free import OF_REALS
from skdgm.boltzmann._machine import Machine
from skdgm.boltzmann._methods import pseudo_likelihood


class GaussianRBM(Machine):
    r"""Restricted Boltzmann machine with real visible and binary hidden units.

    .. math::

        p(v, h) = e^{-E(v, h)} / Z, \qquad E(v, h) = \tfrac12 v^\top (\beta \odot v) -
        (v \odot \beta)^\top (W h + b) - c^\top h

    so that :math:`p(v \mid h) = \mathcal{N}(v; W h + b, \beta^{-1})` and
    :math:`p(h_j = 1 \mid v) = \sigma(c_j + (v \odot \beta)^\top W_{:j})`
    [7]_: a mixture of as many normal distributions as the hidden units have states.

    Columns may have any scale: they are standardised internally, by the means and
    scales of the first data that the machine is fitted to. Densities and samples are
    those of the original columns. NaN is a missing value, in every method. Float64 data
    are processed in float64, all others in float32.

    Parameters
    ----------
    n_components : int, default=256
        Number of hidden units.
    precision : {"diagonal", "scalar", "fixed"}, default="diagonal"
        Precisions given the hidden units: one learned for each column, one learned for
        all standardised columns, or fixed at the inverse variances of the columns.
    min_variance : float, default=0.05
        Lower limit of a unit's learned variance given the hidden units, as a share of
        its column's variance. Columns that reach it are named in a warning. The lower
        it is, the sooner the chains of long fits stop mixing.
    quadratic : bool, default=False
        If True, train with an energy to which :math:`\tfrac12 \sum_i \beta_i W_{ij}^2`
        is added for each hidden unit that is on, which penalises large weights. The
        fitted attributes are those of the plain energy.
    learning_rate : float, default=0.1
        Initial learning rate; see ``schedule``. With "sgd", steps are shortened where
        many columns or hidden units would make them overshoot.
    batch_size : int, default=10
        Number of rows in each update.
    n_iter : int, default=20
        Number of epochs.
    gradient : {"pcd", "cd", "fpcd", "tempering", "score-matching", "denoising"}, \
            default="pcd"
        Chains of the negative phase: they start where the last update left them
        (persistent contrastive divergence, "pcd" [2]_), or at the data (contrastive
        divergence, "cd" [1]_). Persistent chains may have fast weights ("fpcd" [4]_),
        or exchange states with hotter ones (parallel tempering, "tempering" [5]_).
        Or an objective that needs no chains: the match of the slopes of the log density
        with those of the data's [8]_, or with those of rows to which noise is added, a
        fifth of a column's standard deviation [9]_. The model is then one of noisy
        rows.
    n_steps : int or tuple of int, default=1
        Number of Gibbs steps of these chains in each update; without a use for them,
        of chains from which samples start. The values of a tuple share the epochs
        evenly, in order.
    n_chains : int or None, default=50
        Number of persistent chains; ``batch_size`` if None.
    n_temperatures : int, default=10
        Number of temperatures for "tempering", with ``n_chains`` chains at each.
    fast_learning_rate : float or None, default=None
        Learning rate of the fast weights for "fpcd", which decay by a twentieth in each
        update; the initial ``learning_rate`` if None.
    centering : {"start", "data", "moving"} or None, default="data"
        If not None, use the centred gradient [6]_, whose offsets are means of visible
        and hidden units: those at the start of training, running means in the positive
        phase ("data"), or running averages of the means in both phases ("moving").
    solver : {"sgd", "adam"}, default="sgd"
        Stochastic gradient descent, or Adam, which divides the gradient by its recent
        size, parameter by parameter.
    momentum : float or tuple of float, default=0.0
        Momentum coefficient (for "adam" the first beta). The values of a tuple share
        the epochs evenly, in order.
    schedule : {"constant", "invscaling", "linear", "cooldown"}, default="linear"
        The learning rate after t of T epochs is ``learning_rate`` times 1,
        ``1 / (1 + t) ** power_t``, ``1 - t / T`` or ``min(1, 5 * (1 - t / T))``.
    power_t : float, default=0.5
        Exponent for ``schedule="invscaling"``.
    l1, l2 : float, default=0.0
        Penalties on the weights: l1 times the sum of their absolute values and l2 / 2
        times the sum of their squares, each times its column's precision, are
        subtracted from the log-likelihood per row. Precisions are learned as if there
        were no l1.
    max_norm : float or None, default=4.0
        Maximum norm of the weights of each hidden unit, in the standard deviations of
        the columns given the hidden units. Chains seldom change a unit with a larger
        norm.
    sparsity_target : float or None, default=None
        Target for the mean of each hidden unit. If not None, the cross entropy of this
        and the running mean, times ``sparsity_cost``, is subtracted from the objective.
    sparsity_cost : float, default=0.1
        Weight of the sparsity term; see ``sparsity_target``.
    early_stopping : bool, default=False
        If True, hold out rows, stop when their pseudo-likelihood no longer rises, and
        keep the parameters with which it was highest.
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
    components_ : ndarray of shape (n_components, n_features)
        Weights W of the standardised columns, transposed.
    intercept_hidden_ : ndarray of shape (n_components,)
        Hidden biases c.
    intercept_visible_ : ndarray of shape (n_features,)
        Visible biases b, of the standardised columns.
    mean_, scale_ : ndarray of shape (n_features,)
        Values that are subtracted from the columns, and by which these are then
        divided.
    h_samples_ : ndarray of shape (n_chains, n_components)
        Hidden units of the training chains.
    precision_ : ndarray of shape (n_features,)
        Precisions of the original columns, given the hidden units.
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
        For each epoch the negative pseudo-likelihood of training rows, estimated from
        some of their units, in nats per row.
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
    .. [3] Salakhutdinov and Murray (2008). On the quantitative analysis of deep belief
       networks. ICML.
    .. [4] Tieleman and Hinton (2009). Using fast weights to improve persistent
       contrastive divergence. ICML.
    .. [5] Desjardins, Courville, Bengio, Vincent and Delalleau (2010). Tempered Markov
       chain Monte Carlo for training of restricted Boltzmann machines. AISTATS.
    .. [6] Melchior, Fischer and Wiskott (2016). How to center deep Boltzmann machines.
       JMLR.
    .. [7] Goodfellow, Bengio and Courville (2016). Deep Learning, section 20.5.1. MIT
       Press.
    .. [8] Hyvärinen (2005). Estimation of non-normalized statistical models by score
       matching. JMLR.
    .. [9] Vincent (2011). A connection between score matching and denoising
       autoencoders. Neural Computation.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdgm import GaussianRBM
    >>> X = load_iris().data
    >>> rbm = GaussianRBM(n_components=8, n_iter=100, random_state=0).fit(X)
    >>> rbm.transform(X).shape
    (150, 8)
    >>> rbm.density_kind_
    'exact'
    >>> print(f"{rbm.score(X):.1f} nats")
    -2.8 nats
    """

    _parameter_constraints: dict = {
        **_options.MACHINE,
        **_options.REAL,
        "gradient": [StrOptions({"pcd", "cd", "fpcd", "tempering", *OF_REALS})],
    }
    _parameter_constraints.pop("resample")
    _parameter_constraints.pop("init_biases")
    # Real values are never drawn as bits.
    _IMPLIED = {**Machine._IMPLIED, "column_types": "gaussian", "resample": False}

    def __init__(
        self,
        n_components=256,
        *,
        precision="diagonal",
        min_variance=0.05,
        quadratic=False,
        learning_rate=0.1,
        batch_size=10,
        n_iter=20,
        gradient="pcd",
        n_steps=1,
        n_chains=50,
        n_temperatures=10,
        fast_learning_rate=None,
        centering="data",
        solver="sgd",
        momentum=0.0,
        schedule="linear",
        power_t=0.5,
        l1=0.0,
        l2=0.0,
        max_norm=4.0,
        sparsity_target=None,
        sparsity_cost=0.1,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=5,
        tol=1e-3,
        warm_start=False,
        verbose=0,
        random_state=None,
    ):
        self.n_components = n_components
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
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state

    pseudo_likelihood = pseudo_likelihood
