"""Encoding of the columns of a DataFrame as numbers, and decoding."""

from typing import NamedTuple

import numpy as np

from skdgm.data.series import (
    as_bits,
    as_labels,
    as_reals,
    categories_of,
    codes,
    kind_of,
    named,
    numbers,
    plain_type,
)
from skdgm.exceptions import MissingDataWarning
from skdgm.utils.callers import warn


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
