r"""Recurrent nets whose states set the biases of the distribution of each step.

.. math:: s_t = f(x_t W + b, s_{t-1}; U), \qquad c_t = c + s_{t-1} W_c, \qquad
   b_t = b' + s_{t-1} W_b

The distribution of a step has hidden biases :math:`c_t` and visible biases :math:`b_t`;
its weights are constant in time [1]_.

References
----------
.. [1] Boulanger-Lewandowski, Bengio and Vincent (2012). Modeling temporal dependencies
   in high-dimensional sequences: application to polyphonic music generation and
   transcription. ICML.
"""

from typing import NamedTuple

import numpy as np

from skdgm.nets import Layer, columns, dense, drop_out, initial, lists_if_sparse
from skdgm.nets.recurrent import CELLS, begin_cell, last, recurrent, shifted
from skdgm.nets.tape import getval
from skdgm.utils.tree import astype

# Inverse slope of logistic units at 0, with which deviations neither vanish nor grow.
_SLOPE = 4.0


class Biases(NamedTuple):
    """Biases of the distribution of each row, (n_rows, n_hidden) and (n_rows,
    n_visible)."""

    hidden: np.ndarray
    visible: np.ndarray

    def take(self, rows):
        """Biases of the rows at an index."""
        return Biases(self.hidden[rows], self.visible[rows])


class RecurrentParams(NamedTuple):
    """Parameters of the cell's inputs (``below``), its recurrent weights and initial
    state (``within``), the ``hidden`` and ``visible`` biases, and other parameters of a
    ``step``."""

    below: Layer
    within: Layer
    hidden: Layer
    visible: Layer
    step: tuple


class RecurrentNet:
    """Recurrent net with a distribution of each step.

    ``cell`` names one of :data:`~skdgm.nets.recurrent.CELLS` with ``n_units``, ``init``
    is the initialization rule, and ``dropout`` the dropout rate of units that set
    biases. ``step`` has the numbers ``n_inputs``, ``n_hidden`` and ``n_visible`` of
    inputs to the cell and of biases; ``init(rng, dtype)``, which returns its parameters
    and both initial biases; and ``inputs(v)``, which encodes rows.
    """

    # True if values may leave the range of the training rows.
    extrapolates = False

    def __init__(self, step, cell, n_units, init, dropout=0.0):
        self.step, self.cell, self.n_units = step, CELLS[cell], n_units
        self.init_rule, self.dropout = init, dropout
        self.n_states = n_units * self.cell.n_states
        n_gates = n_units * self.cell.n_gates
        self.width = max(step.n_inputs, step.n_hidden, step.n_visible, n_gates)

    def n_weights(self):
        """Number of weights without the weights of the step."""
        ends = self.n_units * self.cell.n_gates + self.step.n_hidden
        n = self.step.n_inputs * self.n_units * self.cell.n_gates
        return n + self.n_units * (ends + self.step.n_visible)

    def init(self, rng, dtype):
        """Draw initial parameters, for which steps are independent."""
        n, step, rule = self.n_units, self.step, self.init_rule
        below, within = begin_cell(self.cell.name, n, rule, rng, step.n_inputs, dtype)
        step_params, hidden, visible = step.init(rng, dtype)
        return RecurrentParams(
            below,
            within,
            astype(Layer(initial(rule, rng, n, step.n_hidden), hidden), dtype),
            astype(Layer(np.zeros((n, step.n_visible)), visible), dtype),
            step_params,
        )

    def inputs(self, params, v):
        """Inputs to the cell."""
        return self.step.inputs(v)

    def below(self, params):
        """Input weights and biases of the cell."""
        return params.below

    def within(self, params):
        """Recurrent weights and initial state of the cell."""
        return params.within

    def states(self, params, x, sizes, carried=None):
        """States after each step of inputs x, (n_rows, n_states), for a batch with
        ``sizes`` sequences at its steps; differentiable."""
        below, within = self.below(params), self.within(params)
        a = dense(lists_if_sparse(x), below.W, below.b, "identity")
        return recurrent(a, within.W, within.b, sizes, self.cell.name, carried)

    def biases(self, params, states, rng=None):
        """Biases of steps, given the previous states; ``rng`` turns on dropout."""
        h = states
        if self.cell.n_states > 1:
            h = columns(states, 0, self.n_units)
        if self.dropout and rng is not None:
            h = drop_out(h, self.dropout, rng)
        (U, c), (V, b) = params.hidden, params.visible
        return Biases(dense(h, U, c, "identity"), dense(h, V, b, "identity"))

    def all_biases(self, params, x, sizes, carried=None, rng=None):
        """Biases of all steps of a batch, and the states of sequences after it."""
        after = self.states(params, x, sizes, carried)
        before = shifted(after, self.within(params).b, sizes, carried)
        return self.biases(params, before, rng), last(getval(after), sizes, carried)

    def last(self, states, x, sizes, carried):
        """States of sequences after a segment with inputs x, given the states of its
        rows and the states before it."""
        return last(states, sizes, carried)

    def begin(self, params, n):
        """Initial states of n sequences."""
        return np.tile(self.within(params).b, (n, 1))

    def follow(self, params, state, x):
        """States after one more step."""
        below = self.below(params)
        a = dense(x, below.W, below.b, "identity")
        return self.cell.step(a, state, self.within(params).W)

    def features(self, states):
        """Visible units of the cell's states."""
        return states[:, : self.n_units]


class TiedParams(NamedTuple):
    """Parameters of a :class:`TiedNet`: layers of the ``hidden`` and ``visible``
    biases, the initial state ``start``, and other parameters of a ``step``."""

    hidden: Layer
    visible: Layer
    start: np.ndarray
    step: tuple


class TiedNet(RecurrentNet):
    r"""Recurrent net whose state is the mean of the hidden units of a step.

    .. math:: s_t = \mathbb{E}[h_t \mid x_t, s_{t-1}] = \sigma(c_t + x_t W), \qquad
       c_t = c + s_{t-1} U

    Its weights are the weights W of the distribution of steps, and the weights U of the
    hidden biases.
    """

    def __init__(self, step, init, dropout=0.0):
        super().__init__(step, "logistic", step.n_hidden, init, dropout)

    def n_weights(self):
        return self.n_units * (self.n_units + self.step.n_visible)

    def init(self, rng, dtype):
        """Draw initial parameters. U is a scaled orthogonal matrix, because small
        weights would leave all states at 1/2, without memory."""
        step_params, hidden, visible = self.step.init(rng, dtype)
        n, n_visible = self.n_units, self.step.n_visible
        W = initial(self.init_rule, rng, self.step.n_inputs, n)
        U = _SLOPE * np.linalg.qr(rng.normal(size=(n, n)))[0]
        # States of 1/2 do not change the hidden biases.
        hidden = hidden - U.sum(axis=0) / 2
        return TiedParams(
            astype(Layer(U, hidden), dtype),
            astype(Layer(np.zeros((n, n_visible)), visible), dtype),
            np.full(n, 0.5, dtype),
            step_params._replace(W=W.astype(dtype)),
        )

    def inputs(self, params, v):
        """Inputs to hidden units."""
        return self.step.seen(params.step, self.step.inputs(v))

    def below(self, params):
        """Weights and biases of hidden units."""
        return Layer(params.step.W, params.hidden.b)

    def within(self, params):
        """Weights of the hidden biases, and the initial state."""
        return Layer(params.hidden.W, params.start)
