"""Convolutional machines for images of another size than the training images."""

from math import prod
from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdgm.base.parts import altered, facts_of, model_of, options_of, set_state
from skdgm.boltzmann.learning.state import TrainState
from skdgm.boltzmann.structure.convolved import geometry_of
from skdgm.boltzmann.structure.visible import of_channels
from skdgm.samplers import Gibbs
from skdgm.utils.counts import is_a
from skdgm.utils.random import stream

# Fitted attributes with a value for each pixel.
_OF_PIXELS = "intercept_visible_", "_log_precision", "precision_", "mean_", "scale_"


def resized(machine, shape):
    """Copy of a fitted machine for images of another size; see ``ConvRBM.resized``."""
    check_is_fitted(machine)
    shape, facts = same_channels(machine, shape), facts_of(machine)
    if facts.options.visible_bias != "channel":
        raise ValueError(
            f"This {type(machine).__name__} has a bias for each pixel of images of "
            f"shape {machine.image_shape_}: fit it with visible_bias='channel'."
        )
    n_pixels, n_channels = shape[0] * shape[1], shape[2]
    columns = of_channels(facts.columns, n_channels, n_pixels)
    shapes = shapes_of(machine) | {"image_shape": shape}
    new = altered(machine, prod(shape), columns, **shapes)
    geometry_of(options_of(new), prod(shape), type(machine).__name__)
    for name in _OF_PIXELS:
        if name in vars(machine):
            of_channel = np.reshape(vars(machine)[name], (-1, n_channels))[0]
            vars(new)[name] = np.tile(of_channel, n_pixels)
    facts, model = facts_of(new), model_of(new)
    params = model.params(facts, vars(new))
    rows = stream(facts.seed).rows(len(machine.chains_))
    chains = Gibbs(model.energy(facts)).init(rows, params.units).x
    set_state(new, TrainState(params, (), chains))
    return new


def shapes_of(machine):
    """Shapes of filters, blocks and strides of a fitted machine, by option."""
    names = "filter_shape", "pool_shape", "stride"
    return {name: getattr(machine, f"{name}_") for name in names}


def same_channels(model, shape):
    """Height, width and channels of images of a new size. ValueError if ``shape`` is
    invalid, or has another number of channels than a fitted machine or network."""
    subject = type(model).__name__
    *_, channels = getattr(model, "layers_", [model])[0].image_shape_
    sides = tuple(shape) if np.iterable(shape) else (shape,)
    if not all(is_a(Integral, n) and n >= 1 for n in sides) or len(sides) not in (2, 3):
        raise ValueError(
            f"image_shape={shape!r} of {subject} must be (height, width[, channels])."
        )
    sides = *map(int, sides), *(channels,)[len(sides) - 2 :]
    if sides[2] != channels:
        raise ValueError(
            f"image_shape={shape!r}, but {subject} learned images of {channels} "
            "channels."
        )
    return sides
