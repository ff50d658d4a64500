r"""One hidden layer shared by the conditionals of all columns.

.. math:: h_t = f\Bigl(\rho_t \bigl(c + \sum_{i < t} x_i W_i\bigr)\Bigr), \qquad
   z_t = b_t + V_t h_t

See :mod:`skdgm.nets.tied`.
"""

import numpy as np

from skdgm.autoregressive._chain import Chain
from skdgm.nets import (
    KINDS,
    Layer,
    Shape,
    Tied,
    activate,
    draw_bits,
    initial,
    pick,
    tied,
)


class TiedChain(Chain):
    """Chain of a neural autoregressive density estimator.

    Parameters
    ----------
    conditionals, start, order
        As of :class:`Chain`.
    n_units : int
        Number of hidden units.
    activation : {"logistic", "tanh", "relu"}
        Of hidden units.
    rule : str
        Initialiser of the weights of hidden units.
    scaled : bool, default=False
        Whether pre-activations are scaled by a learned factor for each column.
    """

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
        self.only_bits = (self.conditionals.kinds == "bernoulli").all()

    @staticmethod
    def n_weights(n_inputs, n_outputs, n_units, *_):
        """Number of weights."""
        return n_units * (n_inputs + n_outputs)

    def init(self, rng, dtype):
        r"""Initial parameters, whose outputs reproduce the frequencies of values.

        Factors start at :math:`\rho_t = 1 / \sqrt{1 + t}`, for t = 0, 1, ...

        Parameters
        ----------
        rng : numpy.random.Generator
        dtype : type

        Returns
        -------
        params : Tied
            In the data's order of columns.
        """
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
