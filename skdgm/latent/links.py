r"""Autoregressive links: dependence of units of a layer, or of columns, on previous
ones.

A net gives the parameters of each unit given the layer above, and a link adds terms of
the previous values x. The terms are linear [1]_ [2]_,

.. math:: a_t = b_t(y) + \sum_{i < t} x_i U_{it},

or by hidden units shared by all columns, whose biases are outputs of the net [3]_ [4]_,

.. math:: a_t = b_t(y) + V_t h_t, \qquad
   h_t = \sigma\Bigl(\rho_t \bigl(c(y) + \sum_{i < t} x_i W_i\bigr)\Bigr)

with :math:`\rho_t = 1` for bits. Between columns, U and V have a factor ``pace``, which
multiplies their learning rate under Adam, and squared under SGD. The density of given
values takes one pass; draws are sequential.

References
----------
.. [1] Gregor, Danihelka, Mnih, Blundell and Wierstra (2014). Deep autoregressive
   networks. ICML.
.. [2] Bornschein and Bengio (2015). Reweighted wake-sleep. ICLR.
.. [3] Larochelle and Murray (2011). The neural autoregressive distribution estimator.
   AISTATS.
.. [4] Boulanger-Lewandowski, Bengio and Vincent (2012). Modeling temporal dependencies
   in high-dimensional sequences. ICML.
"""

from abc import ABC, abstractmethod
from functools import cache

import numpy as np

from skdgm.nets import (
    KINDS,
    Shape,
    activate,
    columns,
    dense,
    initial,
    linear_bits,
    masked,
    pick,
    tied,
    tied_bits,
    to_draws,
)

_ACTIVATION = "logistic"


class AutoregressiveLink(ABC):
    """Terms of previous values that are added to the outputs ``raw`` of a net.

    ``raw`` has one row for several consecutive rows of draws, or one for each; inputs x
    represent values. ``n_extra`` outputs of the net are not parameters of columns.

    ``of_inputs`` and ``of_outputs`` are the columns of each input and output, and
    ``order`` the order of columns. ``steady`` outputs do not depend on other columns.
    With ``scaled``, hidden units have a factor for each column, as needed for real
    numbers. ``pace`` multiplies the learning rate of U or V, see the module.
    """

    n_extra = 0

    def __init__(
        self, of_inputs, of_outputs, *, order, steady=None, scaled=False, pace=1.0
    ):
        self.order, self.pace, place = order, pace, np.argsort(order)
        self.n_inputs, self.n_outputs = len(of_inputs), len(of_outputs)
        self.of_inputs, self.of_outputs = place[of_inputs], place[of_outputs]
        # Positions of inputs and outputs, sorted by columns.
        self.input_order = np.argsort(self.of_inputs, kind="stable")
        self.out = np.argsort(self.of_outputs, kind="stable")
        self.steady, self.scaled = steady, scaled
        positions = np.arange(len(order))
        self.outputs_of = [np.flatnonzero(self.of_outputs == t) for t in positions]
        self.seen = [np.flatnonzero(self.of_inputs == t) for t in positions]

    @abstractmethod
    def init(self, rule, rng, dtype):
        """Initial parameters, under which previous values have no effect."""

    @abstractmethod
    def apply(self, params, raw, x):
        """Outputs of all columns, each given the inputs x of previous columns, (n_rows
        * n_draws, n_outputs)."""

    @abstractmethod
    def weights(self, params):
        """Effective weights U, or (W, V), 0 without dependence."""

    @abstractmethod
    def exempt_from_decay(self, params, grads, l2):
        """Correct the gradients of parameters with a pace, in place, so that the weight
        decay ``l2`` applies to the effective weights."""

    @abstractmethod
    def begin(self, params, raw):
        """State before the first column."""

    @abstractmethod
    def output(self, params, state, t):
        """Outputs of the column at position t of the order, (n_rows,
        n_column_outputs)."""

    @abstractmethod
    def absorb(self, params, state, t, x):
        """Update the state, in place, by the inputs x of the column at position t."""

    @abstractmethod
    def bits(self, params, raw, v, uniform=None):
        """Draw the missing bits of rows v with ``uniform`` noise; without noise, return
        the mean of each bit given the previous values."""

    def _ordered(self, a):
        return np.ascontiguousarray(a[:, self.order])


