"""What is said of several layers at once."""

from numbers import Integral

from skdgm.utils.counts import is_a


def check_sizes(sizes):
    """Sizes of hidden layers as a tuple; a number is that of the only one.

    Raises
    ------
    ValueError
        There is none, or one is not a whole number of at least 1.
    """
    sizes = (sizes,) if isinstance(sizes, Integral) else tuple(sizes)
    if not sizes or not all(is_a(Integral, n) and n >= 1 for n in sizes):
        raise ValueError(
            "hidden_layer_sizes must be whole numbers of at least 1, one for each "
            f"hidden layer, of which there is at least one; got {sizes}."
        )
    return tuple(map(int, sizes))


def per_layer(name, value, n_layers):
    """One value for each layer: those of a tuple, or the same for all.

    Raises
    ------
    ValueError
        A tuple has not as many values as there are layers.
    """
    if not isinstance(value, tuple):
        return (value,) * n_layers
    if len(value) != n_layers:
        raise ValueError(
            f"{name} must be one value, or a tuple with one for each of {n_layers} "
            f"layers; got {value}."
        )
    return value


def chosen(layers, n_layers):
    """The layers that ``feature_layer`` names, by number: one, some in a tuple, or
    "all"; negative numbers count from the top.

    Raises
    ------
    ValueError
        There is none of such a number.
    """
    if isinstance(layers, str):
        return tuple(range(n_layers))
    numbers = layers if isinstance(layers, tuple) else (layers,)
    if not numbers or not all(
        is_a(Integral, n) and -n_layers <= n < n_layers for n in numbers
    ):
        raise ValueError(
            f"feature_layer={layers}, but there are {n_layers} hidden layers: it must "
            f"be 'all', a number from {-n_layers} to {n_layers - 1}, or a tuple of "
            "such."
        )
    return tuple(n % n_layers for n in numbers)
