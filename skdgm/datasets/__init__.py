"""Public data sets of the benchmarks, downloaded once and verified at each call.

They are cached in the folder ``skdgm`` of scikit-learn's data home
(:func:`sklearn.datasets.get_data_home`).
"""

from skdgm.datasets.images import (
    fetch_binarized_mnist,
    fetch_caltech_silhouettes,
    fetch_mnist,
)
from skdgm.datasets.tables import fetch_binary_table

__all__ = [
    "fetch_binarized_mnist",
    "fetch_binary_table",
    "fetch_caltech_silhouettes",
    "fetch_mnist",
]
