"""Models of convolutional machines with one layer: geometry, objective and density."""

from functools import lru_cache
from math import isqrt
from numbers import Integral
from typing import NamedTuple

import numpy as np

from skdgm.boltzmann._density.connected import clamp_sites
from skdgm.boltzmann._density.layered import EnergyDensity
from skdgm.boltzmann.learning.objective import EnergyObjective
from skdgm.boltzmann.model_options import ConvolvedOptions
from skdgm.boltzmann.structure.model import n_columns
from skdgm.boltzmann.structure.restricted import Restricted
from skdgm.couplings import Conv
from skdgm.distributions import Pooled, Selected, Sites
from skdgm.energies import Energy, Params
from skdgm.utils.counts import is_a
from skdgm.utils.images import image_shape
from skdgm.utils.tree import tree_map
from skdgm.utils.windows import Window, window

# Default side of a filter: its limits, and its share of the image's side. Number of
# positions from which on they are pooled.
_MIN_SIDE, _MAX_SIDE, _SHARE = 4, 15, 3
_MIN_POOLED_POSITIONS = 8
# Standard deviation of the initial weights of other machines.
_SCALE = 0.01
# Initial probability that a block is on; largest ratio between the initial deviations
# of filters and of other weights; limit of the deviation of their sum at a pixel.
_P_ON, _MAX_RATIO, _MAX_SUM_SD = 0.1, 10.0, 0.5


class Geometry(NamedTuple):
    """Window of the filters at their positions; rows and columns of blocks; type of
    pooling."""

    window: Window
    pool: tuple
    pooling: str = "probabilistic"

    @property
    def pooled(self):
        """Rows and columns of the pooled units."""
        height, width = self.window.high, self.window.wide
        return height // self.pool[0], width // self.pool[1]

    @property
    def shapes(self):
        """Fitted attributes of the geometry, by name."""
        window = self.window
        return {
            "image_shape_": window.below,
            "filter_shape_": (window.rows, window.columns),
            "stride_": (window.down, window.right),
            "pool_shape_": self.pool,
            "map_shape_": (window.high, window.wide),
        }


def geometry_of(options, n_features, subject="ConvRBM"):
    """Geometry of a layer, which error messages call ``subject``. ValueError if columns
    are no image of the given shape, a shape is invalid, a filter is larger than the
    image, or blocks do not divide the positions."""
    shape = options.image_shape
    if shape is None and isqrt(n_features) ** 2 != n_features:
        shape = 1, n_features
    image = image_shape(n_features, shape, subject=subject)
    sides, same = image[:2], options.padding == "same"
    stride = _pair("filters__stride", options.stride, sides, subject)
    filters = _pair("filters__shape", options.filter_shape, sides, subject)
    if filters is None:
        filters = [_side(side, step, same) for side, step in zip(sides, stride)]
    grid = window(image, tuple(filters), stride, options.padding)
    positions = grid.high, grid.wide
    pool = _pair("filters__pool_shape", options.pool_shape, positions, subject)
    if pool is None:
        pool = tuple(1 if n % 2 or n < _MIN_POOLED_POSITIONS else 2 for n in positions)
    if any(n % size for n, size in zip(positions, pool)):
        raise ValueError(
            f"filters__pool_shape={options.pool_shape!r} of {subject} does not divide "
            f"the {positions[0]} x {positions[1]} positions of filters of shape "
            f"{grid.rows, grid.columns} in images of shape {sides}: choose another "
            "one, or another filters__shape."
        )
    return Geometry(grid, pool, options.pooling)


def _pair(name, value, sides, subject):
    """Two numbers, for rows and columns. A single number is used for both, except that
    it is 1 along a side of 1."""
    if value is None:
        return None
    pair = tuple(value) if np.iterable(value) else (value, value)
    if len(pair) != 2 or not all(is_a(Integral, n) and n >= 1 for n in pair):
        raise ValueError(
            f"{name} of {subject} must be a positive integer, or two, for rows and "
            f"columns; got {value!r}."
        )
    if not np.iterable(value):
        pair = tuple(n if side > 1 else 1 for n, side in zip(pair, sides))
    return tuple(map(int, pair))


