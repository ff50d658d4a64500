"""Encoding of the columns of a DataFrame as numbers, and decoding."""

from typing import NamedTuple

import numpy as np

from skdgm.data.clocks import Clock
from skdgm.data.foreign import as_pandas
from skdgm.data.inputs import is_missing
from skdgm.data.series import (
    as_bits,
    as_labels,
    as_reals,
    brief,
    categories_of,
    codes,
    kind_of,
    named,
    numbers,
    place_of,
    plain_type,
)
from skdgm.exceptions import MissingDataWarning
from skdgm.utils.threading.callers import warn


class Codec(NamedTuple):
    """Encoding of the columns of a DataFrame as numbers.

    ``columns`` is the Index of their names. Each has a dtype; a kind, "bernoulli",
    "categorical" or "numeric" by its type, or as told; the Index of the categories of
    its codes, None if it has none; and a Clock of its dates or durations, None if it
    has none. ``schema`` has their types in another library than pandas, if they came
    from there; ``steps`` the dates of sequences that are read as steps, as
    :class:`~skdgm.data.time_steps.TimeSteps`.
    """

    columns: object
    dtypes: tuple
    kinds: tuple
    categories: tuple
    clocks: tuple
    schema: tuple = None
    steps: tuple = None

    @classmethod
    def of(cls, frame, kinds=None):
        """Learn the encoding from a DataFrame; ``kinds`` are those of some columns, by
        name.

        ValueError if names are not unique or not those of columns, or values cannot be
        categories; TypeError if a column is neither of numbers nor categories nor
        times.
        """
        kinds, columns = kinds or {}, frame.columns
        if not columns.is_unique:
            twice = columns[columns.duplicated()].tolist()
            raise ValueError(
                f"X has several columns of the names {twice}: rename them."
            )
        foreign = [name for name in kinds if name not in columns]
        if foreign:
            raise ValueError(
                f"column_types names {named(foreign)}, but X has the columns "
                f"{named(columns.tolist())}."
            )
        series = [frame.iloc[:, j] for j in range(len(columns))]
        found = [
            kinds[name] if name in kinds else kind_of(column)
            for name, column in zip(columns.tolist(), series)
        ]
        coded = [kind == "categorical" for kind in found]
        return cls(
            columns,
            tuple(frame.dtypes),
            tuple(found),
            tuple(categories_of(c) if code else None for c, code in zip(series, coded)),
            tuple(None if code else Clock.of(c) for c, code in zip(series, coded)),
        )

    @property
    def names(self):
        """Names of the columns, as a list."""
        return self.columns.tolist()

    @property
    def dtype(self):
        """Type to compute in: float64 if there are columns of this type, else
        float32."""
        return np.float64 if np.dtype(np.float64) in self._plain else np.float32

    @property
    def _plain(self):
        """Types of numbers that hold the columns that are not coded."""
        facts = zip(self.dtypes, self.categories, self.clocks)
        plain = [d if clock is None else np.int64 for d, c, clock in facts if c is None]
        return [plain_type(dtype) for dtype in plain]

    def encode(self, frame, *, strict=True):
        """Encode a DataFrame with the same columns as numbers, (n_rows, n_columns):
        codes of categories, 0 and 1 of bits, ticks of times, numbers as they are, NaN
        where missing; in float32 if that holds the learned types of numbers, else
        float64.

        ValueError for other columns, a value that is no number, or an unknown category;
        without ``strict``, that has the code -1.
        """
        if frame.columns.tolist() != self.names:
            raise ValueError(
                f"X has the columns {frame.columns.tolist()}, but the model was "
                f"fitted with {self.names}: bring them into that order."
            )
        single = np.result_type(np.float32, *self._plain) == np.float32
        out = np.empty(frame.shape, np.float32 if single else np.float64)
        for j, (categories, clock) in enumerate(zip(self.categories, self.clocks)):
            column = frame.iloc[:, j]
            if clock is not None:
                out[:, j] = clock.encode(column)
                continue
            given = categories is None
            out[:, j] = numbers(column) if given else codes(column, categories)
            new = [] if given or not strict else column[out[:, j] < 0].unique().tolist()
            if new:
                raise ValueError(
                    f"Column {column.name!r} has categories that the model does not "
                    f"know: {named(new)}. Fit again with them, or declare them in a "
                    "category dtype before fitting."
                )
        return out

    def decode(self, X):
        """Decode numbers, (n_rows, n_columns), as a DataFrame with the types of the one
        learned from. Integers are rounded and clipped to the range of their type; where
        values are missing, a type that cannot represent this is replaced by the
        nullable one."""
        import pandas as pd

        series = {j: self.column(j, X[:, j]) for j in range(len(self.kinds))}
        return pd.DataFrame(series).set_axis(self.columns, axis=1)

    def column(self, j, values):
        """Numbers of column j as a column of pandas; see :meth:`decode`."""
        import pandas as pd

        values, dtype = np.asarray(values, np.float64), self.dtypes[j]
        if self.clocks[j] is not None:
            return self.clocks[j].decode(values, dtype)
        if self.categories[j] is not None:
            return as_labels(values, dtype, self.categories[j])
        own = as_bits if pd.api.types.is_bool_dtype(dtype) else as_reals
        return own(values, dtype)

    def number(self, j, value, name):
        """Number that stands for a value of column j; -1 if no category.

        Raise ValueError, which says what the column takes, for other values.
        """
        import pandas as pd

        clock, categories = self.clocks[j], self.categories[j]
        if categories is not None:
            return float(place_of(value, categories))
        if is_missing(value):
            return np.nan
        try:
            if clock is not None:
                column = pd.Series([clock.value(value)], name=name)
                return float(clock.encode(column)[0])
            found = float(numbers(pd.Series([value], name=name))[0])
            plain = plain_type(self.dtypes[j])
            with np.errstate(over="ignore"):
                return float(plain.type(found)) if plain.kind == "f" else found
        except (TypeError, ValueError, OverflowError) as error:
            takes = "numbers" if clock is None else clock.takes
            raise ValueError(
                f"Column {name!r} takes {takes}, and no {brief(value)} ({error})."
            ) from error

    def shown(self, j, values):
        """List of the values that numbers of column j stand for."""
        return self.column(j, list(values)).tolist()


def tell_unknown(name, X, rows):
    """Warn of unknown categories, and levels, which are read as missing values."""
    if rows.unknown is None:
        return
    unknown, X = [], as_pandas(X)
    for j in np.flatnonzero(rows.unknown.any(axis=0)):
        column = X.iloc[:, j] if hasattr(X, "iloc") else rows.X[:, j]
        values = column[rows.unknown[:, j]]
        values = list(dict.fromkeys(values.tolist()))
        unknown.append(f"{named(values)} in column {rows.name_of(j)!r}")
    warn(
        f"{name} takes values that it did not see in fit as missing: "
        f"{'; '.join(unknown)}. Declare categories in a category dtype before fitting; "
        'numbers of few values may be read as "gaussian" by column_types.',
        MissingDataWarning,
    )
