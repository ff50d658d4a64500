"""Types and statistics of the columns of a table of several types."""

from collections import Counter
from functools import partial
from html import escape
from typing import NamedTuple

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdgm.data.codes import (
    Codes,
    check_codes,
    distinct,
    refuse,
    weighted_parts,
)
from skdgm.data.columns import ColumnStatistics
from skdgm.data.frames import Codec
from skdgm.data.inputs import refuse_length
from skdgm.data.rare import Rare
from skdgm.data.reach import seen_range
from skdgm.data.scales import (
    MANY,
    REPEATS,
    Levels,
    few,
    linear_scores,
    scores_of,
    separate,
)
from skdgm.utils import relations
from skdgm.utils.relations import Coded, determines, ranges_of

# Names of types.
KINDS = "bernoulli", "categorical", "ordinal", "numeric", "gaussian"
# Types of columns with a density instead of probabilities.
DENSE = "gaussian", "numeric", "rectified", "interval"
# Words for types, and maximum numbers of printed values and of printed columns.
_WORDS = {
    "bernoulli": "bit",
    "categorical": "category",
    "ordinal": "level",
    "numeric": "number",
    "gaussian": "real number",
}
_MAX_PRINTED_VALUES, _MAX_PRINTED_COLUMNS = 5, 60
# Maximum number of equal rows that count as evidence of a function of columns.
_MAX_REPETITIONS = 100
# Any number of columns of codes.
EVERY = "categorical", ...


class ColumnType(NamedTuple):
    """Type of a column, and details of how a model reads it.

    ``kind`` is "bernoulli", "categorical", "ordinal", "numeric" or "gaussian";
    ``dtype`` is that of the column of a DataFrame, or None. ``values`` are categories,
    levels, or the atoms of "numeric" columns: single values with their own
    probabilities. Draws of numbers lie between ``low`` and ``high``, the observed
    minimum and maximum (one range beyond them for RNNNADE), and are multiples of
    ``step`` unless it is 0. The model merges
    the categories in ``rare``.
    """

    kind: str
    dtype: object = None
    values: list | None = None
    low: object = None
    high: object = None
    step: float = 0.0
    rare: list | None = None

    def __str__(self):
        values, text = self.values, _WORDS.get(self.kind, self.kind)
        if self.kind == "bernoulli" and self.high is not None:
            text = "gray"
        if self.high is not None:
            text += f" from {_shown(self.low)} to {_shown(self.high)}"
        if self.step:
            text += f" in steps of {_shown(self.step)}"
        if values is not None and len(values):
            more = (
                f" and {len(values) - _MAX_PRINTED_VALUES} more"
                if len(values) > _MAX_PRINTED_VALUES
                else ""
            )
            listed = ", ".join(map(_shown, values[:_MAX_PRINTED_VALUES]))
            if self.kind == "numeric":
                text += ", often"
            text += f" {listed}{more}"
        if self.rare:
            text += f", {len(self.rare)} of them rare"
        return text


def _shown(value):
    """Short text of a value."""
    return f"{value + 0.0:.6g}" if isinstance(value, float) else f"{value!s:.20}"


class ColumnTypes(dict):
    """Dict of the :class:`ColumnType` of each column by name or number, printed with a
    line for each column, and in notebooks as a table."""

    @property
    def summary(self):
        """Number of columns of each type, as text."""
        numbers = Counter(
            "gray" if c.kind == "bernoulli" and c.high is not None else c.kind
            for c in self.values()
        )
        return ", ".join(f"{n} {kind}" for kind, n in numbers.items())

    def _lines(self):
        """Pairs of a name and a text; the middle of a long list is omitted."""
        pairs = [(str(name), str(kind)) for name, kind in self.items()]
        if len(pairs) > _MAX_PRINTED_COLUMNS:
            half = _MAX_PRINTED_COLUMNS // 2
            pairs = [*pairs[:half], ("...", "..."), *pairs[-half:]]
        return pairs

    def __repr__(self):
        lines = "".join(f"\n{name}: {text}" for name, text in self._lines())
        return f"{len(self)} columns: {self.summary}{lines}"

    def _repr_html_(self):
        rows = "".join(
            f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>"
            for name, text in self._lines()
        )
        return (
            f"<table><caption>{len(self)} columns: {escape(self.summary)}</caption>"
            f"<tbody>{rows}</tbody></table>"
        )


