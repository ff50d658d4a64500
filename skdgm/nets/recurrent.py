r"""Recurrent cells over batches of sequences of different lengths.

.. math:: s_t = f(a_t, s_{t-1}), \qquad a_t = x_t W + b

Rows are in the order of a :class:`~skdgm.training.Segment`: all first steps, then all
second steps, the longest sequences first, so that nothing is padded. The term :math:`a`
does not depend on the state, and is one matrix product for all steps. Each step adds
the product of the previous state and the recurrent weights U. In the backward pass, the
derivatives K of all steps are computed at once from the states. Each step is one
product again, and so is the gradient by U:

.. math:: \delta_t = K_t \odot \bar s_t, \qquad
   \bar s_{t-1} \mathrel{+}= \delta_t U^\top, \qquad
   \bar U = \textstyle\sum_t s_{t-1}^\top \delta_t

With the previous state :math:`s'`, the cells are

===========  =======================================================================
"tanh"       :math:`s = \tanh(a + s' U)`
"logistic"   :math:`s = \sigma(a + s' U)`
"gru"        :math:`z, r = \sigma(a_{zr} + s' U_{zr})`,
             :math:`n = \tanh(a_n + r \odot s' U_n)`, :math:`s = (1 - z) \odot n + z
             \odot s'` [1]_
"lstm"       :math:`i, f, o = \sigma(a_{ifo} + s' U_{ifo})`,
             :math:`g = \tanh(a_g + s' U_g)`, :math:`c = f \odot c' + i \odot g`,
             :math:`s = o \odot \tanh c` [2]_
===========  =======================================================================

References
----------
.. [1] Cho, van Merrienboer, Gulcehre, Bahdanau, Bougares, Schwenk and Bengio (2014).
   Learning phrase representations using RNN encoder-decoder. EMNLP.
.. [2] Hochreiter and Schmidhuber (1997). Long short-term memory. Neural Computation.
"""

import numpy as np
from autograd.extend import defvjp_argnums

from skdgm.nets.feed_forward import Layer, initial
from skdgm.nets.primitives import columns, dense
from skdgm.nets.stochastic.bernoulli_latents import to_draws
from skdgm.nets.tape import Factors, primitive
from skdgm.utils.math import sigmoid
from skdgm.utils.tree import astype


class PlainCell:
    """Simple recurrent cell, with activation function "tanh" or "logistic"."""

    n_gates = n_states = 1

    def __init__(self, name):
        self.name = name
        self.squash = np.tanh if name == "tanh" else sigmoid

    def begin_biases(self, n):
        """Initial biases of n units, (n * n_gates,)."""
        return np.zeros(n * self.n_gates)

    def step(self, a, s, U):
        """Next states, (n_rows, n_states * n_units), given previous states s."""
        return self.squash(a + s @ U)

    def factors(
        self, a: np.ndarray, s: np.ndarray, after: np.ndarray, U: np.ndarray
    ) -> tuple:
        """Factors of the backward pass, for all steps, given states before and
        after."""
        slope = 1 - after**2 if self.name == "tanh" else after * (1 - after)
        return (slope,)

    def back(self, ds, U, factors):
        """Gradients by a, s U and the previous state, given that by the next state."""
        (slope,) = factors
        delta = ds * slope
        return delta, delta, delta @ U.T


class GRU(PlainCell):
    """Gated recurrent unit, with update gate z, reset gate r and candidate n."""

    n_gates = 3

    def __init__(self):
        self.name = "gru"

    def _gates(self, a, s, U):
        n, q = s.shape[1], s @ U
        gates = sigmoid(a[:, : 2 * n] + q[:, : 2 * n])
        z, r, q = gates[:, :n], gates[:, n:], q[:, 2 * n :]
        return z, r, q, np.tanh(a[:, 2 * n :] + r * q)

    def step(self, a, s, U):
        z, _, _, n = self._gates(a, s, U)
        return n + z * (s - n)

    def factors(self, a, s, after, U):
        """Update gates, and factors of the gradients by pre-activations and by s U."""
        z, r, q, n = self._gates(a, s, U)
        by_n = (1 - z) * (1 - n**2)
        by_r = by_n * q * r * (1 - r)
        return z, np.stack([(s - n) * z * (1 - z), by_r, by_n], 1), by_n * r

    def back(self, ds, U, factors):
        (z, by_a, by_q), n = factors, ds.shape[1]
        da = (ds[:, None] * by_a).reshape(len(ds), 3 * n)
        dq = da.copy()
        dq[:, 2 * n :] = ds * by_q
        return da, dq, ds * z + dq @ U.T


