"""Columns of several types in one table: bits, codes of categories, real numbers."""

import numpy as np
from scipy.special import entr
from sklearn.utils.validation import validate_data

from skdgm.data.auto import AUTO, top_of
from skdgm.data.codes import CodeColumns, count_codes, count_sizes, least_sizes
from skdgm.data.columns import (
    BinaryColumns,
    RealColumns,
    constants_kept,
    observed,
    standards,
)
from skdgm.data.filling import completed, with_missing_columns
from skdgm.data.foreign import as_pandas, native, schema_of
from skdgm.data.frames import Codec
from skdgm.data.kinds import (
    DENSE,
    EVERY,
    Mixed,
    check,
    kinds_of,
    learned_scales,
    named_sizes,
)
from skdgm.data.rare import Rare, warn_of_identifiers
from skdgm.data.text import warn_of_text
from skdgm.utils.domains import is_frame, real_rows

_BITS, _CODES = BinaryColumns(), CodeColumns()
# Relative rounding error of sums of weights.
_ROUNDING = 1e-9
_ALIKE = "bernoulli", "gaussian", "categorical"


def columns_as_asked(options, series=False):
    """Type of columns that an estimator's options ask for; ``series`` of rows are read
    without limits of their range."""
    kinds = options.column_types
    if kinds == AUTO:
        # The data of the first fit decide.
        kinds = "mixed"
    if kinds == "bernoulli":
        return BinaryColumns(top_of(options))
    if kinds == "gaussian":
        return RealColumns()
    min_categories, rare = options.min_categories, Rare.of(options)
    if kinds == "categorical":
        if rare == Rare():
            return CodeColumns(min_categories)
        kinds = EVERY
    return MixedColumns(kinds, min_categories, rare, models_gaps(options), series)


def models_gaps(options):
    """Return whether options ask for a model of the pattern of missing values."""
    return options.missing_pattern == "model"


def of_one_type(options):
    """Return whether options ask for a single type of all columns."""
    return options.column_types in _ALIKE


def check_pattern(options):
    """Raise ValueError if options ask for a model of missing values in a table with a
    single type of columns."""
    kinds = options.column_types
    if models_gaps(options) and of_one_type(options):
        raise ValueError(
            'column_types__missing_pattern="model" is for tables of several kinds: '
            f"column_types is {kinds!r}, and must be 'mixed', a tuple of kinds, or a "
            "dict."
        )


