r"""Fully visible belief networks: each column is regressed on those before.

.. math:: p(x) = \prod_t p\bigl(x_t \mid b_t + \sum_{i < t} x_i U_{it}\bigr)
"""

from numbers import Real

from skdgm.autoregressive._base import (
    COLUMNS,
    ORDERS,
    TRAINING,
    ChainModel,
)
from skdgm.autoregressive._linear_chain import LinearChain, NormalChain
from skdgm.autoregressive._normal_trainer import NormalTrainer
from skdgm.optim import check_staircase
from skdgm.training import AUTO

# Of expectation maximisation, where something is missing.
_EM_STEPS = 30


class FVBN(ChainModel):
    r"""Fully visible belief network: a linear model of each column by those before it.

    .. math::

        p(x) = \prod_t p\bigl(x_t \mid z_t\bigr), \qquad
        z_t = b_t + \sum_{i < t} x_i U_{it}

    where the conditional distributions are logistic regressions of bits [1]_ [2]_,
    softmax regressions of codes and linear regressions of real numbers. The likelihood
    is exact, and samples are, too. There are no hidden units: :meth:`transform` gives
    what is expected of each column given those before it, of codes the most probable
    one, of real columns in the units that they are standardised to.

    With ``output="gaussian"`` this is the multivariate normal distribution, and is
    learned in closed form; by expectation maximisation where something is missing.
    Each :meth:`partial_fit` adds rows to those since the last :meth:`fit`, and that one
    learns of its own rows only. What is said below of updates, and of their mean, is
    for other outputs.

    Float64 data are computed in float64, all others in float32.

    Parameters
    ----------
    output : {"bernoulli", "categorical", "gaussian", "mixed"} or tuple, \
            default="bernoulli"
        What columns are: 0, 1 or probabilities of 1; codes of categories, as
        ``OrdinalEncoder`` gives them; real, and standardised inside; or "mixed", by the
        types of a DataFrame's columns. A tuple has one of the first three for each.
    min_variance : float, default=1e-4
        Of real columns: no variance is learned to be less than this share of its
        column's.
    min_categories : int or array-like of int, default=None
        Of codes: how many categories there are at least, in all columns or in each;
        more are found in the data.
    ordering : {"given", "random"} or tuple of int, default="given"
        In which order columns are predicted; a tuple has their numbers.
    n_orderings : int, default=1
        How many nets there are, of which all but the first have random orders. The
        density is the mean of theirs.
    n_draws : int, default=100
        Particles for each row with missing entries, in :meth:`score_samples` and
        :meth:`impute`. It may be changed after ``fit``.
    solver : {"adam", "rmsprop", "sgd"}, default="adam"
        Steps in units of the gradient's recent size, or along it.
    alpha : float or tuple of float, default=0.0
        Penalty on the weights: alpha / 2 times their sum of squares is added to the
        loss of each batch, of all its rows: smaller batches have more of it. With
        ``output="gaussian"`` it is in units of the variance that each column has given
        those before it: that is ridge regression of standardised columns. Several are
        a path: they share the epochs evenly, each going on from where the one before
        ended.
    batch_size : int, default=100
        Rows for each update.
    learning_rate_init : float, default=0.01
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
        Epochs; if "auto", so many as make 10,000 updates, but from 20 to 300; of the
        closed form 1, or 30 where something is missing; and one at least for each value
        of ``alpha``.
    early_stopping : bool, default=False
        Hold out rows, stop when their likelihood no longer rises, and keep the
        parameters with which it was highest; of several values of ``alpha`` only in the
        turn of the last. In closed form there is nothing to stop, but rows are held
        out all the same.
    validation_fraction : float, default=0.1
        The share of the rows to hold out.
    n_iter_no_change : int, default=10
        Epochs without an improvement of ``tol`` before stopping early.
    tol : float, default=1e-3
        In nats per row.
    warm_start : bool, default=False
        If True, ``fit`` goes on from the parameters there are; in closed form only from
        how columns were standardised.
    verbose : int, default=0
        If not zero, print a line for each epoch.
    random_state : int, RandomState instance or None, default=None
        For initial weights, order of rows, random orders of columns and draws.

    Attributes
    ----------
    coefs_ : list of ndarray
        Weights of each order's net, of shape (n_inputs, n_outputs).
    intercepts_ : list of ndarray
        Their biases.
    density_kind_ : str
        What :meth:`score_samples` is: "exact", or with several orders an "estimate" of
        the mean over all of them (and in any case a normalised density; with
        ``output="gaussian"`` and no penalty all orders have the same). Of rows with
        missing entries it is an estimate by particles, but with ``output="gaussian"``
        as exact as of others.
        An "estimate", too, if grey rows were learned from, with values between 0 and 1
        in "bernoulli" columns: of such rows it is no log-likelihood of anything, and
        :func:`~skdgm.metrics.average_over_draws` gives the mean over draws of their
        bits. Of bits it stays as it is.
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
    .. [1] Frey (1998). Graphical models for machine learning and digital communication.
       MIT Press.
    .. [2] Frey, Hinton and Dayan (1996). Does the wake-sleep algorithm produce good
       density estimators? NIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import FVBN
    >>> X = load_digits().data > 7
    >>> fvbn = FVBN(alpha=0.1, max_iter=50, random_state=0).fit(X)
    >>> fvbn.sample(3, random_state=0).shape
    (3, 64)
    >>> bool(fvbn.score(X) > -20)
    True
    """

    _parameter_constraints: dict = {
        "output": COLUMNS["output"],
        "min_variance": COLUMNS["min_variance"],
        "min_categories": COLUMNS["min_categories"],
        **ORDERS,
        **TRAINING,
        "alpha": [*TRAINING["alpha"], tuple],
    }
    _FIXED = ()
    _IMPLIED = {"n_mixtures": 1, "conditional": "gaussian"}
    _LIGHTER = (
        "Merge rare categories or drop columns, or take NADE or EoNADE, whose weights "
        "are in proportion to columns and categories, not to their square."
    )

    def __init__(
        self,
        output="bernoulli",
        *,
        min_variance=1e-4,
        min_categories=None,
        ordering="given",
        n_orderings=1,
        n_draws=100,
        solver="adam",
        alpha=0.0,
        batch_size=100,
        learning_rate_init=0.01,
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
        self.output = output
        self.min_variance = min_variance
        self.min_categories = min_categories
        self.ordering = ordering
        self.n_orderings = n_orderings
        self.n_draws = n_draws
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

    def _check_options(self):
        check_staircase("alpha", self._options.alpha, Real, 0)
        super()._check_options()

    def _chain(self, known):
        return NormalChain if known["output"] == "gaussian" else LinearChain

    def _net(self, known, conditionals, number):
        return ()

    def _n_epochs(self, table):
        asked = self._options
        n_turns = len(asked.alpha) if self._has_path else 0
        if asked.max_iter != AUTO:
            if 0 < asked.max_iter < n_turns:
                raise ValueError(
                    f"max_iter={asked.max_iter} epochs are too few for the {n_turns} "
                    "values of alpha, of which each has at least one."
                )
            return asked.max_iter
        n_epochs = super()._n_epochs(table)
        if asked.output == "gaussian":
            n_epochs = 1 if table.rows.complete else _EM_STEPS
        return max(n_epochs, n_turns)

    @property
    def _has_path(self):
        return isinstance(self._options.alpha, tuple)

    def _trainer(self, table, epochs_before):
        if self._options.output != "gaussian":
            return super()._trainer(table, epochs_before)
        model = self._model(self._structure)
        return NormalTrainer(
            model, self._options, table.rows, self._seed, epochs_before
        )

    def _first_to_stop(self, epochs):
        # Else training would end in one of the first turns of a path.
        n_turns = len(self._options.alpha) if self._has_path else 1
        n_last = len(epochs) // n_turns
        return epochs.stop - n_last
