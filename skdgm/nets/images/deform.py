r"""Small random deformations of images, and gradients through them.

.. math:: x'(p) = x(A p + t), \qquad
   A = \begin{pmatrix} \cos\alpha & -\sin\alpha \\ \sin\alpha & \cos\alpha
   \end{pmatrix} \begin{pmatrix} 1 & 0 \\ \beta & 1 \end{pmatrix}
   \begin{pmatrix} e^{\rho + \sigma} & 0 \\ 0 & e^{\rho - \sigma} \end{pmatrix}

of positions p relative to the center of the image. The rotation :math:`\alpha`, shear
:math:`\beta`, scale :math:`\rho`, stretch :math:`\sigma` and shift t are uniform
between bounds.
"""

from typing import NamedTuple

import numpy as np
from autograd.extend import defvjp

from skdgm._kernels.nets.warp import unwarp, warp
from skdgm.nets.tape import primitive

# Bounds at size 1: angle in radians (15 degrees), shear, log scale, log stretch, and
# shift as a share of the sides.
_ANGLE, _SHEAR, _SCALE, _STRETCH, _SHIFT = np.pi / 12, 0.3, 0.15, 0.15, 0.07


class Deformation(NamedTuple):
    """Random deformations of images of shape (height, width, channels). ``size``
    multiplies all bounds. At 1, these are rotations by 15 degrees, shears of 0.3, sides
    longer or shorter by a third, and shifts by 7 % of a side."""

    shape: tuple
    size: float

    def __call__(self, x, rng):
        """Deform each image differently; x may be traced."""
        return warped(x, self.draw(rng, x.shape[0]), self.shape)

    def draw(self, rng, n_images):
        """Draw affine maps of positions, (n_images, 6), for
        :mod:`skdgm._kernels.nets.warp`."""
        u = self.size * rng.generator().uniform(-1, 1, (6, n_images))
        angle, shear = _ANGLE * u[0], _SHEAR * u[1]
        scale, stretch = _SCALE * u[2], _STRETCH * u[3]
        cos, sin = np.cos(angle), np.sin(angle)
        high, wide = np.exp(scale + stretch), np.exp(scale - stretch)
        height, width, _ = self.shape
        return np.column_stack(
            [
                *((cos - sin * shear) * high, -sin * wide, _SHIFT * height * u[4]),
                *((sin + cos * shear) * high, cos * wide, _SHIFT * width * u[5]),
            ]
        )


@primitive
def warped(x, maps, shape):
    """Images seen through affine maps, (n_images, 6)."""
    y = np.empty(x.shape, x.dtype)
    height, width, channels = shape
    warp(np.ascontiguousarray(x), maps, height, width, channels, y)
    return y


def _back(_, x, maps, shape):
    def backward(grad):
        back = np.empty(x.shape, x.dtype)
        height, width, channels = shape
        unwarp(np.ascontiguousarray(grad), maps, height, width, channels, back)
        return back

    return backward


defvjp(warped, _back, None, None)
