r"""Neural autoregressive density estimators of real numbers.

.. math:: h_t = f\Bigl(\rho_t \bigl(c + \sum_{i < t} x_i W_i\bigr)\Bigr), \qquad
   p(x_t \mid x_{<t}) = \sum_k \alpha_{tk} \, \mathcal{N}(x_t; \mu_{tk}, \sigma_{tk})
"""

from numbers import Integral

from sklearn.utils._param_validation import Interval, StrOptions

from skdgm.autoregressive._model import AutoregressiveEstimator
from skdgm.autoregressive._options import COLUMNS, ORDERS, TRAINING
from skdgm.autoregressive._structures import TiedModel
from skdgm.nets import INITIALISERS, KINDS


class RNADE(AutoregressiveEstimator):
    r"""Neural autoregressive density estimator of real numbers.

    .. math::

        p(x) = \prod_t \sum_k \alpha_{tk} \, \mathcal{N}(x_t; \mu_{tk}, \sigma_{tk}),
        \qquad h_t = f\Bigl(\rho_t \bigl(c + \sum_{i < t} x_i W_i\bigr)\Bigr)

    where the weights, means and scales of each column's mixture are functions of the
    hidden units :math:`h_t` shared by all columns, whose pre-activations are scaled by
    learned factors :math:`\rho_t` [1]_. Gradients by means are multiplied by scales,
    which keeps training stable (weight decay is not, and counts more where scales are
    small). Columns are standardised internally; densities are those of the original
    columns. Likelihoods and samples are exact. Float64 data are computed in float64,
    all others in float32.

    Parameters
    ----------
    n_components : int, default=128
        Number of hidden units.
    n_mixtures : int, default=10
        Number of components of each conditional density.
    conditional : {"gaussian", "laplace"}, default="gaussian"
        Shape of the components.
    min_variance : float, default=1e-4
        Lower limit of learned variances, as a share of the column's variance.
    ordering : {"given", "random"} or tuple of int, default="given"
        Order in which columns are predicted; a tuple gives their numbers.
    n_orderings : int, default=1
        Number of nets, each with its own order; all but the first order are random.
        The density is the mean of theirs.
    n_draws : int, default=100
        Particles for each row with missing entries, in :meth:`score_samples` and
        :meth:`impute`; up to 256 times as many where fewer than a twentieth count.
        It may be changed after ``fit``.
    activation : {"relu", "tanh", "logistic"}, default="relu"
        Activation function of hidden units.
    init_weights : {"glorot_uniform", "glorot_normal", "he_uniform", "he_normal"}, \
            default="glorot_uniform"
        Initialiser of the weights of hidden units; those of outputs start at zero.
    solver : {"adam", "rmsprop", "sgd"}, default="adam"
        Optimiser: "adam" and "rmsprop" scale steps by the recent size of gradients.
    alpha : float, default=0.0
        Weight decay: alpha / 2 times the sum of squared weights is added to the loss of
        each batch, summed over its rows; smaller batches are penalised more.
    batch_size : int, default=100
        Rows for each update.
    learning_rate : float, default=0.003
        Initial learning rate; see ``schedule``.
    schedule : {"constant", "invscaling", "linear"}, default="linear"
        Learning rate after t of T epochs: ``learning_rate`` times 1,
        ``1 / (1 + t) ** power_t`` or ``1 - t / T``.
    power_t : float, default=0.5
        Exponent of ``schedule="invscaling"``.
    momentum : float, default=0.9
        Momentum coefficient; for "adam", the first beta.
    clip_norm : float or None, default=None
        Upper limit of the norm of gradients; longer ones are scaled down to it.
    average : bool, default=True
        Average the parameters over about the last tenth of the updates.
    n_iter : int or "auto", default="auto"
        Number of epochs; "auto": 3,500 updates, but between 20 and 100 epochs.
    early_stopping : bool, default=False
        Hold out rows, stop when their likelihood no longer rises, and keep the
        parameters for which it was highest.
    validation_fraction : float, default=0.1
        Share of the rows to hold out.
    n_iter_no_change : int, default=10
        Epochs without an improvement of ``tol`` before stopping early.
    tol : float, default=1e-3
        Least improvement that counts, in nats per row.
    warm_start : bool, default=False
        If True, ``fit`` continues from the current parameters.
    verbose : int, default=0
        If not zero, print a line for each epoch.
    random_state : int, RandomState instance or None, default=None
        Seed of initial weights, order of rows, random orders of columns and draws.

    Attributes
    ----------
    coefs_ : list of ndarray
        Weights of the net of each order: W, of shape (n_features, n_components), and V,
        of shape (3 * n_mixtures * n_features, n_components).
    intercepts_ : list of ndarray
        Biases of the same layers.
    density_kind_ : str
        Kind of :meth:`score_samples`: "exact", or with several orders an "estimate" of
        the mean over all of them (in either case a normalised density). Scores of rows
        with missing entries are estimates by particles.
    loss_curve_ : list of float
        Negative log-likelihood of some training rows after each epoch, in nats per row,
        with real columns standardised.
    validation_curve_ : list of float
        The same for held-out rows, with ``early_stopping``.
    n_iter_ : int
        Number of epochs done.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, if X has any.

    References
    ----------
    .. [1] Uria, Murray and Larochelle (2013). RNADE: the real-valued neural
       autoregressive density-estimator. NIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from skdgm import RNADE
    >>> X = load_wine().data
    >>> rnade = RNADE(n_components=32, n_mixtures=3, n_iter=50, random_state=0)
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
        "init_weights": [StrOptions(set(INITIALISERS))],
        **TRAINING,
    }
    _IMPLIED = {
        "column_types": "gaussian",
        "min_categories": None,
        "missing_pattern": "ignore",
    }
    _MODEL = TiedModel(True)
    _LIGHTER = "drop columns, or lower n_components."

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
        init_weights="glorot_uniform",
        solver="adam",
        alpha=0.0,
        batch_size=100,
        learning_rate=0.003,
        schedule="linear",
        power_t=0.5,
        momentum=0.9,
        clip_norm=None,
        average=True,
        n_iter="auto",
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
        self.init_weights = init_weights
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.power_t = power_t
        self.momentum = momentum
        self.clip_norm = clip_norm
        self.average = average
        self.n_iter = n_iter
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state
