"""Options that refer to several layers."""

from numbers import Integral

from skdgm.utils.counts import is_a


def check_sizes(sizes):
    """Validate the sizes of hidden layers and return them as a tuple.

    Parameters
    ----------
    sizes : int or iterable of int
        Number of units of each hidden layer; an int means a single layer.

    Returns
    -------
    sizes : tuple of int

    Raises
    ------
    ValueError
        There are no sizes, or one is not a whole number of at least 1.
    """
    sizes = (sizes,) if isinstance(sizes, Integral) else tuple(sizes)
    if not sizes or not all(is_a(Integral, n) and n >= 1 for n in sizes):
        raise ValueError(
            "hidden_layer_sizes must be whole numbers of at least 1, one for each "
            f"hidden layer, of which there is at least one; got {sizes}."
        )
    return tuple(map(int, sizes))


def per_layer(name, value, n_layers):
    """Expand an option to one value per layer.

    Parameters
    ----------
    name : str
        Name of the option in error messages.
    value : object
        A tuple of one value per layer, or one value for all layers.
    n_layers : int

    Returns
    -------
    values : tuple of length n_layers

    Raises
    ------
    ValueError
        ``value`` is a tuple of another length than ``n_layers``.
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
    """Layers selected by the option ``feature_layer``.

    Parameters
    ----------
    layers : int, tuple of int or "all"
        Numbers of hidden layers, from 0; negative ones count from the top.
    n_layers : int
        Number of hidden layers.

    Returns
    -------
    numbers : tuple of int
        Non-negative numbers of the selected layers.

    Raises
    ------
    ValueError
        A layer does not exist, or the tuple is empty.
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
