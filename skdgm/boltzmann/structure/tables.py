"""Blocks of the visible units of tables, and values of their columns."""

from typing import NamedTuple

import numpy as np

from skdgm.boltzmann.learning.state import clamp_rows, one_hot_rows
from skdgm.data.units import UNITS, UnitColumns, of_block
from skdgm.distributions import (
    Bernoulli,
    Binomial,
    Gaussian,
    Interval,
    Poisson,
    Rectified,
    Sites,
    Truncated,
    UnitNormal,
    one_hot,
)
from skdgm.utils.lists import Lists

# Types of columns whose units have precisions.
REAL_KINDS = "gaussian", "rectified"


class VisibleBlock(NamedTuple):
    """Block of the visible units of a table: its type, its unit, and the numbers of its
    columns."""

    kind: str
    unit: object
    columns: np.ndarray


class TableLayout(NamedTuple):
    """Blocks of the visible units of a table, one for each type of column. Values of a
    table have one entry for each column, with codes of categories; values of blocks are
    one-hot. ``columns`` has the column numbers of each block, ``widths`` the number of
    entries of each column, and ``fills`` the initial values of missing entries."""

    kinds: tuple
    units: tuple
    columns: tuple
    widths: np.ndarray
    fills: tuple = ()

    def split(self, v):
        """Values of the blocks, a tuple, with NaN where missing; Lists for complete
        categorical rows."""
        if len(self.kinds) == 1 and self.kinds[0] != "categorical":
            return (v,)
        v = np.asarray(v)
        return tuple(
            self._one_hot(v[:, numbers]) if kind == "categorical" else v[:, numbers]
            for kind, _, numbers in self.blocks
        )

    def filled(self, v):
        """Fraction of the blocks' entries that are not 0."""
        is_on = [
            values if isinstance(values, Lists) else values != 0
            for values in self.split(v)
        ]
        return np.concatenate([np.asarray(values) for values in is_on], axis=1).mean()

    def _one_hot(self, codes):
        unit = self.units[self.kinds.index("categorical")]
        if not np.isnan(codes).any():
            return one_hot(codes, unit.widths, codes.dtype)
        return one_hot_rows(unit, codes)

    def to_table(self, parts):
        """Values of the table, from values or means of the blocks; the most probable
        categories."""
        parts = list(map(np.asarray, parts))
        if len(self.kinds) == 1 and self.kinds[0] != "categorical":
            return parts[0]
        v = np.empty((len(parts[0]), len(self.widths)), parts[0].dtype)
        for block, values in zip(self.blocks, parts):
            if block.kind == "categorical":
                sites = np.split(values, block.unit.starts[1:], axis=1)
                values = np.stack([site.argmax(axis=1) for site in sites], axis=1)
            v[:, block.columns] = values
        return v

    def clamp_rows(self, v):
        """Clamp the visible blocks to rows, with NaN where missing. Returns values and
        clamps of all blocks, the last of which is hidden."""
        values_and_fills = zip(self.split(v), self.fills)
        pairs = [clamp_rows(values, fill, 1) for values, fill in values_and_fills]
        x, clamp = (tuple(pair[side][0] for pair in pairs) for side in (0, 1))
        return (*x, None), (*clamp, None)

    @property
    def blocks(self):
        """List of :class:`VisibleBlock`."""
        return list(map(VisibleBlock, self.kinds, self.units, self.columns))

    @property
    def entries(self):
        """For each block, the positions of its entries among the entries of all
        columns."""
        starts = np.cumsum(self.widths) - self.widths
        return [
            np.concatenate(
                [np.arange(starts[j], starts[j] + self.widths[j]) for j in w]
            )
            for w in self.columns
        ]

    @property
    def column_of_entry(self):
        """For each block, the column number of each entry."""
        return [np.repeat(numbers, self.widths[numbers]) for numbers in self.columns]


def kinds_of(columns):
    """Type of each column, an array; "bernoulli" for columns without types."""
    kinds = getattr(columns, "kinds", None)
    return np.full(len(columns.seen), "bernoulli") if kinds is None else kinds


