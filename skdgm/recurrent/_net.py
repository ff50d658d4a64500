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

from skdgm.nets import Layer, columns, dense, drop_out, initial, listed
from skdgm.nets.recurrent import CELLS, begin_cell, last, recurrent, shifted
from skdgm.nets.tape import getval
from skdgm.recurrent._biases import Biases

# One over the slope of logistic units at 0: deviations neither vanish nor grow.
_SLOPE = 4.0


class Weights(NamedTuple):
    """Parameters: of inputs ``below`` the cell; those ``within`` it, with its state at
    the start; and of the ``hidden`` and ``visible`` biases above it; and the others of
    the distribution of a ``step``."""

    below: Layer
    within: Layer
    hidden: Layer
    visible: Layer
    step: tuple


class RecurrentNet:
    """Recurrent net below a distribution of steps.

    ``cell`` is one of :data:`~skdgm.nets.recurrent.CELLS` with so many units, whose
    weights are drawn by a ``rule``; of these, a share may drop out above. The ``step``
    defines ``n_inputs``, ``n_hidden`` and ``n_visible``, numbers of inputs to the cell
    and of biases; ``init(rng, dtype)``, its parameters and the initial biases of both
    kinds; and ``inputs(v)`` of rows.
    """

    def __init__(self, step, cell, n_units, rule, dropout=0.0):
        self.step, self.cell, self.n_units, self.rule = step, CELLS[cell], n_units, rule
        self.dropout = dropout
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
        n, step = self.n_units, self.step
        n_inputs = step.n_inputs
        inner = begin_cell(self.cell.name, n, self.rule, rng, n_inputs, dtype)
        own, hidden, visible = step.init(rng, dtype)
        found = Weights(
            *inner,
            Layer(initial(self.rule, rng, n, step.n_hidden), hidden),
            Layer(np.zeros((n, step.n_visible)), visible),
            own,
        )
        parts = (Layer(*(a.astype(dtype) for a in layer)) for layer in found[:4])
        return Weights(*parts, own)

    def inputs(self, params, v):
        """Inputs to the cell."""
        return self.step.inputs(v)

    def below(self, params):
        """Weights and biases of the cell's inputs."""
        return params.below

    def within(self, params):
        """Weights of the cell's units on each other, and its state at the start."""
        return params.within

    def states(self, params, x, sizes, carried=None):
        """States after each step of inputs x, (n_rows, n_states), for a batch of so
        many sequences at each step; differentiable."""
        a = dense(listed(x), *self.below(params), "identity")
        return recurrent(a, *self.within(params), sizes, self.cell.name, carried)

    def before(self, params, after, sizes, carried=None):
        """States before each step, given those after it."""
        return shifted(after, self.within(params).b, sizes, carried)

    def biases(self, params, states, rng=None):
        """Biases of steps, given the states before, of whose units some drop out by a
        stream."""
        h = states
        if self.cell.n_states > 1:
            h = columns(states, 0, self.n_units)
        if self.dropout and rng is not None:
            h = drop_out(h, self.dropout, rng)
        return Biases(
            dense(h, *params.hidden, "identity"), dense(h, *params.visible, "identity")
        )

    def all_biases(self, params, x, sizes, carried=None, rng=None):
        """Biases of all steps of a batch, and the states of sequences after it."""
        after = self.states(params, x, sizes, carried)
        before = self.before(params, after, sizes, carried)
        return self.biases(params, before, rng), last(getval(after), sizes, carried)

    def begin(self, params, n):
        """States of n sequences before their first step."""
        return np.tile(self.within(params).b, (n, 1))

    def follow(self, params, state, x):
        """States after one more step."""
        a = dense(x, *self.below(params), "identity")
        return self.cell.step(a, state, self.within(params).W)

    def features(self, states):
        """Units of states: those of the cell that others see."""
        return states[:, : self.n_units]


class TiedWeights(NamedTuple):
    """Parameters of a :class:`TiedNet`: of the hidden and visible biases, the state at
    the ``start``, and the others of the distribution of a ``step``."""

    hidden: Layer
    visible: Layer
    start: np.ndarray
    step: tuple


class TiedNet(RecurrentNet):
    r"""Recurrent net whose state is the mean of the hidden units of a step.

    .. math:: s_t = \mathbb{E}[h_t \mid x_t, s_{t-1}] = \sigma(c_t + x_t W), \qquad
       c_t = c + s_{t-1} U

    Its weights are those of the distribution of steps, :math:`W`, and of the hidden
    biases, U: it has as many units as that.
    """

    def __init__(self, step, rule, dropout=0.0):
        super().__init__(step, "logistic", step.n_hidden, rule, dropout)

    def n_weights(self):
        """Number of weights, but for those of the step."""
        return self.n_units * (self.n_units + self.step.n_visible)

    def init(self, rng, dtype):
        """Draw initial parameters: small weights would leave all states at 1/2, and
        nothing of a step in the next."""
        own, hidden, visible = self.step.init(rng, dtype)
        n, n_visible = self.n_units, self.step.n_visible
        W = initial(self.rule, rng, self.step.n_inputs, n)
        own = own._replace(W=W.astype(dtype))
        U = _SLOPE * np.linalg.qr(rng.normal(size=(n, n)))[0]
        # States of 1/2 leave hidden biases as they are.
        hidden = hidden - U.sum(axis=0) / 2
        layers = Layer(U, hidden), Layer(np.zeros((n, n_visible)), visible)
        layers = (Layer(*(a.astype(dtype) for a in layer)) for layer in layers)
        return TiedWeights(*layers, np.full(n, 0.5, dtype), own)

    def inputs(self, params, v):
        """Inputs to hidden units."""
        return self.step.seen(params.step, self.step.inputs(v))

    def below(self, params):
        """Weights and biases of hidden units."""
        return Layer(params.step.W, params.hidden.b)

    def within(self, params):
        """Weights on hidden biases, and the state at the start."""
        return Layer(params.hidden.W, params.start)
