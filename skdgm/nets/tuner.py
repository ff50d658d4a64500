r"""Mini-batch training of a net on rows with targets.

.. math:: \theta \leftarrow \theta - \epsilon \, \nabla_\theta \, \frac1n \Bigl(
   \sum_{r=1}^n \ell(z_\theta(x_r), t_r) + \frac\alpha2 \lVert W \rVert^2 \Bigr)

for batches of n rows; SGD adds momentum, Adam and RMSProp scale the step by the recent
size of the gradient. After each update the incoming weights of a hidden unit may be
scaled down to a largest norm [1]_.

References
----------
.. [1] Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014). Dropout: a
   simple way to prevent neural networks from overfitting. JMLR.
"""

from typing import NamedTuple

import numpy as np

from skdgm.nets.descent import SOLVERS, descend
from skdgm.nets.feed_forward import forward, init
from skdgm.nets.vector_jacobian import vjp
from skdgm.optim import learning_rate
from skdgm.training import epoch
from skdgm.utils.random import stream

# Purposes of random streams, distinct from those of other training.
INIT, SHUFFLE, STEP, PROBE, SPLIT = range(2**16, 2**16 + 5)


class NetState(NamedTuple):
    """Training state of a net.

    Parameters
    ----------
    params : tuple of Layer
    optimiser : tuple
        Optimiser state of each layer.
    """

    params: tuple
    optimiser: tuple


class Tuner:
    """Trainer of a net: draws batches and takes steps.

    Parameters
    ----------
    recipe : object
        Has as attributes ``activation``, ``solver``, ``learning_rate_init``,
        ``schedule``, ``power_t``, ``momentum``, ``alpha`` (weight decay),
        ``batch_size``, ``dropout`` (of hidden units, or a pair: of inputs and of hidden
        units) and ``max_norm`` (or None).
    inputs : callable
        ``inputs(index)`` reads rows, of shape (n_rows, n_inputs).
    targets : ndarray of shape (n_rows_in_all, n_outputs)
    loss : callable
        ``loss(z, targets)`` returns the loss of each row, of shape (n_rows,).
    seed : int
    epochs_before : int
        Number of epochs before this run, so that no epoch repeats the random numbers
        of another.
    freeze : int
        Number of first epochs in which only the last layer is trained.
    """

    def __init__(
        self, recipe, inputs, targets, loss, seed, *, epochs_before=0, freeze=0
    ):
        self.recipe, self.inputs, self.targets = recipe, inputs, targets
        self.loss, self.seed = loss, seed
        self.epochs_before, self.freeze = epochs_before, freeze
        self.solver = SOLVERS[recipe.solver]

    def start(self, sizes, dtype):
        """State with newly drawn parameters; ``sizes`` go from input to output."""
        rng = stream(self.seed, INIT).generator()
        return self.resume(init(rng, sizes, self.recipe.activation, dtype))

    def resume(self, params, optimiser=()):
        """State with given parameters, and with the given optimiser state if it is of
        the same optimiser, else a new one."""
        fresh = tuple(self.solver.init(layer) for layer in params)
        alike = list(map(type, optimiser)) == list(map(type, fresh))
        return NetState(tuple(params), optimiser if alike else fresh)

    def draw(self, table, number):
        """Draw the batches of an epoch: a list of arrays of row numbers."""
        rng = stream(self.seed, SHUFFLE, self.epochs_before + number)
        return epoch(table, self.recipe.batch_size, rng)

    def step(self, state, batch, clock):
        """Update the state in place from a batch of row numbers, and return it."""
        recipe, x = self.recipe, self.inputs(batch)
        rng = stream(self.seed, STEP, self.epochs_before + clock.epoch, clock.batch)
        n_still = len(state.params) - 1 if clock.epoch < self.freeze else 0
        still, moving = state.params[:n_still], state.params[n_still:]

        def losses(moving):
            dropped = {"dropout": self._dropout, "rng": rng}
            return self._losses((*still, *moving), x, batch, **dropped)

        # Optimisers ascend, so the gradient is that of minus the loss.
        _, grads = vjp(losses, moving, lambda out: np.full_like(out, -1 / len(x)))
        rate = recipe.learning_rate_init, recipe.schedule, clock, recipe.power_t
        rule = {"rate": learning_rate(*rate), "momentum": recipe.momentum}
        rule["l2"] = recipe.alpha / len(x)
        for parts in zip(moving, state.optimiser[n_still:], grads):
            descend(recipe.solver, *parts, **rule)
        if recipe.max_norm is not None:
            for layer in moving[:-1]:
                limit(layer.W, recipe.max_norm)
        return state

    def losses(self, params, index):
        """Losses of the rows at an index, without dropout, in float64."""
        losses = self._losses(params, self.inputs(index), index)
        return losses.astype(np.float64)

    def _losses(self, params, x, index, **options):
        z = forward(params, x, self.recipe.activation, **options)
        return self.loss(z, self.targets[index].astype(x.dtype))

    @property
    def _dropout(self):
        rates = self.recipe.dropout
        return rates if isinstance(rates, tuple) else (0.0, rates)


def limit(W, max_norm):
    """Scale down, in place, the columns of W whose norm is above ``max_norm``."""
    norm = np.sqrt(np.einsum("ij,ij->j", W, W))
    if (norm > max_norm).any():
        W *= (max_norm / np.maximum(norm, max_norm)).astype(W.dtype)
