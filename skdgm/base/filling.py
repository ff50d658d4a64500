"""Fill missing entries, row by row."""

import numpy as np
from sklearn.utils import check_random_state

from skdgm.base.purposes import IMPUTE
from skdgm.utils.hashing import row_hash
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.threads import one_blas_thread


def fill(model, X, method, random_state, filled, methods=("mean", "sample")):
    """Rows with their missing entries filled.

    Parameters
    ----------
    model : TabularModel
        Fitted.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    method : str
        One of ``methods``. Of "sample" randomness is new; of others it belongs to the
        row.
    random_state : int, RandomState instance or None
        For "sample".
    filled : callable
        ``filled(v, rng)`` fills rows as the model sees them, each with a stream.
    methods : tuple of str

    Returns
    -------
    X_filled : ndarray of shape (n_samples, n_features)
    """
    if method not in methods:
        names = " or ".join(map(repr, methods))
        raise ValueError(f"method must be {names}, not {method!r}.")
    rows = model._rows(X)
    raw = rows._replace(affine=None)
    if method == "sample":
        seed = check_random_state(random_state).randint(MAX_SEED)
        rng = stream(seed).rows(rows.shape[0])
    else:
        rng = stream(model._seed, IMPUTE).rows(row_hash(rows))
    parts = []
    with one_blas_thread():
        for part in rows.blocks():
            v, given = rows.take(part), raw.take(part)
            holes = np.flatnonzero(np.isnan(v).any(axis=1))
            if holes.size:
                own, given = rng.take(part).take(holes), given.copy()
                found = filled(v[holes], own)
                found = model._domain.to_data(model._columns, found)
                known = ~np.isnan(given[holes])
                given[holes] = np.where(known, given[holes], found)
            parts.append(given)
    return np.concatenate(parts)