class MixedColumns(RealColumns):
    """Columns of bits, codes and numbers.

    ``kinds`` are among :data:`~skdgm.data.kinds.KINDS`, for each column or for some
    columns by name. With "mixed", the types of a DataFrame decide, and all columns of
    an array are "gaussian". :mod:`skdgm.data.scales` reads "numeric" columns;
    "gaussian" columns are standardized. ``min_categories`` is the minimum number of
    categories (of named categories, in a DataFrame). ``rare`` has the options for rare
    and unknown categories. With ``gaps``, missingness is modeled.
    """

    tags = {"categorical": True}

    def __init__(
        self, kinds="mixed", min_categories=None, rare=None, gaps=False, series=False
    ):
        self.series = series
        self.kinds, self.min_categories, self.gaps = kinds, min_categories, gaps
        self.rare = Rare() if rare is None else rare

    @property
    def takes_times(self):
        """True if the dtypes of a DataFrame determine the types of columns."""
        return isinstance(self.kinds, str | dict)

    def rows(self, model, X, *, columns=None, reset=False, fitting=False, dtype=None):
        known, unknown = None if reset else columns, None
        X, codec, encoded = self._encoded(model, X, known, fitting)
        if encoded and dtype is None:
            dtype = codec.dtype
        if encoded and known is not None:
            unknown = (known.kinds == "categorical") & (X < 0)
            beyond = [getattr(scale, "beyond", np.nan) for scale in known.scales]
            if known.rare.lenient and known.gaps is not None:
                # Distinguishes unknown from missing values.
                beyond = known.sizes
            X = np.where(unknown, beyond, X).astype(X.dtype)
        rows = real_rows(model, X, reset=reset or encoded, dtype=dtype)
        rows = rows._replace(codec=codec)
        kinds = self._kinds(rows) if reset else known.kinds
        sizes = None if reset or known.rare.lenient else known.sizes
        check(rows, kinds, type(model).__name__, sizes)
        if reset:
            return rows
        rows = self.in_units(self._with_unknown(rows, known, unknown), known)
        if rows.unknown is None or known.rare.lenient:
            return rows._replace(unknown=None)
        if fitting or known.rare.handle_unknown == "error":
            self._refuse(rows, type(model).__name__)
        return rows

    def _kinds(self, rows):
        """Type of each column by the options."""
        return kinds_of(self.kinds, rows)

    def _least(self, rows):
        """Minimum number of categories by the options."""
        return self.min_categories

    def _scaled(self, table, kinds):
        """Types that fit the values of columns, and their scales."""
        return learned_scales(table, kinds, self.series)

    def _with_unknown(self, rows, known, unknown):
        """Rows with a mask of values that are unknown categories or levels."""
        which = known.which("ordinal")
        if known.rare.lenient:
            which = np.flatnonzero(known.coded)
        if which.size:
            unknown = np.zeros(rows.shape, bool) if unknown is None else unknown
            for block in rows.blocks():
                part = rows.raw._replace(dtype=np.float64).take(block)
                for j in which:
                    is_unknown = np.isnan(known.scales[j].forward(part[:, j]))
                    unknown[block, j] = is_unknown & ~np.isnan(part[:, j])
        if unknown is None or not unknown.any():
            return rows
        return rows._replace(unknown=unknown, complete=False)

    def _refuse(self, rows, subject):
        """Raise ValueError for a level that did not occur in the first fit."""
        row, j = np.argwhere(rows.unknown)[0]
        raise ValueError(
            f"{subject}: the value {rows.X[row, j]:g} of column {rows.name_of(j)!r} "
            "was not seen when it was first fitted, and the column has few values: fit "
            'again, or set "gaussian" for it in column_types.'
        )

    def _encoded(self, model, X, known, fitting):
        """Data as numbers, their codec, and True if the codec encoded them."""
        original, X = X, as_pandas(X) if self.takes_times else X
        frame = is_frame(X)
        if known is not None:
            codec = known.codec
        elif frame and self.takes_times:
            codec = Codec.of(X, None if isinstance(self.kinds, str) else self.kinds)
            codec.refuse_text()
            warn_of_text(X, codec)
            codec = codec._replace(
                schema=None if X is original else schema_of(original)
            )
        else:
            codec = None
        if codec is None or not frame:
            return X, codec, False
        if known is not None:
            validate_data(model, X, reset=False, skip_check_array=True)
        strict = known is None or fitting or known.rare.handle_unknown == "error"
        if known is not None and known.rare.lenient:
            strict = False
        return codec.encode(X, strict=strict), codec, True

    def learn(self, table, before=None):
        raw = table._replace(rows=table.rows.raw._replace(dtype=np.float64))
        seen, total = observed(raw, before)
        fresh = before is None
        columns = self._first(raw, seen, total) if fresh else before
        columns = columns._replace(seen=seen, total=total)
        which = np.flatnonzero(columns.coded)
        codes = raw._replace(rows=raw.rows._replace(scales=columns.scales))
        counts = columns.counts + count_codes(codes, columns.sizes[which], which)
        columns = columns._replace(counts=counts)
        if fresh:
            warn_of_identifiers(columns, raw)
        return self._seen_by(columns, table)

    def _first(self, table, seen, total):
        """Statistics of the first fit, without counts of categories."""
        rows = table.rows
        kinds, scales = self._scaled(table, self._kinds(rows))
        sizes, which = np.ones(len(kinds), int), np.flatnonzero(kinds == "categorical")
        minimum = least_sizes(self._least(rows), len(kinds))[which]
        if rows.codec is not None:
            minimum = named_sizes(rows.codec, which, minimum)
        sizes[which] = count_sizes(table, minimum, which)
        for j, scale in enumerate(scales):
            if scale is not None:
                sizes[j] = scale.size
        if self.rare != Rare():
            counts = count_codes(table, sizes[which], which)
            counts = np.split(counts, np.cumsum(sizes[which])[:-1])
            groups = dict(zip(which, map(self.rare.groups, counts)))
            scales = tuple(groups.get(j, scale) for j, scale in enumerate(scales))
        mean, scale, varies = standards(table, seen, total, kinds == "gaussian")
        counts = np.zeros(sizes[np.isin(kinds, ("categorical", "ordinal"))].sum())
        absent, total_weight = None, table.weight.sum()
        if self.gaps:
            missing = (total_weight - seen).clip(min=0)
            has_gaps = missing > _ROUNDING * total_weight
            absent = np.where(has_gaps, (missing + 1) / (total_weight + 2), 0.0)
        return Mixed(
            seen,
            total,
            mean,
            scale,
            varies,
            kinds,
            sizes,
            counts,
            codec=rows.codec,
            scales=scales,
            rare=self.rare,
            absent=absent,
        )

    def in_units(self, rows, columns):
        """Rows that are converted to the units of the model when they are read."""
        scales = columns.scales if any(s is not None for s in columns.scales) else None
        facts = {"scales": scales, "gaps": columns.gaps}
        return super().in_units(rows, columns)._replace(**facts)

    def bits(self, columns):
        return columns.which("bernoulli")

    def frequencies(self, columns):
        """Frequencies of all categories; see :meth:`CodeColumns.frequencies`."""
        return _CODES.frequencies(columns.of("categorical"))

    def moments(self, columns):
        """Means of bits, see :meth:`BinaryColumns.moments`; 0 for other columns."""
        return np.where(columns.kinds == "bernoulli", _BITS.moments(columns), 0.0)

    def share(self, columns):
        codes = np.repeat(columns.coded, columns.sizes)
        share = np.repeat(self.moments(columns), columns.sizes)
        share[codes] = self.frequencies(columns)
        parts = [columns.scales[j].share for j in columns.which("numeric")]
        scored = np.repeat(columns.kinds == "numeric", columns.sizes)
        share[scored] = np.concatenate([*parts, np.zeros(0)])
        if columns.rare == Rare() and columns.gaps is None:
            return share
        parts = np.split(share, np.cumsum(columns.sizes)[:-1])
        if columns.rare != Rare():
            for j in columns.which("categorical"):
                parts[j] = columns.scales[j].merged(parts[j])
        for j in np.flatnonzero(columns.gaps):
            absent = columns.absent[j]
            parts[j] = np.append(absent, (1 - absent) * parts[j])
        return np.concatenate(parts)

    def fill(self, columns):
        """Initial values of missing entries: means, or the most frequent category."""
        start, codes = self.moments(columns), columns.of("categorical")
        modes = [
            codes.counts[first : first + size].argmax()
            for first, size in zip(codes.starts, codes.sizes)
        ]
        start[columns.coded] = modes
        return start

    def loss_of_independent(self, columns):
        bits = _BITS.loss_of_independent(columns.of("bernoulli"))
        codes = _CODES.loss_of_independent(columns.of("categorical"))
        real = super().loss_of_independent(columns.of("gaussian"))
        scores = [columns.scales[j] for j in columns.which("numeric")]
        known = bits + codes + real + sum(score.entropy for score in scores)
        if columns.gaps is None:
            return known
        absent = columns.absent
        return known + (entr(absent) + entr(1 - absent)).sum()

    def to_data(self, columns, v):
        if columns.gaps is not None:
            v = np.where(np.isinf(v), v.dtype.type(np.nan), v)
        x = constants_kept(columns, v * columns.scale + columns.mean)
        for j, scale in enumerate(columns.scales):
            if scale is not None:
                x[:, j] = scale.backward(v[:, j])
        return x if columns.codec is not None else x.astype(v.dtype, copy=False)

    def log_measure(self, columns):
        """Log-determinant and log-probability of known categories, for each column;
        "numeric" columns have a log-determinant for each value."""
        return super().log_measure(columns) + columns.log_known

    def log_volume(self, columns, rows):
        """Log-determinant for each row, including log-probabilities of unknown
        categories."""
        if rows.scales is None and rows.unknown is None:
            return super().log_volume(columns, rows)
        return self.log_entries(columns, rows).sum(axis=1)

    def log_entries(self, columns, rows):
        log_dets = super().log_entries(columns, rows)
        if rows.scales is not None:
            log_dets = np.broadcast_to(log_dets, rows.shape).copy()
            which, raw = columns.which("numeric"), rows.raw._replace(dtype=np.float64)
            for block in rows.blocks():
                part = raw.take(block)
                for j in which:
                    slope = columns.scales[j].log_slope(part[:, j], rows.dtype)
                    log_dets[block, j] += slope
        if rows.unknown is None:
            return log_dets
        return np.where(rows.unknown, columns.log_room, log_dets)

    def has_mass(self, columns, rows):
        mask = ~np.isin(columns.kinds, DENSE)[None]
        which = [j for j in columns.which("numeric") if len(columns.scales[j].atoms)]
        if not len(which):
            return mask
        mask = np.broadcast_to(mask, rows.shape).copy()
        raw = rows.raw._replace(dtype=np.float64)
        for block in rows.blocks():
            part = raw.take(block)
            for j in which:
                mask[block, j] = columns.scales[j].is_atom(part[:, j], rows.dtype)
        return mask

    def with_missing_columns(self, columns, X):
        """DataFrame with the columns of the model that X lacks, all missing; other data
        unchanged."""
        if columns.codec is None:
            return X
        plain = as_pandas(X)
        extended = with_missing_columns(plain, columns.codec.names)
        return X if extended is plain else extended

    def presented(self, columns, array, X=None):
        """Array as a DataFrame, if the training rows are one: X with imputed values if
        X is a DataFrame, otherwise a new one of the same library."""
        if columns.codec is None:
            return array
        decoded, plain = columns.codec.decode(array), as_pandas(X)
        if not is_frame(plain):
            return native(decoded, columns.codec.schema)
        result = completed(with_missing_columns(plain, columns.codec.names), decoded)
        if plain is X:
            return result
        complete = len(plain.columns) == len(result.columns)
        return native(result, schema_of(X) if complete else columns.codec.schema)