class Mixed(NamedTuple):
    """Statistics of columns of several types, mostly of shape (n_columns,).

    ``seen``, ``total``, ``mean``, ``scale``, ``varies``, ``reach`` and ``range`` are as
    in :class:`~skdgm.data.columns.ColumnStatistics`; columns that are not standardized
    have the values 0, 1, True and 0. ``kinds`` are among :data:`KINDS`. ``sizes`` are
    numbers of categories or levels, numbers of inputs of "numeric" columns (see
    Scores), or 1. ``counts`` has the weight of each category or level, column after
    column; ``codec`` is the Codec of a DataFrame. ``scales`` are Levels, Scores or
    Groups of categories, None for other columns. ``rare`` has the options for rare and
    unknown categories.

    ``absent`` is the share of missing values with Laplace smoothing, 0 in complete
    columns; None if the model ignores missingness. ``units`` are the UnitFacts of a
    Boltzmann machine.
    """

    seen: np.ndarray
    total: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    varies: np.ndarray
    kinds: np.ndarray
    sizes: np.ndarray
    counts: np.ndarray
    codec: Codec | None = None
    scales: tuple = ()
    rare: Rare = Rare()
    absent: np.ndarray | None = None
    units: tuple | None = None
    reach: np.ndarray | float = 0.0
    range: np.ndarray | float = 0.0
    # Fields that older files lack.
    LATER = ("range",)

    @property
    def gaps(self):
        """Mask of columns whose missingness is modeled; None if there are none."""
        are_modeled = self.absent is not None and self.absent.any()
        return self.absent > 0 if are_modeled else None

    @property
    def coded(self):
        """Mask of columns whose units are codes of categories or levels."""
        return np.isin(self.kinds, ("categorical", "ordinal"))

    @property
    def log_room(self):
        """Log-probability of an unknown category in each column, with Laplace smoothing
        over known categories and one unknown category. It is 0 in columns without named
        categories or levels, or if unknown categories are errors or missing."""
        named = self.coded & ((self.codec is not None) | (self.kinds == "ordinal"))
        named &= self.rare.handle_unknown == "auto"
        return np.where(named, -np.log(self.seen + self.sizes + 1), 0.0)

    @property
    def log_known(self):
        """Log-probability that a value of each column is in a known category."""
        log_p = self.log_room
        return np.log1p(-np.exp(log_p), where=log_p < 0, out=np.zeros(len(log_p)))

    @property
    def measure(self):
        """Measure of rows: a "density" if there are real or numeric columns, otherwise
        a "probability"."""
        dense = np.isin(self.kinds, DENSE).any()
        return "density" if dense else "probability"

    def column_types(self):
        """List of the :class:`ColumnType` of each column."""
        types_of_columns = []
        for j, (kind, size) in enumerate(zip(self.kinds.tolist(), self.sizes.tolist())):
            shown = partial(self.codec.shown, j) if self.codec else list
            scale, details = self.scales[j] if self.scales else None, {}
            if kind == "categorical":
                details = {"values": shown(range(size))}
                if scale is not None:
                    details["rare"] = shown(np.flatnonzero(scale.rare))
            elif kind == "ordinal":
                details = {"values": shown(scale.values)}
            elif kind == "numeric":
                low, high = shown([scale.low, scale.high])
                details = {"values": shown(scale.atoms), "low": low, "high": high}
                details["step"] = scale.step
            dtype = self.codec.dtypes[j] if self.codec else None
            types_of_columns.append(ColumnType(kind, dtype, **details))
        return types_of_columns

    def which(self, kind):
        """Indices of the columns of a type."""
        return np.flatnonzero(self.kinds == kind)

    def of(self, kind):
        """Statistics of the columns of a type, Codes or ColumnStatistics; "categorical"
        stands for all columns whose units are codes."""
        if kind == "categorical":
            which = np.flatnonzero(self.coded)
            return Codes(
                self.seen[which], self.total[which], self.sizes[which], self.counts
            )
        which = self.which(kind)
        reach = np.broadcast_to(self.reach, self.seen.shape)
        return ColumnStatistics(
            seen=self.seen[which],
            total=self.total[which],
            mean=self.mean[which],
            scale=self.scale[which],
            varies=self.varies[which],
            reach=reach[which],
            range=seen_range(self, len(self.seen))[:, which],
        )


def names_of(model):
    """Names of a fitted model's columns, or their numbers."""
    check_is_fitted(model)
    return getattr(model, "feature_names_in_", range(model.n_features_in_))


def kinds_of(column_types, rows):
    """Type of each column, an array of :data:`KINDS`; :func:`learned_scales` may turn
    "numeric" into "ordinal". ValueError for an unknown type, or as by
    :func:`kinds_by_column`."""
    if column_types == EVERY:
        return np.full(rows.shape[1], column_types[0])
    names = column_types.values() if isinstance(column_types, dict) else column_types
    # "mixed" is the only string that stands for all columns.
    if isinstance(names, str):
        invalid = [names]
    else:
        invalid = [k for k in names if not isinstance(k, str) or k not in KINDS]
    if invalid and names != "mixed":
        raise ValueError(
            f"column_types must be 'mixed', or have one of {_listed(KINDS)} for each "
            f"column; got {invalid}."
        )
    return np.array(kinds_by_column(column_types, rows))


def kinds_by_column(column_types, rows):
    """List of the type of each column. With "mixed", or a dict by name, the types of a
    DataFrame decide; the columns of an array are "gaussian" with "mixed".

    ValueError if there is not one type for each column, or there are names but no
    DataFrame.
    """
    n_columns, named = rows.shape[1], isinstance(column_types, dict)
    if named and rows.codec is None:
        raise ValueError(
            "column_types has names of columns, but X is no DataFrame: give it the "
            "kinds of all columns in their order."
        )
    if named or column_types == "mixed":
        return rows.codec.kinds if rows.codec else ["gaussian"] * n_columns
    if isinstance(column_types, str):
        return [column_types] * n_columns
    refuse_length(column_types, n_columns)
    return column_types


