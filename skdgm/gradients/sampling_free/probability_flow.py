r"""Minimum probability flow, from rows to their neighbours.

.. math:: -J(v) = \sum_i \exp\left(\tfrac12 \bigl(\log p(v^{(i)}) - \log p(v)\bigr)
   \right)

is the rate at which probability leaves the rows, at the first moment, under dynamics
that flip one bit and have the model for their equilibrium [1]_:
:math:`\varphi(s_i) = e^{s_i / 2}`. Rates above :math:`e^{10}` count as that.

References
----------
.. [1] Sohl-Dickstein, Battaglino and DeWeese (2011). Minimum probability flow learning.
   ICML.
"""

import numpy as np


def slope(s):
    """Derivative of phi, for an array of s."""
    half = s.dtype.type(0.5)
    return half * np.exp(np.minimum(half * s, s.dtype.type(10)))
