"""Energy functions, which define models; everything else is an algorithm on them."""

from skdgm.energies.contrast import contrast, mean_row
from skdgm.energies.energy import Energy, Link
from skdgm.energies.graphs import EVEN, ODD, LayeredEnergy, full, graph, layered
from skdgm.energies.params import Params, Path, forms, n_rows, n_weights, plain, tiled

__all__ = [
    "EVEN",
    "ODD",
    "Energy",
    "LayeredEnergy",
    "Link",
    "Params",
    "Path",
    "contrast",
    "forms",
    "full",
    "graph",
    "layered",
    "mean_row",
    "n_rows",
    "n_weights",
    "plain",
    "tiled",
]
