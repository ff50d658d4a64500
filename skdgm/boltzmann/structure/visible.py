"""Types of visible units, with the statistics of their columns."""

import numpy as np

from skdgm.data import BinaryColumns, CodeColumns, RealColumns
from skdgm.data.auto import top_of
from skdgm.data.codes import count_codes
from skdgm.data.reach import reached
from skdgm.distributions import Bernoulli, Gaussian, Sites
from skdgm.exceptions import PrecisionWarning
from skdgm.metrics import log_conditionals, log_densities

# Variance up to which a channel counts as constant, as a fraction of its squared mean.
_CONSTANT = 1e-14
# A log precision has reached its limit if it is nearer than this; maximum number of
# columns that the warning names.
_NEAR, _MAX_NAMED = 0.1, 10


class Visible:
    """Role of the type of the visible units, in addition to the type of their columns.
    Rows are images, whose pixels share statistics by channel, unless ``n_channels`` is
    None."""

    n_channels = None

    def learn(self, table, before=None):
        """Statistics of a table, which update those of ``before``, and the table."""
        columns, table = super().learn(table, before)
        if self.n_channels is None or before is not None:
            return columns, table
        columns = of_channels(columns, self.n_channels)
        table = table._replace(rows=self.in_units(table.rows, columns))
        if np.ndim(columns.reach):
            columns = reached(columns._replace(reach=0.0, range=0.0), table)
        return columns, table

    def noise(self, unit, columns, rng, dtype):
        """Values of a block at its initial parameters, one row for each stream."""
        return unit.sample(unit.field(unit.init(dtype=dtype)), rng)[0]


class BinaryUnits(Visible, BinaryColumns):
    """Binary units, for columns of bits and probabilities of 1."""

    log_conditionals = staticmethod(log_conditionals)

    def unit(self, options, columns):
        """Block of binary units."""
        return Bernoulli(len(columns.seen))


class RealUnits(Visible, RealColumns):
    """Real units, for columns of any scale, which are standardized."""

    log_conditionals = staticmethod(log_densities)

    def unit(self, options, columns):
        """Block of real units."""
        return Gaussian(len(columns.seen), options.precision, options.min_variance)


def reach_of(domain, columns):
    """Largest magnitudes of the columns of the visible block if it has real units, in a
    dict by block, as in :class:`~skdgm.boltzmann.learning.state.InitialData`."""
    return {0: columns.reach} if isinstance(domain, RealUnits) else {}


def at_limit(facts, unit, log_precision):
    """Warnings about varying real columns whose precision has reached the limit of
    their unit. Columns without a precision have a log precision of minus infinity."""
    if unit.precision == "fixed" or not 0 < unit.min_variance < 1:
        return
    high = log_precision >= -np.log(unit.min_variance) - _NEAR
    high &= facts.columns.varies
    if high.any():
        names = facts.known.feature_names_in_
        limited = (np.arange(len(high)) if names is None else names)[high]
        more = (
            f" and {len(limited) - _MAX_NAMED} more"
            if len(limited) > _MAX_NAMED
            else ""
        )
        yield (
            f"The precisions of columns {limited[:_MAX_NAMED].tolist()}{more} rose to "
            f"their limit, 1 / min_variance = {1 / unit.min_variance:g}: given the "
            "hidden units they hardly vary, as copies of other columns and columns of "
            "few values do, and their density depends on the limit. Drop them, add "
            "noise to them, set precision='fixed', or lower min_variance (which makes "
            "chains move less).",
            PrecisionWarning,
        )


class CategoricalUnits(Visible, CodeColumns):
    """Categorical units, one-hot, for columns of codes; all columns have the same
    number of categories if ``alike``."""

    log_conditionals, alike = staticmethod(log_conditionals), False

    def learn(self, table, before=None):
        columns, table = super().learn(table, before)
        if self.alike and before is None:
            sizes = np.full_like(columns.sizes, columns.sizes.max())
            counts = count_codes(table, sizes)
            columns = columns._replace(sizes=sizes, counts=counts)
        return columns, table

    def unit(self, options, columns):
        """Block of categorical units."""
        return Sites(tuple(columns.sizes.tolist()))

    def moments(self, columns):
        """Smoothed frequencies of the categories of all columns."""
        return self.frequencies(columns)

    def fill(self, columns):
        """Initial values of missing entries: smoothed frequencies."""
        return self.frequencies(columns)

    def noise(self, unit, columns, rng, dtype):
        return self.to_data(columns, super().noise(unit, columns, rng, dtype))

    def to_data(self, columns, v):
        """Codes of one-hot rows, or the most probable codes of means."""
        of_columns = np.split(np.asarray(v), columns.starts[1:], axis=1)
        codes = [entries.argmax(axis=1) for entries in of_columns]
        return np.stack(codes, axis=1).astype(v.dtype)


BINARY, REAL = BinaryUnits(), RealUnits()


def columns_kind(options):
    """Type of the columns according to options, binary or real; real before a fit
    decides."""
    return binary_kind(options) if options.column_types == "bernoulli" else REAL


def binary_kind(options):
    """Type of binary columns according to options, or of gray levels."""
    top = top_of(options)
    return BINARY if top == 1 else BinaryUnits(top)


def pixels_of(options):
    """Type of the pixels according to the options of a convolutional machine."""
    is_real = options.column_types != "bernoulli"
    if options.column_types == "categorical":
        domain = CategoricalUnits(options.min_categories)
        domain.alike = True
        return domain
    if options.visible_bias == "pixel":
        return columns_kind(options)
    domain = RealUnits() if is_real else BinaryUnits(top_of(options))
    _, _, domain.n_channels, *_ = *(options.image_shape or (1, 1)), 1
    return domain


def of_channels(columns, n_channels, n_pixels=None):
    """Statistics of ``n_pixels`` pixels, equal for all pixels of a channel; by default
    the number of pixels is unchanged."""
    old_n_pixels = len(columns.seen) // n_channels

    def mean(part):
        return np.reshape(part, (-1, n_channels)).mean(axis=0)

    new_n_pixels = n_pixels or old_n_pixels
    n_seen, total = mean(columns.seen), mean(columns.total)
    shared = columns._replace(
        seen=np.tile(n_seen, new_n_pixels), total=np.tile(total, new_n_pixels)
    )
    if np.ndim(columns.mean) == 0:
        return shared
    with np.errstate(invalid="ignore"):
        weight = np.nan_to_num(columns.seen / np.tile(n_seen, old_n_pixels), nan=1.0)
    center = mean(weight * columns.mean)
    square = columns.mean**2 + np.where(columns.varies, columns.scale, 0) ** 2
    variance = np.maximum(mean(weight * square) - center**2, 0)
    varies = variance > _CONSTANT * center**2
    scale = np.where(varies, np.sqrt(variance), mean(columns.scale))
    reach = np.broadcast_to(columns.reach, columns.seen.shape)
    reach = np.reshape(reach, (-1, n_channels)).max(axis=0)
    # The range of the pixels follows later, with the new means and scales.
    return shared._replace(
        mean=np.tile(center, new_n_pixels),
        scale=np.tile(scale, new_n_pixels),
        varies=np.tile(varies, new_n_pixels),
        reach=np.tile(reach, new_n_pixels),
        range=0.0,
    )
