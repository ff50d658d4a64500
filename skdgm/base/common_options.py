"""Options shared by estimators of several families."""

from typing import Annotated, Literal

from skdgm.base.column_group import Columns, Frequency, Unknown
from skdgm.base.options import (
    KW_ONLY,
    ArrayLike,
    Auto,
    Count,
    Details,
    Doc,
    Fraction,
    NotNegative,
    Options,
    Positive,
    RandomState,
    Share,
    Verbose,
)

# One type for all columns, one for each, or types of some columns by name.
ColumnTypes = (
    Literal["auto", "bernoulli", "gaussian", "categorical", "mixed"]
    | tuple
    | dict
    | Columns
)

AttributeTypes = Annotated[
    Auto | tuple | dict,
    Doc(
        """Type of each attribute, "categorical" or "gaussian", by its position or name.
        "auto": strings and booleans are categorical, and so are integers in a y of one
        column; other numbers are "gaussian"."""
    ),
]


class FitOptions(Options):
    """Options of training by epochs.

    Parameters
    ----------
    batch_size
        Number of rows in each update.
    learning_rate
        Initial learning rate; ``schedule`` of the solver lowers it during the fit.
    early_stopping
        If True, hold out rows, stop when ``validation_curve_`` no longer falls, and
        keep the parameters of its minimum.
    validation_fraction
        Share of the rows to hold out. Up to four copies of a row stay together; for
        more copies, this share of the copies is held out.
    n_iter_no_change
        Number of epochs without an improvement of ``tol`` before early stopping.
    tol
        Minimum improvement of the validation loss that counts, in nats per row.
    warm_start
        If True, ``fit`` continues from the learned parameters.
    verbose
        If not 0, print a table of epochs, with at most one line a second.
    random_state : int, RandomState instance or None
        Seed of initial weights, the order of rows, and draws.

    Attributes
    ----------
    loss_quantity_ : str
        Name of the quantity whose negative is the loss in ``loss_curve_``.
    n_iter_ : int
        Number of completed epochs.
    """

    _: KW_ONLY
    batch_size: Count = 100
    learning_rate: Positive = 0.003
    early_stopping: bool = False
    validation_fraction: Fraction = 0.1
    n_iter_no_change: Count = 10
    tol: NotNegative = 1e-3
    warm_start: bool = False
    verbose: Verbose = 0
    random_state: RandomState = None


class CategoryDetails(Details):
    """Details of categorical columns."""

    min_categories: Count | ArrayLike | None = None
    min_frequency: Frequency | None = None
    max_categories: Count | None = None
    handle_unknown: Unknown = "auto"


class TableDetails(CategoryDetails):
    """Details of tables with several types of columns."""

    missing_pattern: Literal["ignore", "model"] = "ignore"


class VarianceDetails(Details):
    """Details of the conditional variances of real columns."""

    variance: Literal["feature", "sample"] | Positive = "feature"
    min_variance: Share = 0.01
