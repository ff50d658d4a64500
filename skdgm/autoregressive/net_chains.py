r"""Chains that are nets: masked layers, or one layer shared by all conditionals.

Masks remove all paths from a column to the outputs of itself and of previous columns
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
from typing import NamedTuple

import numpy as np

from skdgm.autoregressive._chain import Chain
from skdgm.nets import (
    KINDS,
    Layer,
    Shape,
    Tied,
    activate,
    by_degrees,
    draw_bits,
    initial,
    join_columns,
    lists_if_sparse,
    masked_dense,
    pick,
    tied,
)


class MaskedLayers(NamedTuple):
    """Hidden layers of a :class:`MaskedChain`: increasing ``degrees`` of the units of
    each layer, 0 for units that depend on the first column only; activation;
    initialization rule; and whether outputs have direct connections from inputs."""

    degrees: list
    activation: str
    init: str | None
    direct: bool

    def n_weights(self, n_inputs, n_outputs):
        """Number of weights, including masked weights."""
        sizes = [n_inputs, *map(len, self.degrees)]
        top = sizes[-1] + (n_inputs if self.direct and self.degrees else 0)
        return sum(a * b for a, b in pairwise(sizes)) + top * n_outputs


class MaskedChain(Chain):
    """Chain of dense layers with masked weights, described by :class:`MaskedLayers`."""

    def __init__(self, conditionals, start, order, layers):
        super().__init__(conditionals, start, order)
        self.degrees, self.activation = degrees, activation = layers[:2]
        self.direct = layers.direct or not degrees
        self.n_units = max(map(len, degrees), default=0)
        self.n_features = len(degrees[-1]) if degrees else self.n_columns
        numbers = np.arange(self.n_columns)
        seen = np.repeat(numbers, self.conditionals.n_inputs)
        output_columns = np.repeat(numbers, self.conditionals.n_outputs)
        self.masks = by_degrees(seen, degrees, output_columns, self.direct)
        self.layers = [
            masked_dense(mask, activation, layers.init) for mask in self.masks[:-1]
        ]
        self.layers.append(masked_dense(self.masks[-1]))
        # Number of units of each layer whose degree is below the column number.
        ends, levels = np.arange(self.n_columns + 1), [seen, *degrees]
        self.below = [np.searchsorted(level, ends) for level in levels]

    def init(self, rng, dtype):
        """Initial parameters in the data's order of columns, whose outputs reproduce
        the frequencies of values.

        Output weights are zero. Weights that this chain's masks exclude are drawn, too,
        because other chains may share them.
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
        r"""Outputs of all columns, (n_rows, n_outputs).

        .. math:: h_l = f(b_l + h_{l-1} (W_l \odot M_l)), \qquad
            z = b + [h_L, x] (W \odot M)
        """
        top = self.hidden(params, x) if self.degrees else lists_if_sparse(x)
        if self.degrees and self.direct:
            top = join_columns(top, x)
        return self.layers[-1].apply(params[-1], (), top)[0]

    def hidden(self, params, x):
        """Last hidden layer, (n_rows, n_features)."""
        h = lists_if_sparse(x)
        for net, layer in zip(self.layers, params[:-1]):
            h, _ = net.apply(layer, (), h)
        return h

    def features(self, params, v):
        """Last hidden layer given the whole row; without hidden layers, the mean of
        each column given the previous columns, in the data's order."""
        if self.degrees:
            return super().features(params, v)
        out = self.apply(params, self.conditionals.inputs(v))
        return self.conditionals.mean(out)[:, self.place]

    def prepared(self, params):
        """Parameters with masked weights."""
        return tuple(
            Layer(W * mask, b) for (W, b), mask in zip(params, self.masks, strict=True)
        )

    def begin(self, params, n_rows):
        """Initial state: inputs and hidden layers, all zeros."""
        sizes = [self.n_inputs, *map(len, self.degrees)]
        return [np.zeros((n_rows, n), params[-1].b.dtype) for n in sizes]

    def output(self, params, state, t):
        """Outputs of column t, (n_rows, n_outputs of t)."""
        W, b = params[-1]
        outputs, n_units, pairs = self.outputs[t], 0, []
        if self.degrees:
            n_units, n = W.shape[0], self.below[-1][t]
            n_units -= self.n_inputs if self.direct else 0
            pairs.append((state[-1][:, :n], W[:n, outputs]))
        if self.direct:
            n = self.below[0][t]
            pairs.append((state[0][:, :n], W[n_units : n_units + n, outputs]))
        return sum(part @ np.ascontiguousarray(V) for part, V in pairs) + b[outputs]

    def absorb(self, params, state, t, x):
        """Add the inputs of column t to the state, and compute the units of degree
        t."""
        state[0][:, self.inputs[t]] = x
        for number, (W, b) in enumerate(params[:-1]):
            n, (first, stop) = (
                self.below[number][t + 1],
                self.below[number + 1][t : t + 2],
            )
            if first < stop:
                pre = state[number][:, :n] @ np.ascontiguousarray(W[:n, first:stop])
                h = activate(pre + b[first:stop], self.activation)
                state[number + 1][:, first:stop] = h


