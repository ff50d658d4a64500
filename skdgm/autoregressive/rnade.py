r"""Neural autoregressive density estimators of real numbers.

.. math:: h_t = f\Bigl(\rho_t \bigl(c + \sum_{i < t} x_i W_i\bigr)\Bigr), \qquad
   p(x_t \mid x_{<t}) = \sum_k \alpha_{tk} \, \mathcal{N}(x_t; \mu_{tk}, \sigma_{tk})
"""

from numbers import Integral

from sklearn.utils._param_validation import Interval, StrOptions

from skdgm.autoregressive._base import COLUMNS, ORDERS, TRAINING, ChainModel
from skdgm.autoregressive._tied_chain import TiedChain
from skdgm.nets import INITIALISERS, KINDS


class RNADE(ChainModel):
    r"""Neural autoregressive density estimator of real numbers.

    .. math::

        p(x) = \prod_t \sum_k \alpha_{tk} \, \mathcal{N}(x_t; \mu_{tk}, \sigma_{tk}),
        \qquad h_t = f\Bigl(\rho_t \bigl(c + \sum_{i < t} x_i W_i\bigr)\Bigr)

    where weights, means and deviations of each column's mixture are functions of the
    hidden units :math:`h_t` that all columns share, and what these hear is scaled by
    learned factors :math:`\rho_t` [1]_. Slopes of means are multiplied by deviations,
    which keeps learning stable (the penalty is not, and weighs more where deviations
    are small). Columns are standardised inside, and densities are
    those of the columns as they were. The likelihood is exact, and samples are, too.
    Float64 data are computed in float64, all others in float32.

    Parameters
    ----------
    n_components : int, default=128
        Number of hidden units.
    n_mixtures : int, default=10
        How many components each conditional density has.
    conditional : {"gaussian", "laplace"}, default="gaussian"
        Their shape.
    min_variance : float, default=1e-4
        No variance is learned to be less than this share of its column's.
    ordering : {"given", "random"} or tuple of int, default="given"
        In which order columns are predicted; a tuple has their numbers.
    n_orderings : int, default=1
        How many nets there are, of which all but the first have random orders. The
        density is the mean of theirs.
    n_draws : int, default=100
        Particles for each row with missing entries, in :meth:`score_samples` and
        :meth:`impute`. It may be changed after ``fit``.
    activation : {"relu", "tanh", "logistic"}, default="relu"
        Of hidden units.
    init : {"glorot_uniform", "glorot_normal", "he_uniform", "he_normal"}, \
            default="glorot_uniform"
        How weights of hidden units begin; those of outputs are zeros.
    solver : {"adam", "rmsprop", "sgd"}, default="adam"
        Steps in units of the gradient's recent size, or along it.
    alpha : float, default=0.0
        Penalty on the weights: alpha / 2 times their sum of squares is added to the
        loss of each batch, of all its rows: smaller batches have more of it.
    batch_size : int, default=100
        Rows for each update.
    learning_rate_init : float, default=0.001
        At the start; see ``schedule``.
    schedule : {"constant", "invscaling", "linear"}, default="linear"
        The learning rate after t of T epochs is ``learning_rate_init`` times 1,
        ``1 / (1 + t) ** power_t`` or ``1 - t / T``.
    power_t : float, default=0.5
        For ``schedule="invscaling"``.
    momentum : float, default=0.9
        What stays of the last step (of "adam": the first of its betas).
    clip_norm : float or None, default=None
        The highest norm that a gradient may have; longer ones are cut short.
    average : bool, default=True
        Keep the mean of what parameters were in about the last tenth of the updates.
    max_iter : int or "auto", default="auto"
        Epochs; if "auto", so many as make 10,000 updates, but from 20 to 300.
    early_stopping : bool, default=False
        Hold out rows, stop when their likelihood no longer rises, and keep the
        parameters with which it was highest.
    validation_fraction : float, default=0.1
        The share of the rows to hold out.
    n_iter_no_change : int, default=10
        Epochs without an improvement of ``tol`` before stopping early.
    tol : float, default=1e-3
        In nats per row.
    warm_start : bool, default=False
        If True, ``fit`` goes on from the parameters there are.
    verbose : int, default=0
        If not zero, print a line for each epoch.
    random_state : int, RandomState instance or None, default=None
        For initial weights, order of rows, random orders of columns and draws.

    Attributes
    ----------
    coefs_ : list of ndarray
        Of each order's net W, of shape (n_features, n_components), and V, of shape
        (3 * n_mixtures * n_features, n_components).
    intercepts_ : list of ndarray
        Their biases.
    density_kind_ : str
        What :meth:`score_samples` is: "exact", or with several orders an "estimate" of
        the mean over all of them (and in any case a normalised density). Of rows with
        missing entries it is an estimate by particles.
    loss_curve_ : list of float
        For each epoch minus the log-likelihood of some training rows, in nats per row,
        with real columns standardised.
    validation_curve_ : list of float
        The same for held-out rows, with ``early_stopping``.
    n_iter_ : int
        Epochs done.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Where X has names for its columns.

    References
    ----------
    .. [1] Uria, Murray and Larochelle (2013). RNADE: the real-valued neural
       autoregressive density-estimator. NIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from skdgm import RNADE
    >>> X = load_wine().data
    >>> rnade = RNADE(n_components=32, n_mixtures=3, max_iter=50, random_state=0)
    >>> rnade.fit(X).sample(2, random_state=0).shape
    (2, 13)
    >>> rnade.score_features(X).shape
    (178, 13)
    """

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "n_mixtures": COLUMNS["n_mixtures"],
        "conditional": COLUMNS["conditional"],
        "min_variance": COLUMNS["min_variance"],
        **ORDERS,
        "activation": [StrOptions(set(KINDS))],
        "init": [StrOptions(set(INITIALISERS))],
        **TRAINING,
    }
    _CHAIN, _FIXED = TiedChain, ("n_components", "activation")
    _IMPLIED = {"output": "gaussian", "min_categories": None}
    _LIGHTER = "Drop columns, or lower n_components."

    def __init__(
        self,
        n_components=128,
        *,
        n_mixtures=10,
        conditional="gaussian",
        min_variance=1e-4,
        ordering="given",
        n_orderings=1,
        n_draws=100,
        activation="relu",
        init="glorot_uniform",
        solver="adam",
        alpha=0.0,
        batch_size=100,
        learning_rate_init=0.001,
        schedule="linear",
        power_t=0.5,
        momentum=0.9,
        clip_norm=None,
        average=True,
        max_iter="auto",
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-3,
        warm_start=False,
        verbose=0,
        random_state=None,
    ):
        self.n_components = n_components
        self.n_mixtures = n_mixtures
        self.conditional = conditional
        self.min_variance = min_variance
        self.ordering = ordering
        self.n_orderings = n_orderings
        self.n_draws = n_draws
        self.activation = activation
        self.init = init
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.schedule = schedule
        self.power_t = power_t
        self.momentum = momentum
        self.clip_norm = clip_norm
        self.average = average
        self.max_iter = max_iter
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state

    def _net(self, known, conditionals, number):
        return known["n_components"], known["activation"], self._options.init, True
