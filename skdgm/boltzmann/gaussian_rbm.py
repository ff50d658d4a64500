r"""Restricted Boltzmann machines with real visible units.

.. math:: E(v, h) = \tfrac12 v^\top (\beta \odot v) - (v \odot \beta)^\top (W h + b) -
   c^\top h

The visible units are normal given the hidden ones, with precisions :math:`\beta`.
"""

from numbers import Real

from sklearn.utils._param_validation import Interval, StrOptions

from skdgm.boltzmann._pseudo_likelihood import PseudoLikelihoodMixin
from skdgm.boltzmann._restricted import RestrictedMachine
from skdgm.boltzmann._visible import REAL


class GaussianRBM(PseudoLikelihoodMixin, RestrictedMachine):
    r"""Restricted Boltzmann machine with real visible and binary hidden units.

    .. math::

        p(v, h) = e^{-E(v, h)} / Z, \qquad E(v, h) = \tfrac12 v^\top (\beta \odot v) -
        (v \odot \beta)^\top (W h + b) - c^\top h

    so that :math:`p(v \mid h) = \mathcal{N}(v; W h + b, \beta^{-1})` and
    :math:`p(h_j = 1 \mid v) = \sigma(c_j + (v \odot \beta)^\top W_{:j})`
    [7]_: a mixture of as many normal distributions as the hidden units have states.

    Columns may be of any scale: inside they are standardised, by the means and scales
    of the first data that the machine is fitted to. Densities and samples are those of
    the columns as they are. NaN is a missing value, in every method. Float64 data are
    computed in float64, all others in float32.

    Parameters
    ----------
    n_components : int, default=256
        Number of hidden units.
    precision : {"diagonal", "scalar", "fixed"}, default="diagonal"
        Whether the precisions are learned, one for each column or one for all of the
        standardised columns; or fixed at the columns' own, the inverse variances.
    min_variance : float, default=0.05
        No unit's variance given the hidden units is learned to be less than this share
        of its column's variance. Columns that come down to it are named in a warning.
        The lower it is, the sooner do the chains of long fits stand still.
    quadratic : bool, default=False
        If True, learn by the energy that has :math:`\tfrac12 \sum_i \beta_i W_{ij}^2`
        more for each hidden unit that is on, which holds back strong ones. The
        attributes are those of the plain energy.
    learning_rate : float, default=0.1
        At the start; see ``schedule``. With "sgd", steps are shortened where many
        columns or hidden units would make them overshoot.
    batch_size : int, default=10
        Rows for each update.
    n_iter : int, default=20
        Epochs.
    gradient : {"pcd", "cd", "fpcd", "tempering"}, default="pcd"
        Where the chains of the negative phase start: where the last update left them
        (persistent contrastive divergence [2]_), or at the data (contrastive
        divergence [1]_). Persistent chains may be driven on by fast weights ("fpcd"
        [4]_), or change places with hotter ones (parallel "tempering" [5]_).
    n_steps : int or tuple of int, default=1
        Gibbs steps of these chains for each update. A tuple's values share the epochs
        evenly, in order.
    n_chains : int or None, default=50
        Number of persistent chains; as many as ``batch_size`` if None.
    n_temperatures : int, default=10
        For "tempering": there are as many chains at each.
    fast_learning_rate : float or None, default=None
        For "fpcd": that of the fast weights, which are forgotten by a twentieth each
        update; ``learning_rate`` as it is at the start if None.
    centering : {"start", "data", "moving"} or None, default="data"
        If not None, learn by the centred gradient [6]_, whose offsets are the means of
        visible and hidden units at the start of training; those in the data's phase;
        or the mean of those in both phases. The latter two follow as training goes on.
    solver : {"sgd", "adam"}, default="sgd"
        Steps along the gradient, or in units of its recent size, number by number.
    momentum : float or tuple of float, default=0.0
        What stays of the last step (of "adam": the first of its betas). A tuple's
        values share the epochs evenly, in order.
    schedule : {"constant", "invscaling", "linear"}, default="linear"
        The learning rate after t of T epochs is ``learning_rate`` times 1,
        ``1 / (1 + t) ** power_t`` or ``1 - t / T``.
    power_t : float, default=0.5
        For ``schedule="invscaling"``.
    l1, l2 : float, default=0.0
        Penalties on the weights: l1 times their absolute sum and l2 / 2 times their sum
        of squares, each times its column's precision, taken from the log-likelihood per
        row. Precisions are learned as if there were no l1.
    max_norm : float or None, default=4.0
        The highest norm that the weights of a hidden unit may have, in the standard
        deviations of the columns given the hidden units. Chains seldom change a unit
        that has more.
    sparsity_target : float or None, default=None
        How often hidden units are to be on. Minus the cross entropy of this and of how
        often they are, times ``sparsity_cost``, is added to what is maximised.
    sparsity_cost : float, default=0.1
    early_stopping : bool, default=False
        Hold out rows, stop when their pseudo-likelihood no longer rises, and keep the
        parameters with which it was highest.
    validation_fraction : float, default=0.1
        The share of the rows to hold out.
    n_iter_no_change : int, default=5
        Epochs without an improvement of ``tol`` before stopping early.
    tol : float, default=1e-3
        In nats per row.
    warm_start : bool, default=False
        If True, ``fit`` goes on from the parameters there are.
    verbose : int, default=0
        If not zero, print a line for each epoch.
    random_state : int, RandomState instance or None, default=None
        For initial weights, order of rows and sampling.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        The weights, transposed, of the standardised columns.
    intercept_hidden_ : ndarray of shape (n_components,)
        The hidden biases c.
    intercept_visible_ : ndarray of shape (n_features,)
        The visible biases b, of the standardised columns.
    mean_, scale_ : ndarray of shape (n_features,)
        What is subtracted from the columns, and what they are divided by.
    h_samples_ : ndarray of shape (n_chains, n_components)
        Hidden units of the training chains.
    precision_ : ndarray of shape (n_features,)
        The precisions, given the hidden units, of the columns as they are.
    chains_ : ndarray of shape (n_chains, n_features)
        Visible units of the training chains. Those of "cd" start at rows of the data
        each time and are not kept: then these are the chains of an earlier fit or, in
        the first one, draws from the model that training began with.
    swap_rates_ : ndarray of shape (n_temperatures - 1,)
        For "tempering": how often chains at neighbouring temperatures changed places
        lately, from the model's own temperature on.
    log_Z_ : float
        Log partition function, computed at first use.
    log_Z_se_ : float
        Its standard error; 0 where it is exact.
    density_kind_ : {"exact", "estimate"}
        What :meth:`score_samples` is: exact where the smaller layer has at most 20
        units.
    loss_curve_ : list of float
        For each epoch minus the pseudo-likelihood of training rows, estimated from some
        of their units, in nats per row.
    validation_curve_ : list of float
        The same for held-out rows, with ``early_stopping``.
    n_iter_ : int
        Epochs done.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Where X has names for its columns.

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
        **RestrictedMachine._parameter_constraints,
        "precision": [StrOptions({"diagonal", "scalar", "fixed"})],
        "min_variance": [Interval(Real, 0, 1, closed="both")],
        "quadratic": ["boolean"],
    }
    _parameter_constraints.pop("resample")
    _parameter_constraints.pop("init")
    _domain = REAL
    # Real values are never drawn as bits.
    _IMPLIED = {**RestrictedMachine._IMPLIED, "resample": False}

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