class TiedLayer(NamedTuple):
    """Hidden layer of a :class:`TiedChain`: number of units, activation, and
    initialization rule. With ``scaled``, pre-activations have a learned factor for each
    column. A ``covariance`` of the columns, in the data's order, determines linear
    regressions whose residuals the net learns."""

    n_units: int
    activation: str
    init: str
    scaled: bool = False
    covariance: np.ndarray | None = None

    def n_weights(self, n_inputs, n_outputs):
        """Number of weights."""
        return self.n_units * (n_inputs + n_outputs)


class TiedChain(Chain):
    """Chain of a neural autoregressive density estimator, with one :class:`TiedLayer`
    of hidden units."""

    def __init__(self, conditionals, start, order, layer):
        super().__init__(conditionals, start, order)
        self.n_units = self.n_features = layer.n_units
        self.activation, self.init_rule = layer.activation, layer.init
        self.scaled = layer.scaled
        columns = np.repeat(np.arange(self.n_columns), self.conditionals.n_inputs)
        ends = np.cumsum(self.conditionals.n_outputs)
        self.shape = Shape(columns, np.append(0, ends), KINDS[layer.activation])
        bits = self.conditionals.kinds == "bernoulli"
        self.only_bits = (bits & ~self.conditionals.gapped).all()

    def init(self, rng, dtype):
        r"""Initial parameters in the data's order of columns, whose outputs reproduce
        the frequencies of values. Factors start at :math:`\rho_t = 1 / \sqrt{1 + t}`,
        for t = 0, 1, ..."""
        W = initial(self.init_rule, rng, self.n_inputs, self.n_units)
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
        """Outputs of all columns, (n_rows, n_outputs)."""
        (W, c), (V, b), rho = params
        return tied(x, self.shape, W, c, rho, V, b)

    def hidden(self, params, x):
        """Hidden units given all columns, (n_rows, n_units)."""
        W, c = params.below
        pre = x @ W + c
        return activate(pre * self._factor(params, -1), self.activation)

    def drawn(self, params, v, rng):
        if not self.only_bits:
            return super().drawn(params, v, rng)
        return draw_bits(params, v, rng, self.shape.kind)

    def begin(self, params, n_rows):
        """Initial state: the biases, as pre-activations."""
        return [np.tile(params.below.b, (n_rows, 1))]

    def output(self, params, state, t):
        """Outputs of column t, (n_rows, n_outputs of t)."""
        (V, b), outputs = params.above, self.outputs[t]
        h = activate(state[0] * self._factor(params, t), self.activation)
        return h @ V[outputs].T + b[outputs]

    def absorb(self, params, state, t, x):
        """Add the contribution of column t to the pre-activations."""
        state[0] += x @ params.below.W[self.inputs[t]]

    def _factor(self, params, t):
        return params.rho[t] if self.scaled else params.above.b.dtype.type(1)
