"""Imputation of missing entries, in arrays and in DataFrames.

The type of the result represents all known values exactly.
"""

from numbers import Integral
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.utils import check_random_state

from skdgm.data.frames import warn_of_unknown
from skdgm.data.reach import warn_of_beyond, within_reach
from skdgm.data.streams import streamed
from skdgm.utils.blocks import Blocks
from skdgm.utils.counts import WHOLE, check_choice
from skdgm.utils.domains import is_frame
from skdgm.utils.random import IMPUTE, MAX_SEED, Stream, stream
from skdgm.utils.rows import row_hash
from skdgm.utils.threading.threads import one_blas_thread


def holding(rows):
    """Type that represents the known values of rows and the results of models: their
    common type, or the type of the rows for integers beyond 2 ** 53, which have no
    missing values."""
    dtype, table = rows.X.dtype, rows.X
    values = table.data if sp.issparse(table) else table
    ends = [values.min(), values.max()] if values.size else [0]
    if dtype.kind in "iu" and (min(ends) < -WHOLE or max(ends) > WHOLE):
        return dtype
    return np.result_type(dtype, rows.dtype)


def as_whole(X):
    """Integer array of a list of integers; other data unchanged."""
    if isinstance(X, list | tuple):
        try:
            array = np.asarray(X)
        except ValueError:  # Ragged: validation says so.
            return X
        return array if array.dtype.kind in "iu" else X
    return X


def _refuse_rounded(name, X, dtype):
    """Raise ValueError if a floating type cannot represent integers of a table.

    Only DataFrames, lists and object arrays are searched; other arrays have one type,
    from which ``dtype`` follows.
    """
    if dtype.kind != "f":
        return
    for column, large in _large(X):
        if any(int(float(value)) != value for value in large):
            raise ValueError(
                f"{name}: column {column!r} has whole numbers beyond "
                "2 ** 53, of which an array of floats cannot hold all digits: drop "
                "it, or divide it before fitting."
            )


def _large(X):
    """Yield the name of each column and a list of its integers beyond 2 ** 53."""
    if is_frame(X):
        columns = X.items()
    else:
        X = np.asarray(X, dtype=object) if isinstance(X, list | tuple) else X
        objects = isinstance(X, np.ndarray) and X.dtype.kind == "O"
        columns = enumerate(X.T if objects else ())
    for name, column in columns:
        kind = getattr(column.dtype, "kind", "O")
        if kind in "iu" and column.dtype.itemsize == 8:
            known = column.dropna()
            yield name, known[(known > WHOLE) | (known < -WHOLE)].tolist()
        elif kind == "O":
            whole = (value for value in column if isinstance(value, Integral))
            yield name, [value for value in whole if not -WHOLE <= int(value) <= WHOLE]


class IncompleteBlock(NamedTuple):
    """Incomplete rows of a block, in the units of the model: dense values v, a stream
    of random numbers for each row, the indices of the rows, and the values given with
    them, or None."""

    v: np.ndarray
    rng: Stream
    index: np.ndarray
    given: np.ndarray | None


