"""Base class of machines of columns y given columns X: public methods."""

from typing import Self

import numpy as np
from sklearn.utils import ClassifierTags

from skdgm.base import rolled_back
from skdgm.base.series import Series, in_steps, remember_kept, with_steps
from skdgm.boltzmann._conditional.answers import GivenAnswers
from skdgm.boltzmann._conditional.conditions import Past
from skdgm.boltzmann._conditional.factors import gate_columns
from skdgm.boltzmann._conditional.model import CONDITIONAL
from skdgm.boltzmann.structure.table_layers import improper
from skdgm.boltzmann.structure.tables import kinds_of
from skdgm.data import far_out
from skdgm.data.inputs import for_callbacks, own_frame
from skdgm.data.responses import learned_responses
from skdgm.data.sequences import as_one_table, by_row
from skdgm.data.units import SeriesColumns, UnitColumns
from skdgm.training import Budget
from skdgm.typing import Data, Target, Weight
from skdgm.utils.given import Given


class GivenEstimator(GivenAnswers):
    """Base class of machines of columns y given columns X, or of rows of series given
    those before; a subclass has options."""

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
