r"""Weight decay.

.. math:: -\frac{\partial}{\partial W}\left[\lambda_1 \lVert W \rVert_1 +
   \tfrac12 \lambda_2 \lVert W \rVert_2^2\right] =
   -\lambda_1 \operatorname{sign}(W) - \lambda_2 W

Biases are left alone.
"""

import numpy as np


def decay(grad, couplings, *, l1=0.0, l2=0.0):
    """Add the penalties' gradient to that of the couplings, in place."""
    for g, W in zip(grad.couplings, couplings, strict=True):
        if l1:
            g -= W.dtype.type(l1) * np.sign(W)
        if l2:
            g -= W.dtype.type(l2) * W
