r"""Initialisation of weights.

=================  =========================================================
"glorot_uniform"   uniform, variance :math:`2 / (n_\text{below} + n_\text{above})` [1]_
"glorot_normal"    normal, same variance
"he_uniform"       uniform, variance :math:`2 / n_\text{below}` [2]_, for rectifiers
"he_normal"        normal, same variance
=================  =========================================================

References
----------
.. [1] Glorot and Bengio (2010). Understanding the difficulty of training deep
   feedforward neural networks. AISTATS.
.. [2] He, Zhang, Ren and Sun (2015). Delving deep into rectifiers. ICCV.
"""

import numpy as np

_UNITS = {
    "glorot": lambda n_below, n_above: (n_below + n_above) / 2,
    "he": lambda n_below, n_above: n_below / 2,
}
INITIALISERS = tuple(f"{who}_{how}" for who in _UNITS for how in ("uniform", "normal"))


def draw(name, rng, n_below, n_above):
    """Draw weights.

    Parameters
    ----------
    name : str
        One of ``INITIALISERS``.
    rng : numpy.random.Generator
    n_below, n_above : int
        Numbers of units in the layers below and above.

    Returns
    -------
    W : ndarray of shape (n_below, n_above), float64
    """
    who, how = name.split("_")
    deviation = 1 / np.sqrt(_UNITS[who](n_below, n_above))
    if how == "normal":
        return rng.normal(0, deviation, (n_below, n_above))
    bound = np.sqrt(3) * deviation
    return rng.uniform(-bound, bound, (n_below, n_above))
