"""Encoding of the columns of a DataFrame as numbers, and decoding."""

from typing import Any, NamedTuple

import numpy as np

from skdgm.data.clocks import ColumnClock, Tick
from skdgm.data.codes import MAX_CATEGORIES
from skdgm.data.foreign import as_pandas
from skdgm.data.inputs import is_missing, refuse_repeated_names
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

    ``columns`` is the Index of the names. Each column has a dtype; a type ("bernoulli",
    "categorical" or "numeric", by its type or as given); the Index of its categories,
    or None; and the ColumnClock of its times, or None. ``schema`` has the types in a
    library other than pandas. ``steps`` are the dates of sequences that are read as
    :class:`~skdgm.data.time_steps.TimeSteps`.
    """

    columns: Any
    dtypes: tuple
    kinds: tuple
    categories: tuple
    clocks: tuple
    schema: tuple | None = None
    steps: tuple | None = None

    @classmethod
    def of(cls, frame, kinds=None):
        """Learn the encoding of a DataFrame; ``kinds`` has the types of some columns by
        name.

        ValueError if names are not unique or unknown, or values cannot be categories;
        TypeError if a column is not numeric, categorical or times.
        """
        kinds, columns = kinds or {}, frame.columns
        refuse_repeated_names(frame)
        foreign = [name for name in kinds if name not in columns]
        if foreign:
            raise ValueError(
                f"column_types names {named(foreign)}, but X has the columns "
                f"{named(columns.tolist())}."
            )
        series = [frame.iloc[:, j] for j in range(len(columns))]
        found_kinds = [
            kinds[name] if name in kinds else kind_of(column)
            for name, column in zip(columns.tolist(), series)
        ]
        coded = [kind == "categorical" for kind in found_kinds]
        categories = [
            categories_of(c) if code else None for c, code in zip(series, coded)
        ]
        for name, names in zip(columns, categories):
            if names is not None and len(names) > MAX_CATEGORIES:
                raise ValueError(
                    f"Column {name!r} has {len(names):,} categories, and models read "
                    f"at most {MAX_CATEGORIES:,}: merge rare categories, split "
                    "identifiers into parts, or drop the column."
                )
        return cls(
            columns,
            tuple(frame.dtypes),
            tuple(found_kinds),
            tuple(categories),
            tuple(
                None if code else ColumnClock.of(c) for c, code in zip(series, coded)
            ),
        )

    @property
    def names(self):
        """List of the names of the columns."""
        return self.columns.tolist()

    @property
    def dtype(self):
        """Type to compute in: float64 if a column has this type, otherwise float32."""
        return np.float64 if np.dtype(np.float64) in self._plain else np.float32

    @property
    def _plain(self):
        """Numeric types that represent the columns without categories."""
        columns = zip(self.dtypes, self.categories, self.clocks)
        dtypes = [
            d if clock is None else np.int64 for d, c, clock in columns if c is None
        ]
        return [plain_type(dtype) for dtype in dtypes]

    def refuse_text(self):
        """Raise TypeError if a column that is declared as numbers has the dtype of text
        or of categories."""
        fields = self.names, self.dtypes, self.kinds, self.categories, self.clocks
        for name, dtype, kind, categories, clock in zip(*fields):
            try:
                if categories is None and clock is None:
                    plain_type(dtype)
            except TypeError as error:
                raise TypeError(
                    f"Column {name!r} has text or categories, and column_types says "
                    f'that it is {kind!r}: it is "categorical", or convert it by '
                    "pandas.to_numeric."
                ) from error

    def encode(self, frame, *, strict=True):
        """Encode a DataFrame with the same columns as numbers, of shape (n_rows,
        n_columns).

        Categories become codes, bits 0 and 1, times ticks, and missing values NaN. The
        type is float32 if it represents the learned types, otherwise float64.
        ValueError for other columns, values that are not numeric, or an unknown
        category; without ``strict``, unknown categories have the code -1.
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
            plain = categories is None
            out[:, j] = numbers(column) if plain else codes(column, categories)
            new = [] if plain or not strict else column[out[:, j] < 0].unique().tolist()
            if new:
                raise ValueError(
                    f"Column {column.name!r} has categories that the model does not "
                    f"know: {named(new)}. Fit again with them, or declare them in a "
                    "category dtype before fitting."
                )
        return out

    def decode(self, X):
        """Decode numbers, of shape (n_rows, n_columns), as a DataFrame with the learned
        types. Integers are rounded and clipped to the range of their type; a type that
        cannot represent missing values is replaced by its nullable counterpart."""
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
        convert = as_bits if pd.api.types.is_bool_dtype(dtype) else as_reals
        return convert(values, dtype)

    def number(self, j, value, name):
        """Number that represents a value of column j; -1 for an unknown category.

        Raise ValueError for values that the column cannot have.
        """
        import pandas as pd

        if isinstance(value, Tick):
            return float(value)
        clock, categories = self.clocks[j], self.categories[j]
        if categories is not None:
            return float(place_of(value, categories))
        if is_missing(value):
            return np.nan
        try:
            if clock is not None:
                column = pd.Series([clock.value(value)], name=name)
                return float(clock.encode(column)[0])
            number = float(numbers(pd.Series([value], name=name))[0])
            plain = plain_type(self.dtypes[j])
            with np.errstate(over="ignore"):
                return float(plain.type(number)) if plain.kind == "f" else number
        except (TypeError, ValueError, OverflowError) as error:
            takes = "numbers" if clock is None else clock.takes
            raise ValueError(
                f"Column {name!r} takes {takes}, not {brief(value)} ({error})."
            ) from error

    def whole_spans(self, j, condition, ends, values):
        """Interval and values of a condition on column j, as of
        :func:`~skdgm.data.conditions.spelled`. Text that names several times of the
        column, such as a month, stands for all of them, alone or as an end."""
        if ends is None:
            ticks = self._named_ticks(j, condition)
            if ticks is None:
                return ends, values
            first, last = ticks
            return (None, [first]) if first == last else ((first, last, True, True), ())
        low, high, with_low, with_high = ends
        if with_low and (ticks := self._named_ticks(j, low)):
            low = ticks[0]
        if with_high and (ticks := self._named_ticks(j, high)):
            high = max(ticks[1], Tick(self.number(j, high, self.names[j]), high))
        return (low, high, with_low, with_high), values

    def _named_ticks(self, j, text):
        """First and last :class:`Tick` of the times of column j that a text names; None
        for other values, and if it names none."""
        clock, name = self.clocks[j], self.names[j]
        if clock is None or self.categories[j] is not None:
            return None
        if (span := clock.span(text)) is None:
            return None
        try:
            first, beyond = (np.ceil(self.number(j, time, name)) for time in span)
        except ValueError:  # Years that a column cannot have.
            return None
        if beyond <= first:
            return None
        return Tick(first, text), Tick(beyond - 1, text)

    def shown(self, j, values):
        """List of the values that numbers of column j represent."""
        return self.column(j, list(values)).tolist()


def warn_of_unknown(name, X, rows):
    """Warn about unknown categories and levels, which are read as missing values."""
    if rows.unknown is not None:
        X = as_pandas(X)
        X = X if hasattr(X, "iloc") else rows.X
        warn_of_values(name, X, rows.unknown, rows.name_of)


def warn_of_values(name, X, mask, name_of):
    """Warn about the values of a DataFrame or array that a mask selects, if any;
    ``name_of(j)`` is the name of column j."""
    unknown = []
    for j in np.flatnonzero(mask.any(axis=0)):
        values = (X.iloc[:, j] if hasattr(X, "iloc") else X[:, j])[mask[:, j]]
        values = list(dict.fromkeys(values.tolist()))
        unknown.append(f"{named(values)} in column {name_of(j)!r}")
    if not unknown:
        return
    warn(
        f"{name} takes values that it did not see in fit as missing: "
        f"{'; '.join(unknown)}. Declare categories in a category dtype before fitting; "
        'numbers of few values may be read as "gaussian" by column_types.',
        MissingDataWarning,
    )
