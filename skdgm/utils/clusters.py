r"""Clusters of rows by k-means, with initial centers as in k-means++ [1]_.

.. math:: p(\text{row } r) \propto w_r \min_c \|z_r - c\|^2

References
----------
.. [1] Arthur and Vassilvitskii (2007). k-means++: the advantages of careful seeding.
   SODA.
"""

import numpy as np

_STEPS = 10


def distant_rows(z, weight, uniforms):
    """Rows of z that are far from each other, one for each of the ``uniforms``, numbers
    in [0, 1); the first is drawn by ``weight`` alone."""
    centers, distance = [], np.ones(len(z))
    for u in uniforms:
        sums = np.cumsum(weight * distance)
        row = min(np.searchsorted(sums, u * sums[-1], "right"), len(z) - 1)
        centers.append(z[row])
        gap = ((z - z[row]) ** 2).sum(axis=1)
        distance = np.minimum(distance, gap) if len(centers) > 1 else gap
    return np.array(centers)


def clusters(z, weight, uniforms):
    """Cluster of each weighted row of z by k-means, as an array of ones and zeros,
    (n_rows, n_clusters). The ``uniforms`` determine the initial centers."""
    centers = distant_rows(z, weight, uniforms)
    for _ in range(_STEPS):
        nearest = ((centers**2).sum(axis=1) - 2 * z @ centers.T).argmin(axis=1)
        member = np.eye(len(centers))[nearest]
        size = (weight @ member)[:, None]
        totals = (member * weight[:, None]).T @ z
        centers = np.divide(totals, size, out=centers, where=size > 0)
    return member
