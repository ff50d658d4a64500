r"""Convolutional coupling: a bank of filters, shared by all positions of an image.

.. math:: -E(x, y) = \sum_p (P_p T(x))^\top W \, T(y)_p

Here :math:`P_p T(x)` is the patch of the images below at position p, and :math:`T(y)_p`
is the pixel of the maps above. This equals a full coupling whose matrix has the filters
W, shifted to the patch, in the columns of each position [1]_ [2]_.

Between layers of maps, the images below are pooled units, which are sums of the units
of a block: :math:`T(x)` is pooled, and the input of a pooled unit goes to every unit of
its block.

References
----------
.. [1] Desjardins and Bengio (2008). Empirical evaluation of convolutional RBMs for
   vision. Technical report 1327, Université de Montréal.
.. [2] Lee, Grosse, Ranganath and Ng (2009). Convolutional deep belief networks for
   scalable unsupervised learning of hierarchical representations. ICML.
"""

from typing import NamedTuple

import numpy as np

from skdgm.couplings._correlation import correlation, mean_product, patch_sums, spread
from skdgm.couplings.contrast import Contrast
from skdgm.couplings.dense import Dense
from skdgm.utils.windows import Window


class ConvContrast(NamedTuple):
    r"""Gradient of filters: mean product of patches and pixels above under the data,
    minus that under the model. ``np.asarray`` computes it.

    .. math:: G = \frac1n \sum_{s, p} P_p x_s \, y_{sp}^\top - \frac1{n'} \sum_{s, p}
       P_p x'_s \, {y'_{sp}}^\top

    Y may contain means. ``known`` is the gradient, if it has already been computed.
    """

    x: np.ndarray
    y: np.ndarray
    x_model: np.ndarray
    y_model: np.ndarray
    coupling: object
    known: np.ndarray = None

    ascend, apply = Contrast.ascend, Contrast.apply

    def __array__(self, dtype=None, copy=None):
        if self.known is not None:
            return self.known.copy()
        window = self.coupling.window
        data = mean_product(self.x, self.y, window)
        return data - mean_product(self.x_model, self.y_model, window)

    def scaled(self, factor):
        """Gradient times the factor of the units below, which is the same for all of
        them."""
        known = None if self.known is None else self.known * factor[0]
        x, x_model = self.x * factor, self.x_model * factor
        return self._replace(x=x, x_model=x_model, known=known)

    def center(self, below, above, mu, lam, shift):
        r"""Gradient with centered statistics; see :meth:`Contrast.center`.

        Biases and offsets of a map are shared by all positions: :math:`\lambda_k` is
        the mean over map k, and :math:`\bar\mu` is the mean patch of :math:`\mu`.
        ``above`` has one entry per map; ``below`` has one per input of the filters, or
        one per map below.

        .. math:: G_c = G - \bar\mu \, \Delta c^\top - \sum_p P_p \Delta b \,
           \lambda^\top
        """
        window, real = self.coupling.window, above.dtype.type
        tied, n_pixels = len(below) == window.maps, window.height * window.width
        if tied:
            below = np.tile(below * real(1 / n_pixels), n_pixels)
        lam = lam.reshape(-1, len(above)).mean(axis=0, dtype=real)
        patch, shift = (
            self.coupling.seen(values[None])[0].astype(real) for values in (mu, shift)
        )
        patch, shift, sent = patch_sums(np.array((patch, shift, below)), window)
        grad = np.asarray(self) - np.multiply.outer(sent, lam)
        grad -= np.multiply.outer(patch * real(1 / window.n_positions), above)
        fix_above = grad.T @ (shift * real(1 / window.n_positions))
        fix_below = spread(grad @ lam, window)
        if tied:
            fix_below = fix_below.reshape(-1, window.maps).mean(axis=0, dtype=real)
        return self._replace(known=grad), fix_below, fix_above


class Conv(NamedTuple):
    """Bank of filters between images below and maps above.

    Weights are an ndarray of shape (rows * columns * channels, n_maps), with one column
    per filter, in float32 or float64. Images are rows in pixel-major order, with the
    channels (or maps) of a pixel next to each other. ``pooled`` is the block below, if
    the filters see its pooled units.
    """

    window: Window
    n_maps: int
    pooled: object = None

    log_weight = Dense.log_weight

    @property
    def n_below(self):
        """Number of units in the block below."""
        if self.pooled is not None:
            return self.pooled.size
        return self.window.height * self.window.width * self.window.maps

    @property
    def n_above(self):
        """Number of units in the block above."""
        return self.window.n_positions * self.n_maps

    def init(self, rng, scale=0.01, dtype=np.float64):
        """Draw normal weights of standard deviation ``scale`` with a
        ``numpy.random.Generator``."""
        shape = self.window.n_numbers, self.n_maps
        return rng.normal(0.0, scale, shape).astype(dtype)

    def matrix(self, weights):
        """Weights of the equivalent full coupling, (n_below, n_above)."""
        eye = np.eye(self.n_below, dtype=weights.dtype)
        return self.send(weights, eye, up=True)

    def send(self, weights, statistic, up):
        """Input of one block from the statistic of the other: (n_rows, n_above), the
        correlation of images with the filters, if ``up``; else (n_rows, n_below), its
        adjoint."""
        x = self.seen(statistic) if up else statistic
        y = correlation(
            np.ascontiguousarray(x, weights.dtype), weights, self.window, up
        )
        return y if up or self.pooled is None else self.pooled.repeat(y)

    def seen(self, below):
        """Input of the filters, given values of the block below."""
        return below if self.pooled is None else self.pooled.pool(np.asarray(below))

    def contrast(self, below, above, below_model, above_model):
        """Gradient of the weights from the statistics of both blocks in both phases,
        one row per state."""
        return ConvContrast(
            np.asarray(self.seen(below)),
            np.asarray(above),
            np.asarray(self.seen(below_model)),
            np.asarray(above_model),
            self,
        )

    def limit(self, weights, max_norm, scale=1.0):
        """Scale down, in place, each filter whose norm exceeds a limit; ``scale`` is
        the common factor of the units below."""
        Dense.limit(self, weights, max_norm, np.ravel(scale)[0])

    def stretch(self, weights, factor):
        """Multiply the weights in place by the common factor of the units below, given
        as an array of shape (n_below,)."""
        weights *= factor[0]
