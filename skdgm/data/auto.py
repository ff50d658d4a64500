r"""Types of columns read from the data, for ``column_types="auto"``.

In an array, the values decide. Values of 0 and 1 are bits. Gray values of images, in
[0, 1] or integer levels from 0 to a common maximum, are probabilities of bits, as are
other probabilities. All other columns are numbers, apart from single columns of bits.
Gray values differ from real columns scaled to [0, 1] by their polarity, the ratio of
the variances to the largest variances that the means allow:

.. math:: r = \frac{\sum_j \mathrm{Var}[x_j]}{\sum_j m_j (1 - m_j)}, \qquad
   m_j = \mathbb{E}[x_j],

which is 1 for bits and 1/3 for uniform numbers. Columns with few distinct values are
excluded, because scaled codes are polar, too.

In a DataFrame, the types of the columns decide. If all columns are numeric and have
bits or gray values, they are read like an array.
"""

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from skdgm.data.foreign import as_pandas
from skdgm.data.scales import REPEATS
from skdgm.data.streams import is_streamed
from skdgm.utils.blocks import Blocks
from skdgm.utils.domains import ROUNDING, checked, is_frame
from skdgm.utils.math import expected_draws
from skdgm.utils.rows import BLOCK_ENTRIES, slices

AUTO = "auto"
# Maximum numbers of evenly spaced rows, and of entries, that are compared.
_ROWS, _ENTRIES = 10_000, 2**20
# Minimum number of distinct values of a column that is compared, minimum number of such
# columns in images, and minimum of the highest level.
_MIN_DISTINCT, MIN_IMAGE_COLUMNS, _MIN_TOP = 8, 16, 8
# Minimum polarity of levels, of images in [0, 1] and of other values in [0, 1]; and the
# fraction of the highest level that the maximum of the median column must reach.
_LEVELS, _IMAGES, _SHARES, _REACH = 0.15, 0.42, 0.6, 0.9
# Minimum share of entries at 0 or 1 in images whose columns were scaled separately.
_ENDS = 0.25
# Highest level of bytes, which may not occur in few rows.
_BYTES = 255.0
# Maximum number of levels whose probabilities a density can learn separately.
_MAX_SEPARATE_LEVELS = 20


class ReadingDefaults(NamedTuple):
    """Defaults of a class of estimators for reading columns whose types are not given.

    ``gray`` and ``numbers`` are types for gray columns and for other numbers.
    ``images`` is True if rows are images, so that values in [0, 1] are gray.
    ``separate_levels`` is True if columns with few gray levels are numeric, with a
    probability for each level.
    """

    gray: str
    numbers: str
    images: bool
    separate_levels: bool


def is_auto(value):
    """Return whether a value (which may be an array) is "auto"."""
    return isinstance(value, str) and value == AUTO


def top_of(options):
    """Value that stands for 1 in "bernoulli" columns, given the options of a fit."""
    return 1.0 if options.top is None else options.top


def reading_in(options):
    """Reading in the options of a fit, as of :func:`reading_of`; None if options gave
    the types."""
    return None if options.top is None else (options.column_types, options.top)


def pixels_asked(options):
    """Return whether options ask for convolutional nets."""
    return options.architecture == "conv"


def form_asked(options):
    """Form of ``column_types`` that other options require: "one" type for all columns
    (nets of images), "each" column's own type (patterns of missing values), or None."""
    if pixels_asked(options) or options.objective == "mean-field":
        return "one"
    return "each" if options.missing_pattern == "model" else None


def reading_of(model, X, kinds, options, defaults, weight=None):
    """Read the types of columns from the data of a first fit.

    ``kinds`` are the strings that the option ``column_types`` accepts; ``options`` are
    the present options of the model. Rows count by ``weight``. Returns an
    equivalent value of the option (a string or a tuple of strings), and the value that
    stands for 1 in "bernoulli" columns, which is 1 unless they are gray levels.
    ValueError and TypeError as by :func:`~skdgm.utils.domains.checked`.
    """
    table, form = None, form_asked(options)
    if "mixed" in kinds and not is_streamed(X) and is_frame(as_pandas(X)):
        X = table = as_pandas(X)
        if not all(getattr(dtype, "kind", "O") in "biuf" for dtype in X.dtypes):
            return "mixed", 1.0
    values, low, high, facts = checked(model, X, True)
    present, weight = _present(values, weight)
    if present is not values:
        values, low, high, facts = checked(model, present, True)
    if form != "each":
        only_bits = facts["binary"] and low >= 0 and high <= 1
        if only_bits:
            return "bernoulli", 1.0
        images = defaults.images or pixels_asked(options)
        top = top_of_gray(values, low, high, weight, images=images)
        if top is not None:
            separate = defaults.separate_levels and "mixed" in kinds and form is None
            if not (separate and _few_levels(values, top, defaults, weight)):
                gray = defaults.gray if "gaussian" in kinds else "bernoulli"
                return gray, top if gray == "bernoulli" else 1.0
            if top == 1:
                bits = bit_columns(values)
                return tuple("bernoulli" if bit else "ordinal" for bit in bits), 1.0
    if "gaussian" not in kinds:
        codes = "categorical" in kinds and low >= 0 and _all_whole(values)
        return "categorical" if codes else "bernoulli", 1.0
    if "mixed" not in kinds or form == "one":
        return "gaussian", 1.0
    if table is not None and defaults.numbers == "numeric":
        return "mixed", 1.0
    bits = bit_columns(values)
    if defaults.numbers == "gaussian" and not bits.any() and form != "each":
        return "gaussian", 1.0
    return tuple("bernoulli" if bit else defaults.numbers for bit in bits), 1.0