def fill(density, X, method, random_state, filled, *, n_draws=1, given=None):
    """Impute missing entries by ``filled(block)``, a function of an
    :class:`IncompleteBlock`.

    Rows are given with the values of ``given``, a :class:`~skdgm.utils.given.Given`. If
    ``density.bounded``, values beyond the training range are clipped. "sample" draws
    with ``random_state``, which may be a Stream for each row of the result; for other
    ``density.fill_methods``, random numbers depend on the seed and the content of the
    row.

    Returns an array of shape (n_samples * n_draws, n_features), with the copies of the
    first row first. Its type represents the known values and the results of the model.
    ValueError for an unknown method, or integers that an array of floats cannot
    represent.
    """
    check_choice("method", method, density.fill_methods)
    X = as_whole(X)
    # Missing entries are to be imputed, even if missingness is modeled.
    X = streamed(X)
    rows = density.read(X)._replace(gaps=None, given=given)
    if isinstance(X, Blocks):
        # The result is in memory anyway.
        rows = rows._replace(X=np.asarray(X))
    warn_of_unknown(density.name, X, rows)
    raw = rows.raw._replace(dtype=holding(rows))
    if rows.codec is None:
        _refuse_rounded(density.name, X, np.dtype(raw.dtype))
    which, parts = np.repeat(np.arange(rows.shape[0]), n_draws), []
    if method == "sample" and isinstance(random_state, Stream):
        rng = random_state
    elif method == "sample":
        seed = check_random_state(random_state).randint(MAX_SEED)
        rng = stream(seed).rows(len(which))
    else:
        rng = stream(density.seed, IMPUTE).rows(row_hash(rows)[which])
    beyond = np.zeros(rows.shape[1], bool)
    with one_blas_thread():
        for part in rows.blocks(len(which)):
            # A slice returns a view and avoids a copy.
            place = part if n_draws == 1 else which[part]
            v, values = rows.take(place), raw.take(place)
            holes = np.flatnonzero(np.isnan(v).any(axis=1))
            if holes.size:
                known = v[holes]
                if density.bounded:
                    known, far = within_reach(density.columns, known)
                    beyond |= far
                values, draws = values.copy(), rng.take(part).take(holes)
                covariates = None if given is None else rows.accompanying(place)[holes]
                block = IncompleteBlock(known, draws, part.start + holes, covariates)
                imputed = filled(block)
                imputed = density.domain.to_data(density.columns, imputed)
                known = ~np.isnan(values[holes])
                values[holes] = np.where(known, values[holes], imputed)
            parts.append(values)
    # Warn once for all blocks.
    warn_of_beyond(density.name, beyond, rows.name_of)
    return np.concatenate(parts)


def with_missing_columns(X, names):
    """DataFrame of pandas with the columns of the model that X lacks, all missing;
    other data unchanged."""
    if not is_frame(X) or names is None or len(X.columns) >= len(names):
        return X
    if not set(X.columns) <= set(names):
        return X
    return X.reindex(columns=list(names))


def completed(frame, imputed):
    """Copy of a DataFrame with missing values imputed and all other values unchanged.

    ``imputed`` has equally many rows for each row of ``frame``, in the same order. The
    copy has the index and the columns of ``frame``.
    """
    import pandas as pd

    frame = frame.iloc[np.repeat(np.arange(len(frame)), len(imputed) // len(frame))]
    # Labels need not be unique, so rows are matched by position.
    known = frame.reset_index(drop=True)
    columns = [
        filled_column(known.iloc[:, j], imputed.iloc[:, j])
        for j in range(len(imputed.columns))
    ]
    result = pd.DataFrame(dict(enumerate(columns)))
    return result.set_axis(frame.columns, axis=1).set_axis(frame.index, axis=0)


def filled_column(column, imputed):
    """Column with missing values imputed; it keeps its type if this can represent them.

    Otherwise it has the type of the imputed values, or object. A categorical type
    remains only if both columns have it.
    """
    import pandas as pd

    to_fill = column.isna().to_numpy(bool) & imputed.notna().to_numpy(bool)
    if not to_fill.any():
        return column
    if column.dtype == imputed.dtype:
        return column.mask(to_fill, imputed)
    types, parts = [column.dtype, imputed.dtype, np.dtype(object)], []
    if to_fill.all():
        return imputed
    for dtype in types[isinstance(column.dtype, pd.CategoricalDtype) :]:
        parts = [_as_type(part, dtype) for part in (column[~to_fill], imputed[to_fill])]
        if all(part is not None for part in parts):
            break
    return pd.concat(parts).sort_index()


def _as_type(column, dtype):
    """Column converted to another type, or None if this cannot represent it."""
    import pandas as pd

    types = pd.api.types
    if column.dtype == dtype:
        return column
    is_categorical = isinstance(dtype, pd.CategoricalDtype)
    if is_categorical and not column.dropna().isin(dtype.categories).all():
        # Values outside the categories would become missing.
        return None
    try:
        with np.errstate(over="ignore"):
            converted = column.astype(dtype)
    except (TypeError, ValueError):
        return None
    if types.is_float_dtype(dtype) and types.is_float_dtype(column.dtype):
        # Accept rounding, but not overflow.
        is_equal = np.isfinite(converted.to_numpy(np.float64)).all()
    else:
        is_equal = converted.astype(object).equals(column.astype(object))
    return converted if is_equal else None
