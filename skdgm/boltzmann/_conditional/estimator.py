"""Base class of machines of columns y given columns X: public methods."""

from typing import Annotated, Literal, Self

import numpy as np
from sklearn.utils import ClassifierTags

from skdgm.base import rolled_back
from skdgm.base.column_group import Columns
from skdgm.base.common_options import FitOptions
from skdgm.base.options import (
    KW_ONLY,
    Auto,
    Count,
    CountOrZero,
    Positive,
    Probability,
)
from skdgm.base.series import Series, in_steps, remember_kept, with_steps
from skdgm.base.solvers import Adam
from skdgm.boltzmann._conditional.answers import GivenAnswers
from skdgm.boltzmann._conditional.conditions import Past
from skdgm.boltzmann._conditional.factors import gate_columns
from skdgm.boltzmann._conditional.model import CONDITIONAL
from skdgm.boltzmann.options import (
    Penalties,
    PenaltyDetails,
    RealDetails,
    SolverDetails,
)
from skdgm.boltzmann.structure.table_layers import improper
from skdgm.boltzmann.structure.tables import kinds_of
from skdgm.data import far_out
from skdgm.data.inputs import for_callbacks, own_frame
from skdgm.data.responses import learned_responses
from skdgm.data.sequences import as_one_table, by_row
from skdgm.data.units import UNITS, Kinds, SeriesColumns, UnitColumns
from skdgm.training import Budget
from skdgm.typing import Data, Target, Weight
from skdgm.utils.given import Given


class TargetDetails(RealDetails):
    """Details of real columns of y."""

    min_variance: Probability = 0.01


TargetColumns = Annotated[
    Annotated[str, Kinds(set(UNITS) | {"mixed"})] | tuple | dict | Columns,
    TargetDetails,
]
HiddenKinds = Annotated[str, Kinds(set(UNITS))]