def _listed(names):
    return ", ".join(map(repr, names[:-1])) + f" and {names[-1]!r}"


def check(rows, kinds, subject, sizes=None):
    """Raise ValueError for bits outside [0, 1], and for codes that are invalid or at
    least the size of their column."""
    bits = np.flatnonzero(kinds == "bernoulli")
    codes = np.flatnonzero(kinds == "categorical")
    if not bits.size + codes.size:
        return
    bit_names, code_names = (
        [rows.name_of(j) for j in which] for which in (bits, codes)
    )
    sizes = None if sizes is None else sizes[codes]
    for block in rows.blocks():
        part = rows.take(block)
        values = part[:, bits]
        outside = (values < 0) | (values > 1)
        refuse(values, outside, bit_names, subject, "is no bit: those are from 0 to 1")
        check_codes(part[:, codes], code_names, subject, sizes)


def named_sizes(codec, which, min_sizes):
    """Number of named categories of columns; ValueError if it is below
    ``min_sizes``."""
    sizes = np.array([max(1, len(codec.categories[j])) for j in which], dtype=int)
    short = which[min_sizes > sizes]
    if short.size:
        raise ValueError(
            "column_types__min_categories is more than column "
            f"{codec.names[short[0]]!r} has names for: declare its categories in a "
            "category dtype instead."
        )
    return sizes


def learned_scales(table, kinds, series=False):
    """Types that fit the values of a table, and a tuple of the scales of columns
    (Levels, Scores or None).

    "ordinal" replaces "numeric" if a column has few values or separate values, or is a
    function of a categorical column, like the price of an article; or if numbers that
    repeat determine another column. "gaussian" replaces it if a column has no value.
    """
    kinds, scales = kinds.astype("U11"), [None] * len(kinds)
    which = np.flatnonzero(np.isin(kinds, ("ordinal", "numeric")))
    which_codes = np.flatnonzero(kinds == "categorical")
    found = dict(zip(which, distinct(table, which)))
    for j, (values, weight) in found.items():
        if not len(values):
            kinds[j] = "gaussian"
        elif (
            kinds[j] == "ordinal"
            or few(values, weight)
            or separate(values, weight)
            or (len(values) <= MANY and _follows(table, j, len(values), which_codes))
        ):
            kinds[j], scales[j] = "ordinal", Levels(values)
    for j in _related(table, kinds, found):
        kinds[j], scales[j] = "ordinal", Levels(found[j][0])
    for j in np.flatnonzero(kinds == "numeric"):
        values, weight = found[j]
        clock = table.rows.codec and table.rows.codec.clocks[j]
        waves = clock.waves(values[-1] - values[0]) if clock else ()
        if series and not clock:
            scales[j] = linear_scores(values, weight)
        else:
            scales[j] = scores_of(values, weight, waves)
    return kinds, tuple(scales)


def _related(table, kinds, found):
    """Set of "numeric" columns whose values repeat and determine the values of another
    column, or are determined by them; ranges of numbers do not count. ``found`` are
    distinct values and weights by column."""
    repeat = [
        j
        for j in np.flatnonzero(kinds == "numeric")
        if len(found[j][0]) <= min(MANY, found[j][1].sum() / relations.REPEATS)
    ]
    coded_kinds = "categorical", "ordinal", "bernoulli"
    which = np.append(repeat, np.flatnonzero(np.isin(kinds, coded_kinds))).astype(int)
    if not repeat or len(which) > relations.WIDE:
        return set()
    rows, weight = map(np.concatenate, zip(*weighted_parts(table, which)))
    # Equal rows are merged in the table.
    times = np.ceil(weight).clip(0, _MAX_REPETITIONS).astype(int)
    coded = [Coded.of(x) for x in np.repeat(rows, times, axis=0).T]
    related = set()
    for x, k in zip(coded, repeat):
        for y, j in zip(coded, which):
            if j == k or y.n > x.n or {j, k} <= related or ranges_of(x, y):
                continue
            if determines(x, y, ordered=True):
                related |= {j, k}.intersection(repeat)
    return related


def _follows(table, j, n_values, which):
    """Return whether a column of ``n_values`` distinct values is a function of a
    categorical column in ``which``, given several rows for each value."""
    return any(_determines(table, k, j, n_values) for k in which)


def _determines(table, k, j, n_values):
    """Return whether each category of column k has a single value of column j."""
    rows, weight = map(np.concatenate, zip(*weighted_parts(table, [k, j])))
    known = ~np.isnan(rows).any(axis=1) & (weight > 0)
    (codes, values), weight = rows[known].T, weight[known]
    codes, place = np.unique(codes, return_inverse=True)
    if weight.sum() < REPEATS * max(n_values, len(codes)):
        return False
    low, high = np.full(len(codes), np.inf), np.full(len(codes), -np.inf)
    np.minimum.at(low, place, values)
    np.maximum.at(high, place, values)
    return bool((low == high).all())
