"""Base class of conditional machines: training, and the options of all of them."""

from typing import Annotated, Literal, Self

import numpy as np
from sklearn.utils import ClassifierTags

from skdgm.base import rolled_back
from skdgm.base.column_group import Columns
from skdgm.base.common_options import FitOptions
from skdgm.base.fits import n_epochs
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
from skdgm.boltzmann._conditional.conditions import Past
from skdgm.boltzmann._conditional.factors import gate_columns
from skdgm.boltzmann._conditional.methods import ConditionalMethods
from skdgm.boltzmann._conditional.model import CONDITIONAL, has_real
from skdgm.boltzmann.options import (
    Penalties,
    PenaltyDetails,
    RealDetails,
    SolverDetails,
)
from skdgm.boltzmann.structure.table_layers import improper
from skdgm.boltzmann.structure.tables import kinds_of
from skdgm.data import outlier_text
from skdgm.data.inputs import for_callbacks, original_data
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


class ConditionalEstimator(FitOptions, ConditionalMethods):
    r"""Base class of models of columns y given columns X, or of a series given its
    past.

    Parameters
    ----------
    n_components
        Number of hidden units.
    column_types : str, tuple of str or dict
        Type of all columns of y, or of each column, as in :class:`~skdgm.RBM`; a dict
        has the types of some columns of a DataFrame by name. "mixed": text columns, and
        integers in a one-dimensional y, are categories; booleans, and columns of 0 and
        1, are bits; other numbers are "gaussian". The variance of a "rectified" column
        is its mean square.
    condition_types : str, tuple of str or dict
        Type of all columns of X, of each column, or of some columns by name. By default
        the types are read from the dtypes of a DataFrame, and columns of an array are
        "gaussian" (standardized).
    hidden
        Type of the hidden units, as in :class:`~skdgm.RBM`.
    pairwise
        If True, add weights between y and hidden units, y and conditions, and
        conditions and hidden units. If False, all weights are factored, and
        ``components_``, ``condition_visible_`` and ``condition_hidden_`` are zeros.
    learning_rate
        Initial learning rate, which the ``schedule`` of the solver lowers. "auto":
        0.002 if y has "gaussian" or "rectified" columns (0.003 without ``pairwise``);
        0.03 if y has counts, but no real columns; 0.01 otherwise.
    solver
        Adam, which divides the gradient of each parameter by its recent magnitude.
    gradient
        Samples of the negative phase, with the conditions clamped. "cd": Gibbs steps
        that start at y (contrastive divergence [1]_). "enumeration": exact draws, which
        make the gradient unbiased; for y or a hidden layer with at most :math:`2^{12}`
        states. "perturb-and-descend": Gibbs sweeps from y with the same noise in each
        sweep, which descend to a state of low perturbed energy [2]_; the gradient is
        then not that of the likelihood. "auto": "enumeration" up to :math:`2^8` states,
        otherwise "cd".
        "mean-field" replaces the likelihood, for y of bits and categories: mean-field
        sweeps predict y, and the log probability of y under these predictions is
        back-propagated through all sweeps [2]_. ``predict`` then returns the same
        predictions.
    mean_field_steps
        Number of sweeps for "mean-field".
    n_steps : int or tuple of int
        Number of Gibbs steps in each update. The values of a tuple are used in turn,
        each for an equal share of the epochs.
    n_iter
        Number of epochs; "auto": 3,000 updates, or 2,000 if y has "gaussian" or
        "rectified" columns, but between 20 and 200 epochs.
    centering
        Offsets of the centered gradient [6]_, which are means of y and of the hidden
        units. "start": the means at the start of training; "data": running means in the
        positive phase; "moving": running averages of the means in both phases; None:
        the plain gradient.
    penalty
        Penalties and limits of the weights, and a sparsity target for the hidden units;
        None keeps the defaults below. ``alpha`` applies to all weights, including
        the weights of the conditions. ``max_norm`` limits the weights between a hidden
        unit and y, and between a factor and each of its three groups of units.

    Attributes
    ----------
    components_ : ndarray of shape (n_hidden_entries, n_entries)
        Weights W, transposed, between hidden units and the entries of y, as in
        :class:`~skdgm.RBM`.
    condition_visible_ : ndarray of shape (n_conditions, n_entries)
        Weights A between the conditions and y. A categorical column of X has a
        condition for each category, from which its frequency is subtracted. Real
        columns are standardized.
    condition_hidden_ : ndarray of shape (n_conditions, n_hidden_entries)
        Weights B between the conditions and the hidden units.
    intercept_visible_ : ndarray of shape (n_entries,)
        Biases b of y at the mean of the conditions.
    intercept_hidden_ : ndarray of shape (n_hidden_entries,)
        Hidden biases c at the mean of the conditions.
    precision_ : ndarray of shape (n_columns,)
        Precisions of the "gaussian" and "rectified" columns of y in their original
        units; only set if there are such columns.
    classes_ : ndarray or list of ndarray
        Values of y if it is a single column of categories or bits; otherwise a list
        with the values of each such column.
    column_types_ : dict
        Type of each column of y, a :class:`~skdgm.data.ColumnType`, by name or number.
    condition_types_ : dict
        Type of each column of X.
    density_kind_ : {"exact", "estimate"}
        Kind of density that :meth:`score_samples` returns.
    loss_curve_ : list of float
        Loss of the training rows for each epoch, in nats per row. The loss is the
        negative log-likelihood of each column of y given the conditions and the means
        of the hidden units, which are themselves computed from the other columns. It
        is estimated from some columns of some rows.
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

    _MODEL = CONDITIONAL
    _MODEL_READS = "_responses", "_y_columns", "feature_names_in_"
    _BUDGET, _BUDGET_REAL = Budget(3_000, 20, 200), Budget(2_000, 20, 200)
    # Conditions are clipped; outliers of y have their own warning.
    _TRANSIENT, _SHORTENS_STEPS = ("precision_", "_log_precisions"), None

    def _n_epochs(self, table):
        energy = self._MODEL.energy(self._facts())
        is_short = has_real(energy) and self._options.pairwise
        return n_epochs(self, table, self._BUDGET_REAL if is_short else None)

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
            Conditions; NaN is replaced by the mean of its column. With ``n_lags``:
            series, either concatenated or as a list of tables, with NaN where missing.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Columns of any type, with NaN (None) where missing. Required without
            ``n_lags``, and not allowed with it.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row; with ``n_lags``, of each row or of each series. An
            integer weight is equivalent to repeating the row.
        lengths : array-like of shape (n_series,), default=None
            Number of rows of each series of a table; by default the table is one
            series.
        groups : array-like of shape (n_samples,), default=None
            Identifier of the series of each row, instead of ``lengths``.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            X is empty or infinite. y is missing, has another length than X, a column
            without any value, or values outside the domain of its type. A weight is
            negative, or all weights are zero. Lengths do not add up to the number of
            rows, or no series has more rows than ``n_lags``.
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
        """Continue training for one epoch.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Conditions, or series, as in :meth:`fit`.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Columns. The first call must contain all classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, as in :meth:`fit`.
        lengths, groups : array-like, default=None
            Series of a table, as in :meth:`fit`.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError, DivergenceError
            As in :meth:`fit`; or a class is unknown.
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

    def _begin(self, X, y, sample_weight, fresh, classes=None):
        series_given = X if isinstance(X, Series) else Series(X)
        n_lags = self._current_options().n_lags
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
        """Concatenated series, their lengths, weights of rows, and the argument of
        ``_label``."""
        table, lengths = as_one_table(
            asked_series.X, asked_series.lengths, asked_series.groups
        )
        table, steps = in_steps(self, table, lengths, fresh)
        return table, lengths, by_row(sample_weight, lengths), (lengths, steps)

    def _by_sequence(self, table, lengths, weight, fresh):
        """Remember columns that are constant within each series; returns the table."""
        remember_kept(self, table.rows, lengths, fresh)
        return table

    def _for_callbacks(self, X, y, sample_weight, table):
        if not self._options.n_lags:
            return for_callbacks(original_data(X.X, table), y, sample_weight)
        joined, lengths = as_one_table(X.X, X.lengths, X.groups)
        weight = by_row(sample_weight, lengths)
        data = for_callbacks(original_data(joined, table), None, weight)
        if len(lengths) > 1:
            data["metadata"] = (data["metadata"] or {}) | {"lengths": lengths}
        return data

    def _label(self, rows, y, fresh, series):
        """Rows with the values of y, or with their lags, and attributes of the columns
        of y."""
        n_lags = self._current_options().n_lags
        if n_lags:
            lengths, steps = series
            rows = with_steps(rows, steps)
            lags = Past(rows, None, n_lags, lengths)
            return rows._replace(given=lags), {"_responses": None}
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
            self._outlier_text = outlier_text(self, self._columns, table)
            self._y_columns, names = None, range(table.rows.shape[1])
            kinds = kinds_of(self._columns).tolist()
            improper(dict(zip(names, kinds)), self._options.hidden)
            return
        rows = responses.rows(table.rows.given.values, None, table.rows.dtype)
        earlier = None if fresh else self._y_columns
        domain, table = responses.domain, table._replace(rows=rows)
        self._y_columns, table = domain.learn(table, earlier)
        self._names = responses.names if responses.framed else None
        self._outlier_text = outlier_text(self, self._y_columns, table)
        kinds = kinds_of(self._y_columns).tolist()
        improper(dict(zip(responses.names, kinds)), self._options.hidden)

    def _remedy(self):
        facts = self._facts()
        options = self._MODEL.options(facts, self._MODEL.energy(facts))
        return (
            f"Lower learning_rate (now {options.learning_rate:g}) or raise batch_size "
            f"(now {options.batch_size})."
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # Until the next fit, options may have any value.
        tags.target_tags.required = np.array_equal(getattr(self, "n_lags", 0), 0)
        tags.target_tags.multi_output = True
        # predict_proba exists if y is a single column of classes.
        tags.classifier_tags = ClassifierTags(poor_score=True)
        return tags
