"""Imputation of missing entries, in arrays and in DataFrames.

The result has a type that represents the given values exactly.
"""

from numbers import Integral

import numpy as np
import scipy.sparse as sp
from sklearn.utils import check_random_state

from skdgm.data.frames import tell_unknown
from skdgm.data.reach import tell_beyond, within_reach
from skdgm.data.streams import streamed
from skdgm.utils.blocks import Blocks
from skdgm.utils.counts import WHOLE, check_choice
from skdgm.utils.domains import is_frame
from skdgm.utils.random import IMPUTE, MAX_SEED, Stream, stream
from skdgm.utils.rows import row_hash
from skdgm.utils.threading.threads import one_blas_thread


def holding(rows):
    """Type that represents both the known values of rows and the results of models: a
    common one, or for integers beyond 2 ** 53, of which none can be missing, their
    own."""
    own, plain = rows.X.dtype, rows.X
    values = plain.data if sp.issparse(plain) else plain
    ends = [values.min(), values.max()] if values.size else [0]
    if own.kind in "iu" and (min(ends) < -WHOLE or max(ends) > WHOLE):
        return own
    return np.result_type(own, rows.dtype)


def as_whole(X):
    """Array of a list of integers, in NumPy's type for them; other data unchanged."""
    if isinstance(X, list | tuple):
        try:
            found = np.asarray(X)
        except ValueError:  # Ragged: validation says so.
            return X
        return found if found.dtype.kind in "iu" else X
    return X


def _refuse_rounded(name, X, dtype):
    """Raise ValueError if a floating type cannot hold whole numbers of a table.

    Only DataFrames, lists and arrays of objects are searched; other arrays have one
    type, from which ``dtype`` was chosen.
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
    """Pairs of a column's name and a list of its integers beyond 2 ** 53."""
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
            yield name, [value for value in whole if not -WHOLE <= value <= WHOLE]


def fill(
    density,
    X,
    method,
    random_state,
    filled,
    methods=("mean", "sample"),
    n_draws=1,
    by_place=False,
    given=None,
):
    """Fill the missing entries of rows by ``filled(v, rng)``, of dense rows in the
    units of the model and a :class:`~skdgm.utils.random.Stream` of one stream a row;
    or, ``by_place``, by ``filled(index)``, of the numbers of rows. With ``given``
    beside the rows, a :class:`~skdgm.utils.given.Given`, its values are a third
    argument.

    The density gives ``read``, ``domain``, ``columns``, ``seed`` and ``name``, and
    ``bounded``, if known values beyond the range seen are read as its ends.
    "sample" draws with ``random_state``, which may be a Stream of one stream for each
    row of the result; the random numbers of other methods depend
    only on the seed and the content of the row. Returns (n_samples * n_draws,
    n_features), copies of the first row first, in a type that represents the known
    values and the results of the model; ValueError for an unknown method, or whole
    numbers of a DataFrame, list or array of objects with more digits than an array of
    floats holds.
    """
    check_choice("method", method, methods)
    X = as_whole(X)
    # What is missing is to be filled: it has no value, and is none.
    X = streamed(X)
    rows = density.read(X)._replace(gaps=None, given=given)
    if isinstance(X, Blocks):
        # What is filled is in memory anyway.
        rows = rows._replace(X=np.asarray(X))
    tell_unknown(density.name, X, rows)
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
            # A slice avoids a copy: it gives a view.
            place = part if n_draws == 1 else which[part]
            v, whole = rows.take(place), raw.take(place)
            holes = np.flatnonzero(np.isnan(v).any(axis=1))
            if holes.size:
                known = v[holes]
                if density.bounded:
                    known, far = within_reach(density.columns, known)
                    beyond |= far
                own, whole = [known, rng.take(part).take(holes)], whole.copy()
                if given is not None:
                    own.append(rows.beside(place)[holes])
                own = (part.start + holes,) if by_place else own
                found = filled(*own)
                found = density.domain.to_data(density.columns, found)
                known = ~np.isnan(whole[holes])
                whole[holes] = np.where(known, whole[holes], found)
            parts.append(whole)
    # Once for all blocks.
    tell_beyond(density.name, beyond, rows.name_of)
    return np.concatenate(parts)


def widened(X, names):
    """Add the columns of the model that a DataFrame of pandas lacks, with nothing but
    missing values; return others as they are."""
    if not is_frame(X) or names is None or len(X.columns) >= len(names):
        return X
    if not set(X.columns) <= set(names):
        return X
    return X.reindex(columns=list(names))


def completed(frame, found):
    """Copy of a DataFrame with missing values filled and all others unchanged.

    ``found`` has equally many rows for each row of ``frame``, by position, whose index
    and columns the copy has.
    """
    import pandas as pd

    frame = frame.iloc[np.repeat(np.arange(len(frame)), len(found) // len(frame))]
    # Labels need not be unique, so rows are matched by position.
    known = frame.reset_index(drop=True)
    columns = [
        filled_column(known.iloc[:, j], found.iloc[:, j])
        for j in range(len(found.columns))
    ]
    whole = pd.DataFrame(dict(enumerate(columns)))
    return whole.set_axis(frame.columns, axis=1).set_axis(frame.index, axis=0)


def filled_column(column, found):
    """Column with missing values filled, of its own type if this can hold them.

    Otherwise it has the type of the filled values, or object; a category keeps its type
    only if that equals theirs, since it may lack some of their categories.
    """
    import pandas as pd

    lacks = column.isna().to_numpy(bool) & found.notna().to_numpy(bool)
    if not lacks.any():
        return column
    if column.dtype == found.dtype:
        return column.mask(lacks, found)
    types = [column.dtype, found.dtype, np.dtype(object)]
    if lacks.all():
        return found
    for dtype in types[isinstance(column.dtype, pd.CategoricalDtype) :]:
        parts = [_as_type(part, dtype) for part in (column[~lacks], found[lacks])]
        if all(part is not None for part in parts):
            break
    return pd.concat(parts).sort_index()


def _as_type(column, dtype):
    """Convert a column to another type, or return None if this cannot hold it."""
    import pandas as pd

    types = pd.api.types
    if column.dtype == dtype:
        return column
    named = isinstance(dtype, pd.CategoricalDtype)
    if named and not column.dropna().isin(dtype.categories).all():
        # Values that are not among the categories would become missing.
        return None
    try:
        with np.errstate(over="ignore"):
            cast = column.astype(dtype)
    except (TypeError, ValueError):
        return None
    if types.is_float_dtype(dtype) and types.is_float_dtype(column.dtype):
        # Rounding is accepted, as the type has no more digits; overflow is not.
        same = np.isfinite(cast.to_numpy(np.float64)).all()
    else:
        same = cast.astype(object).equals(column.astype(object))
    return cast if same else None
