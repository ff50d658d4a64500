"""Base class of all estimators, which fit a density by optimizing an objective."""

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.callback import CallbackSupportMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from skdgm.base import attributes, fits, reading
from skdgm.base.frames import as_frame, filled_in, frame_format
from skdgm.base.groups import check_groups, set_params
from skdgm.base.model import gather_facts
from skdgm.base.options import Options
from skdgm.base.records import Record
from skdgm.base.stages import Fit, OwnEpochs
from skdgm.data import inputs, outlier_text
from skdgm.data.streams import streamed
from skdgm.training import Table, converted
from skdgm.typing import ArrayOrFrame, Data, Filling, Seed, Target, Weight
from skdgm.utils.random import MAX_SEED
from skdgm.utils.threading.callers import warn
from skdgm.utils.threading.threads import DeferredInterrupt


def _inverts(estimator):
    """Return whether features can be mapped back to rows; True before ``fit``."""
    density = getattr(estimator, "density_", None)
    return density is None or "inverse" in density.capabilities


@attributes.reads_one_fit
class Estimator(
    Options,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    CallbackSupportMixin,
    BaseEstimator,
):
    """Base class of estimators of a density of rows.

    The :class:`~skdgm.base.Model` of a family of estimators creates an objective (for
    training) and a density (for inference) from the options of an estimator and from
    facts about its data. A subclass declares options and defines

    - ``_MODEL``, the model, and ``_MODEL_READS``, fitted attributes that it reads,
    - ``_TRANSIENT``, names of fitted attributes that only some options create,
    - ``_domain``, the validator of columns (:class:`~skdgm.data.BinaryColumns`),
    - ``_dtype``, the floating-point type of the parameters,
    - ``_BUDGET``, the :class:`~skdgm.training.Budget` of a fit with n_iter="auto",
    - ``_remedy()``, advice for the error message when training diverges.

    A component of another model may set ``_title``, its name in messages, and is fitted
    to a :class:`~skdgm.training.Table` instead of X.

    Attributes
    ----------
    column_types_ : dict
        Type of each column by its name (or number), as a
        :class:`~skdgm.data.ColumnType`. The dict prints a line for each column.
    density_ : Density
        Fitted :class:`~skdgm.base.Density`, which metrics and plots use.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if X has names.
    """

    _title, _TRANSIENT, _MODEL_READS = None, (), ()
    _MODEL: ClassVar[Any] = None
    # Whether rows of bits are stored as lists; whether a fit has a single objective.
    _STORES_LISTS, _ONE_OBJECTIVE = True, True
    # Whether outliers shorten the steps of training; None if components warn.
    _SHORTENS_STEPS = False
    # Whether the parameters only initialize a net.
    _initializes_net = False
    # Fields of skdgm.data.auto.ReadingDefaults.
    _GRAY, _NUMBERS, _IMAGES, _SEPARATE_LEVELS = "bernoulli", "numeric", False, False
    _read_kinds, _readable_kinds = reading.read_kinds, reading.readable_kinds
    _current_options, set_params = fits.current_options, set_params
    _n_epochs = fits.n_epochs
    _facts = gather_facts

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        attributes.reads_one_fit(cls)

    def __setstate__(self, state):
        super().__setstate__(state)
        fits.add_missing_options(vars(self).get("_fit_options"), self._MODEL)

    @attributes.rolled_back
    def fit(self, X: Data, y: Target = None, sample_weight: Weight = None) -> Self:
        """Fit the model to data.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : array-like of shape (n_samples,) or (n_samples, n_attributes), default=None
            Classes or attributes of the rows, if options require them; otherwise
            ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row. Integer weights are exactly equivalent to repetitions.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            X is empty, or has values that are infinite or outside the model's domain; a
            weight is negative, or all weights are zero.
        DivergenceError
            Training diverged. The estimator keeps its last good parameters; if
            pre-training diverged, it is unchanged.
        KeyboardInterrupt
            Ctrl-C in a ``fit`` called by a Pipeline, a search or another estimator. If
            the user called ``fit``, it ends with a warning. Learned parameters are
            kept.
        """
        return self._fit(X, y, sample_weight)

    def _fit(self, X, y, sample_weight):
        fresh = not (self.warm_start and hasattr(self, "n_iter_"))
        # Until training ends, every error restores the former attributes.
        with attributes.rollback(self, kept=()) as former:
            table = self._begin(X, y, sample_weight, fresh)
            n_epochs = self._n_epochs(table)
            self._check_cost(table, n_epochs)
            data = self._for_callbacks(X, y, sample_weight, table)
            n_steps = self._n_callback_steps(n_epochs, fresh)
            task = fits.CallbackTask.whole(self, data, n_steps)
            fit = Fit(self, former, task, Record.of(self, table))
            stages = self._stages(table, range(n_epochs), fresh, is_fit=True)
            for stage in fit.remaining_stages(stages):
                fit.completed = stage.run(fit)
        task.end(lambda: self._attributes(self._state()))
        return self

    def partial_fit(
        self, X: Data, y: Target = None, sample_weight: Weight = None
    ) -> Self:
        """Train for one more epoch, in batches of ``batch_size`` rows.

        The epoch is the same as in :meth:`fit`, which it can precede or follow. Because
        the total number of epochs is unknown, ``schedule="linear"`` does not change the
        learning rate, and the last value of a piecewise-constant schedule applies.
        Early stopping and callbacks are for :meth:`fit` only.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y, sample_weight : array-like, default=None
            As for :meth:`fit`.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError, DivergenceError
            As raised by :meth:`fit`.
        """
        return self._partial_fit(X, y, sample_weight)

    # scikit-learn would validate parameters only in the first call of partial_fit.
    @attributes.rolled_back
    def _partial_fit(self, X, y, sample_weight, classes=None, **selection):
        fresh = not hasattr(self, "n_iter_")
        with attributes.rollback(self, kept=()) as former:
            table = self._begin(X, y, sample_weight, fresh, classes)
            self._check_cost(table, 1)
            epochs, fit = range(self.n_iter_, self.n_iter_ + 1), Fit(self, former)
            stages = self._stages(table, epochs, fresh, is_fit=False, **selection)
            for stage in fit.remaining_stages(stages):
                fit.completed = stage.run(fit)
        return self

    def _begin(self, X, y, sample_weight, fresh, classes=None):
        """Validate the arguments, then set attributes; return the training table."""
        is_table = isinstance(X, Table)
        if not is_table:
            X = streamed(X, self._name if self.verbose else None)
        if fresh and not is_table:
            self._read_kinds(X, sample_weight)
        self._fit_options = self._current_options()
        self._check_options()
        if not fresh:
            self._check_unchanged()
        if isinstance(X, Table):
            table, learned, X = X, {}, X.rows.X
        else:
            rows = self._rows(X, fitting=True, reset=fresh)
            rows, learned = self._label(rows, y, fresh, classes)
            table = inputs.tabulate(rows, sample_weight, in_memory=self._STORES_LISTS)
        columns, table = self._learn_columns(table, fresh)
        self.__dict__.update(learned)
        if fresh:
            self._remember(X)
            self._seed = check_random_state(self.random_state).randint(MAX_SEED)
            self.__dict__.update(self._initial_attributes())
        if columns is not None:
            outliers = outlier_text(self, columns, table, self._SHORTENS_STEPS)
            self._columns, self._outlier_text = columns, outliers
        self._count(table, fresh)
        fits.choose_batch_size(self, table)
        self._forget()
        if fresh and self.verbose and not is_table and "_inferred_types" in vars(self):
            reading.print_columns(self, table)
        return table

    def _learn_columns(self, table, fresh):
        """Statistics of the columns, or None if a component has them; scaled table."""
        return self._domain.learn(table, None if fresh else self._columns)

    def _initial_attributes(self):
        """Fitted attributes before the first epoch."""
        curves = "loss_curve_", "validation_curve_", *self._MODEL.CURVES
        return {"n_iter_": 0} | {name: [] for name in curves}

    def _n_callback_steps(self, n_epochs, fresh):
        """Number of steps of a fit that callbacks report, usually epochs."""
        return n_epochs

    def _for_callbacks(self, X, y, sample_weight, table):
        """Keyword arguments of callbacks, with X in its original format."""
        return inputs.for_callbacks(inputs.original_data(X, table), y, sample_weight)

    def _stages(self, table, epochs, fresh, is_fit):
        """Generate the stages of ``fit``, or of ``partial_fit`` unless ``is_fit``."""
        table = converted(table)
        objective = self._objective(table, self.n_iter_ - epochs.start)
        self._quantity = objective.quantity
        state = None if fresh else self._state()
        if fresh:
            facts, holds_out = self._facts(), is_fit and self._options.early_stopping
            earlier = self._MODEL.preceding_stages
            state = yield from earlier(facts, objective, table, holds_out)
        yield OwnEpochs(self, objective, table, epochs, state, is_fit)

    def _commit(self, learned, former):
        """Set the fitted attributes, which later errors keep."""
        with DeferredInterrupt():
            for name in self._TRANSIENT:
                self.__dict__.pop(name, None)
            self.__dict__.update(self._attributes(learned.state))
            self.n_iter_ += len(learned.losses)
            # New lists, because the original estimator still has the old lists.
            self.loss_curve_ = self.loss_curve_ + learned.losses
            self.validation_curve_ = self.validation_curve_ + learned.validation
            self._ended = learned.ended
            former.clear()

    def _report(self, learned, n_epochs, watch):
        """Raise an error or warn if training failed."""
        remedy, outliers = self._remedy(), vars(self).get("_outlier_text", "")
        fits.report(learned, n_epochs, self._name, remedy, outliers)
        if learned.is_useless and learned.ended != "interrupted":
            warn(f"{self._name} {watch.baseline_warning} {remedy}", ConvergenceWarning)
        if not self._initializes_net:
            facts = self._facts(self._learned)
            for message, category in self._MODEL.complaints(facts, learned.state):
                warn(message, category)

    def _check_options(self):
        """Raise ValueError for invalid combinations of valid options."""
        self._MODEL.check(self._options)

    def _check_unchanged(self):
        """Raise ValueError if the options no longer fit the learned structure."""
        fits.check_unchanged(type(self), self._facts().structure, self._learned)

    def _current_option(self, name):
        """Validated current value of an option that may change after ``fit``."""
        return fits.current(self, name)

    @property
    def density_(self) -> Any:
        """Fitted density of rows."""
        if "_learned" not in vars(self):
            check_is_fitted(self)
        facts = self._facts(self._learned)
        return self._MODEL.density(facts, self._MODEL.state(facts, vars(self)))

    def _objective(self, table, epochs_before):
        return self._MODEL.objective(self._facts(), table, epochs_before)

    def _attributes(self, state):
        facts = self._facts()
        return self._MODEL.attributes(facts, state) | {"_learned": facts.structure}

    def _state(self):
        return self._MODEL.state(self._facts(self._learned), vars(self))

    def _label(self, rows, y, fresh, classes):
        """Rows with their labels, and a dict of attributes learned from the labels."""
        return rows, {}

    def _count(self, table, fresh):
        """Update counts of labels or values, before training."""

    def _check_cost(self, table, n_epochs):
        """Warn or raise if training is expensive, before allocating large arrays."""

    def _forget(self):
        """Discard results that depend on former parameters."""

    def transform(self, X: Data) -> np.ndarray:
        r"""Features of each row: means of hidden units, :math:`\mathbb{E}[h \mid v]`.

        The means are exact in restricted Boltzmann machines. Deep machines compute them
        by mean field, other models by an encoder or inference net. The option
        ``feature_layer`` selects the layer. The option ``features`` selects the
        features of adversarial models. Models of rows given attributes return the
        expected attributes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing: inferred together with the hidden units, or ignored.

        Returns
        -------
        H : ndarray of shape (n_samples, n_features_out)
        """
        return self.density_.features(X)

    @available_if(_inverts)
    def inverse_transform(self, H: Data) -> ArrayOrFrame:
        """Map features back to rows.

        Parameters
        ----------
        H : array-like of shape (n_samples, n_features_out)
            Features in the format of :meth:`transform`.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Means, or the most probable values. A DataFrame if H and the training rows
            are DataFrames.

        Raises
        ------
        ValueError
            H does not have ``n_features_out`` columns.
        """
        return as_frame(self, self.density_.inverse(H), H)

    def sample(self, n_samples: int = 1, random_state: Seed = None) -> ArrayOrFrame:
        """Draw rows from the model.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator, so that each call draws new rows.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if the training rows are a DataFrame.
        """
        return as_frame(self, self.density_.sample(n_samples, random_state))

    def impute(
        self, X: Data, *, method: Filling = "mean", random_state: Seed = None
    ) -> ArrayOrFrame:
        """Impute missing entries given the known entries of their row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        method : {"mean", "sample"}, default="mean"
            "mean" imputes conditional means (probabilities of bits, the most probable
            categories), which are the same at each call; "sample" imputes draws.
        random_state : int, RandomState instance or None, default=None
            For "sample".

        Returns
        -------
        X_filled : ndarray of shape (n_samples, n_features)
            Known entries are unchanged. A DataFrame with the index of X if X and the
            training rows are DataFrames.
        """
        return filled_in(self, X, self.density_.fill(X, method, random_state))

    def score_samples(self, X: Data) -> np.ndarray:
        """Log-likelihood of each row in nats, or a bound or estimate of it.

        Log-likelihoods of gray rows, with values between 0 and 1 in binary columns, are
        not comparable with other models; see :func:`~skdgm.metrics.average_over_draws`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing: missing entries are marginalized out.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64
            The same at each call. ``density_kind_`` says whether it is exact.
        """
        return self.density_.log_prob(X)

    @property
    def density_kind_(self) -> str:
        """Kind of scores: "exact", "lower bound", "estimate" or "reconstruction"."""
        return self.density_.kind

    @property
    def column_types_(self) -> dict:
        """Type of each column, by its name or number; see ``column_types``."""
        return reading.column_types_of(self)

    def score(self, X: Data, y: Target = None, sample_weight: Weight = None) -> float:
        """Mean log-likelihood of the rows, in nats.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row; by default all weights are equal.

        Returns
        -------
        score : float
            Weighted mean of :meth:`score_samples`.
        """
        return fits.mean_score(self.score_samples(X), sample_weight)

    def _rows(self, X, *, dtype=None, reset=False, fitting=False):
        """Validate X and return its :class:`~skdgm.utils.rows.Rows`."""
        if not reset:
            dtype, X = dtype or self._dtype, streamed(X)
        domain = self._requested_domain if reset else self._domain
        columns = None if reset else getattr(self, "_columns", None)
        with inputs.explained(self, X, domain):
            return domain.rows(
                self, X, columns=columns, reset=reset, fitting=fitting, dtype=dtype
            )

    @property
    def _n_features_out(self):
        return self.density_.n_features_out

    @property
    def loss_quantity_(self) -> str:
        """Name of the quantity whose negative is the loss in ``loss_curve_``."""
        return self._quantity

    @property
    def _requested_domain(self):
        """Validator of the columns for the current options."""
        return self._domain

    def _remember(self, X):
        """Store the number, names and types of the columns of a validated X."""
        X = getattr(X, "header", X)
        validate_data(self, X, reset=True, skip_check_array=True)
        has_names = hasattr(self, "feature_names_in_")
        self._frame_format = frame_format(X) if has_names else None

    @property
    def _options(self):
        """Options of the last fit; before the first fit, the current options."""
        options = vars(self).get("_fit_options")
        return self._current_options() if options is None else options

    def _validate_params(self):
        super()._validate_params()
        check_groups(self)
        fits.reject_invalid_integers(self)

    @property
    def _name(self):
        return self._title or type(self).__name__

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = tags.input_tags.allow_nan = True
        for name, value in self._domain.tags.items():
            setattr(tags.input_tags, name, value)
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
