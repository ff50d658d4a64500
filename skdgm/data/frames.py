"""Encoding of the columns of a DataFrame as numbers, and decoding."""

from typing import NamedTuple

import numpy as np

from skdgm.exceptions import MissingDataWarning
from skdgm.utils.callers import warn

# Number of categories named in an error.
_NAMED = 5


def kind_of(name, dtype):
    """Kind of a column of a dtype: "bernoulli", "categorical" or "gaussian".

    Raise TypeError if there is none, as for dates and complex numbers.
    """
    import pandas as pd

    types = pd.api.types
    if isinstance(dtype, pd.CategoricalDtype):
        return "categorical"
    if types.is_bool_dtype(dtype):
        return "bernoulli"
    if types.is_object_dtype(dtype) or types.is_string_dtype(dtype):
        return "categorical"
    if types.is_numeric_dtype(dtype) and not types.is_complex_dtype(dtype):
        return "gaussian"
    raise TypeError(
        f"Column {name!r} has the dtype {dtype}, which is neither of numbers nor of "
        "categories: make numbers of it (of a date the days since another), or make "
        "it a category, or drop it."
    )


def plain_type(dtype):
    """NumPy dtype that underlies a nullable or sparse dtype of numbers."""
    return np.dtype(getattr(dtype, "numpy_dtype", getattr(dtype, "subtype", dtype)))


def categories_of(column):
    """Categories of a column as an Index, in the order of their codes.

    Those of a category dtype, else the distinct values, sorted. Raise ValueError if
    values are not hashable.
    """
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.dtype.categories
    try:
        found = column.dropna().unique().tolist()
    except TypeError as error:
        raise ValueError(
            f"Column {column.name!r} has values that cannot be categories ({error}): "
            "drop it, or make numbers or strings of it."
        ) from error
    # Without this, tuples would make an index of several levels.
    return pd.Index(_in_order(found), dtype=column.dtype, tupleize_cols=False)


def _in_order(values):
    try:
        return sorted(values)
    except TypeError:
        pass
    try:
        return sorted(values, key=lambda value: (type(value).__name__, value))
    except TypeError:
        return sorted(values, key=lambda value: (type(value).__name__, repr(value)))


def numbers(column):
    """Convert a column of numbers or bits to float64, NaN where missing.

    Raise TypeError if its dtype has no kind, ValueError if its values are not numbers.
    """
    kind_of(column.name, column.dtype)
    try:
        return column.to_numpy(np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Column {column.name!r} had numbers when the model was fitted, and has "
            f"other values now ({error})."
        ) from error


def codes(column, categories):
    """Convert values to codes: -1 where not among the categories, NaN where missing."""
    import pandas as pd

    found = categories.get_indexer(pd.Index(column))
    return np.where(column.isna().to_numpy(), np.nan, found)


def named(values):
    """Text that names the first few of several values, for a message."""
    told = ", ".join(map(repr, values[:_NAMED]))
    return told + (f" and {len(values) - _NAMED} more" if len(values) > _NAMED else "")


def as_bits(values, dtype, _):
    """Convert numbers, NaN where missing, to a boolean column (True from 0.5 on)."""
    import pandas as pd

    missing = np.isnan(values)
    return _typed(pd.arrays.BooleanArray(values >= 0.5, missing), dtype, missing)


def as_reals(values, dtype, _):
    """Convert numbers to a column of a dtype, rounded and clipped for integers."""
    import pandas as pd

    plain = plain_type(dtype)
    if plain.kind not in "iu":
        return pd.Series(values).astype(dtype)
    missing, info = np.isnan(values), np.iinfo(plain)
    # The largest 64-bit integer is no float: the nearest one is above it and overflows.
    high = float(info.max)
    high = high if int(high) <= info.max else np.nextafter(high, 0)
    whole = np.where(missing, 0, np.rint(values)).clip(info.min, high).astype(plain)
    return _typed(pd.arrays.IntegerArray(whole, missing), dtype, missing)


def as_labels(values, dtype, categories):
    """Convert codes, NaN where missing, to a column of their categories."""
    import pandas as pd

    missing = np.isnan(values) | (len(categories) == 0)
    codes = np.where(missing, -1, np.rint(values)).astype(int)
    if isinstance(dtype, pd.CategoricalDtype):
        return pd.Series(pd.Categorical.from_codes(codes, dtype=dtype))
    return pd.Series(pd.Categorical.from_codes(codes, categories)).astype(dtype)


