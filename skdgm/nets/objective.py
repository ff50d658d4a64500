r"""Objectives of nets: losses of rows, minimised by stochastic gradient steps.

Gradients of nets are vector-Jacobian products,

.. math:: \bar\theta = \left(\frac{\partial f}{\partial \theta}\right)^\top \bar f,

by reverse accumulation [1]_, on the tape of HIPS autograd [2]_.

References
----------
.. [1] Linnainmaa (1976). Taylor expansion of the accumulated rounding error. BIT.
.. [2] Maclaurin, Duvenaud and Adams (2015). Autograd: effortless gradients in NumPy.
   ICML AutoML workshop.
"""

from abc import abstractmethod
from typing import NamedTuple

import numpy as np
from autograd.core import VJPNode
from autograd.extend import Box
from autograd.tracer import new_box, toposort

from skdgm.optim import (
    Mean,
    adam,
    clip_norm,
    learning_rate,
    penalise_weights,
    piecewise,
    rmsprop,
    sgd,
)
from skdgm.training import DensityWatch, Objective
from skdgm.utils import random
from skdgm.utils.tree import tree_map

SOLVERS = {"adam": adam, "sgd": sgd, "rmsprop": rmsprop}
# Autograd's trace level. It is constant, as gradients are never nested; autograd's own
# counter is shared by all threads.
_LEVEL = 0


class NetState(NamedTuple):
    """Training state of nets.

    Parameters
    ----------
    params : tuple
        Tree of arrays.
    optimiser : tuple
        Optimiser state.
    statistics : tuple
        Running statistics of batch normalisation.
    mean : Mean or ()
        Average of the parameters after late updates.
    """

    params: tuple
    optimiser: tuple = ()
    statistics: tuple = ()
    mean: tuple = ()

    @property
    def learned(self):
        """Parameters to use: their average if there is one, else the current ones."""
        return self.mean.params if self.mean else self.params


class NetObjective(Objective):
    r"""Mean loss of rows by nets, minimised by stochastic gradient steps.

    .. math:: \theta \leftarrow \theta - \epsilon \, \nabla_\theta \, \frac1n \Bigl(
       \sum_{r=1}^n \ell_\theta(x_r) + \frac\alpha2 \lVert W \rVert^2 \Bigr)

    for batches of n rows, with the steps of an optimiser. Weights are penalised, and
    biases are not. The result may be the average of the parameters after late updates.

    Parameters
    ----------
    recipe : object
        Has as attributes ``solver``, ``learning_rate``, ``schedule``, ``power_t``,
        ``momentum``, ``alpha`` (weight decay, a number or a piecewise-constant
        schedule) and ``batch_size``; optionally ``clip_norm`` and ``average``; those of
        early stopping, where rows are held out.
    rows, seed, epochs_before
        As of :class:`~skdgm.training.Objective`.
    independent : float, optional
        Negative log-likelihood of independent columns, in nats per row.
    """

    INIT, PROBE = random.INIT, random.PROBE

    def __init__(self, recipe, rows, seed, epochs_before=0, independent=None):
        super().__init__(recipe, rows, seed, epochs_before)
        self.independent = independent

    @abstractmethod
    def init(self, rng):
        """Initial parameters and statistics, drawn by a NumPy generator."""

    @abstractmethod
    def prepare(self, state, batch, clock):
        """Rows and random numbers of an update, which :meth:`step` gives."""

    @abstractmethod
    def forward(self, params, given):
        """Losses of rows, by differentiable functions.

        Parameters
        ----------
        params : tuple
        given : object
            From :meth:`prepare`.

        Returns
        -------
        losses : ndarray of shape (n_rows,)
        statistics : tuple
            Updated running statistics.
        """

    @abstractmethod
    def losses(self, state, index, rng):
        """Losses of rows as :meth:`watch` compares them from epoch to epoch.

        Parameters
        ----------
        state : NetState
        index : ndarray of int
            Row numbers.
        rng : Stream
            One stream for each row, the same in every epoch.

        Returns
        -------
        losses : ndarray of shape (n_rows,), float64
            In nats.
        """

    def start(self):
        """Initial state, with newly drawn parameters."""
        params, statistics = self.init(random.stream(self.seed, self.INIT).generator())
        return self.resume(NetState(params, (), statistics))

    def resume(self, state):
        """State to continue from; optimiser state is kept if the solver is the same.

        Without an average, a former one replaces the current parameters.
        """
        fresh = SOLVERS[self.recipe.solver].init(state.params)
        if not state.optimiser or type(state.optimiser) is not type(fresh):
            state = state._replace(optimiser=fresh)
        if not getattr(self.recipe, "average", False):
            return state._replace(params=state.learned, mean=())
        if state.mean:
            return state
        return state._replace(mean=Mean.of(state.params))

    def step(self, state, batch, clock):
        """Update a state from a batch; see :class:`~skdgm.training.Objective`."""
        recipe, n_rows, statistics = self.recipe, len(batch), ()
        given = self.prepare(state, batch, clock)

        def losses(params):
            nonlocal statistics
            found, statistics = self.forward(params, given)
            return found

        # Optimisers ascend, so the gradient is that of minus the loss.
        _, grads = vjp(losses, state.params, lambda out: np.full_like(out, -1 / n_rows))
        rate = recipe.learning_rate, recipe.schedule, clock, recipe.power_t
        SOLVERS[recipe.solver].step(
            state.params,
            state.optimiser,
            penalise_weights(clip_norm(grads, getattr(recipe, "clip_norm", None))),
            rate=learning_rate(*rate),
            momentum=recipe.momentum,
            l2=piecewise(recipe.alpha, clock) / n_rows,
        )
        self.constrain(state.params)
        if state.mean:
            state.mean.follow(state.params)
        return state._replace(statistics=statistics)

    def since(self, epochs):
        """First epoch of the last value of ``alpha``; no earlier one is the best."""
        alpha = self.recipe.alpha
        n_values = len(alpha) if isinstance(alpha, tuple) else 1
        return epochs.stop - len(epochs) // n_values

    def constrain(self, params):
        """Project parameters onto their constraints, in place, after each update."""

    def watch(self, table, held_out, state):
        """Losses of the same rows at the end of each epoch."""
        return NetWatch(self, table, held_out, state)


