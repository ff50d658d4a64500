"""Sequences as users give them: one table with lengths, or a list of tables."""

import numpy as np
import scipy.sparse as sp
from sklearn.utils.validation import _num_samples

from skdgm.training.sequences import Sequences
from skdgm.utils.domains import is_frame


def as_one_table(X, lengths=None):
    """Sequences as one table, one after the other, and their lengths, an int array.

    X is such a table, by default of a single sequence, or a list of a table for each.
    ValueError if there is no sequence; if one is empty, or has other columns than the
    first; or if lengths are not whole numbers of at least 1, or do not add up to the
    rows.
    """
    several = isinstance(X, list | tuple) and (not X or _is_table(X[0]))
    if several and lengths is not None:
        raise ValueError("X is a list of sequences: leave their lengths out.")
    if several:
        X, lengths = _joined(X)
    n_rows = _num_samples(X)
    found = np.atleast_1d(np.asarray(n_rows if lengths is None else lengths))
    whole = found.dtype.kind in "iuf" and found.ndim == 1 and len(found)
    if not whole or (found != np.floor(found)).any():
        raise ValueError(f"lengths must be whole numbers, not {lengths!r}.")
    wrong = np.flatnonzero(found < 1)
    if wrong.size:
        raise ValueError(
            f"Sequence {wrong[0]} has the length {found[wrong[0]]}: leave empty "
            "sequences out."
        )
    if found.sum() != n_rows:
        raise ValueError(f"lengths add up to {found.sum():g}, but X has {n_rows} rows.")
    return X, found.astype(np.int64)


def sequences_of(rows, lengths, sample_weight=None):
    """Canonical table of the sequences of validated rows, with a weight for each
    sequence, not for each row.

    ValueError if there is not one weight for each; if one is negative or not finite, or
    all are 0.
    """
    sequences = Sequences(rows, np.concatenate([[0], np.cumsum(lengths)]))
    if sample_weight is None:
        return sequences.table()
    weight = np.asarray(sample_weight, np.float64)
    if weight.shape != lengths.shape:
        raise ValueError(
            f"sample_weight has the shape {weight.shape}, but there are {len(lengths)} "
            "sequences, which have one weight each."
        )
    if not (np.isfinite(weight) & (weight >= 0)).all() or not weight.any():
        raise ValueError(
            "sample_weight must be finite and not negative, and not 0 of all sequences."
        )
    return sequences.table(weight)


def _is_table(x):
    return is_frame(x) or sp.issparse(x) or np.ndim(x) == 2


def _joined(parts):
    """One table of several, and their numbers of rows."""
    if not parts:
        raise ValueError("X is an empty list: there is no sequence.")
    for number, part in enumerate(parts):
        if not _is_table(part):
            raise ValueError(
                f"Sequence {number} is no table: each must have a row for each step "
                "and a column for each variable."
            )
        if np.shape(part)[1] != np.shape(parts[0])[1]:
            raise ValueError(
                f"Sequence {number} has {np.shape(part)[1]} columns, but the first one "
                f"has {np.shape(parts[0])[1]}."
            )
    lengths = np.array([_num_samples(part) for part in parts])
    if is_frame(parts[0]):
        import pandas as pd

        return pd.concat(parts, ignore_index=True), lengths
    if any(map(sp.issparse, parts)):
        return sp.vstack(parts, format="csr"), lengths
    return np.concatenate([np.asarray(part) for part in parts]), lengths