def _typed(masked, dtype, missing):
    """Convert a masked array to a dtype if this can represent its missing values."""
    import pandas as pd

    holds = not isinstance(dtype, np.dtype | pd.SparseDtype)
    found = pd.Series(masked)
    return found.astype(dtype) if holds or not missing.any() else found


class Codec(NamedTuple):
    """Encoding of the columns of a DataFrame as numbers.

    Parameters
    ----------
    columns : Index
        Names of the columns.
    dtypes : tuple of dtype
        Types of the columns.
    kinds : tuple of {"bernoulli", "categorical", "gaussian"}
    categories : tuple of Index or None
        For each column, the categories of its codes; None if it is not categorical.
    """

    columns: object
    dtypes: tuple
    kinds: tuple
    categories: tuple

    @classmethod
    def of(cls, frame):
        """Learn the encoding from a DataFrame.

        Raise ValueError if names are not unique or values cannot be categories, and
        TypeError if a column is neither numeric nor categorical.
        """
        if not frame.columns.is_unique:
            twice = frame.columns[frame.columns.duplicated()].tolist()
            raise ValueError(
                f"X has several columns of the names {twice}: rename them."
            )
        dtypes = tuple(frame.dtypes)
        kinds = tuple(map(kind_of, frame.columns.tolist(), dtypes))
        series = [frame.iloc[:, j] for j in range(len(kinds))]
        categories = [
            categories_of(column) if kind == "categorical" else None
            for column, kind in zip(series, kinds)
        ]
        return cls(frame.columns, dtypes, kinds, tuple(categories))

    @property
    def names(self):
        """Names of the columns, as a list."""
        return self.columns.tolist()

    def encode(self, frame, *, strict=True):
        """Encode a DataFrame with the same columns as numbers.

        Parameters
        ----------
        frame : DataFrame
        strict : bool, default=True
            If False, unknown categories have code -1 instead of raising an error.

        Returns
        -------
        X : ndarray of shape (n_rows, n_columns)
            Codes for categories, 0 and 1 for bits, numbers as they are, NaN where
            missing; float32 if that holds the learned types of numbers, else float64.

        Raises
        ------
        ValueError
            Other columns, a non-numeric value, or (``strict``) an unknown category.
        """
        if frame.columns.tolist() != self.names:
            raise ValueError(
                f"X has the columns {frame.columns.tolist()}, but the model was "
                f"fitted with {self.names}: bring them into that order."
            )
        plain = [
            plain_type(d) for d, k in zip(self.dtypes, self.kinds) if k == "gaussian"
        ]
        single = np.result_type(np.float32, *plain) == np.float32
        out = np.empty(frame.shape, np.float32 if single else np.float64)
        for j, categories in enumerate(self.categories):
            column = frame.iloc[:, j]
            given = categories is None
            out[:, j] = numbers(column) if given else codes(column, categories)
            new = [] if given or not strict else column[out[:, j] < 0].unique().tolist()
            if new:
                raise ValueError(
                    f"Column {column.name!r} has categories that the model does not "
                    f"know: {named(new)}. Fit anew with them, or declare them in a "
                    "category dtype before fitting."
                )
        return out

    def decode(self, X):
        """Decode numbers as a DataFrame with the types of the one learned from.

        Integers are rounded and clipped to the range of their type. If values are
        missing, a type that cannot represent this is replaced by the nullable one.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_columns)

        Returns
        -------
        frame : DataFrame
        """
        import pandas as pd

        makers = {"bernoulli": as_bits, "categorical": as_labels, "gaussian": as_reals}
        facts = zip(self.kinds, self.dtypes, self.categories)
        series = {
            j: makers[kind](np.asarray(X[:, j], np.float64), dtype, categories)
            for j, (kind, dtype, categories) in enumerate(facts)
        }
        return pd.DataFrame(series).set_axis(self.columns, axis=1)


def tell_unknown(name, frame, rows):
    """Warn of unknown categories in a DataFrame, which are read as missing values."""
    if rows.unknown is None:
        return
    unknown = [
        f"{named(frame.iloc[rows.unknown[:, j], j].unique().tolist())} in column "
        f"{frame.columns[j]!r}"
        for j in np.flatnonzero(rows.unknown.any(axis=0))
    ]
    warn(
        f"{name} takes categories that it did not see in fit as missing: "
        f"{'; '.join(unknown)}. Declare them in a category dtype before fitting.",
        MissingDataWarning,
    )