class NetWatch(DensityWatch):
    """Losses of the same rows at the end of each epoch, with the same random numbers.

    Parameters
    ----------
    objective : NetObjective
    table, held_out, state
        As of :class:`~skdgm.training.DensityWatch`.
    """

    def __init__(self, objective, table, held_out, state):
        self.objective, self.rng = (
            objective,
            random.stream(objective.seed, objective.PROBE),
        )
        independent = objective.independent
        super().__init__(table, held_out, self.rng, independent, state)

    def _losses(self, state, index, part):
        rng = self.rng.rows(np.arange(part.start, part.stop, dtype=np.uint64))
        return self.objective.losses(state, index, rng)


def vjp(function, params, vector_of):
    r"""Value of a function, and a vector-Jacobian product by its parameters.

    The gradient of a mean over n rows is the product with a vector of 1 / n; with minus
    this, ascent along the result decreases the mean.

    Parameters
    ----------
    function : callable
        ``function(params)`` returns an array, computed by autograd's functions.
    params : tuple
        Tree of arrays. Its leaves are traced one by one: with autograd's own tuples,
        each leaf's gradient would be added to zeros for the whole tree.
    vector_of : callable
        ``vector_of(value)`` returns the vector, of the shape and dtype of the value.

    Returns
    -------
    value : ndarray
    grads : tuple
        The product :math:`\bar\theta`, a tree like the parameters; zeros for those that
        the value does not depend on.
    """
    boxes = tree_map(lambda leaf: new_box(leaf, _LEVEL, VJPNode.new_root()), params)
    end = function(boxes)
    if not isinstance(end, Box):
        return end, tree_map(np.zeros_like, params)
    roots, value = {}, end._value
    grads = {end._node: vector_of(value)}
    for node in toposort(end._node):
        grad = grads.pop(node)
        if not node.parents:
            roots[node] = grad
        for parent, part in zip(node.parents, node.vjp(grad)):
            grads[parent] = grads[parent] + part if parent in grads else part

    def of(leaf, box):
        return roots[box._node] if box._node in roots else np.zeros_like(leaf)

    return value, tree_map(of, params, boxes)