def _side(side, step, same):
    """Default side of a filter; see :class:`~skdgm.options.Filters`."""
    length = min(max(_MIN_SIDE, side // _SHARE), _MAX_SIDE, side)
    n = (side - length) // step + 1
    if same or n <= _MIN_POOLED_POSITIONS or n % 2 == 0:
        return length
    return side - (n - 1) * step + 1


@lru_cache(maxsize=128, typed=True)
def _energy(visible, geometry, n_maps):
    """Cached energy of the layers."""
    window, (rows, columns) = geometry.window, geometry.pool
    height, width = window.high, window.wide
    hidden = Pooled(height, width, n_maps, rows, columns)
    if geometry.pooling != "probabilistic":
        pooling = geometry.pooling
        hidden = Selected(height, width, n_maps, 1, 1, rows, columns, pooling)
    return Energy([visible, hidden], [(0, 1, 0)], [Conv(window, n_maps)])


class Convolved(Restricted[ConvolvedOptions]):
    """A layer of maps above a layer of visible units."""

    STRUCTURE = *Restricted.STRUCTURE, "padding"

    def check(self, options):
        super().check(options)
        if options.column_types == "categorical" and options.visible_bias == "channel":
            raise ValueError(
                "visible_bias='channel' is for bits and real numbers: with "
                "column_types='categorical' each pixel has its own biases."
            )

    def structure(self, facts):
        """Number of maps, type of the columns, and shapes."""
        structure = super().structure(facts)
        shapes = geometry_of(facts.options, n_columns(facts)).shapes
        del shapes["map_shape_"]  # It follows from the other shapes.
        vars(structure).update({name[:-1]: shape for name, shape in shapes.items()})
        return structure

    def energy(self, facts):
        visible = self.visible(facts)
        geometry = geometry_of(facts.options, n_columns(facts))
        if isinstance(visible, Sites):
            # Each category is a channel.
            window = geometry.window
            window = window._replace(maps=window.maps * visible.sizes[0])
            geometry = geometry._replace(window=window)
        n_maps = facts.structure.n_components
        return _energy(visible, geometry, n_maps)

    def pooled(self, facts):
        return facts.options.features == "pooled"

    def named(self, facts, params, visible, chains):
        shapes = geometry_of(facts.options, n_columns(facts)).shapes
        return shapes | super().named(facts, params, visible, chains)

    def initial(self, facts):
        return first


def first(objective, params):
    """Initial parameters with distinct filters, and blocks that are seldom on.
    Otherwise the maps together would explain more than the images, and most would turn
    off permanently before they differ."""
    units, couplings = list(params.units), []
    for (_, block, number), W in zip(objective.energy.links, params.couplings):
        unit = objective.energy.units[block]
        share = _P_ON * unit.n_blocks / unit.size
        units[block] = unit.init(np.full(unit.size, share), params.dtype)
        # Number of units that are on above a pixel.
        n_on = share * W.size / objective.energy.couplings[number].window.maps
        scale = min(_MAX_RATIO, _MAX_SUM_SD / (_SCALE * np.sqrt(n_on)))
        couplings.append(W * params.dtype.type(scale))
    return Params(tuple(units), tuple(couplings))


class ConvObjective(EnergyObjective):
    """Objective whose visible biases, and precisions, may be shared by the pixels of a
    channel."""

    def clamp_rows(self, batch, rng=None):
        if isinstance(self.energy.units[0], Sites):
            return clamp_sites(self.energy, batch.v, self.missing_values, rng)
        return super().clamp_rows(batch, rng)

    def tie_gradients(self, grad):
        """Gradient whose visible part is averaged over pixels, if biases are shared."""
        if self.options.visible_bias == "pixel":
            return grad
        maps = self.energy.couplings[0].window.maps

        def averaged(part):
            images = part.reshape(-1, maps)
            return np.tile(images.mean(axis=0, dtype=part.dtype), len(images))

        visible = tree_map(averaged, grad.units[0])
        return grad._replace(units=(visible, *grad.units[1:]))


class ConvDensity(EnergyDensity):
    """Density of a convolutional machine, whose features may be pooled."""

    _of_layers = ", by the option features"

    def clamp_rows(self, v):
        if isinstance(self.energy.units[0], Sites):
            return clamp_sites(self.energy, v, lambda: self.domain.fill(self.columns))
        return super().clamp_rows(v)

    @property
    def n_features_out(self):
        hidden = self.energy.units[-1]
        return hidden.n_pooled if self.pooled else hidden.size

    def hidden_means(self, params, x, clamp):
        """Means of pooled or detection units, given the clamped entries."""
        means = super().hidden_means(params, x, clamp)
        return self.energy.units[-1].pool(means) if self.pooled else means

    def visible_means(self, H):
        """Means of the visible units given detection units, or given pooled units, in
        whose blocks all detection units are equally likely."""
        if self.pooled:
            H = self.energy.units[-1].spread(H, self.params.units[-1])
        return super().visible_means(H)


CONVOLVED = Convolved(ConvDensity, ConvObjective)
