"""Models of convolutional machines with several layers: geometry and maps."""

from functools import lru_cache
from math import prod
from types import SimpleNamespace

import numpy as np

from skdgm.base import by_blocks, named
from skdgm.boltzmann._density.deep import DeepDensity
from skdgm.boltzmann.model_options import ConvolvedDeepOptions
from skdgm.boltzmann.structure.convolved import Convolved, geometry_of
from skdgm.boltzmann.structure.deep import Deep
from skdgm.boltzmann.structure.model import n_columns
from skdgm.couplings import Conv
from skdgm.distributions import Pooled
from skdgm.energies import Energy
from skdgm.utils.counts import check_sizes, per_layer

# Options of shapes: names in the flat options, and names of parameters.
_SHAPES = {name: f"filters__{name}" for name in ("pool_shape", "stride")}
_SHAPES["filter_shape"] = "filters__shape"


def geometries(options, n_features):
    """Geometries of the layers, a tuple from bottom to top. ValueError as in
    :func:`~skdgm.boltzmann.structure.convolved.geometry_of`, with the number of the
    layer, or if a tuple has not one value for each layer."""
    sizes = _sizes(options)
    shapes = {
        name: per_layer(_SHAPES[name], value, len(sizes))
        for name, value in named(options, _SHAPES).items()
    }
    image, layers = options.image_shape, []
    for number, size in enumerate(sizes):
        shapes_of_layer = {name: values[number] for name, values in shapes.items()}
        layer = SimpleNamespace(**shapes_of_layer, image_shape=image)
        layer.padding, layer.pooling = options.padding, "probabilistic"
        subject = f"hidden layer {number + 1} of ConvDBM"
        layers.append(geometry_of(layer, n_features, subject))
        image = *layers[-1].pooled, size
        n_features = prod(image)
    return tuple(layers)


def _sizes(options):
    return check_sizes(options.conv_layer_sizes, "conv_layer_sizes")


@lru_cache(maxsize=128, typed=True)
def _energy(visible, shapes, sizes):
    """Cached energy of the layers."""
    units, couplings, below = [visible], [], None
    for (window, (rows, columns), _), n_maps in zip(shapes, sizes):
        units.append(Pooled(window.high, window.wide, n_maps, rows, columns))
        couplings.append(Conv(window, n_maps, below))
        below = units[-1]
    links, blocks = [(b, b + 1, b) for b in range(len(sizes))], range(len(units))
    return Energy(units, links, couplings, [tuple(blocks[::2]), tuple(blocks[1::2])])


class ConvolvedDeep(Deep[ConvolvedDeepOptions]):
    """Several layers of maps above a layer of visible units."""

    PAIRS = {"solver": "adam", "momentum": 0.9}

    def sizes(self, options):
        return _sizes(options)

    def structure(self, facts):
        """Numbers of maps, type of the columns, and shapes."""
        options = facts.options
        structure = {n.rstrip("s_"): shapes for n, shapes in _shapes(facts).items()}
        structure |= {"column_types": options.column_types, "padding": options.padding}
        del structure["map_shape"]  # It follows from the other shapes.
        return SimpleNamespace(conv_layer_sizes=_sizes(options), **structure)

    def energy(self, facts):
        visible = self.visible(facts)
        shapes = geometries(facts.options, n_columns(facts))
        return _energy(visible, shapes, facts.structure.conv_layer_sizes)

    initial, pooled = Convolved.initial, Convolved.pooled

    def named(self, facts, params, visible, chains):
        return super().named(facts, params, visible, chains) | _shapes(facts)


def _shapes(facts):
    """Fitted attributes of the geometry, by name."""
    layers = geometries(facts.options, n_columns(facts))
    shapes = [layer.shapes for layer in layers]
    names = "filter_shape_", "pool_shape_", "stride_", "map_shape_"
    lists = {
        f"{name[:-1]}s_": [of_layer[name] for of_layer in shapes] for name in names
    }
    return {"image_shape_": shapes[0]["image_shape_"]} | lists


CONVOLVED_DEEP = ConvolvedDeep(DeepDensity)


def pooled_maps(density, X):
    """Means of the pooled units of all layers, a list of ndarray of shape (n_samples,
    height, width, n_maps)."""
    params, units = density.params, density.energy.units[1:]

    def of_rows(v):
        x, clamp = density.clamp_rows(v)
        _, *means = density.inferred(params, x, clamp)
        pooled = [unit.pool(mean) for unit, mean in zip(units, means)]
        return np.concatenate(pooled, axis=1)

    pooled = by_blocks(of_rows, density.read(X, dtype=params.dtype.type))
    edges = np.cumsum([unit.n_pooled for unit in units])[:-1]
    of_layers = np.split(pooled, edges, axis=1)
    return [maps.reshape((-1, *unit.tops[:3])) for maps, unit in zip(of_layers, units)]
