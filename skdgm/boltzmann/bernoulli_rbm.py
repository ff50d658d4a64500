r"""Restricted Boltzmann machines.

.. math:: E(v, h) = -b^\top v - c^\top h - v^\top W h

A layer of visible units and one of hidden units, coupled by W.
"""

from sklearn.utils._param_validation import StrOptions

from skdgm.boltzmann._learning.sampling_free import OF_BITS
from skdgm.boltzmann._machine import Machine
from skdgm.boltzmann._methods import pseudo_likelihood


class BernoulliRBM(Machine):
    r"""Restricted Boltzmann machine with binary visible and hidden units.

    .. math::

        p(v, h) = e^{-E(v, h)} / Z, \qquad E(v, h) = -b^\top v - c^\top h - v^\top W h

    so that both conditionals factorise: :math:`p(h_j = 1 \mid v) =
    \sigma(c_j + v^\top W_{:j})` and :math:`p(v_i = 1 \mid h) = \sigma(b_i + W_{i:} h)`.

    Parameters are those of :class:`sklearn.neural_network.BernoulliRBM`, and more. Data
    are 0 or 1, or probabilities of 1 (grey values). NaN is a missing value, in every
    method. Float64 data are processed in float64, all others in float32.

    Parameters
    ----------
    n_components : int, default=256
        Number of hidden units.
    learning_rate : float, default=0.1
        Initial learning rate; see ``schedule``.
    batch_size : int, default=10
        Number of rows in each update.
    n_iter : int, default=20
        Number of epochs.
    gradient : {"pcd", "cd", "fpcd", "tempering", "pseudo-likelihood", \
            "block-pseudo-likelihood", "ratio-matching", "probability-flow", \
            "noise-contrastive"}, default="pcd"
        Chains of the negative phase: they start where the last update left them
        (persistent contrastive divergence, "pcd" [2]_), or at the data (contrastive
        divergence, "cd" [1]_). Persistent chains may have fast weights ("fpcd" [4]_),
        or exchange states with hotter ones (parallel tempering, "tempering" [5]_).
        Or an objective other than the likelihood, which needs no chains: conditional
        probabilities of bits or of random blocks of five, given all others [7]_; ratio
        matching [8]_; minimum probability flow [9]_; or telling rows from draws of
        their marginals, with log Z as a parameter [10]_.
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
    centering : {"start", "data", "moving"} or None, default=None
        If not None, use the centred gradient [6]_, whose offsets are means of visible
        and hidden units: those at the start of training, running means in the positive
        phase ("data"), or running averages of the means in both phases ("moving").
    solver : {"sgd", "adam"}, default="sgd"
        Stochastic gradient descent, or Adam, which divides the gradient by its recent
        size, parameter by parameter.
    momentum : float or tuple of float, default=0.0
        Momentum coefficient (for "adam" the first beta). The values of a tuple share
        the epochs evenly, in order.
    schedule : {"constant", "invscaling", "linear", "cooldown"}, default="cooldown"
        The learning rate after t of T epochs is ``learning_rate`` times 1,
        ``1 / (1 + t) ** power_t``, ``1 - t / T`` or ``min(1, 5 * (1 - t / T))``.
    power_t : float, default=0.5
        Exponent for ``schedule="invscaling"``.
    l1, l2 : float, default=0.0
        Penalties on the weights: l1 times the sum of their absolute values and l2 / 2
        times the sum of their squares are subtracted from the log-likelihood per row.
    max_norm : float or None, default=None
        Maximum norm of the weights of each hidden unit.
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
        Weights W, transposed.
    intercept_hidden_ : ndarray of shape (n_components,)
        Hidden biases c.
    intercept_visible_ : ndarray of shape (n_features,)
        Visible biases b.
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
    learned_log_Z_ : float
        Log Z as "noise-contrastive" learns it; :attr:`log_Z_` is another estimate.
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

    See Also
    --------
    sklearn.neural_network.BernoulliRBM : The same model with PCD-1 only, whose
        ``score_samples`` is a random estimate of the pseudo-likelihood.

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
    .. [7] Besag (1975). Statistical analysis of non-lattice data. The Statistician.
    .. [8] Hyvärinen (2007). Some extensions of score matching. Computational Statistics
       and Data Analysis.
    .. [9] Sohl-Dickstein, Battaglino and DeWeese (2011). Minimum probability flow
       learning. ICML.
    .. [10] Gutmann and Hyvärinen (2012). Noise-contrastive estimation of unnormalized
       statistical models, with applications to natural image statistics. JMLR.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BernoulliRBM
    >>> X = load_digits().data / 16
    >>> rbm = BernoulliRBM(n_components=16, random_state=0).fit(X)
    >>> rbm.transform(X).shape
    (1797, 16)
    >>> rbm.density_kind_
    'exact'
    >>> print(f"{rbm.score(X):.0f} nats")
    -24 nats
    """

    _parameter_constraints: dict = {
        **Machine._parameter_constraints,
        "gradient": [StrOptions({"pcd", "cd", "fpcd", "tempering", *OF_BITS})],
    }

    def __init__(
        self,
        n_components=256,
        *,
        learning_rate=0.1,
        batch_size=10,
        n_iter=20,
        gradient="pcd",
        n_steps=1,
        n_chains=50,
        n_temperatures=10,
        fast_learning_rate=None,
        centering=None,
        solver="sgd",
        momentum=0.0,
        schedule="cooldown",
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

    pseudo_likelihood = pseudo_likelihood
