"""Energy functions, which define models. Samplers and other algorithms work with any
energy."""

from skdgm.energies.blocks import Link, Triple
from skdgm.energies.connected import Connected, colors_of, sites_of
from skdgm.energies.energy import Energy, full, graph, layered
from skdgm.energies.params import (
    Params,
    Path,
    contrast,
    forms,
    mean_row,
    n_rows,
    n_weights,
    plain,
    tiled,
)
from skdgm.energies.potential import Marginal, Potential

__all__ = [
    "Connected",
    "Energy",
    "Link",
    "Marginal",
    "Params",
    "Path",
    "Potential",
    "Triple",
    "colors_of",
    "contrast",
    "forms",
    "full",
    "graph",
    "layered",
    "mean_row",
    "n_rows",
    "n_weights",
    "plain",
    "sites_of",
    "tiled",
]