def _few_levels(values, top, defaults, weight):
    """Return whether gray values have few levels. Values in [0, 1] have levels only if
    they repeat in many rows, and if the default type of gray columns is "gaussian":
    otherwise they are probabilities."""
    if top != 1:
        return top <= _MAX_SEPARATE_LEVELS
    if defaults.gray != "gaussian":
        return False
    sample, weight = _sample(values, weight)
    n_values = _n_values(sample).max()
    return n_values <= min(_MAX_SEPARATE_LEVELS + 1, weight.sum() / REPEATS)


def _present(X, weight):
    """Rows of an array or CSR matrix with positive weight, and their expected numbers
    of draws; None for invalid weights, which are refused later."""
    try:
        weight = None if weight is None else np.asarray(weight, np.float64)
    except (TypeError, ValueError):
        weight = None
    if weight is None or isinstance(X, Blocks) or weight.shape != X.shape[:1]:
        return X, None
    if not (weight > 0).any() or (weight < 0).any() or not np.isfinite(weight).all():
        return X, None
    draws = expected_draws(weight)
    present = np.flatnonzero(draws)
    return X if len(present) == len(draws) else X[present], draws[present]


def top_of_gray(X, low, high, weight=None, *, images=False):
    """Value that stands for 1 in a table of gray values or levels from ``low`` to
    ``high``, with rows of a ``weight``; None for other numbers. Values of ``images`` in
    [0, 1] are always gray."""
    if low < -ROUNDING:
        return None
    if images and high <= 1 + ROUNDING:
        return 1.0
    sample, weight = _sample(X, weight)
    informative = _n_values(sample) >= _MIN_DISTINCT
    if not informative.any():
        return None
    sample, wide = sample[:, informative], informative.sum() >= MIN_IMAGE_COLUMNS
    lows, highs = np.nanmin(sample, axis=0), np.nanmax(sample, axis=0)
    if high <= 1 + ROUNDING:
        # Scalers make each column range from 0 to 1. In images, some pixels stay within
        # these limits, or many are black.
        scaled = lows.max() <= ROUNDING and highs.min() >= 1 - ROUNDING
        ends = np.average((sample <= 0) | (sample >= 1), axis=0, weights=weight).mean()
        threshold = _IMAGES if wide and (not scaled or ends >= _ENDS) else _SHARES
        return 1.0 if _polarity(sample.clip(0, 1), weight) >= threshold else None
    top = float(high)
    shared = np.median(lows) == 0 and np.median(highs) >= _REACH * top
    polar = images or _polarity(sample / top, weight) >= _LEVELS
    if not (wide and shared and top >= _MIN_TOP and polar):
        return None
    if not _all_whole(X):
        return None
    return _BYTES if _REACH * _BYTES <= top <= _BYTES else top


def _sample(X, weight):
    """Evenly spaced rows of a table, and their weights, 1 by default."""
    stride = -(-X.shape[0] // min(_ROWS, max(_ENTRIES // X.shape[1], 200)))
    sample = _dense(X, slice(None, None, stride))
    return sample, np.ones(len(sample)) if weight is None else weight[::stride]


def _polarity(rows, weight):
    """Polarity of weighted values between 0 and 1."""
    known = ~np.isnan(rows)
    weight = known * weight[:, None]
    total = weight.sum(axis=0)
    mean = (weight * np.where(known, rows, 0)).sum(axis=0) / total
    variance = (weight * np.where(known, rows - mean, 0) ** 2).sum(axis=0) / total
    return variance.sum() / max((mean * (1 - mean)).sum(), 1e-300)


def _n_values(rows):
    """Number of distinct values of each column, without NaN."""
    ordered = np.sort(rows, axis=0)
    return (ordered[1:] > ordered[:-1]).sum(axis=0) + ~np.isnan(ordered[0])


def _dense(X, index):
    """Rows of a table as a dense array of float64."""
    if isinstance(X, Blocks) and isinstance(index, slice):
        index = np.arange(X.shape[0])[index]
    part: Any = X[index]
    part = part.toarray() if sp.issparse(part) else np.asarray(part)
    return part.astype(np.float64, copy=False)


def _parts(X):
    """Yield the rows of a table in blocks."""
    for block in slices(X.shape[0], BLOCK_ENTRIES // X.shape[1]):
        yield _dense(X, block)


def _all_whole(X):
    """Return whether all values are integers or missing."""
    return all(((part == np.rint(part)) | np.isnan(part)).all() for part in _parts(X))


def bit_columns(X):
    """Mask of the columns that contain 0, 1 and no other values."""
    bits = np.ones(X.shape[1], bool)
    seen = np.zeros((2, X.shape[1]), bool)
    for part in _parts(X):
        zero, one = part == 0, part == 1
        bits &= (zero | one | np.isnan(part)).all(axis=0)
        seen |= zero.any(axis=0), one.any(axis=0)
        if not bits.any():
            break
    return bits & seen.all(axis=0)
