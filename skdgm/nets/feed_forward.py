r"""Feed-forward nets, and initialization of weights.

.. math:: h_0 = x, \qquad h_l = f(h_{l-1} W_l + b_l), \qquad
   z = h_{L-1} W_L + b_L

Parameters are initialized uniformly between :math:`\pm\sqrt{c / (n_{l-1} + n_l)}`,
where c is 6, or 2 for logistic units [1]_. In training, dropout sets random units to
zero and scales the others up [2]_, so that expectations stay the same. Other
initializers of weights are

=================  =========================================================
"glorot_uniform"   uniform, variance :math:`2 / (n_\text{below} + n_\text{above})` [1]_
"glorot_normal"    normal, same variance
"he_uniform"       uniform, variance :math:`2 / n_\text{below}` [3]_, for rectifiers
"he_normal"        normal, same variance
=================  =========================================================

References
----------
.. [1] Glorot and Bengio (2010). Understanding the difficulty of training deep
   feedforward neural networks. AISTATS.
.. [2] Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014). Dropout: a
   simple way to prevent neural networks from overfitting. JMLR.
.. [3] He, Zhang, Ren and Sun (2015). Delving deep into rectifiers. ICCV.
"""

from itertools import pairwise
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from skdgm.nets.primitives import dense, drop_out
from skdgm.utils.counts import is_a

_UNITS = {
    "glorot": lambda n_below, n_above: (n_below + n_above) / 2,
    "he": lambda n_below, n_above: n_below / 2,
}
INITIALIZERS = tuple(
    f"{rule}_{how}" for rule in _UNITS for how in ("uniform", "normal")
)


class Layer(NamedTuple):
    """Weights of shape (n_below, n_above), and biases of shape (n_above,)."""

    W: np.ndarray
    b: np.ndarray


def initial(name, rng, n_below, n_above, shape=None):
    """Draw weights in float64 by one of ``INITIALIZERS``. ``n_below`` and ``n_above``
    are the fan-in and the fan-out; ``shape`` is by default (n_below, n_above)."""
    shape = (n_below, n_above) if shape is None else shape
    units, distribution = name.split("_")
    deviation = 1 / np.sqrt(_UNITS[units](n_below, n_above))
    if distribution == "normal":
        return rng.normal(0, deviation, shape)
    bound = np.sqrt(3) * deviation
    return rng.uniform(-bound, bound, shape)


def init(rng, sizes, activation, dtype=np.float64):
    """Draw the layers of a net whose ``sizes`` are the numbers of units from input to
    output. ``activation`` is that of hidden units."""
    scale = 2.0 if activation == "logistic" else 6.0
    layers = []
    for n_below, n_above in pairwise(sizes):
        bound = np.sqrt(scale / (n_below + n_above))
        W = rng.uniform(-bound, bound, (n_below, n_above))
        b = rng.uniform(-bound, bound, n_above)
        layers.append(Layer(W.astype(dtype), b.astype(dtype)))
    return tuple(layers)


def forward(params, x, activation, *, dropout=0.0, rng=None):
    """Outputs of a net for rows x, (n_rows, n_outputs); the last layer is linear.
    ``activation`` is the name of an activation function, or a list with a
    ``function(x, W, b)`` for each hidden layer. Dropout needs ``rng``, one stream for
    all rows."""
    *below, (W, b) = params
    x = hidden(below, x, activation, dropout=dropout, rng=rng)
    return dense(x, W, b, "identity")


def hidden(
    params: Any, x: Any, activation: Any, *, dropout: Any = 0.0, rng: Any = None
) -> Any:
    """Units of the last layer of ``params`` for rows x, (n_rows, n_units).
    ``params[:2]`` gives the second hidden layer; see :func:`forward` for other
    arguments."""
    for number, (W, b) in enumerate(params):
        if isinstance(activation, str):
            x = dense(x, W, b, activation)
        else:
            x = activation[number](x, W, b)
        if dropout:
            x = drop_out(x, dropout, rng.fold(number + 1))
    return x


def check_dropout(rates, whose="inputs and of hidden units"):
    """Raise ValueError if a tuple of rates is not a pair of numbers in [0, 1)."""
    if isinstance(rates, tuple) and not (
        len(rates) == 2 and all(is_a(Real, r) and 0 <= r < 1 for r in rates)
    ):
        raise ValueError(
            "dropout must be a number of at least 0 and below 1, or two, of "
            f"{whose}; got {rates}."
        )
