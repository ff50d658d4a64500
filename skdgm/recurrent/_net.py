r"""Recurrent nets whose states give the biases of a distribution of each step.

.. math:: s_t = f(x_t W + b, s_{t-1}; U), \qquad c_t = c + s_{t-1} W_c, \qquad
   b_t = b' + s_{t-1} W_b

The distribution of a step has hidden biases :math:`c_t` and visible ones :math:`b_t`;
all else of it is the same at all times [1]_.

References
----------
.. [1] Boulanger-Lewandowski, Bengio and Vincent (2012). Modeling temporal dependencies
   in high-dimensional sequences: application to polyphonic music generation and
   transcription. ICML.
"""

from typing import NamedTuple

import numpy as np

from skdgm.nets import Layer, columns, dense, initial, listed
from skdgm.nets.recurrent import CELLS, last, recurrent, shifted
from skdgm.nets.tape import getval


class Weights(NamedTuple):
    """Parameters: of inputs ``below`` the cell; those ``within`` it, with its state at
    the start; and of the ``hidden`` and ``visible`` biases above it; and the others of
    the distribution of a ``step``."""

    below: Layer
    within: Layer
    hidden: Layer
    visible: Layer
    step: tuple


class Biases(NamedTuple):
    """Biases of the distribution of each row, (n_rows, n_units) and (n_rows,
    n_outputs)."""

    hidden: np.ndarray
    visible: np.ndarray


class RecurrentNet:
    """Recurrent net below a distribution of steps.

    ``cell`` is one of :data:`~skdgm.nets.recurrent.CELLS` with so many units, whose
    weights are drawn by a ``rule``. The ``step`` defines ``n_inputs``, ``n_hidden`` and
    ``n_visible``, numbers of inputs to the cell and of biases; ``init(rng, dtype)``,
    its parameters and the initial biases of both kinds; and ``inputs(v)`` of rows.
    """

    def __init__(self, step, cell, n_units, rule):
        self.step, self.cell, self.n_units, self.rule = step, CELLS[cell], n_units, rule
        self.n_states = n_units * self.cell.n_states
        sizes = step.n_inputs, step.n_hidden, step.n_visible
        self.width = max(*sizes, n_units * self.cell.n_gates)

    def n_weights(self):
        """Number of weights, but for those of the step."""
        ends = self.n_units * self.cell.n_gates + self.step.n_hidden
        n = self.step.n_inputs * self.n_units * self.cell.n_gates
        return n + self.n_units * (ends + self.step.n_visible)

    def init(self, rng, dtype):
        """Draw initial parameters, with which steps do not depend on those before."""
        n, n_gates, step = self.n_units, self.cell.n_gates, self.step
        W = initial(self.rule, rng, step.n_inputs, n, (step.n_inputs, n * n_gates))
        # Orthogonal, by which gradients neither vanish nor explode at first.
        U = [np.linalg.qr(rng.normal(size=(n, n)))[0] for _ in range(n_gates)]
        own, hidden, visible = step.init(rng, dtype)
        found = Weights(
            Layer(W, self.cell.begin_biases(n)),
            Layer(np.concatenate(U, axis=1), np.zeros(self.n_states)),
            Layer(initial(self.rule, rng, n, step.n_hidden), hidden),
            Layer(np.zeros((n, step.n_visible)), visible),
            own,
        )
        parts = (Layer(*(a.astype(dtype) for a in layer)) for layer in found[:4])
        return Weights(*parts, own)

    def states(self, params, x, sizes, carried=None):
        """States after each step of inputs x, (n_rows, n_states), for a batch of so
        many sequences at each step; differentiable."""
        a = dense(listed(x), *params.below, "identity")
        return recurrent(a, *params.within, sizes, self.cell.name, carried)

    def before(self, params, after, sizes, carried=None):
        """States before each step, given those after it."""
        return shifted(after, params.within.b, sizes, carried)

    def biases(self, params, states):
        """Biases of steps, given the states before."""
        h = states
        if self.cell.n_states > 1:
            h = columns(states, 0, self.n_units)
        return Biases(
            dense(h, *params.hidden, "identity"), dense(h, *params.visible, "identity")
        )

    def all_biases(self, params, x, sizes, carried=None):
        """Biases of all steps of a batch, and the states of sequences after it."""
        after = self.states(params, x, sizes, carried)
        before = self.before(params, after, sizes, carried)
        return self.biases(params, before), last(getval(after), sizes, carried)

    def begin(self, params, n):
        """States of n sequences before their first step."""
        return np.tile(params.within.b, (n, 1))

    def follow(self, params, state, x):
        """States after one more step."""
        a = dense(x, *params.below, "identity")
        return self.cell.step(a, state, params.within.W)

    def features(self, states):
        """Units of states: those of the cell that others see."""
        return states[:, : self.n_units]
