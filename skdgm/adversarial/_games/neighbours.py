"""Nearest rows of a table, as inputs of a discriminator."""

import numpy as np
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_info, threadpool_limits

from skdgm.utils.threading.parallel import n_threads

# Rows for each thread, of which scikit-learn finds the neighbours one by one: with
# fewer it divides the others among threads, and ties fall as it does.
_ROWS = 1024


def near_rows(table, emission, n_neighbors):
    """Numbers of the nearest other rows of each row of a table, at most
    ``n_neighbors``, by the number of a row in ``table.rows``; other rows are near to
    none, -1.

    Missing values count as scikit-learn's ``nan_euclidean`` does; a single row is near
    to itself. ValueError tells of rows that are read in blocks.
    """
    if table.rows.streamed:
        raise ValueError(
            f"information__n_neighbors={n_neighbors} compares all rows with each "
            "other, which must be in memory: give an array, or set it to 0."
        )
    index = table.index
    near = np.full((table.rows.shape[0], max(1, min(n_neighbors, len(index) - 1))), -1)
    if len(index) == 1:
        near[index] = index
        return near
    x, known = emission.inputs(table.rows.take(index))
    if known is not None:
        x = np.where(known, x, np.nan)
    metric = "euclidean" if known is None else "nan_euclidean"
    neighbors = NearestNeighbors(metric=metric, algorithm="brute").fit(x)
    pools = (pool for pool in threadpool_info() if pool["user_api"] == "openmp")
    limits = [n_threads(), (len(x) - 1) // _ROWS]
    limits += [pool["num_threads"] for pool in pools]
    with threadpool_limits(max(1, min(limits)), "openmp"):
        places = neighbors.kneighbors(None, near.shape[1], return_distance=False)
    near[index] = index[places]
    return near
