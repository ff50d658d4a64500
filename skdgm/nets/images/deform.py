r"""Small random deformations of images, and gradients through them.

.. math:: x'(p) = x(A p + t), \qquad
   A = \begin{pmatrix} \cos\alpha & -\sin\alpha \\ \sin\alpha & \cos\alpha
   \end{pmatrix} \begin{pmatrix} 1 & 0 \\ \beta & 1 \end{pmatrix}
   \begin{pmatrix} e^{\rho + \sigma} & 0 \\ 0 & e^{\rho - \sigma} \end{pmatrix}

of positions p, counted from the middle of the image, where an angle, a shear, a common
and an opposed change of the sides, and a shift are uniform between bounds.
"""

from typing import NamedTuple

import numpy as np
from autograd.extend import defvjp

from skdgm._kernels.nets.warp import unwarp, warp
from skdgm.nets.tape import primitive

# Bounds at size 1: of the angle in radians (15 degrees), of the shear, of logarithms of
# changes of the sides, common and opposed, and of the shift as a share of the sides.
_ANGLE, _SHEAR, _SCALE, _STRETCH, _SHIFT = np.pi / 12, 0.3, 0.15, 0.15, 0.07


class Deformation(NamedTuple):
    """Random deformations of images of a shape (height, width, channels). ``size`` is a
    factor of all bounds: at 1, rotations by up to 15 degrees, shears of up to 0.3,
    sides longer or shorter by up to a third, shifts by up to 7 % of a side."""

    shape: tuple
    size: float

    def __call__(self, x, rng):
        """Deform each image, which may be traced, in a way of its own."""
        return warped(x, self.draw(rng, x.shape[0]), self.shape)

    def draw(self, rng, n_images):
        """Draw affine maps of positions, of shape (n_images, 6), as
        :mod:`skdgm._kernels.nets.warp` reads them."""
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
    """Images of a shape, seen through affine maps, (n_images, 6)."""
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