class LSTM(PlainCell):
    """Long short-term memory, with input gate i, forget gate f, output gate o and
    candidate g. A state consists of units and memory cells, (n_rows, 2 * n_units)."""

    n_gates, n_states = 4, 2

    def __init__(self):
        self.name = "lstm"

    def begin_biases(self, n):
        """Initial biases: 1 for forget gates, 0 for the others."""
        return np.repeat([0.0, 1.0, 0.0, 0.0], n)

    def _gates(self, a, s, U):
        n = s.shape[1] // 2
        a = a + s[:, :n] @ U
        gates = sigmoid(a[:, : 3 * n])
        return n, gates[:, :n], gates[:, n : 2 * n], gates[:, 2 * n :], a[:, 3 * n :]

    def step(self, a, s, U):
        n, i, f, o, g = self._gates(a, s, U)
        after = np.empty_like(s)
        c = after[:, n:]
        np.multiply(f, s[:, n:], out=c)
        c += i * np.tanh(g)
        np.multiply(o, np.tanh(c), out=after[:, :n])
        return after

    def factors(self, a, s, after, U):
        """Factors of the gradients by gates, by memory cells and by units."""
        n, i, f, o, g = self._gates(a, s, U)
        g, t = np.tanh(g), np.tanh(after[:, n:])
        by_c = np.stack([g * i * (1 - i), s[:, n:] * f * (1 - f), i * (1 - g**2)], 1)
        return o * (1 - t**2), by_c, t * o * (1 - o), f

    def back(self, ds, U, factors):
        (c_of_h, by_c, by_h, f), n = factors, ds.shape[1] // 2
        dh, dc = ds[:, :n], ds[:, n:] + ds[:, :n] * c_of_h
        delta, by_gates = np.empty((len(ds), 4, n), ds.dtype), dc[:, None] * by_c
        delta[:, :2], delta[:, 2], delta[:, 3] = (
            by_gates[:, :2],
            dh * by_h,
            by_gates[:, 2],
        )
        delta = delta.reshape(len(ds), 4 * n)
        return delta, delta, np.concatenate([delta @ U.T, dc * f], axis=1)


CELLS = {
    "tanh": PlainCell("tanh"),
    "logistic": PlainCell("logistic"),
    "gru": GRU(),
    "lstm": LSTM(),
}


def begin_cell(name, n_units, rule, rng, n_inputs, dtype):
    """Draw the parameters of a cell: a layer with input weights W and biases, and a
    layer with recurrent weights U and the initial state. U is orthogonal, so that
    gradients neither vanish nor explode at first."""
    cell, n = CELLS[name], n_units
    W = initial(rule, rng, n_inputs, n, (n_inputs, n * cell.n_gates))
    U = [np.linalg.qr(rng.normal(size=(n, n)))[0] for _ in range(cell.n_gates)]
    below = Layer(W, cell.begin_biases(n))
    within = Layer(np.concatenate(U, axis=1), np.zeros(n * cell.n_states))
    return astype((below, within), dtype)


class Walk:
    """Recurrent cell for one step at a time, if inputs depend on previous states.
    Parameters are those of :func:`begin_cell`."""

    def __init__(self, name, n_units):
        self.name, self.n_units, self.cell = name, n_units, CELLS[name]

    def init(self, rule, rng, n_inputs, dtype):
        """Draw the parameters."""
        return begin_cell(self.name, self.n_units, rule, rng, n_inputs, dtype)

    def start(self, params, n_rows):
        """States before the first step, (n_rows, n_states * n_units)."""
        return to_draws(params[1].b.reshape((1, -1)), n_rows)

    def step(self, params, state, x):
        """States after a step with inputs x."""
        below, within = params
        a = dense(x, below.W, below.b, "identity")
        return advance(a, state, within.W, self.name)

    def units(self, state):
        """Units of the cell, (n_rows, n_units), without memory cells."""
        return columns(state, 0, self.n_units) if self.cell.n_states > 1 else state


@primitive
def advance(a, state, U, cell):
    """States after one step, given previous states; see :func:`recurrent`."""
    return CELLS[cell].step(a, state, U)


def _advance_back(argnums, after, args, kwargs):
    a, state, U, cell = args

    def backward(grad):
        rule = CELLS[cell]
        da, dq, ds = rule.back(grad, U, rule.factors(a, state, after, U))
        grads = da, ds, Factors(state[:, : len(U)], dq)
        return [grads[argnum] for argnum in argnums]

    return backward


