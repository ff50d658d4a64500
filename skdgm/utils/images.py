"""Shapes of images whose pixels are the columns of a table."""

from math import isqrt, prod
from numbers import Integral

import numpy as np

from skdgm.utils.counts import check_layer_sizes, is_a, layer_sizes


def image_shape(
    n_features,
    given=None,
    *,
    subject="This model",
    with_channels=True,
    name="image_shape",
):
    """Height, width and number of channels of images that are rows of a table, ordered
    by pixel and then by channel.

    ``given`` is (height, width[, channels]) or a number; by default images are square
    with one channel. ValueError, which names ``subject`` and the option, if the shape
    does not have the right number of dimensions or of features, or if a square is
    impossible.
    """
    form = "(height, width[, channels])" if with_channels else "(height, width)"
    if given is None:
        side = isqrt(n_features)
        if side**2 != n_features:
            raise ValueError(
                f"{subject} cannot tell the shape of images of {n_features} pixels, "
                f"which is no square number: give {name}={form}, or (1, {n_features}) "
                "for rows that are no images."
            )
        return side, side, 1
    shape = tuple(given) if np.iterable(given) else (given,)
    are_sizes = all(is_a(Integral, side) and side >= 1 for side in shape)
    allowed = (2, 3) if with_channels else (2,)
    if not are_sizes or len(shape) not in allowed or prod(shape) != n_features:
        product = "height times width" + " times channels" * with_channels
        raise ValueError(
            f"{name}={given!r} of {subject} must be {form} with {product} = "
            f"{n_features}, the number of features."
        )
    return (*map(int, shape), 1)[:3]


CONV = 'architecture="conv"'
# Name of the shape of images as a parameter of this architecture.
CONV_SHAPE = "architecture__image_shape"


def check_maps(options):
    """Raise ValueError if numbers of maps of convolutions are not positive integers, or
    if a convolutional architecture has none."""
    sizes, name = layer_sizes(options.conv_layer_sizes), "architecture__layer_sizes"
    check_layer_sizes(sizes, name)
    if options.architecture == "conv" and not sizes:
        raise ValueError(f"{name} must have a number of maps for a layer.")


def pixels(structure, *numbers):
    """Shape of images of a convolutional net. ``structure`` has ``image_shape`` and
    ``variance``, and ``numbers`` are numbers of inputs or outputs of each column.
    ValueError if these differ between columns, or if variances are additional
    outputs."""
    shape_option = structure.image_shape
    shape = image_shape(len(numbers[0]), shape_option, subject=CONV, name=CONV_SHAPE)
    if structure.variance == "sample" or any((n != n[0]).any() for n in numbers):
        raise ValueError(
            f"{CONV} needs equally many outputs for each pixel: column_types must be "
            '"bernoulli", "gaussian" with a column_types__variance that is not '
            '"sample", or "categorical" with as many categories in all columns '
            "(column_types__min_categories)."
        )
    return shape


def halvings(shape, n):
    """Height and width of images, and of n images by repeated halving."""
    shapes = [tuple(shape)]
    for _ in range(n):
        shapes.append(tuple(-(-side // 2) for side in shapes[-1]))
    return shapes


def in_blocks(x, shape, sides):
    """Rows as images in blocks, (n_rows, blocks down, rows of a block, blocks across,
    columns of a block, n_maps).

    x has shape (n_rows, height * width * n_maps), ``shape`` begins with height, width
    and n_maps, and ``sides``, the rows and columns of a block, divide the images.
    """
    (height, width, maps, *_), (rows, columns) = shape, sides
    block_shape = height // rows, rows, width // columns, columns, maps
    return np.asarray(x).reshape(len(x), *block_shape)


def split(x, shape, sides):
    """Copy of rows arranged by block and map, (n_rows, n_blocks * n_maps, pixels of a
    block); parameters as for :func:`in_blocks`."""
    blocks = in_blocks(x, shape, sides).transpose(0, 1, 3, 5, 2, 4)
    n_parts = prod(blocks.shape[1:4])
    return blocks.reshape(len(blocks), n_parts, prod(sides))


def joined(parts, shape, sides):
    """Inverse of :func:`split`."""
    (height, width, maps, *_), (rows, columns) = shape, sides
    each = height // rows, width // columns, maps, rows, columns
    x = parts.reshape(len(parts), *each).transpose(0, 1, 4, 2, 5, 3)
    return x.reshape(len(x), height * width * maps)


def repeated(numbers, shape, sides):
    """Repeat a number for each block and map over its pixels, (n_rows, height * width *
    n_maps); parameters as for :func:`in_blocks`."""
    (height, width, maps, *_), (rows, columns) = shape, sides
    if rows * columns == 1:
        return np.reshape(numbers, (len(numbers), height * width * maps))
    down, across = height // rows, width // columns
    blocks = np.asarray(numbers).reshape(len(numbers), down, 1, across, 1, maps)
    expanded = np.broadcast_to(blocks, (len(blocks), down, rows, across, columns, maps))
    return expanded.reshape(len(blocks), height * width * maps)