class GivenEstimator(FitOptions, GivenAnswers):
    r"""Base class of machines of columns y given columns X, or of rows of series given
    those before.

    Parameters
    ----------
    n_components
        Number of hidden units.
    column_types : str, tuple of str or dict
        Kind of all columns of y, or of each, as of :class:`~skdgm.RBM`; a dict has
        those of some columns of a DataFrame by name. "mixed": text, and whole numbers
        in a y of one dimension, are categories; truth values, and columns of 0 and 1
        alone, are bits; other numbers are "gaussian". Variances of "rectified" columns
        are mean squares.
    condition_types : str, tuple of str or dict
        Kind of all columns of X, of each, or of some by name; by default the types of a
        DataFrame say it, and columns of an array are "gaussian" (standardised).
    hidden
        Kind of hidden units, as of :class:`~skdgm.RBM`.
    pairwise
        Whether there are weights between two of y, hidden units and conditions beside
        those by factors. Without them ``components_``, ``condition_visible_`` and
        ``condition_hidden_`` are zeros.
    learning_rate
        Initial learning rate, which ``schedule`` of the solver lowers. "auto": 0.001
        where y has "gaussian" or "rectified" columns, of which the hidden units see
        values many deviations apart (0.003 without ``pairwise``); else 0.03 where there
        are counts, whose logarithms are far apart, and 0.01 elsewhere.
    solver
        Adam, which divides the gradient by its recent size, parameter by parameter.
    gradient
        Negative phase of an update, with the conditions clamped: samples after Gibbs
        steps from y (contrastive divergence, "cd" [1]_); exact draws, where y or the
        hidden layer has at most :math:`2^{12}` states ("enumeration"), which make the
        gradient unbiased; or sweeps from y that all have the same noise, which descend
        to a state of low energy ("perturb-and-descend" [2]_) and are not the
        likelihood's gradient. "mean-field" has none, and no likelihood: it is the
        gradient of the log probability of y under predictions by mean field, back
        through all sweeps [2]_, for y of bits and categories; these are what
        ``predict`` then returns. "auto": exact draws up to :math:`2^8` states, else
        "cd".
    mean_field_steps
        Number of sweeps for "mean-field".
    n_steps : int or tuple of int
        Number of these steps in each update. The values of a tuple share the epochs
        evenly, in order.
    n_iter
        Number of epochs; "auto": 3,000 updates, but between 20 and 200 epochs.
    centering
        If not None, use the centred gradient [6]_, whose offsets are means of y and of
        the hidden units: those at the start of training, running means in the positive
        phase ("data"), or running averages of the means in both phases ("moving").
    penalty
        Penalties and limits of the weights, and a target of the activity of hidden
        units; None leaves them at the defaults below. ``l1`` and ``l2`` are of all
        weights, also those of the conditions; ``max_norm`` is of the weights of each
        hidden unit to y, and of a factor to each of its ends.

    Attributes
    ----------
    components_ : ndarray of shape (n_hidden_entries, n_entries)
        Weights W, transposed, between hidden units and the entries of y, as of
        :class:`~skdgm.RBM`.
    condition_visible_ : ndarray of shape (n_conditions, n_entries)
        Weights A of the conditions to y. A categorical column of X is a condition for
        each of its categories, counted from its frequency; a real one is standardised.
    condition_hidden_ : ndarray of shape (n_conditions, n_hidden_entries)
        Weights B of the conditions to the hidden units.
    intercept_visible_ : ndarray of shape (n_entries,)
        Biases b: those at the mean of the conditions.
    intercept_hidden_ : ndarray of shape (n_hidden_entries,)
        Hidden biases c.
    precision_ : ndarray of shape (n_columns,)
        Precisions of the "gaussian" and "rectified" columns of y, in their order, for
        values as they are given; where there are such columns.
    classes_ : ndarray or list of ndarray
        Values of the column of y that has categories or bits, or of each of several.
    column_types_ : dict
        How each column of y is read, by its name (or number): a
        :class:`~skdgm.data.ColumnType`.
    condition_types_ : dict
        The same of each column of X.
    density_kind_ : {"exact", "estimate"}
        Kind of density that :meth:`score_samples` returns.
    loss_curve_ : list of float
        For each epoch the negative log-likelihood of columns of y, each given the
        conditions and the means of the hidden units given the other columns, estimated
        from some columns of training rows, in nats per row.
    validation_curve_ : list of float
        ``loss_curve_`` of held-out rows, with ``early_stopping``.

    References
    ----------
    .. [1] Taylor, Hinton and Roweis (2007). Modeling human motion using binary latent
       variables. NeurIPS.
    .. [2] Mnih, Larochelle and Hinton (2011). Conditional restricted Boltzmann machines
       for structured output prediction. UAI.
    .. [6] Melchior, Fischer and Wiskott (2016). How to center deep Boltzmann machines.
       JMLR.
    """

    _: KW_ONLY
    mean_field_steps: Count = 10
    centering: Literal["start", "data", "moving"] | None = "data"
    n_iter: CountOrZero | Auto = "auto"
    gradient: Literal[
        "auto", "cd", "enumeration", "perturb-and-descend", "mean-field"
    ] = "auto"
    n_steps: Count | tuple = 5
    solver: Annotated[Literal["adam"] | Adam, SolverDetails] = "adam"
    momentum = 0.9
    penalty: Annotated[Penalties, PenaltyDetails] = None
    batch_size = 50
    learning_rate: Positive | Auto = "auto"
    n_iter_no_change = 10

    # What machines read of options that these lack.
    _IMPLIED = {
        **{"n_chains": 1, "fast_learning_rate": None, "negative": "samples"},
        **{"quadratic": False, "resample": False, "init_biases": "marginals"},
    }
    _MODEL = CONDITIONAL
    _KNOWN = "_responses", "_y_columns", "feature_names_in_"
    _BUDGET = Budget(3_000, 20, 200)
    # Conditions that are far out are clipped; of y there is a warning of its own.
    _TRANSIENT, _SLOWED = ("precision_", "_log_precisions"), None

    @rolled_back
    def fit(
        self,
        X: Data,
        y: Target = None,
        sample_weight: Weight = None,
        *,
        lengths: Target = None,
        groups: Target = None,
    ) -> Self:
        """Fit the model to columns y given columns X, or to series given their past.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Conditions. NaN is the mean of its column. With ``n_lags`` series, one after
            the other or a list of them, NaN where missing.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Columns of any kinds; required without ``n_lags``, and not to be given with
            it. NaN (None) where missing.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row; or of each series, with ``n_lags``. Whole numbers are
            exactly so many repetitions.
        lengths : array-like of shape (n_series,), default=None
            Number of rows of each series of a table; by default it is a single one.
        groups : array-like of shape (n_samples,), default=None
            Name of the series of each row, in the place of lengths.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            X is empty or infinite; y is missing, of another length, or has a column
            without any value, or values outside the domain of its kind; a weight is
            negative, or all weights are zero. Lengths do not add up to the rows, or
            there are no more rows in any series than lags.
        DivergenceError
            Training diverged. The estimator keeps its last good parameters.
        """
        return self._fit(Series(X, lengths, groups), y, sample_weight)

    def partial_fit(
        self,
        X: Data,
        y: Target = None,
        sample_weight: Weight = None,
        *,
        lengths: Target = None,
        groups: Target = None,
    ) -> Self:
        """Continue training: one pass over the rows, as of an epoch of :meth:`fit`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Conditions.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Columns, whose classes must all be in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, as for :meth:`fit`.
        lengths, groups : array-like, default=None
            Series of a table, as for :meth:`fit`.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError, DivergenceError
            As raised by :meth:`fit`; or a class is unknown.
        """
        return self._partial_fit(Series(X, lengths, groups), y, sample_weight)

    @property
    def _domain(self):
        options = self._options
        if options.n_lags:
            return SeriesColumns(options.column_types)
        return UnitColumns(options.condition_types)

    @property
    def _dtype(self):
        return self._state().params.dtype.type

    def _n_epochs(self, table):
        options = self._options
        return self._BUDGET.epochs(options.n_iter, table, options.batch_size)

    def _begin(self, X, y, sample_weight, fresh, classes=None):
        series_given = X if isinstance(X, Series) else Series(X)
        n_lags = self._present_options().n_lags
        if not n_lags:
            self._refuse_series(
                series_given.X, series_given.lengths, series_given.groups
            )
            return super()._begin(series_given.X, y, sample_weight, fresh)
        self._refuse_y(y)
        table, lengths, weight, series = self._in_order(
            series_given, sample_weight, fresh
        )
        if n_lags >= lengths.max():
            raise ValueError(
                f"n_lags={n_lags}, but the longest series has {lengths.max()} rows: "
                "no row has that many previous rows."
            )
        table = super()._begin(table, None, weight, fresh, series)
        return self._by_sequence(table, lengths, weight, fresh)

    def _in_order(self, asked_series, sample_weight, fresh):
        """Table of series, their lengths, weights of rows, and an argument of
        ``_label``."""
        table, lengths = as_one_table(
            asked_series.X, asked_series.lengths, asked_series.groups
        )
        table, steps = in_steps(self, table, lengths, fresh)
        return table, lengths, by_row(sample_weight, lengths), (lengths, steps)

    def _by_sequence(self, table, lengths, weight, fresh):
        """Table of rows; columns that are constant in each series are remembered."""
        remember_kept(self, table.rows, lengths, fresh)
        return table

    def _for_callbacks(self, X, y, sample_weight, table):
        if not self._options.n_lags:
            return for_callbacks(own_frame(X.X, table), y, sample_weight)
        whole, lengths = as_one_table(X.X, X.lengths, X.groups)
        weight = by_row(sample_weight, lengths)
        data = for_callbacks(own_frame(whole, table), None, weight)
        if len(lengths) > 1:
            data["metadata"] = (data["metadata"] or {}) | {"lengths": lengths}
        return data

    def _label(self, rows, y, fresh, series):
        """Rows with numbers of y, and a dict of its columns; or rows of series with the
        rows before each."""
        n_lags = self._present_options().n_lags
        if n_lags:
            lengths, steps = series
            rows = with_steps(rows, steps)
            past = Past(rows, None, n_lags, lengths)
            return rows._replace(given=past), {"_responses": None}
        if y is None:
            raise ValueError(
                f"{self._name} requires y to be passed, but the target y is None."
            )
        responses = self.__dict__.get("_responses")
        if fresh:
            kinds = self._options.column_types
            responses = learned_responses(y, self._name, kinds)
        numbers = responses.numbers(y, self._name, rows.shape[0])
        columns = None if fresh else self._y_columns
        responses.rows(numbers, columns, rows.dtype, fitting=True)
        return rows._replace(given=Given(numbers)), {"_responses": responses}

    def _count(self, table, fresh):
        options = self._options
        if options.gates is not None:
            names = getattr(self, "feature_names_in_", None)
            gate_columns(options.gates, names, table.rows.shape[1])
        responses = self._responses
        if responses is None:
            self._far = far_out(self, self._columns, table)
            self._y_columns, names = None, range(table.rows.shape[1])
            kinds = kinds_of(self._columns).tolist()
            improper(dict(zip(names, kinds)), self._options.hidden)
            return
        rows = responses.rows(table.rows.given.values, None, table.rows.dtype)
        before = None if fresh else self._y_columns
        domain, table = responses.domain, table._replace(rows=rows)
        self._y_columns, table = domain.learn(table, before)
        self._names = responses.names if responses.framed else None
        self._far = far_out(self, self._y_columns, table)
        kinds = kinds_of(self._y_columns).tolist()
        improper(dict(zip(responses.names, kinds)), self._options.hidden)

    def _remedy(self):
        options = self._options
        return (
            f"Lower learning_rate (now {options.learning_rate}) or raise batch_size "
            f"(now {options.batch_size})."
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # Options may be set to anything until the next fit.
        tags.target_tags.required = np.array_equal(getattr(self, "n_lags", 0), 0)
        tags.target_tags.multi_output = True
        # A y of one column of classes has probabilities.
        tags.classifier_tags = ClassifierTags(poor_score=True)
        return tags
