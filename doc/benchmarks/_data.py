"""Benchmark sets: of a folder, read by its own ``load.py``, or public ones by name.

``--data FOLDER`` takes the sets of a folder; ``--data public`` fetches them with
``skdgm.datasets``, which keeps them in scikit-learn's data home.
"""

import importlib.util

from skdgm import datasets

PARTS = "train", "valid", "test"
_NAMED = {
    "mnist": datasets.fetch_mnist,
    "binarized_mnist": datasets.fetch_binarized_mnist,
    "caltech101_silhouettes": datasets.fetch_caltech_silhouettes,
}


def load(folder, name):
    """Load the arrays of one set, by name."""
    if str(folder) == "public":
        return public(name)
    spec = importlib.util.spec_from_file_location("load", folder / "load.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load(name)


def public(name):
    """Fetch the arrays of one set: its parts, and their labels if it has any."""
    found = {}
    for part in PARTS:
        if name in _NAMED:
            X, y = _NAMED[name](subset=part, return_X_y=True)
        else:
            X, y = datasets.fetch_binary_table(name, subset=part, return_X_y=True)
        found |= {part: X} | ({} if y is None else {f"{part}_y": y})
    return found
