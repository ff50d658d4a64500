r"""Fully visible belief networks: regressions of each column on those before it.

.. math:: p(x) = \prod_t p\bigl(x_t \mid b_t + \sum_{i < t} x_i U_{it}\bigr)
"""

from skdgm.autoregressive._model import AutoregressiveEstimator
from skdgm.autoregressive._options import COLUMNS, ORDERS, TRAINING
from skdgm.autoregressive._structures import LinearModel
from skdgm.data import OF_TABLES
from skdgm.training import AUTO, Budget

# Default number of steps of expectation maximisation, where entries are missing.
_EM_STEPS = 30


class FVBN(AutoregressiveEstimator):
    r"""Fully visible belief network: a linear model of each column given those before.

    .. math::

        p(x) = \prod_t p\bigl(x_t \mid z_t\bigr), \qquad
        z_t = b_t + \sum_{i < t} x_i U_{it}

    where the conditional distributions are logistic regressions of bits [1]_ [2]_,
    softmax regressions of codes and linear regressions of real numbers. Likelihoods and
    samples are exact. There are no hidden units: :meth:`transform` returns the expected
    value of each column given those before it, of codes the most probable one, of real
    columns in standardised units.

    With ``column_types="gaussian"`` this is the multivariate normal distribution,
    fitted in closed form; by expectation maximisation where entries are missing. Each
    :meth:`partial_fit` adds its rows to those since the last :meth:`fit`, which fits
    its own rows only. Parameters below that concern updates, and their average, are for
    other types of columns.

    Float64 data are computed in float64, all others in float32.

    Parameters
    ----------
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
    n_orderings : int, default=1
        Number of nets, each with its own order; all but the first order are random.
        The density is the mean of theirs.
    n_draws : int, default=100
        Particles for each row with missing entries, in :meth:`score_samples` and
        :meth:`impute`; up to 256 times as many where fewer than a twentieth count.
        It may be changed after ``fit``.
    solver : {"adam", "rmsprop", "sgd"}, default="adam"
        Optimiser: "adam" and "rmsprop" scale steps by the recent size of gradients.
    alpha : float or tuple of float, default=0.0
        Weight decay: alpha / 2 times the sum of squared weights is added to the loss of
        each batch, summed over its rows; smaller batches are penalised more. With
        ``column_types="gaussian"`` it is in units of the variance of each column given
        those before it: ridge regression of standardised columns. A tuple is a
        piecewise-constant schedule: its values share the epochs evenly, each starting
        where the one before ended.
    batch_size : int, default=100
        Rows for each update.
    learning_rate : float, default=0.01
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
        Number of epochs; "auto": 10,000 updates, but between 20 and 300 epochs; in
        closed form 1, or 30 where entries are missing; and at least one for each value
        of ``alpha``.
    early_stopping : bool, default=False
        Hold out rows, stop when their likelihood no longer rises, and keep the
        parameters for which it was highest; with several values of ``alpha``, only
        during the last. In closed form there is nothing to stop, but rows are held
        out all the same.
    validation_fraction : float, default=0.1
        Share of the rows to hold out.
    n_iter_no_change : int, default=10
        Epochs without an improvement of ``tol`` before stopping early.
    tol : float, default=1e-3
        Least improvement that counts, in nats per row.
    warm_start : bool, default=False
        If True, ``fit`` continues from the current parameters; in closed form only the
        standardisation of columns is kept.
    verbose : int, default=0
        If not zero, print a line for each epoch.
    random_state : int, RandomState instance or None, default=None
        Seed of initial weights, order of rows, random orders of columns and draws.

    Attributes
    ----------
    coefs_ : list of ndarray
        Weights of the net of each order, of shape (n_inputs, n_outputs).
    intercepts_ : list of ndarray
        Biases of the same layers.
    column_types_ : dict
        How each column is read, by its name (or number): a
        :class:`~skdgm.data.ColumnType` with its kind, its categories, levels or atoms,
        its range and its step.
    density_kind_ : str
        Kind of :meth:`score_samples`: "exact", or with several orders an "estimate" of
        the mean over all of them (in either case a normalised density; with
        ``column_types="gaussian"`` and no weight decay it is the same for all orders).
        Scores of rows with missing entries are estimates by particles, but exact with
        ``column_types="gaussian"``.
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
    .. [1] Frey (1998). Graphical models for machine learning and digital communication.
       MIT Press.
    .. [2] Frey, Hinton and Dayan (1996). Does the wake-sleep algorithm produce good
       density estimators? NIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import FVBN
    >>> X = load_digits().data > 7
    >>> fvbn = FVBN(alpha=0.1, n_iter=50, random_state=0).fit(X)
    >>> fvbn.sample(3, random_state=0).shape
    (3, 64)
    >>> bool(fvbn.score(X) > -20)
    True
    """

    _parameter_constraints: dict = {
        "column_types": COLUMNS["column_types"],
        "min_variance": COLUMNS["min_variance"],
        "min_categories": COLUMNS["min_categories"],
        **OF_TABLES,
        **ORDERS,
        **TRAINING,
        "alpha": [*TRAINING["alpha"], tuple],
    }
    _BUDGET = Budget(10_000, 20, 300)
    _IMPLIED = {"n_mixtures": 1, "conditional": "gaussian"}
    _MODEL = LinearModel()
    _LIGHTER = (
        "drop columns, or take NADE or EoNADE, whose weights are in proportion to the "
        "inputs, not to their square."
    )

    def __init__(
        self,
        column_types="bernoulli",
        *,
        min_variance=1e-4,
        min_categories=None,
        min_frequency=None,
        max_categories=None,
        handle_unknown="auto",
        missing_pattern="ignore",
        ordering="given",
        n_orderings=1,
        n_draws=100,
        solver="adam",
        alpha=0.0,
        batch_size=100,
        learning_rate=0.01,
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
        self.column_types = column_types
        self.min_variance = min_variance
        self.min_categories = min_categories
        self.min_frequency = min_frequency
        self.max_categories = max_categories
        self.handle_unknown = handle_unknown
        self.missing_pattern = missing_pattern
        self.ordering = ordering
        self.n_orderings = n_orderings
        self.n_draws = n_draws
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

    def _n_epochs(self, table):
        asked = self._options
        n_turns = len(asked.alpha) if isinstance(asked.alpha, tuple) else 0
        if asked.n_iter != AUTO:
            if 0 < asked.n_iter < n_turns:
                raise ValueError(
                    f"n_iter={asked.n_iter} epochs are too few for the {n_turns} "
                    "values of alpha, of which each has at least one."
                )
            return asked.n_iter
        n_epochs = super()._n_epochs(table)
        if asked.column_types == "gaussian":
            n_epochs = 1 if table.rows.complete else _EM_STEPS
        return max(n_epochs, n_turns)
