r"""Energy of the general Boltzmann machine, in which any two units may be linked.

.. math:: -E(x) = b^\top x + \tfrac12 x^\top J x, \qquad x = (v, h), \quad J = J^\top

Units are called sites: a bit, or a categorical variable with an entry for each category
[1]_ [2]_. There is a block of visible sites, and optionally a block of hidden bits.
Both blocks are linked to themselves. Algorithms therefore visit sites in the order of a
coloring of the graph of sites. Sites of one color are independent given all others.

References
----------
.. [1] Ackley, Hinton and Sejnowski (1985). A learning algorithm for Boltzmann
   machines. Cognitive Science.
.. [2] Potts (1952). Some generalized order-disorder transformations. Mathematical
   Proceedings of the Cambridge Philosophical Society.
.. [3] Welsh and Powell (1967). An upper bound for the chromatic number of a graph and
   its application to timetabling problems. The Computer Journal.
"""

from typing import NamedTuple

import numpy as np

from skdgm.couplings import Masked, Within
from skdgm.distributions import Bernoulli, Sites
from skdgm.energies.energy import Energy

# Fraction of all links above which kernels read whole rows of J.
_DENSE = 0.3


class SiteLayout(NamedTuple):
    """Sites of all blocks as kernels need them, integer arrays. ``first`` has the
    position of the first entry of each site, and the number of all entries; ``sizes``
    the numbers of categories, 0 for a bit; ``order`` the sites sorted by color.
    Neighbors of site i are ``near[ends[i]:ends[i + 1]]``; ``near`` and ``ends`` are
    empty if most sites are linked."""

    first: np.ndarray
    sizes: np.ndarray
    order: np.ndarray
    ends: np.ndarray
    near: np.ndarray


def colors_of(edges):
    """Greedy coloring of a graph of sites, (n_sites,), such that linked sites differ
    [3]_. Sites with most neighbors are colored first, each with the first color that
    none of its neighbors has. ``edges`` is the adjacency matrix, (n_sites, n_sites)."""
    colors, degree = np.full(len(edges), -1), edges.sum(axis=1)
    for site in np.argsort(-degree, kind="stable"):
        taken = np.zeros(len(edges) + 1, bool)
        taken[colors[edges[site]]] = True
        # Neighbors without a color have marked the last element.
        colors[site] = np.argmin(taken[:-1])
    return colors


class Connected(Energy):
    """Energy of sites, any two of which may be linked.

    The first block is visible. Blocks are linked to themselves, so that no block can be
    marginalized in closed form: the last color is empty.

    Parameters
    ----------
    visible : Bernoulli or Sites
    n_hidden : int
        Number of hidden bits; with 0, there is one block.
    edges : ndarray of bool of shape (n_sites, n_sites), optional
        Symmetric adjacency matrix, visible sites first; by default all are linked.
    colors : ndarray of int of shape (n_sites,), optional
        Color of each site; by default the result of :func:`colors_of`.

    Attributes
    ----------
    edges, site_colors : ndarray
        Adjacency matrix and colors.
    layout : SiteLayout
    """

    is_sitewise = True

    def __init__(self, visible, n_hidden=0, edges=None, colors=None):
        units: tuple = (visible, Bernoulli(n_hidden)) if n_hidden else (visible,)
        sizes = np.concatenate([sites_of(unit).sizes for unit in units]).astype(int)
        n_sites, full = len(sizes), edges is None
        edges = ~np.eye(n_sites, dtype=bool) if edges is None else edges
        self.edges = edges
        if colors is None:
            colors = np.arange(n_sites) if full else colors_of(edges)
        self.site_colors, order = colors, np.argsort(colors, kind="stable")
        widths = np.maximum(sizes, 1)
        ends = near = np.zeros(0, np.int64)
        if edges.mean() < _DENSE:
            near = np.nonzero(edges)[1]
            ends = np.concatenate([[0], np.cumsum(edges.sum(axis=1))])
        first = np.concatenate([[0], np.cumsum(widths)])
        layout = SiteLayout(first, sizes, order, ends, near)
        self.layout = SiteLayout._make(part.astype(np.int64) for part in layout)
        mask = np.repeat(np.repeat(edges, widths, axis=0), widths, axis=1)
        n, m = visible.size, len(mask)
        links, couplings = [(0, 0, 0)], [Within(n, n, mask[:n, :n].copy())]
        if n_hidden:
            across = mask[:n, n:]
            links += [(0, 1, 1), (1, 1, 2)]
            couplings += [
                Masked(n, m - n, None if across.all() else across.copy()),
                Within(m - n, m - n, mask[n:, n:].copy()),
            ]
        blocks = [(block,) for block in range(len(units))]
        super().__init__(units, links, couplings, [*blocks, ()], blocks)

    def matrices(self, params):
        """Couplings J between all entries, of shape (m, m), and biases b, of shape
        (m,)."""
        if len(self.units) == 1:
            (J,), (bias,) = params.couplings, params.units
            return np.ascontiguousarray(J), np.ascontiguousarray(bias)
        inner, across, outer = params.couplings
        J = np.block([[inner, across], [across.T, outer]])
        return np.ascontiguousarray(J), np.concatenate(params.units)

    def log_sites(self, params, v):
        """Log probability of each visible site given all others, float64 (n_rows,
        n_sites). Rows v are complete, and the machine has no hidden units."""
        v = np.asarray(v)
        eta = self.field(params, 0, self.received(params, (v,), 0))
        return sites_of(self.units[0]).log_sites(np.asarray(eta, np.float64), v)

    def rows(self, x, n_rows, dtype):
        """Values of all blocks side by side, a new array; zeros for blocks that are
        None."""
        of_blocks = (
            np.zeros((n_rows, unit.size)) if values is None else np.asarray(values)
            for unit, values in zip(self.units, x)
        )
        return np.concatenate(list(of_blocks), axis=1, dtype=dtype)

    def clamped(self, clamp, n_rows):
        """Sites that are clamped, bool of shape (n_rows, n_sites), or (0, n_sites) if
        none is. ``clamp`` has None, True or a boolean array of entries for each
        block."""
        n_sites = len(self.layout.sizes)
        if clamp is None or all(mask is None for mask in clamp):
            return np.zeros((0, n_sites), bool)
        of_blocks = (
            np.broadcast_to(False if mask is None else mask, (n_rows, unit.size))
            for unit, mask in zip(self.units, clamp)
        )
        return np.concatenate(list(of_blocks), axis=1)[:, self.layout.first[:-1]]

    def split(self, joint):
        """Split values of all entries into a tuple with the values of each block."""
        n = self.units[0].size
        of_blocks = (joint[:, :n], joint[:, n:])
        return tuple(map(np.ascontiguousarray, of_blocks[: len(self.units)]))


def sites_of(unit):
    """A block as Sites; Bernoulli units become sites without categories."""
    return unit if unit.form == "sites" else Sites((0,) * unit.size)
