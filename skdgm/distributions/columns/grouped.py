r"""Columns of categories of which the rare ones share an output of the net.

.. math:: p(x) = p(u(x)) \, p(x \mid u(x))

with the unit u of a category: its own, or that of all rare ones, within which shares
are fixed.
"""

import numpy as np

from skdgm.distributions.categorical import CategoricalOutput
from skdgm.distributions.roles import repeated


class GroupedOutput(CategoricalOutput):
    """Columns of codes of categories, given the logits of units.

    Each column has its Groups: ``size``, the number of units; ``units`` and ``share``
    of each code; ``places`` and ``shares``, with one for unknown categories.
    """

    def __init__(self, groups):
        super().__init__(np.array([own.size for own in groups], int))
        self.groups = groups
        self._tables = [(own.places, np.log(own.shares)) for own in groups]
        self._peaks = [_peaks(own) for own in groups]

    def inputs(self, v, share=None):
        return super().inputs(self._looked_up(v, 0), share)

    def value(self, inputs):
        """Most probable code of each column, by the inputs of its units."""
        found = [
            code[(part * peak).argmax(axis=1)]
            for part, (code, peak) in zip(self._parts(inputs), self._peaks)
        ]
        return np.stack(found, axis=1).astype(inputs.dtype)

    def drawn(self, inputs, rng):
        """Codes of units that were drawn, one-hot: rare ones by their shares."""
        return self.within(super().value(inputs), rng)

    def mode(self, out):
        return self.value(self.expected(out))

    def nll_grad(self, out, v, weight, own=()):
        return super().nll_grad(out, self._looked_up(v, 0), weight)

    def log_p(self, out, v, own=()):
        share = self.log_share(v).astype(out.dtype)
        return super().log_p(out, self.units(v)) + repeated(share, out)

    def draw(self, out, rng, own=()):
        return self.within(super().draw(out, rng), rng).astype(out.dtype)

    def units(self, v):
        """Units of codes, NaN where missing."""
        return self._looked_up(v, 0)

    def log_share(self, v):
        """Log probability of codes given their units; 0 where missing."""
        share = self._looked_up(v, 1)
        return np.where(np.isnan(share), 0, share)

    def within(self, units, rng):
        """Codes drawn by their shares within units, both of the shape of ``units``."""
        uniform, found = rng.fold(0).uniform(len(self.groups)), np.empty_like(units)
        for j, own in enumerate(self.groups):
            found[:, j] = _within(own, units[:, j].astype(np.intp), uniform[:, j])
        return found

    def of_codes(self, log_p):
        """Log probabilities of the codes of a single column, of those of units."""
        own = self.groups[0]
        return log_p[:, own.units] + np.log(own.share)

    def _looked_up(self, v, part):
        """Units of codes, or the log shares, with the shape and dtype of v; NaN where
        missing."""
        found, codes = np.empty_like(v), np.where(np.isnan(v), 0, v).astype(np.intp)
        for j, own in enumerate(self._tables):
            found[:, j] = own[part][codes[:, j]]
        return np.where(np.isnan(v), v, found)


def _peaks(own):
    """Code of the largest share of each unit, and this share."""
    # Last in this order is, of each unit, the first code of the largest share.
    order = np.lexsort((-np.arange(len(own.units)), own.share, own.units))
    ends = np.cumsum(np.bincount(own.units, minlength=own.size)) - 1
    return order[ends], own.share[order[ends]]


def _within(own, units, uniform):
    """Codes drawn within units."""
    order = np.argsort(own.units, kind="stable")
    sizes = np.bincount(own.units, minlength=own.size)
    first = np.cumsum(sizes) - sizes
    found, last = order[first[units]], own.size - 1
    rows = np.flatnonzero((units == last) & (sizes[last] > 1))
    if rows.size:
        codes = order[first[last] :]
        upto = own.share[codes].cumsum()
        at = np.searchsorted(upto, uniform[rows] * upto[-1], side="right")
        found[rows] = codes[at.clip(max=len(codes) - 1)]
    return found
