"""Options that estimators of several families share."""

from typing import Annotated, Literal

from sklearn.utils._param_validation import Interval, RealNotInt

from skdgm.base.options import (
    KW_ONLY,
    ArrayLike,
    Count,
    Fraction,
    NotNegative,
    Options,
    Positive,
    RandomState,
    Verbose,
)

# Kinds of all columns, of each, or of some by name.
ColumnTypes = (
    Literal["auto", "bernoulli", "gaussian", "categorical", "mixed"] | tuple | dict
)


class FitOptions(Options):
    """Options of training by epochs.

    Parameters
    ----------
    batch_size
        Number of rows in each update.
    learning_rate
        Initial learning rate; see ``schedule``.
    power_t
        Exponent of ``schedule="invscaling"``.
    early_stopping
        If True, hold out rows, stop when their ``validation_curve_`` no longer
        falls, and keep the parameters with which it was lowest.
    validation_fraction
        Share of the rows to hold out. Up to four copies of a row stay together; of
        more copies, this share is held out.
    n_iter_no_change
        Number of epochs without an improvement of ``tol`` before stopping early.
    tol
        Smallest improvement that counts, in nats per row.
    warm_start
        If True, ``fit`` continues from the learned parameters.
    verbose
        If not 0, print a line for each epoch.
    random_state : int, RandomState instance or None
        Seed of initial weights, order of rows and draws.

    Attributes
    ----------
    loss_quantity_ : str
        Name of minus the loss of which ``loss_curve_`` consists.
    n_iter_ : int
        Number of epochs done.
    column_types_ : dict
        How each column is read, by its name (or number): a
        :class:`~skdgm.data.ColumnType`. It prints a line for each column.
    density_ : Density
        What was learned: the :class:`~skdgm.base.Density` that metrics and plots ask.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where X has some.
    """

    _: KW_ONLY
    batch_size: Count = 100
    learning_rate: Positive = 0.003
    power_t: NotNegative = 0.5
    early_stopping: bool = False
    validation_fraction: Fraction = 0.1
    n_iter_no_change: Count = 10
    tol: NotNegative = 1e-3
    warm_start: bool = False
    verbose: Verbose = 0
    random_state: RandomState = None


class CategoryOptions(Options):
    """Options of columns of categories.

    Parameters
    ----------
    min_categories : int, array-like of int or None
        Least number of categories of "categorical", in all columns or in each; more
        are found in the data.
    min_frequency : int, float or None
        Least weight of rows (a share, if a float) of a category that has a probability
        of its own given the other columns; rarer ones are drawn as one, and told apart
        by their frequencies.
    max_categories
        Most categories of a column, counting the rare ones as one.
    handle_unknown
        How a category is read that was not in ``fit``: as an error; as missing; or as
        a rare one, if there are any, else as missing. "auto": names in a DataFrame have
        a small probability in scores, and are missing elsewhere, with a warning; codes
        in an array are an error.
    """

    _: KW_ONLY
    min_categories: Count | ArrayLike | None = None
    min_frequency: (
        Count | Annotated[float, Interval(RealNotInt, 0, 1, closed="neither")] | None
    ) = None
    max_categories: Count | None = None
    handle_unknown: Literal["auto", "error", "ignore", "infrequent_if_exist"] = "auto"


class TableOptions(CategoryOptions):
    """Options of tables with columns of several kinds.

    Parameters
    ----------
    missing_pattern
        If "model", samples have missing entries as the rows have: that an entry is
        missing is a value of its own, which is drawn, and counts in scores. If
        "ignore", samples have none. For "mixed" columns, tuples and dicts.
    """

    _: KW_ONLY
    missing_pattern: Literal["ignore", "model"] = "ignore"
