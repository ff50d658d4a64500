r"""Masked autoencoders.

.. math:: h_l = f(b_l + h_{l-1} (W_l \odot M_l)), \qquad
   p(x_t \mid x_{<t}) = p(x_t \mid z_t)
"""

from numbers import Integral

from sklearn.utils._param_validation import Interval, StrOptions

from skdgm.autoregressive._model import AutoregressiveEstimator
from skdgm.autoregressive._options import COLUMNS, ORDERS, TRAINING
from skdgm.autoregressive._structures import MaskedModel
from skdgm.nets import ACTIVATIONS, INITIALISERS
from skdgm.training import Budget


class MADE(AutoregressiveEstimator):
    r"""Masked autoencoder: a net without a path from a column to its own output.

    .. math::

        p(x) = \prod_t p(x_t \mid z_t), \qquad
        h_l = f(b_l + h_{l-1} (W_l \odot M_l)), \qquad
        M_{l,ij} = 1 \text{ where } d_{l-1,i} \le d_{l,j}

    Each hidden unit has a random degree d, the number of the last column that it may
    see, and outputs of a column see units of lower degrees: one pass computes all
    conditionals [1]_. Likelihoods and samples are exact. Float64 data are computed in
    float64, all others in float32.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(500,)
        Number of hidden units of each layer.
    column_types : {"bernoulli", "categorical", "gaussian", "mixed"}, tuple or dict, \
            default="bernoulli"
        Kind of the columns: 0, 1 or probabilities of 1; codes of categories, as
        ``OrdinalEncoder`` returns; real numbers, standardised internally; or "mixed",
        by the types of a DataFrame's columns: bits, categories, and numbers, dates and
        durations as "numeric". A tuple has a kind for each column, a dict kinds for
        some columns of a DataFrame by name, of these three or

        - "numeric": numbers within their range and as round as they are, with heavy
          tails, and values that many rows share (such as 0) as atoms: "ordinal" if
          there are few values;
        - "ordinal": the values that occur, as categories.
    n_mixtures : int, default=3
        Number of components of each conditional density, for real columns.
    conditional : {"gaussian", "laplace"}, default="gaussian"
        Shape of these components, for real columns.
    min_variance : float, default=1e-4
        Lower limit of learned variances, as a share of the column's variance, for real
        columns.
    min_categories : int or array-like of int, default=None
        Least number of categories of codes, in all columns or in each; more are found
        in the data.
    min_frequency : int or float, default=None
        Least weight of rows (a share, if a float) of a category that has a probability
        of its own given the other columns; rarer ones are drawn as one, and told apart
        by their frequencies.
    max_categories : int, default=None
        Most categories of a column, counting the rare ones as one.
    handle_unknown : {"auto", "error", "ignore", "infrequent_if_exist"}, default="auto"
        What a category is that was not in ``fit``: an error; missing, everywhere; or a
        rare one, if there are any, else missing. "auto": of names in a DataFrame, a
        category of small probability in scores and missing elsewhere, with a warning;
        of codes in an array, an error.
    missing_pattern : {"ignore", "model"}, default="ignore"
        Whether samples have missing entries, too, as the rows have: "model" takes that
        an entry is missing for a value of its own, which scores count. For "mixed"
        columns, tuples and dicts.
    ordering : {"given", "random"} or tuple of int, default="given"
        Order in which columns are predicted; a tuple gives their numbers.
    n_masks : int, default=1
        Number of sets of masks, with which the net is trained in turn, each with its
        own order; all but the first order are random. The density is the mean of
        theirs.
    n_draws : int, default=100
        Particles for each row with missing entries, in :meth:`score_samples` and
        :meth:`impute`; up to 256 times as many where fewer than a twentieth count.
        It may be changed after ``fit``.
    activation : {"tanh", "relu", "logistic", "leaky_relu", "softplus", "identity"}, \
            default="relu"
        Activation function of hidden units.
    direct : bool, default=True
        Whether outputs see the columns before them directly, besides hidden units.
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
        Of "mixed" columns, which are learned by heart sooner: 500 updates, but between
        10 and 100 epochs.
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
        Weights of each layer, of shape (n_below, n_above); in those of outputs, hidden
        units come before inputs.
    intercepts_ : list of ndarray
        Biases of the same layers.
    column_types_ : dict
        How each column is read, by its name (or number): a
        :class:`~skdgm.data.ColumnType` with its kind, its categories, levels or atoms,
        its range and its step.
    density_kind_ : str
        Kind of :meth:`score_samples`: "exact", or with several masks an "estimate" of
        the mean over all of them (in either case a normalised density). Scores of rows
        with missing entries are estimates by particles.
        Also "estimate" after training on grey rows, with values strictly between 0 and
        1 in "bernoulli" columns: scores of such rows are no log-likelihoods, and
        :func:`~skdgm.metrics.average_over_draws` gives the mean over draws of their
        bits. Scores of binary rows remain as above.
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
    .. [1] Germain, Gregor, Murray and Larochelle (2015). MADE: masked autoencoder for
       distribution estimation. ICML.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import MADE
    >>> X = load_digits().data > 7
    >>> made = MADE((100,), n_iter=30, random_state=0).fit(X)
    >>> made.transform(X).shape
    (1797, 100)
    >>> bool(made.score(X) > -20)
    True
    """

    _parameter_constraints: dict = {
        "hidden_layer_sizes": [Interval(Integral, 1, None, closed="left"), tuple],
        **COLUMNS,
        "ordering": ORDERS["ordering"],
        "n_masks": ORDERS["n_orderings"],
        "n_draws": ORDERS["n_draws"],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "direct": ["boolean"],
        "init_weights": [StrOptions(set(INITIALISERS))],
        **TRAINING,
    }
    _MODEL = MaskedModel(
        *("hidden_layer_sizes", "activation", "direct"), number="n_masks", shared=True
    )
    _LIGHTER = "set direct=False or lower hidden_layer_sizes, or take NADE or EoNADE."
    _BUDGET_MIXED = Budget(500, 10, 100)

    def __init__(
        self,
        hidden_layer_sizes=(500,),
        column_types="bernoulli",
        *,
        n_mixtures=3,
        conditional="gaussian",
        min_variance=1e-4,
        min_categories=None,
        min_frequency=None,
        max_categories=None,
        handle_unknown="auto",
        missing_pattern="ignore",
        ordering="given",
        n_masks=1,
        n_draws=100,
        activation="relu",
        direct=True,
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
        self.hidden_layer_sizes = hidden_layer_sizes
        self.column_types = column_types
        self.n_mixtures = n_mixtures
        self.conditional = conditional
        self.min_variance = min_variance
        self.min_categories = min_categories
        self.min_frequency = min_frequency
        self.max_categories = max_categories
        self.handle_unknown = handle_unknown
        self.missing_pattern = missing_pattern
        self.ordering = ordering
        self.n_masks = n_masks
        self.n_draws = n_draws
        self.activation = activation
        self.direct = direct
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