defvjp_argnums(advance, _advance_back)


@primitive
def stacked(*parts):
    """Concatenate the rows of arrays."""
    return np.concatenate(parts)


def _stacked_back(argnums, _, parts, kwargs):
    def backward(grad):
        grads = np.split(grad, np.cumsum([len(array) for array in parts])[:-1])
        return [grads[argnum] for argnum in argnums]

    return backward


defvjp_argnums(stacked, _stacked_back)


@primitive
def recurrent(a, U, start, sizes, cell, carried=None):
    """States after each step, (n_rows, n_states * n_units), of sequences in the order
    of a :class:`~skdgm.training.Segment`.

    Pre-activations a without the recurrent term have shape (n_rows, n_gates * n_units),
    and recurrent weights U (n_units, n_gates * n_units). All sequences begin with the
    state ``start``, (n_states * n_units,), or with ``carried``,
    (n_sequences, n_states * n_units). ``sizes`` is the number of sequences with each
    step, not increasing; ``cell`` is one of ``CELLS``.
    """
    rule, after = CELLS[cell], np.empty((len(a), len(start)), a.dtype)
    s, first = _first(start, sizes, carried), 0
    for size in sizes:
        rows = slice(first, first + size)
        s = rule.step(a[rows], s[:size], U)
        after[rows], first = s, first + size
    return after


def _first(start, sizes, carried):
    """States of sequences before the first step."""
    if carried is None:
        return np.tile(start, (sizes[0], 1))
    return carried[: sizes[0]]


def _places(sizes):
    """Rows of all steps but the first, and rows of their previous steps."""
    ends = np.cumsum(sizes)
    rows = np.arange(sizes[0], ends[-1])
    return rows, rows - np.repeat(sizes[:-1], sizes[1:])


def _before(after, start, sizes, carried):
    before, (rows, previous_rows) = np.empty_like(after), _places(sizes)
    before[: sizes[0]] = _first(start, sizes, carried)
    before[rows] = after[previous_rows]
    return before


def _recurrent_back(argnums, after, args, kwargs):
    a, U, start, sizes, cell, *optional = args
    carried = optional[0] if optional else kwargs.get("carried")

    def backward(grad):
        rule = CELLS[cell]
        before = _before(after, start, sizes, carried)
        factors = rule.factors(a, before, after, U)
        by_inputs = np.empty((2, *a.shape), a.dtype)
        da, dq = by_inputs[0], by_inputs[1]
        end, ds = len(a), np.zeros((0, len(start)), a.dtype)
        for size in sizes[::-1]:
            rows = slice(end - size, end)
            total = grad[rows].copy()
            total[: len(ds)] += ds
            of_step = tuple(factor[rows] for factor in factors)
            da[rows], dq[rows], ds = rule.back(total, U, of_step)
            end -= size
        n = U.shape[0]
        grads = {
            0: da,
            1: before[:, :n].T @ dq,
            2: ds.sum(axis=0) if carried is None else np.zeros_like(start),
        }
        return [grads[argnum] for argnum in argnums]

    return backward


defvjp_argnums(recurrent, _recurrent_back)


@primitive
def shifted(after, start, sizes, carried=None):
    """States before each step, given states after each step; see :func:`recurrent`."""
    return _before(after, start, sizes, carried)


def _shifted_back(argnums, before, args, kwargs):
    after, start, sizes, *optional = args
    carried = optional[0] if optional else kwargs.get("carried")

    def backward(grad):
        back, (rows, previous_rows) = np.zeros_like(after), _places(sizes)
        back[previous_rows] = grad[rows]
        by_start = np.zeros_like(start)
        if carried is None:
            by_start = grad[: sizes[0]].sum(axis=0)
        return [(back, by_start)[argnum] for argnum in argnums]

    return backward


defvjp_argnums(shifted, _shifted_back)


def last(after, sizes, carried):
    """Last state of each sequence, (n_sequences, n_states * n_units). Sequences without
    a step in this segment keep their state, ``carried``."""
    ends = np.cumsum(sizes)
    n = sizes[0] if carried is None else max(sizes[0], len(carried))
    states = np.empty((n, after.shape[1]), after.dtype)
    if carried is not None:
        states[: len(carried)] = carried
    for size, end in zip(sizes, ends):
        states[:size] = after[end - size : end]
    return states
