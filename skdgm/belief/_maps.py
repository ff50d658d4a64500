"""Stacks of convolutional machines below dense machines: options and image shapes."""

from math import prod
from numbers import Integral
from typing import Any

from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from skdgm.base import named, parts
from skdgm.base.groups import asked_value, assign, folded, name_of
from skdgm.base.parts import altered, facts_of, options_of, with_state
from skdgm.belief._model_options import MapsOptions
from skdgm.belief._stack import BeliefNetworkModel, BeliefStack
from skdgm.boltzmann import BernoulliRBM, ConvRBM
from skdgm.boltzmann.structure.convolved import geometry_of
from skdgm.boltzmann.structure.resized import same_channels, shapes_of
from skdgm.data.auto import AUTO, is_auto
from skdgm.utils.counts import is_a, per_layer

# Training options: one value for all layers, or a tuple with a value for each layer.
OPTIONS = (
    "learning_rate",
    "solver",
    "momentum",
    "schedule",
    "batch_size",
    "n_iter",
    "gradient",
    "n_steps",
    "n_chains",
    "alpha",
    "sparsity_target",
    "sparsity_cost",
)
_OF_MAPS = "filter_shape", "pool_shape", "stride", "pooling"


class ConvStackModel(BeliefNetworkModel[MapsOptions]):
    """Convolutional machines, optionally below dense machines."""

    def described(self, options):
        machines, (maps, above) = [], sizes(options)
        depth = len(maps) + len(above)
        by_layer, shapes = (
            {
                name: per_layer(name_of(ConvRBM, name), value, n)
                for name, value in named(options, names).items()
            }
            for names, n in ((OPTIONS, depth), (_OF_MAPS, len(maps)))
        )
        for number, size in enumerate((*maps, *above)):
            kwargs = {name: values[number] for name, values in by_layer.items()}
            if is_auto(kwargs["gradient"]):
                kwargs["gradient"] = phases(depth)[number]
            kwargs = {name: v for name, v in kwargs.items() if not is_auto(v)}
            kwargs["verbose"] = options.verbose
            if number < len(maps):
                kwargs |= {name: values[number] for name, values in shapes.items()}
                kwargs["padding"] = options.padding
                kwargs["visible_bias"] = options.visible_bias or "pixel"
                kwargs["column_types"] = "bernoulli"
                if number == 0:
                    kwargs["column_types"] = options.column_types
                    kwargs["image_shape"] = options.image_shape
                    kwargs["resample"] = options.resample
                machines.append(ConvRBM(size, **folded(ConvRBM, kwargs)))
            else:
                kwargs = folded(BernoulliRBM, kwargs | {"centering": "data"})
                machines.append(BernoulliRBM(size, **kwargs))
        return machines

    def place(self, number, machines):
        if not number:
            return "at the bottom", (ConvRBM,)
        if is_convolutional(machines[number - 1]):
            return "above the bottom", (ConvRBM, BernoulliRBM)
        return "above a layer without maps", (BernoulliRBM,)

    def check_place(self, name, machine, number):
        if not is_convolutional(machine):
            return
        if machine.features != "pooled":
            raise ValueError(f"layers: {name!r} must have features='pooled'.")
        if not number and asked_value(machine, "column_types") == "categorical":
            raise ValueError(
                f"layers: {name!r} must have column_types='bernoulli' or 'gaussian'."
            )
        if number and asked_value(machine, "column_types") not in (AUTO, "bernoulli"):
            raise ValueError(
                f"layers: {name!r}, above binary units, must have "
                "column_types='bernoulli'."
            )

    def adapt(self, machines, options, table, n_updates):
        """Set epochs, and image shapes of unfitted machines.

        ValueError names a machine with another shape, or with filters or blocks that do
        not fit.
        """
        shape, n_features = None, table.rows.shape[1]
        for number, machine in enumerate(filter(is_convolutional, machines)):
            try:
                if number and options_of(machine).image_shape not in (None, shape):
                    raise ValueError(
                        f"image_shape={machine.image_shape}, but the layer below has "
                        f"pooled maps of shape {shape}: leave it out."
                    )
                if number:
                    machine.image_shape = shape
                geometry = geometry_of(options_of(machine), n_features)
            except ValueError as error:
                raise ValueError(f"{parts.name_of(machine)}: {error}") from error
            shape = geometry.pooled + (machine.n_components,)
            n_features = prod(shape)
        super().adapt(machines, options, table, n_updates)


def resized(network, shape):
    """Copy of a fitted network for images of another size; see
    :func:`skdgm.boltzmann.structure.resized.resized`."""
    check_is_fitted(network)
    shape, machines = same_channels(network, shape), []
    name = facts_of(network).name
    if not all(map(is_convolutional, network.layers_)):
        raise ValueError(
            f"Above the maps this {name} has layers that see all of them, and so "
            "images of one size alone."
        )
    image = shape
    for number, machine in enumerate(network.layers_):
        try:
            machines.append(machine.resized(image))
        except ValueError as error:
            raise ValueError(f"{name} layer {number}: {error}") from error
        image = pooled_shape(machines[-1])
    options = vars(options_of(network))
    learned: dict[str, Any] = {"image_shape": shape}
    if options["layers"] is None:
        for name in shapes_of(machines[0]):
            learned[name] = tuple(asked_value(machine, name) for machine in machines)
    else:
        learned["layers"] = [
            (name, assign(clone(machine), image_shape=None, **shapes_of(fitted)))
            for (name, machine), fitted in zip(options["layers"], machines)
        ]
        learned["layers"][0][1].set_params(image_shape=shape)
    return with_state(altered(network, prod(shape), **learned), BeliefStack(machines))


def phases(depth):
    """Values of ``gradient="auto"`` for each layer."""
    return *["cd"] * (depth - 1), "pcd"


def is_convolutional(machine):
    """Return whether a machine is convolutional."""
    return isinstance(machine, ConvRBM)


def pooled_shape(machine):
    """Height, width and number of the pooled maps of a fitted machine."""
    sides = zip(machine.map_shape_, machine.pool_shape_)
    return *(size // part for size, part in sides), len(machine.components_)


def sizes(options):
    """Layer sizes in the options: a tuple of numbers of maps, and a tuple of numbers of
    units above them."""
    maps = _sizes("conv_layer_sizes", options.conv_layer_sizes)
    above = _sizes("hidden_layer_sizes", options.hidden_layer_sizes)
    if not maps:
        raise ValueError("conv_layer_sizes must have at least one layer of maps.")
    return maps, above


def _sizes(name, option):
    sizes = (option,) if is_a(Integral, option) else tuple(option)
    if not all(is_a(Integral, n) and n >= 1 for n in sizes):
        raise ValueError(
            f"{name} must be whole numbers of at least 1, one for each layer; got "
            f"{sizes}."
        )
    return tuple(map(int, sizes))
