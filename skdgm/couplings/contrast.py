"""Weights of a coupling in tiles, and their gradient as factors of outer products.

A kernel updates weights in tiles (see :mod:`skdgm.utils.products`). BLAS updates
weights in an ndarray, which is faster if few entries of the states are zero.
"""

from functools import partial
from typing import NamedTuple

import numpy as np

from skdgm._kernels.machines.arguments import Ends, ListedPhase, Tiles
from skdgm._kernels.machines.centered import Corrections, Offsets, corrections
from skdgm._kernels.machines.update import refresh, update
from skdgm._kernels.nets.steps import GradientStep
from skdgm._kernels.sparse.lists import RowLists
from skdgm.utils.lists import Lists
from skdgm.utils.products import joined, matmul, tiles
from skdgm.utils.threading.parallel import run


class Contrast(NamedTuple):
    r"""Gradient of the weights: mean outer product under the data minus that under the
    model.

    .. math:: G = \frac1n X^\top Y - \frac1{n'} X'^\top Y' - A^\top B

    The n rows of X and Y are the statistics of both blocks in the positive phase, as
    arrays or Lists; Y may contain means. The negative phase may be empty. The pair
    ``thin`` has the low-rank correction A and B. ``np.asarray`` computes the product.
    """

    x: object
    y: object
    x_model: object
    y_model: object
    thin: tuple = ()

    @classmethod
    def of(cls, G):
        """Wrap a gradient given as an array of shape (n_below, n_above)."""
        eye, G = np.eye(min(G.shape), dtype=G.dtype), G * G.dtype.type(min(G.shape))
        x, y = (eye, G) if len(eye) == len(G) else (G.T.copy(), eye)
        return cls(x, y, x[:0], y[:0])

    def one_sided(self):
        """Merge both phases into one term, if ``x`` and ``x_model`` are equal."""
        y = np.asarray(self.y) - np.asarray(self.y_model)
        return self._replace(y=y, x_model=self.x_model[:0], y_model=self.y_model[:0])

    def plus(self, other, weight):
        """Sum of this gradient and ``weight`` times another."""
        weight = self.y.dtype.type(weight)
        if self.thin or other.thin or len(self.x_model) or not _same(self.x, other.x):
            return Contrast.of(np.asarray(self) + weight * np.asarray(other))
        return other._replace(
            y=self.y + weight * np.asarray(other.y),
            y_model=weight * np.asarray(other.y_model),
        )

    def __array__(self, dtype=None, copy=None):
        x, y, x_model, y_model = map(np.asarray, self[:4])
        real = y.dtype.type
        signed = x * real(1 / len(x)), x_model * real(-1 / max(1, len(x_model)))
        g = matmul(np.concatenate(signed).T, np.concatenate([y, y_model]))
        if self.thin:
            A, B = self.thin
            for a, b in zip(A, B):
                g -= np.multiply.outer(a, b)
        return g

    def center(self, below, above, mu, lam, shift):
        r"""Gradient with statistics centered at given offsets.

        .. math:: G_c = G - \mu \, \Delta c^\top - \Delta b \, \lambda^\top

        ``below`` and ``above`` are the gradients :math:`\Delta b, \Delta c` of the
        biases, and ``shift`` is the offset of the values below. Returns the gradient
        and the corrections to subtract from the bias gradients, :math:`G_c \lambda` and
        :math:`G_c^\top` ``shift``.
        """
        data, model = self._phases()
        real = below.dtype
        thin = Ends(np.empty((2, len(below)), real), np.empty((2, len(above)), real))
        correction = Ends(np.empty_like(below), np.empty_like(above))
        grads, offsets = Ends(below, above), Offsets(mu, lam, shift)
        corrections(data, model, grads, offsets, Corrections(thin, correction))
        return self._replace(thin=thin), correction.below, correction.above

    def ascend(self, weights, velocity, *, rate, momentum=0.0, l1=0.0, l2=0.0):
        r"""Update the weights in place, with momentum and weight decay.

        .. math:: u \leftarrow \mu u + \epsilon (G - \lambda_1 \operatorname{sign} W
           - \lambda_2 W), \qquad W \leftarrow W + u
        """
        if isinstance(weights, Weights):
            velocity = velocity.up if momentum else weights.up[:0]
            tiles = Tiles(weights.up, weights.down, velocity)
            self._update(tiles, GradientStep(rate, momentum, l1, l2))()
            return
        real, g = weights.dtype.type, np.asarray(self)
        if l1:
            g -= real(l1) * np.sign(weights)
        if l2:
            g -= real(l2) * weights
        g *= real(rate)
        if momentum:
            velocity *= real(momentum)
            velocity += g
            g = velocity
        weights += g

    def apply(self, weights, memory, rule):
        """Update weights and optimizer state in place by ``rule(weights, memory, G)``,
        whose arguments are arrays of equal shape (tiles, if the weights are Weights).
        """
        if not isinstance(weights, Weights):
            rule(weights, memory, np.asarray(self))
            return
        up = np.zeros_like(weights.up)
        tiles = Tiles(up, weights.down[:0], up[:0])
        self._update(tiles, GradientStep(1.0, 0.0, 0.0, 0.0))()
        rule(weights.up, tuple(part.up for part in memory), up)
        weights.refresh()

    def scaled(self, factor):
        """Gradient with row i multiplied by the factor of unit i below, (n_below,)."""
        thin = (self.thin[0] * factor, self.thin[1]) if self.thin else ()
        x, x_model = self.x * factor, self.x_model * factor
        return self._replace(x=x, x_model=x_model, thin=thin)

    def _update(self, tiles, step):
        """Function without arguments that updates weights in tiles."""
        data, model = self._phases()
        n_units, n_columns = tiles.up.shape[1], data.y.shape[1]
        real = tiles.up.dtype.type
        nothing = np.empty((0, n_units), real), np.empty((0, n_columns), real)
        step = GradientStep._make(map(real, step))
        work = (
            data.lists.count.sum() + model.lists.count.sum() + 8 * n_units
        ) * n_columns
        below, above = self.thin or nothing
        thin = Ends(below, above)
        rows = len(tiles.up)
        return partial(run, update, data, model, thin, tiles, step, n=rows, work=work)

    def _phases(self):
        """Yield both phases, each with lists of the block below and an array of the
        block above."""
        for x, y in (self.x, self.y), (self.x_model, self.y_model):
            x = x if isinstance(x, Lists) else Lists.pack(x)
            yield ListedPhase(RowLists(x.index, x.value, x.count), np.asarray(y))


def _same(x, other):
    if x is other:
        return True
    both = isinstance(x, np.ndarray) and isinstance(other, np.ndarray)
    return both and np.array_equal(x, other)


class Weights(NamedTuple):
    """Weight matrix and its transpose in tiles, padded with zero columns: arrays of
    shape (n_tiles_above, n_below, width) and (n_tiles_below, n_above, width)."""

    up: np.ndarray
    down: np.ndarray

    @classmethod
    def of(cls, W):
        """Convert an array of shape (n_below, n_above) to tiles."""
        return cls(tiles(W), tiles(W.T))

    @property
    def W(self):
        """Copy of the matrix as an ndarray of shape (n_below, n_above)."""
        return joined(self.up, self.down.shape[1])

    def refresh(self):
        """Update the transpose after changes of ``up``, in place."""
        run(refresh, self.up, self.down, n=len(self.up), work=2 * self.up.size)

    @property
    def size(self):
        """Number of weights."""
        return self.up.shape[1] * self.down.shape[1]
