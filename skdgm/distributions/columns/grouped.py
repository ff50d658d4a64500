r"""Columns of categories in which rare categories share an output of the net.

.. math:: p(x) = p(u(x)) \, p(x \mid u(x))

The unit u(x) is either one category, or the group of all rare categories, within which
probabilities are fixed.
"""

import numpy as np

from skdgm.distributions.categorical import CategoricalOutput
from skdgm.distributions.roles import repeated


class GroupedOutput(CategoricalOutput):
    """Columns of category codes, given the logits of units.

    Each column has its Groups: ``size`` is the number of units, and ``units`` and
    ``share`` are the unit of each code and its probability within the unit. ``places``
    and ``shares`` are these with an additional entry for unknown categories.
    """

    def __init__(self, groups):
        super().__init__(np.array([column.size for column in groups], int))
        self.groups = groups
        self._tables = [(column.places, np.log(column.shares)) for column in groups]
        self._peaks = [_peaks(column) for column in groups]

    def inputs(self, v, share=None):
        return super().inputs(self._looked_up(v, 0), share)

    def value(self, inputs):
        """Most probable code of each column from the inputs of its units."""
        codes = [
            code[(part * peak).argmax(axis=1)]
            for part, (code, peak) in zip(self.columns(inputs), self._peaks)
        ]
        return np.stack(codes, axis=1).astype(inputs.dtype)

    def drawn(self, inputs, rng):
        """Codes drawn given one-hot units."""
        return self.within(super().value(inputs), rng)

    def mode(self, out):
        return self.value(self.expected(out))

    def nll_grad(self, out, v, weight, dispersion=()):
        return super().nll_grad(out, self._looked_up(v, 0), weight)

    def log_p(self, out, v, dispersion=()):
        share = self.log_share(v).astype(out.dtype)
        return super().log_p(out, self.units(v)) + repeated(share, out)

    def draw(self, out, rng, dispersion=()):
        return self.within(super().draw(out, rng), rng).astype(out.dtype)

    def units(self, v):
        """Units of codes, NaN where missing."""
        return self._looked_up(v, 0)

    def log_share(self, v):
        """Log probability of codes given their units; 0 where missing."""
        share = self._looked_up(v, 1)
        return np.where(np.isnan(share), 0, share)

    def within(self, units, rng):
        """Draw codes given units; both have the same shape."""
        uniform, codes = rng.fold(0).uniform(len(self.groups)), np.empty_like(units)
        for j, column in enumerate(self.groups):
            codes[:, j] = _within(column, units[:, j].astype(np.intp), uniform[:, j])
        return codes

    def of_codes(self, log_p):
        """Log probabilities of the codes of a single column from those of units."""
        column = self.groups[0]
        return log_p[:, column.units] + np.log(column.share)

    def _looked_up(self, v, part):
        """Units of codes (part 0), or their log shares (part 1), with the shape and
        dtype of v; NaN where missing."""
        entries, codes = np.empty_like(v), np.where(np.isnan(v), 0, v).astype(np.intp)
        for j, tables in enumerate(self._tables):
            entries[:, j] = tables[part][codes[:, j]]
        return np.where(np.isnan(v), v, entries)


def _peaks(group):
    """Most probable code of each unit, and its share."""
    # The last code of each unit in this order is the first with the largest share.
    order = np.lexsort((-np.arange(len(group.units)), group.share, group.units))
    ends = np.cumsum(np.bincount(group.units, minlength=group.size)) - 1
    return order[ends], group.share[order[ends]]


def _within(group, units, uniform):
    """Codes drawn given the units of one column."""
    order = np.argsort(group.units, kind="stable")
    sizes = np.bincount(group.units, minlength=group.size)
    starts = np.cumsum(sizes) - sizes
    result, rare = order[starts[units]], group.size - 1
    rows = np.flatnonzero((units == rare) & (sizes[rare] > 1))
    if rows.size:
        codes = order[starts[rare] :]
        cdf = group.share[codes].cumsum()
        drawn = np.searchsorted(cdf, uniform[rows] * cdf[-1], side="right")
        result[rows] = codes[drawn.clip(max=len(codes) - 1)]
    return result