class Linear(AutoregressiveLink):
    """Link by linear terms; parameters are the weights U."""

    def __init__(
        self, of_inputs, of_outputs, *, order, steady=None, scaled=False, pace=1.0
    ):
        super().__init__(
            of_inputs, of_outputs, order=order, steady=steady, scaled=scaled, pace=pace
        )
        self.mask = self.pace * (self.of_inputs[:, None] < self.of_outputs)
        if self.steady is not None:
            self.mask *= ~self.steady
        self._masks = {}

    def init(self, rule, rng, dtype):
        return np.zeros(self.mask.shape, dtype)

    def weights(self, params):
        return params * self.mask.astype(params.dtype)

    def apply(self, params, raw, x):
        if params.dtype not in self._masks:
            self._masks[params.dtype] = self.mask.astype(params.dtype)
        W = masked(params, self._masks[params.dtype])
        terms = dense(x, W, np.zeros(self.n_outputs, params.dtype), "identity")
        n = max(len(raw), len(terms))
        return to_draws(raw, n) + to_draws(terms, n)

    def exempt_from_decay(self, params, grads, l2):
        grads += grads.dtype.type(l2 * (1 - self.pace**2)) * params

    def begin(self, params, raw):
        return [raw.copy()]

    def output(self, params, state, t):
        return state[0][:, self.outputs_of[t]]

    def absorb(self, params, state, t, x):
        seen = self.seen[t]
        state[0] += x @ (params[seen] * self.mask[seen]).astype(params.dtype)

    def bits(self, params, raw, v, uniform=None):
        W = self.weights(params)
        W = np.ascontiguousarray(W[np.ix_(self.order, self.order)])
        uniform = None if uniform is None else self._ordered(uniform)
        bits = linear_bits(W, self._ordered(raw), self._ordered(v), uniform)
        return _placed(bits, self.order)


class Hidden(AutoregressiveLink):
    """Link by hidden units, as many as there are inputs; parameters are W, V and rho,
    and the net's extra outputs are the biases of the hidden units."""

    def __init__(
        self, of_inputs, of_outputs, *, order, steady=None, scaled=False, pace=1.0
    ):
        super().__init__(
            of_inputs, of_outputs, order=order, steady=steady, scaled=scaled, pace=pace
        )
        self.n_extra = self.n_inputs
        ends = np.cumsum([len(outputs_of) for outputs_of in self.outputs_of])
        seen = np.sort(self.of_inputs)
        self.shape = Shape(seen, np.append(0, ends), KINDS[_ACTIVATION])
        self.back = np.argsort(self.out)
        self.plain = (self.order == np.arange(len(self.order))).all()
        self.plain &= (self.out == np.arange(self.n_outputs)).all()
        self.factor = np.full(self.n_outputs, self.pace)
        if self.steady is not None:
            self.factor *= ~self.steady

    def init(self, rule, rng, dtype):
        W = initial(rule, rng, self.n_inputs, self.n_extra).astype(dtype)
        V = np.zeros((self.n_outputs, self.n_extra), dtype)
        rho = 1 / np.sqrt(1 + np.arange(len(self.order) if self.scaled else 0))
        return W, V, rho.astype(dtype)

    def weights(self, params):
        W, V, _ = params
        return W, V * self.factor[:, None].astype(V.dtype)

    def apply(self, params, raw, x):
        (W, V, rho), n = params, self.n_outputs
        c, x = columns(raw, n, n + self.n_extra), getattr(x, "x", x)
        if not self.plain:
            x = x[:, self.input_order]
            W = pick(W, self.input_order, 0)
            V = pick(V, self.out, 0)
        size = max(len(raw), len(x))
        x = x if len(x) == size else np.repeat(x, size // len(x), axis=0)
        zeros = np.zeros(n, x.dtype)
        terms = tied(np.ascontiguousarray(x), self.shape, W, c, rho, V, zeros)
        terms = terms if self.plain else pick(terms, self.back)
        if (self.factor != 1).any():
            terms = terms * self.factor.astype(x.dtype)
        return to_draws(columns(raw, 0, n), size) + terms

    def exempt_from_decay(self, params, grads, l2):
        grads[1][:] += grads[1].dtype.type(l2 * (1 - self.pace**2)) * params[1]

    def begin(self, params, raw):
        n = self.n_outputs
        return [raw[:, n:].copy(), raw[:, :n]]

    def output(self, params, state, t):
        (_, V, rho), outputs_of = params, self.outputs_of[t]
        scale = rho[t] if self.scaled else V.dtype.type(1)
        terms = activate(state[0] * scale, _ACTIVATION) @ V[outputs_of].T
        return state[1][:, outputs_of] + terms * self.factor[outputs_of].astype(V.dtype)

    def absorb(self, params, state, t, x):
        state[0] += x @ params[0][self.seen[t]]

    def bits(self, params, raw, v, uniform=None):
        rho, n = params[2], self.n_outputs
        b, c = self._ordered(raw[:, :n]), np.ascontiguousarray(raw[:, n:])
        W_and_V = self.weights(params)
        W, V = (np.ascontiguousarray(matrix[self.order]) for matrix in W_and_V)
        uniform = None if uniform is None else self._ordered(uniform)
        v = self._ordered(v)
        bits = tied_bits((W, c, rho, V, b), self.shape.kind, v, uniform)
        return _placed(bits, self.order)


def _placed(v, order):
    placed = np.empty_like(v)
    placed[:, order] = v
    return placed


# Links by the value of an option.
LINKS = {True: Linear, "nade": Hidden}


@cache
def of_bits(kind, n):
    """Link of a layer of n bits; ``kind`` is a key of ``LINKS``."""
    each = np.arange(n)
    return LINKS[kind](each, each, order=each)
