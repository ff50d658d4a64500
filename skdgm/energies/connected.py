r"""The general Boltzmann machine: any two of its units may be linked.

.. math:: -E(x) = b^\top x + \tfrac12 x^\top J x, \qquad x = (v, h), \quad J = J^\top

Its units are sites: bits, or categories with an entry for each [1]_ [2]_. It has a
block of visible sites, and perhaps one of hidden bits. Both are linked with themselves,
so that algorithms go from site to site, in the order of a colouring of the graph of
sites: those of a colour are independent given all others.

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

# Share of all links above which lines of J are read as a whole.
_DENSE = 0.3


class SiteLayout(NamedTuple):
    """The sites of all blocks, in the form that kernels take, arrays of int. ``first``
    has the first entry of each among those of all blocks, and their number; ``sizes``
    the numbers of categories, 0 for a bit; ``order`` the sites by colour. Neighbours of
    site i are ``near[ends[i]:ends[i + 1]]``; both are empty where most sites are
    linked."""

    first: np.ndarray
    sizes: np.ndarray
    order: np.ndarray
    ends: np.ndarray
    near: np.ndarray


def colours_of(edges):
    """Colour of each site, (n_sites,), by which linked sites differ, for links
    (n_sites, n_sites): the first that none of its neighbours has, those with most
    neighbours first [3]_."""
    colours, degree = np.full(len(edges), -1), edges.sum(axis=1)
    for site in np.argsort(-degree, kind="stable"):
        taken = np.zeros(len(edges) + 1, bool)
        taken[colours[edges[site]]] = True
        # Sites without a colour yet have marked the last place.
        colours[site] = np.argmin(taken[:-1])
    return colours


class Connected(Energy):
    """Energy of sites, of which any two may be linked.

    Blocks are linked with themselves, so no colour of blocks can be summed out: the
    last one is empty. The first block is the visible one.

    Parameters
    ----------
    visible : Bernoulli or Sites
    n_hidden : int
        Number of hidden bits; without any there is one block.
    edges : ndarray of bool of shape (n_sites, n_sites), optional
        Symmetric, visible sites first; by default all are linked.
    colours : ndarray of int of shape (n_sites,), optional
        Colour of each site; by default that of :func:`colours_of`.

    Attributes
    ----------
    edges, site_colours : ndarray
        As above.
    layout : SiteLayout
    """

    is_sitewise = True

    def __init__(self, visible, n_hidden=0, edges=None, colours=None):
        units: tuple = (visible, Bernoulli(n_hidden)) if n_hidden else (visible,)
        sizes = np.concatenate([sites_of(unit).sizes for unit in units]).astype(int)
        n_sites, full = len(sizes), edges is None
        edges = ~np.eye(n_sites, dtype=bool) if edges is None else edges
        self.edges = edges
        if colours is None:
            colours = np.arange(n_sites) if full else colours_of(edges)
        self.site_colours, order = colours, np.argsort(colours, kind="stable")
        widths = np.maximum(sizes, 1)
        ends = near = np.zeros(0, np.int64)
        if edges.mean() < _DENSE:
            near = np.nonzero(edges)[1]
            ends = np.concatenate([[0], np.cumsum(edges.sum(axis=1))])
        first = np.concatenate([[0], np.cumsum(widths)])
        self.layout = SiteLayout(
            *(part.astype(np.int64) for part in (first, sizes, order, ends, near))
        )
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
        """Weights between all entries, and biases: J of shape (m, m) and b, (m,)."""
        if len(self.units) == 1:
            (J,), (bias,) = params.couplings, params.units
            return np.ascontiguousarray(J), np.ascontiguousarray(bias)
        inner, across, outer = params.couplings
        J = np.block([[inner, across], [across.T, outer]])
        return np.ascontiguousarray(J), np.concatenate(params.units)

    def log_sites(self, params, v):
        """Log probability of each visible site given all others, of complete rows of a
        machine without hidden units: float64 of shape (n_rows, n_sites)."""
        v = np.asarray(v)
        eta = self.field(params, 0, self.received(params, (v,), 0))
        return sites_of(self.units[0]).log_sites(np.asarray(eta, np.float64), v)

    def rows(self, x, n_rows, dtype):
        """Values of all blocks side by side, a new array; zeros for those that are
        None."""
        parts = (
            np.zeros((n_rows, unit.size)) if part is None else np.asarray(part)
            for unit, part in zip(self.units, x)
        )
        return np.concatenate(list(parts), axis=1, dtype=dtype)

    def clamped(self, clamp, n_rows):
        """Sites that keep their values, (n_rows, n_sites), given for each block None,
        True or a boolean array of its entries; no rows if none does."""
        n_sites = len(self.layout.sizes)
        if clamp is None or all(part is None for part in clamp):
            return np.zeros((0, n_sites), bool)
        parts = (
            np.broadcast_to(False if part is None else part, (n_rows, unit.size))
            for unit, part in zip(self.units, clamp)
        )
        return np.concatenate(list(parts), axis=1)[:, self.layout.first[:-1]]

    def split(self, joint):
        """Values of all entries, as a tuple of those of each block."""
        n = self.units[0].size
        parts = (joint[:, :n], joint[:, n:])
        return tuple(map(np.ascontiguousarray, parts[: len(self.units)]))


def sites_of(unit):
    """A block as Sites: as it is, or its bits."""
    return unit if unit.form == "sites" else Sites((0,) * unit.size)
