"""Nearest neighbors of the rows of a table."""

import numpy as np
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_info, threadpool_limits

from skdgm.utils.threading.parallel import n_threads

# Fewest rows per thread. With fewer, scikit-learn splits the candidates among threads,
# and ties depend on the number of threads.
_ROWS = 1024


def near_rows(table, emission, n_neighbors):
    """Indices of the nearest other rows of each row of a table, (n_rows, n_neighbors),
    at most ``n_neighbors``; -1 for rows outside the table. Missing values count as in
    scikit-learn's ``nan_euclidean``, and a single row is its own neighbor. Raises
    ValueError for streamed rows."""
    if table.rows.streamed:
        raise ValueError(
            f"information__n_neighbors={n_neighbors} compares all rows with each "
            "other, which must be in memory: give an array, or set it to 0."
        )
    index = table.index
    nearest = np.full(
        (table.rows.shape[0], max(1, min(n_neighbors, len(index) - 1))), -1
    )
    if len(index) == 1:
        nearest[index] = index
        return nearest
    x, known = emission.inputs(table.rows.take(index))
    if known is not None:
        x = np.where(known, x, np.nan)
    metric = "euclidean" if known is None else "nan_euclidean"
    neighbors = NearestNeighbors(metric=metric, algorithm="brute").fit(x)
    pools = (pool for pool in threadpool_info() if pool["user_api"] == "openmp")
    limits = [n_threads(), (len(x) - 1) // _ROWS]
    limits += [pool["num_threads"] for pool in pools]
    with threadpool_limits(max(1, min(limits)), "openmp"):
        places = neighbors.kneighbors(None, nearest.shape[1], return_distance=False)
    nearest[index] = index[places]
    return nearest
