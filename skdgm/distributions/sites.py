r"""Bits and categorical units side by side, like the columns of a table.

.. math:: p(x \mid \eta) = \prod_i \exp(\eta_i^\top x_i - A(\eta_i)), \quad
   A(\eta_i) = \log(1 + e^{\eta_i}) \ \text{or} \ \log \sum_k e^{\eta_{ik}}

A site is a bit with one entry, or a categorical variable with a one-hot entry for each
category. The sufficient statistic is the value itself.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import entr

from skdgm._kernels.machines import columns as kernels
from skdgm.distributions.roles import Canonical
from skdgm.utils.lists import Lists
from skdgm.utils.threading.parallel import run

# Cost of an entry, in multiply-adds.
_WORK = 10


class _Sizes(NamedTuple):
    sizes: tuple


class Sites(_Sizes, Canonical):
    """A block of sites, whose parameters are one bias for each entry. ``sizes`` are
    numbers of categories, or 0 for bits. Values and means have shape (n_rows, size);
    drawn values are Lists."""

    __slots__ = ()
    listable, form = True, "sites"

    @property
    def widths(self):
        """Number of entries of each site, an int array."""
        return np.maximum(np.array(self.sizes, int), 1)

    @property
    def starts(self):
        """Index of the first entry of each site, an int array."""
        widths = self.widths
        return np.cumsum(widths) - widths

    @property
    def size(self):
        """Number of entries."""
        return sum(max(1, size) for size in self.sizes)

    def only(self, entries):
        """The block of the sites that contain the given entries."""
        kept = np.isin(self.starts, entries)
        return Sites(tuple(np.array(self.sizes, int)[kept].tolist()))

    def init(self, moments=None, dtype=np.float64):
        """Biases for given means of the block without neighbors: log odds of bits,
        log probabilities of categories. Zeros if ``moments`` is None."""
        if moments is None:
            return np.zeros(self.size, dtype=dtype)
        p = np.asarray(moments, np.float64)
        off = np.log1p(-p, where=self._bits, out=np.zeros(self.size))
        return (np.log(p) - off).astype(dtype)

    def log_partition(self, eta):
        return self._log_partitions(np.asarray(eta, np.float64)).sum(axis=-1)

    def log_sites(self, eta, x):
        """Log probability of each site of each row, (n_rows, n_sites)."""
        log_w = np.add.reduceat(np.asarray(x) * eta, self.starts, axis=-1)
        return log_w - self._log_partitions(eta)

    def log_evidence(self, eta, x, clamped):
        """Log weight of partly clamped rows; sites are clamped as a whole."""
        eta = np.atleast_2d(np.asarray(eta, np.float64))
        free = ~np.logical_and.reduceat(clamped, self.starts, axis=1)
        known = np.where(np.repeat(free, self.widths, axis=1), 0, x)
        return known @ eta.T + free @ self._log_partitions(eta).T

    def pull(self, mean, grad):
        """Gradient with respect to the natural parameters from the gradient with
        respect to the means."""
        of_sites = np.add.reduceat(mean * grad, self.starts, axis=1)
        return mean * (grad - np.repeat(of_sites, self.widths, axis=1))

    def mean(self, eta):
        rows = np.ascontiguousarray(np.atleast_2d(eta))
        out = np.empty_like(rows)
        self._run(kernels.means, rows, out)
        return out.reshape(np.shape(eta))

    def mode(self, eta):
        """Most probable value of each site: 0 or 1, or one-hot."""
        max_eta = np.maximum.reduceat(eta, self.starts, axis=-1)
        is_max = eta == np.repeat(max_eta, self.widths, axis=-1)
        n_max = np.cumsum(is_max, axis=-1)
        n_before = (n_max - is_max)[..., self.starts]
        is_first_max = is_max & (n_max - np.repeat(n_before, self.widths, axis=-1) == 1)
        return np.where(self._bits, eta > 0, is_first_max).astype(eta.dtype)

    def sample(self, eta, rng):
        mean = self.mean(eta)
        if mean.shape != (len(rng.ids), self.size):
            mean = np.tile(mean, (len(rng.ids), 1))
        return self.draw(mean, rng), mean

    def draw(self, mean, rng):
        """Draw values with probabilities ``mean``, (n_rows, size), as Lists, by a
        uniform number for each site. ``rng`` is a Stream with a row for each row of
        ``mean``."""
        x = Lists.empty(len(mean), mean.shape[1], mean.dtype)
        uniform = rng.uniform(len(self.sizes), mean.dtype.type)
        self._run(kernels.draw, mean, uniform, x.index, x.count)
        return x

    def log_prob(self, mean, x):
        """Log probability of each row of x given its row of means, float64."""
        mean, on = np.asarray(mean, np.float64), np.asarray(x, bool)
        probabilities = np.where(on, mean, np.where(self._bits, 1 - mean, 1.0))
        with np.errstate(divide="ignore"):
            return np.log(probabilities).sum(axis=1)

    def entropy(self, params, mean):
        return entr(mean) + np.where(self._bits, entr(1 - mean), mean.dtype.type(0))

    @property
    def n_states(self):
        """Number of joint states of the block."""
        return math.prod(size or 2 for size in self.sizes)

    def states(self, codes):
        """Joint states by number in mixed radix, (n_codes, size)."""
        x, codes = np.zeros((len(codes), self.size)), np.asarray(codes)
        for start, size in zip(self.starts, self.sizes):
            codes, state = np.divmod(codes, size or 2)
            if size:
                x[np.arange(len(x)), start + state] = 1
            else:
                x[:, start] = state
        return x

    @property
    def _bits(self):
        return np.repeat(np.array(self.sizes, int) == 0, self.widths)

    def _log_partitions(self, eta):
        """A(eta) of each site, (..., n_sites), in the dtype of eta."""
        rows = np.ascontiguousarray(np.atleast_2d(eta))
        out = np.empty((len(rows), len(self.sizes)), rows.dtype)
        self._run(kernels.partitions, rows, out)
        return out.reshape((*np.shape(eta)[:-1], len(self.sizes)))

    def _run(self, kernel, rows, *more):
        first, sizes = _places(self.sizes)
        run(kernel, rows, first, sizes, *more, n=len(rows), work=_WORK * rows.size)


@lru_cache(maxsize=128)
def _places(sizes):
    """Two arrays: first entries of sites, followed by the end; and sizes."""
    sizes = np.array(sizes, int)
    return np.concatenate([[0], np.cumsum(np.maximum(sizes, 1))]), sizes
