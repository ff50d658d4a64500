"""Types of columns that an estimator reads from the data of its first fit.

``_inferred_types`` is the decision, a pair as returned by
:func:`~skdgm.data.auto.reading_of`. :func:`~skdgm.base.fits.current_options` replaces
"auto" by it. The class attributes ``_GRAY``, ``_NUMBERS``, ``_IMAGES`` and
``_SEPARATE_LEVELS`` of an estimator are its :class:`~skdgm.data.auto.ReadingDefaults`.
"""

import numpy as np

from skdgm.data import ColumnType, ColumnTypes, inputs, names_of
from skdgm.data.auto import ReadingDefaults, is_auto, reading_of
from skdgm.utils import relations
from skdgm.utils.bits import kinds_allowed

# Maximum number of rows in which functions between columns are searched.
_ROWS = 100_000


def read_kinds(estimator, X, weight=None):
    """Read the types of columns, in a first fit with ``column_types="auto"``."""
    vars(estimator).pop("_inferred_types", None)
    options = estimator._current_options()
    kinds = estimator._readable_kinds(options)
    if kinds:
        with inputs.explained(estimator, X, estimator._requested_domain):
            defaults = ReadingDefaults(
                gray=estimator._GRAY,
                numbers=estimator._NUMBERS,
                images=estimator._IMAGES,
                separate_levels=estimator._SEPARATE_LEVELS,
            )
            estimator._inferred_types = reading_of(
                estimator, X, kinds, options, defaults, weight=weight
            )


def kinds_in_words(estimator):
    """Text on the types of the columns; a stack needs no machine for it yet."""
    if "_columns" in vars(estimator):
        return column_types_of(estimator).summary
    kinds, top = estimator._inferred_types
    return f"{estimator.n_features_in_} {'gray' if top != 1 else kinds}"


def print_columns(estimator, table):
    """Print the kinds of the columns, and functions between the columns of a
    DataFrame."""
    print(f"[{estimator._name}] Columns: {kinds_in_words(estimator)}")
    if found := functions_in_words(estimator, table):
        print(
            f"[{estimator._name}] Functions, which ConstrainedTable(model, 'auto') "
            f"keeps: {found}"
        )


def functions_in_words(estimator, table):
    """Text on functions between the columns of a DataFrame, for the first fit of its
    rows; empty if there are none."""
    columns = vars(estimator).get("_columns")
    codec = getattr(columns, "codec", None)
    if codec is None or len(codec.names) > relations.WIDE:
        return ""
    index = table.index[:: -(-len(table.index) // _ROWS)]
    rows = table.rows.raw._replace(dtype=np.float64).take(index)
    coded = np.isin(columns.kinds, ("categorical", "bernoulli"))
    kinds = [
        "time" if clock is not None else not is_code
        for clock, is_code in zip(codec.clocks, coded)
    ]
    found = relations.find(list(rows.T), kinds)
    return "; ".join(relations.described(f, codec.names) for f in found)


def readable_kinds(estimator, options):
    """Set of the types of columns that the model can read; empty if options give the
    types."""
    return kinds_allowed(estimator) if is_auto(options.column_types) else set()


def column_types_of(estimator):
    """Dict of the :class:`ColumnType` of each column of a fitted model, by name or
    number."""
    names, types_of_columns = (
        names_of(estimator),
        getattr(estimator._columns, "column_types", None),
    )
    domain = estimator._domain
    default = ColumnType(domain.kind)
    if domain.top != 1:
        default = default._replace(low=0.0, high=domain.top)
    types = [default] * len(names) if types_of_columns is None else types_of_columns()
    return ColumnTypes(zip(names, types))