def layout_of(facts):
    """Blocks of the visible units, a :class:`TableLayout` without ``fills``."""
    columns, options = facts.columns, facts.options
    sizes, kinds = np.ones(len(columns.seen), int), kinds_of(columns)
    is_coded = np.isin(kinds, of_block("categorical"))
    sizes[is_coded] = columns.sizes[is_coded]
    columns_of = {k: np.flatnonzero(np.isin(kinds, of_block(k))) for k in UNITS}
    columns_of = {
        kind: columns_of_blocks
        for kind, columns_of_blocks in columns_of.items()
        if len(columns_of_blocks)
    }
    units = [
        _unit(k, columns, columns_of_blocks, options)
        for k, columns_of_blocks in columns_of.items()
    ]
    columns_of_blocks = tuple(columns_of.values())
    return TableLayout(tuple(columns_of), tuple(units), columns_of_blocks, sizes)


def moments_of(facts, layout):
    """Smoothed means (or moments) of each block, a list."""
    domain, columns = facts.domain, facts.columns
    if not isinstance(domain, UnitColumns):
        return [domain.moments(columns)]
    return [domain.moments_of(columns, kind) for kind in layout.kinds]


def filled_layout(facts):
    """Blocks of the visible units, with their means as ``fills``."""
    layout = layout_of(facts)
    moments = moments_of(facts, layout)
    means = [moment[0] if isinstance(moment, tuple) else moment for moment in moments]
    blocks = zip(means, layout.units)
    fills = tuple(np.broadcast_to(mean, unit.size) for mean, unit in blocks)
    return layout._replace(fills=fills)


def noise(layout, rng, dtype):
    """Values of the table drawn at the initial parameters, one row for each stream."""
    of_blocks = [
        unit.sample(unit.field(unit.init(dtype=dtype)), rng.fold(block))[0]
        for block, unit in enumerate(layout.units)
    ]
    return layout.to_table(of_blocks)


def reaches(layout, columns):
    """Largest magnitudes of the columns of each block of real units, in a dict by
    block."""
    return {
        number: columns.reach[block.columns]
        for number, block in enumerate(layout.blocks)
        if block.kind in REAL_KINDS
    }


def loss_of_independent(facts, layout):
    """Negative log-likelihood of a row under independent columns, in nats."""
    domain, columns = facts.domain, facts.columns
    if not isinstance(domain, UnitColumns):
        return domain.loss_of_independent(columns)
    base = columns.units.base
    return sum(
        _loss(kind, unit, moments, base[numbers].sum())
        for (kind, unit, numbers), moments in zip(
            layout.blocks, moments_of(facts, layout)
        )
    )


def _unit(kind, columns, numbers, options):
    """Block of the columns ``numbers``, all of one type."""
    size = len(numbers)
    if kind == "bernoulli":
        return Bernoulli(size)
    if kind == "categorical":
        return Sites(tuple(columns.sizes[numbers].tolist()))
    if kind in REAL_KINDS:
        block = Gaussian if kind == "gaussian" else Truncated
        return block(size, options.precision, options.min_variance)
    limits, gains, *_ = (tuple(fact[numbers].tolist()) for fact in columns.units)
    typical = tuple(columns.units.mean[numbers].tolist())
    if kind == "binomial":
        return Binomial(size, limits, gains, typical)
    if kind == "poisson":
        return Poisson(size, gains, typical)
    return Interval(size, gains)


def _loss(kind, unit, moments, base):
    """Negative log-likelihood of a row's columns of one type, at given moments."""
    eta = unit.field(unit.init(moments))
    log_Z = float(unit.log_partition(eta))
    if kind == "gaussian":
        return log_Z + 0.5 * unit.size
    if kind == "rectified":
        # In the first fit, the mean square of the values is 1. Later it is unknown; if
        # the mean exceeds 1, use the mean square under the unit's distribution.
        mean = moments[0]
        square = np.where(mean > 1, (1 + eta.theta * mean) / eta.precision, 1.0)
        return log_Z - (eta.theta * mean - 0.5 * eta.precision * square).sum()
    return float(log_Z - (eta * np.asarray(moments)).sum() - base)


def hidden_unit(kind, number, size):
    """Block of hidden units of a type, with its number n if the type has one."""
    if kind == "bernoulli":
        return Bernoulli(size)
    if kind == "categorical":
        return Sites((number,) * size)
    if kind == "binomial":
        # About the inverse standard deviation of a sum of fair coins, a power of 2.
        return Binomial(size, number, float(2.0 ** np.rint(1 - 0.5 * np.log2(number))))
    return {"gaussian": UnitNormal, "rectified": Rectified, "poisson": Poisson}[kind](
        size
    )
