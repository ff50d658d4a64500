r"""Chains that are nets: layers with masks, or one layer shared by all conditionals.

Masks leave no path from a column to its own output or to that of one before it
(:mod:`skdgm.nets.masks`). Without hidden units this is a fully visible belief network
[1]_, with a group of units for each column a neural autoregressive network [2]_, and
with random degrees a masked autoencoder [3]_.

The hidden layer shared by the conditionals of all columns is

.. math:: h_t = f\Bigl(\rho_t \bigl(c + \sum_{i < t} x_i W_i\bigr)\Bigr), \qquad
   z_t = b_t + V_t h_t;

see :mod:`skdgm.nets.constrained`.

References
----------
.. [1] Frey (1998). Graphical models for machine learning and digital communication.
   MIT Press.
.. [2] Bengio and Bengio (2000). Modeling high-dimensional discrete data with
   multi-layer neural networks. NIPS.
.. [3] Germain, Gregor, Murray and Larochelle (2015). MADE: masked autoencoder for
   distribution estimation. ICML.
"""

from itertools import pairwise

import numpy as np

from skdgm.autoregressive._chain import Chain
from skdgm.nets import (
    KINDS,
    Layer,
    Shape,
    Tied,
    activate,
    beside,
    by_degrees,
    draw_bits,
    initial,
    listed,
    masked_dense,
    pick,
    tied,
)


class MaskedChain(Chain):
    """Chain of dense layers with masked weights.

    ``degrees`` of the units of each hidden layer increase; 0 is the first column. They
    have an activation and, by a ``rule``, initial weights. If ``direct``, outputs see
    inputs as well as hidden units.
    """

    def __init__(self, conditionals, start, order, degrees, activation, rule, direct):
        super().__init__(conditionals, start, order)
        self.degrees, self.activation = degrees, activation
        self.rule, self.direct = rule, direct or not degrees
        self.n_units = max(map(len, degrees), default=0)
        self.n_features = len(degrees[-1]) if degrees else self.n_columns
        numbers = np.arange(self.n_columns)
        seen = np.repeat(numbers, self.conditionals.n_inputs)
        of_outputs = np.repeat(numbers, self.conditionals.n_outputs)
        self.masks = by_degrees(seen, degrees, of_outputs, self.direct)
        self.layers = [masked_dense(mask, activation, rule) for mask in self.masks[:-1]]
        self.layers.append(masked_dense(self.masks[-1]))
        # Number of units of each layer whose degree is below each column's.
        ends, levels = np.arange(self.n_columns + 1), [seen, *degrees]
        self.below = [np.searchsorted(own, ends) for own in levels]

    @staticmethod
    def n_weights(n_inputs, n_outputs, degrees, activation, rule, direct):
        """Number of weights, those that masks forbid included."""
        sizes = [n_inputs, *map(len, degrees)]
        top = sizes[-1] + (n_inputs if direct and degrees else 0)
        return sum(a * b for a, b in pairwise(sizes)) + top * n_outputs

    def init(self, rng, dtype):
        """Initial parameters, whose outputs reproduce the frequencies of values, in the
        data's order of columns.

        Weights of outputs are zeros. Weights that this chain's masks forbid are drawn
        too: chains with which it shares parameters may allow them.
        """
        layers = [net.init(rng, None, dtype)[1] for net in self.layers[:-1]]
        W = np.zeros(self.masks[-1].shape, dtype)
        return self.natural((*layers, Layer(W, self.first.astype(dtype))))

    def allowed(self):
        """Masks of the weights in use, in the data's order of columns."""
        ones = [Layer(1.0 * mask, np.ones(mask.shape[1])) for mask in self.masks]
        return self.natural(tuple(ones))

    def permuted(self, params, inputs, outputs):
        """Permute the parameters of inputs and outputs."""
        layers = list(params)
        W, b = layers[0]
        layers[0] = Layer(pick(W, inputs, 0), b)
        W, b = layers[-1]
        if self.degrees and self.direct:
            n_units = len(self.degrees[-1])
            rows = np.concatenate([np.arange(n_units), n_units + inputs])
            W = pick(W, rows, 0)
        layers[-1] = Layer(pick(W, outputs), pick(b, outputs))
        return tuple(layers)

    @staticmethod
    def shifted(params, shift):
        """Add to the biases of outputs."""
        *below, (W, b) = params
        return (*below, Layer(W, b + shift))

    def apply(self, params, x):
        r"""Outputs of all columns, of shape (n_rows, n_outputs).

        .. math:: h_l = f(b_l + h_{l-1} (W_l \odot M_l)), \qquad
            z = b + [h_L, x] (W \odot M)
        """
        top = self.hidden(params, x) if self.degrees else listed(x)
        if self.degrees and self.direct:
            top = beside(top, x)
        return self.layers[-1].apply(params[-1], (), top)[0]

    def hidden(self, params, x):
        """Last hidden layer, of shape (n_rows, n_features)."""
        h = listed(x)
        for net, own in zip(self.layers, params[:-1]):
            h, _ = net.apply(own, (), h)
        return h

    def features(self, params, v):
        """Last hidden layer given the whole row; without hidden layers the mean of each
        column given those before it, in the data's order of columns."""
        if self.degrees:
            return super().features(params, v)
        out = self.apply(params, self.conditionals.inputs(v))
        return self.conditionals.mean(out)[:, self.place]

    def prepared(self, params):
        """Parameters with masks applied to their weights."""
        return tuple(
            Layer(W * mask, b) for (W, b), mask in zip(params, self.masks, strict=True)
        )

    def begin(self, params, n_rows):
        """State before the first column: inputs and hidden layers, all zeros."""
        sizes = [self.n_inputs, *map(len, self.degrees)]
        return [np.zeros((n_rows, n), params[-1].b.dtype) for n in sizes]

    def output(self, params, state, t):
        """Outputs of column t, of shape (n_rows, n_outputs of it)."""
        W, b = params[-1]
        own, n_units, given = self.outputs[t], 0, []
        if self.degrees:
            n_units, n = W.shape[0], self.below[-1][t]
            n_units -= self.n_inputs if self.direct else 0
            given.append((state[-1][:, :n], W[:n, own]))
        if self.direct:
            n = self.below[0][t]
            given.append((state[0][:, :n], W[n_units : n_units + n, own]))
        return sum(part @ np.ascontiguousarray(V) for part, V in given) + b[own]

    def absorb(self, params, state, t, x):
        """Add the inputs of column t to the state; compute the units of degree t."""
        state[0][:, self.inputs[t]] = x
        for number, (W, b) in enumerate(params[:-1]):
            n = self.below[number][t + 1]
            own = slice(*self.below[number + 1][t : t + 2])
            if own.start < own.stop:
                pre = state[number][:, :n] @ np.ascontiguousarray(W[:n, own])
                found = activate(pre + b[own], self.activation)
                state[number + 1][:, own] = found


