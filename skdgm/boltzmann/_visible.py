"""What the visible units take: how data are brought to them, and back.

A machine learns of its columns when it is first fitted, and keeps what it learned in
``_columns``: counts and sums of bits, or means and scales of real numbers, which it
sees standardised.
"""

from typing import NamedTuple

import numpy as np

from skdgm.exceptions import MissingDataWarning, PrecisionWarning
from skdgm.metrics import log_conditionals, log_densities
from skdgm.training import column_spread, column_sums
from skdgm.units import Bernoulli, Gaussian, draw
from skdgm.utils.domains import bernoulli_rows, real_rows
from skdgm.utils.warn import warn

# What is constant but for rounding.
_CONSTANT = 10 * np.finfo(np.float64).eps
# How near to its limit a log precision is at it, and how many of such are named.
_NEAR, _MANY = 0.1, 10


class Columns(NamedTuple):
    """What is known of the columns.

    Parameters
    ----------
    seen, total : ndarray
        The weight of what was observed in all fits, and its weighted sum.
    mean, scale : ndarray
        What to subtract, and what to divide by; fixed by the first data.
    varies : ndarray of bool
        Whether there was more than one value.
    """

    seen: np.ndarray
    total: np.ndarray
    mean: np.ndarray = 0.0
    scale: np.ndarray = 1.0
    varies: np.ndarray = True


def _observed(table, before):
    """Counts and sums with those before; a warning where there is nothing."""
    seen, total = column_sums(table)
    if before is not None:
        seen, total = before.seen + seen, before.total + total
    if not seen.all():
        warn(
            f"Columns {np.flatnonzero(seen == 0).tolist()} have no observed "
            "value: nothing can be learned of them. Drop them or fill them.",
            MissingDataWarning,
        )
    return seen, total


class Binary:
    """Binary units, for values 0, 1 and probabilities of 1."""

    tags = {"positive_only": True}
    sample_type, measure = bool, "probability"

    def rows(self, machine, X, **options):
        """Validate data."""
        return bernoulli_rows(machine, X, **options)

    def unit(self, machine, size):
        """The block of units."""
        return Bernoulli(size)

    def learn(self, table, before=None):
        """The columns, and the table as the machine sees it."""
        return Columns(*_observed(table, before)), table

    def seen(self, rows, columns):
        """Rows as the machine sees them."""
        return rows

    def warn(self, machine):
        """Say what is wrong with what was learned: nothing can be."""

    def moments(self, columns):
        """Means of the columns, smoothed as if a 0 and a 1 had been seen too."""
        return (columns.total + 1) / (columns.seen + 2)

    def fill(self, columns):
        """What missing values start from."""
        return self.moments(columns)

    log_conditionals = staticmethod(log_conditionals)

    def loss_of_independent(self, columns):
        """Nats a row that independent columns cost."""
        p = self.moments(columns)
        return -(p * np.log(p) + (1 - p) * np.log1p(-p)).sum()

    def noise(self, machine, rng, dtype):
        """Rows that tell nothing: fair coins."""
        return draw(np.full((len(rng.ids), machine.n_features_in_), dtype(0.5)), rng)

    def to_data(self, columns, v):
        """Values of units as values of columns."""
        return v

    def log_volume(self, columns, rows):
        """What is added to a density of units to make it one of columns, per row."""
        return 0.0


class Real:
    """Real units, for columns of any scale, which they see standardised."""

    tags = {}
    sample_type, measure = None, "density"

    def rows(self, machine, X, *, reset=False, fitting=False, dtype=None):
        """Validate data."""
        rows = real_rows(machine, X, reset=reset, dtype=dtype)
        return rows if reset else self.seen(rows, machine._columns)

    def unit(self, machine, size):
        """The block of units."""
        return Gaussian(size, machine.precision, machine.min_variance)

    def learn(self, table, before=None):
        """The columns, and the table as the machine sees it."""
        if before is not None:
            return before, table
        raw = table._replace(rows=table.rows._replace(dtype=np.float64))
        seen, total = _observed(raw, None)
        mean = total / np.maximum(seen, np.finfo(float).tiny)
        with np.errstate(over="ignore", invalid="ignore"):
            mean, scale = column_spread(raw, mean)
        if not np.isfinite(scale).all():
            raise ValueError(
                f"Values of columns {np.flatnonzero(~np.isfinite(scale)).tolist()} are "
                "too large for their variance to be a number: scale them down."
            )
        varies = scale > _CONSTANT * np.abs(mean)
        # Constant columns get a scale that follows the others': densities keep units.
        floor = np.exp(np.log(scale[varies]).mean()) if varies.any() else 1.0
        scale = np.where(varies, scale, floor)
        columns = Columns(seen, total, mean, scale, varies)
        return columns, table._replace(rows=self.seen(table.rows, columns))

    def seen(self, rows, columns):
        """Rows as the machine sees them."""
        return rows._replace(affine=columns[2:4])

    def warn(self, machine):
        """Say of which columns precisions are at their limit, of those that vary."""
        unit = machine._energy().units[0]
        if unit.precision == "fixed" or not 0 < unit.min_variance < 1:
            return
        limit = -np.log(unit.min_variance) - _NEAR
        high = (machine._log_precision >= limit) & machine._columns.varies
        if high.any():
            which = getattr(machine, "feature_names_in_", np.arange(len(high)))[high]
            more = f" and {len(which) - _MANY} more" if len(which) > _MANY else ""
            warn(
                f"The precisions of columns {which[:_MANY].tolist()}{more} rose to "
                f"their limit, 1 / min_variance = {1 / unit.min_variance:g}: given the "
                "hidden units they hardly vary, as copies of other columns and columns "
                "of few values do, and what their density is depends on the limit. "
                "Drop them, add noise to them, set precision='fixed', or lower "
                "min_variance (which makes chains move less).",
                PrecisionWarning,
            )

    def moments(self, columns):
        """Mean and variance of all columns."""
        return 0.0, 1.0

    def fill(self, columns):
        """What missing values start from."""
        return np.zeros(len(columns.scale))

    log_conditionals = staticmethod(log_densities)

    def loss_of_independent(self, columns):
        """Nats a row that independent columns cost."""
        return 0.5 * len(columns.scale) * np.log(2 * np.pi * np.e)

    def noise(self, machine, rng, dtype):
        """Rows that tell nothing: independent normal numbers."""
        unit = Gaussian(machine.n_features_in_)
        return unit.sample(unit.field(unit.init(dtype=dtype)), rng)[0]

    def to_data(self, columns, v):
        """Values of units as values of columns."""
        return (v * columns.scale + columns.mean).astype(v.dtype, copy=False)

    def log_volume(self, columns, rows):
        """What is added to a density of units to make it one of columns, per row."""
        shrunk = -np.log(columns.scale)
        if rows.complete:
            return shrunk.sum()
        parts = [~np.isnan(rows.take(block)) @ shrunk for block in rows.blocks()]
        return np.concatenate(parts)


BINARY, REAL = Binary(), Real()
