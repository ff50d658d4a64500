r"""Convolutional coupling: a bank of filters, the same at every position of an image.

.. math:: -E(x, y) = \sum_p (P_p T(x))^\top W \, T(y)_p

with the patch :math:`P_p T(x)` of the images below under the filters at position p, and
the pixel :math:`T(y)_p` of the maps above. It is the full coupling whose matrix
:math:`\sum_p P_p^\top W` (side by side) has W, shifted, in the columns of each
position [1]_ [2]_.

Between layers of maps the images below are the pooled units of blocks, sums of the
units of a block: :math:`T(x)` is pooled, and what comes down to a pooled unit comes to
every unit of its block.

References
----------
.. [1] Desjardins and Bengio (2008). Empirical evaluation of convolutional RBMs for
   vision. Technical report 1327, Université de Montréal.
.. [2] Lee, Grosse, Ranganath and Ng (2009). Convolutional deep belief networks for
   scalable unsupervised learning of hierarchical representations. ICML.
"""

from typing import NamedTuple

import numpy as np

from skdgm.couplings._correlation import correlation, mean_product
from skdgm.couplings.contrast import Contrast
from skdgm.couplings.dense import Dense
from skdgm.utils.windows import Window


class ConvContrast(NamedTuple):
    r"""Gradient of filters: mean over states of patches times pixels above, in the data
    less that in the model. ``np.asarray`` multiplies it out.

    .. math:: G = \frac1n \sum_{s, p} P_p x_s \, y_{sp}^\top - \frac1{n'} \sum_{s, p}
       P_p x'_s \, {y'_{sp}}^\top

    Y may be means; ``known`` is the gradient, if it has been multiplied out already.
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
        own = self.coupling.window
        data = mean_product(self.x, self.y, own)
        return data - mean_product(self.x_model, self.y_model, own)

    def scaled(self, factor):
        """Gradient times the factor of the units below, the same for all of them."""
        known = None if self.known is None else self.known * factor[0]
        x, x_model = self.x * factor, self.x_model * factor
        return self._replace(x=x, x_model=x_model, known=known)

    def center(self, below, above, mu, lam, shift):
        r"""Gradient with centred statistics; see :meth:`Contrast.center`.

        Biases of maps are the same at all positions, and so are their offsets here:
        :math:`\lambda_k` is the mean of a map's, and a patch has the mean of all
        patches of :math:`\mu`. ``above`` has an entry for each map, ``below`` for each
        number that filters see, or for each map below.

        .. math:: G_c = G - \bar\mu \, \Delta c^\top - \sum_p P_p \Delta b \,
           \lambda^\top
        """
        own, real = self.coupling.window, above.dtype.type
        tied, n_pixels = len(below) == own.maps, own.height * own.width
        if tied:
            below = np.tile(below * real(1 / n_pixels), n_pixels)
        lam = lam.reshape(-1, len(above)).mean(axis=0, dtype=real)
        patch, shift = (
            self.coupling.seen(part[None])[0].astype(real) for part in (mu, shift)
        )
        each = np.ones((1, own.n_positions), real)
        patch, shift, sent = (
            mean_product(part[None], each, own)[:, 0] for part in (patch, shift, below)
        )
        grad = np.asarray(self) - np.multiply.outer(sent, lam)
        grad -= np.multiply.outer(patch * real(1 / own.n_positions), above)
        of_above = grad.T @ (shift * real(1 / own.n_positions))
        of_below = correlation(np.tile(lam, own.n_positions)[None], grad, own, False)[0]
        if tied:
            of_below = of_below.reshape(-1, own.maps).mean(axis=0, dtype=real)
        return self._replace(known=grad), of_below, of_above


class Conv(NamedTuple):
    """A bank of filters between images below and maps above.

    Weights are an ndarray of shape (rows * columns * channels, n_maps), a column for
    each filter, in float32 or float64. Images are rows of numbers, pixel after pixel,
    and of each channel (or map) after channel. ``pooled`` is the block below, if
    filters see its pooled units.
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
        """Draw normal weights of standard deviation ``scale`` by a
        ``numpy.random.Generator``."""
        shape = self.window.n_numbers, self.n_maps
        return rng.normal(0.0, scale, shape).astype(dtype)

    def matrix(self, weights):
        """Weights of the full coupling that it is: an ndarray of shape (n_below,
        n_above)."""
        eye = np.eye(self.n_below, dtype=weights.dtype)
        return self.send(weights, eye, up=True)

    def send(self, weights, statistic, up):
        """Input of one block from the statistic of the other, (n_rows, n_above) or
        (n_rows, n_below): the correlation of images with the filters, if ``up``, else
        its adjoint."""
        x = self.seen(statistic) if up else statistic
        y = correlation(
            np.ascontiguousarray(x, weights.dtype), weights, self.window, up
        )
        return y if up or self.pooled is None else self.pooled.repeat(y)

    def seen(self, below):
        """Input of the filters, given values of the block below."""
        return below if self.pooled is None else self.pooled.pool(np.asarray(below))

    def contrast(self, below, above, below_model, above_model):
        """Gradient of the weights from statistics of both blocks in the positive phase
        and in the negative one, a row for each state: a :class:`ConvContrast`."""
        return ConvContrast(
            np.asarray(self.seen(below)),
            np.asarray(above),
            np.asarray(self.seen(below_model)),
            np.asarray(above_model),
            self,
        )

    def limit(self, weights, max_norm, scale=1.0):
        """Scale down, in place, each filter whose norm exceeds a limit; ``scale`` is
        the factor of the units below, the same for all of them."""
        Dense.limit(self, weights, max_norm, np.ravel(scale)[0])

    def stretch(self, weights, factor):
        """Multiply weights by the factor of the units below, which is the same for all
        of them: in place, by an array of shape (n_below,)."""
        weights *= factor[0]