class TiedChain(Chain):
    """Chain of a neural autoregressive density estimator, with one layer of hidden
    units; if ``scaled``, pre-activations have a learned factor for each column."""

    def __init__(
        self, conditionals, start, order, n_units, activation, rule, scaled=False
    ):
        super().__init__(conditionals, start, order)
        self.n_units = self.n_features = n_units
        self.activation = activation
        self.rule, self.scaled = rule, scaled
        columns = np.repeat(np.arange(self.n_columns), self.conditionals.n_inputs)
        ends = np.cumsum(self.conditionals.n_outputs)
        self.shape = Shape(columns, np.append(0, ends), KINDS[activation])
        found = self.conditionals
        self.only_bits = ((found.kinds == "bernoulli") & ~found.gapped).all()

    @staticmethod
    def n_weights(n_inputs, n_outputs, n_units, *_):
        """Number of weights."""
        return n_units * (n_inputs + n_outputs)

    def init(self, rng, dtype):
        r"""Initial parameters, whose outputs reproduce the frequencies of values, in
        the data's order of columns. Factors start at :math:`\rho_t = 1 / \sqrt{1 + t}`,
        for t = 0, 1, ..."""
        W = initial(self.rule, rng, self.n_inputs, self.n_units)
        V = np.zeros((self.n_outputs, self.n_units))
        below = Layer(W.astype(dtype), np.zeros(self.n_units, dtype))
        above = Layer(V.astype(dtype), self.first.astype(dtype))
        rho = np.zeros(0)
        if self.scaled:
            rho = 1 / np.sqrt(1 + np.arange(self.n_columns))
        return self.natural(Tied(below, above, rho.astype(dtype)))

    def permuted(self, params, inputs, outputs):
        """Permute the parameters of inputs and outputs."""
        (W, c), (V, b), rho = params
        above = Layer(pick(V, outputs, 0), pick(b, outputs))
        return Tied(Layer(pick(W, inputs, 0), c), above, rho)

    @staticmethod
    def shifted(params, shift):
        """Add to the biases of outputs."""
        V, b = params.above
        return params._replace(above=Layer(V, b + shift))

    def apply(self, params, x):
        """Outputs of all columns, of shape (n_rows, n_outputs)."""
        (W, c), (V, b), rho = params
        return tied(x, self.shape, W, c, rho, V, b)

    def hidden(self, params, x):
        """Hidden units given all columns, of shape (n_rows, n_units)."""
        W, c = params.below
        pre = x @ W + c
        return activate(pre * self._factor(params, -1), self.activation)

    def drawn(self, params, v, rng):
        """Fill missing entries with draws, each given the entries before it."""
        if not self.only_bits:
            return super().drawn(params, v, rng)
        return draw_bits(params, v, rng, self.shape.kind)

    def begin(self, params, n_rows):
        """State before the first column: the biases, as pre-activations."""
        return [np.tile(params.below.b, (n_rows, 1))]

    def output(self, params, state, t):
        """Outputs of column t, of shape (n_rows, n_outputs of it)."""
        (V, b), own = params.above, self.outputs[t]
        h = activate(state[0] * self._factor(params, t), self.activation)
        return h @ V[own].T + b[own]

    def absorb(self, params, state, t, x):
        """Add the contribution of column t to the pre-activations."""
        state[0] += x @ params.below.W[self.inputs[t]]

    def _factor(self, params, t):
        return params.rho[t] if self.scaled else params.above.b.dtype.type(1)
