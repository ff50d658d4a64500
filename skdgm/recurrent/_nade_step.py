r"""Steps as neural autoregressive density estimators with row-specific biases.

.. math:: p(x_t \mid s_{t-1}) = \prod_j p(x_{tj} \mid b_{tj} + V_j h_{tj}), \qquad
   h_{tj} = f\Bigl(c_t + \sum_{i < j} x_{ti} W_i\Bigr)
"""

from typing import Any, NamedTuple

import numpy as np
from scipy.special import softmax

from skdgm.autoregressive.net_chains import TiedChain
from skdgm.nets import Layer, Tied, activate, dense, drop_out, nll, tied
from skdgm.nets.tape import getval
from skdgm.utils import addresses
from skdgm.utils.tree import tree_map

# Number of particles of each incomplete row in training and in monitoring.
_N_TRAINING_PARTICLES, _N_MONITORING_PARTICLES = 4, 8
# Maximum size of a layer's activations over all particles.
_MAX_ACTIVATIONS = 2**22
# Pre-activation of dropped units, and the minimum column factor that keeps them off.
_OFF, _FACTOR = -1e5, 1e-3
# Random streams.
_CHOICE, _DROP = addresses.CHAIN_STEPS


class StepWeights(NamedTuple):
    """Weights shared by all steps: W, (n_inputs, n_units), V, (n_outputs, n_units), and
    the factors of columns."""

    W: np.ndarray
    V: np.ndarray
    rho: np.ndarray


class RowChain(TiedChain):
    """Chain with row-specific biases of hidden units and of outputs."""

    def apply(self, params, x):
        (W, c), (V, b), rho = params
        nothing = np.zeros(b.shape[1], b.dtype)
        return tied(x, self.shape, W, c, rho, V, nothing) + b

    def dropped(self, params, rate, rng):
        """Drop hidden units at random in each row, and rescale the weights;
        differentiable."""
        (W, c), (V, b), rho = params
        kept = drop_out(np.ones(c.shape, W.dtype), rate, rng)
        off = (kept == 0).astype(W.dtype)
        V = V * W.dtype.type(1 / (1 - rate))
        if self.activation == "tanh":
            # Dropped units have the value -1.
            b = b + dense(off, V.T, np.zeros(b.shape[1], W.dtype), "identity")
        return Tied(Layer(W, c + W.dtype.type(_OFF) * off), Layer(V, b), rho)

    def begin(self, params, n_rows):
        """Initial state: biases of hidden units, as pre-activations, and of outputs."""
        return [params.below.b.copy(), params.above.b]

    def output(self, params, state, t):
        outputs = self.outputs[t]
        h = activate(state[0] * self._factor(params, t), self.activation)
        return h @ params.above.W[outputs].T + state[1][:, outputs]


class NADEStep:
    """Distribution of a step by a :class:`RowChain`; see
    :class:`~skdgm.recurrent._net.RecurrentNet`.

    ``share`` are means of inputs, which replace missing entries of previous steps,
    ``n_draws`` is the number of particles of each incomplete row, and ``dropout`` is
    the dropout rate of hidden units.
    """

    kind = "exact"

    def __init__(self, chain, share, n_draws, dropout=0.0):
        self.chain, self.share, self.n_draws = chain, share, n_draws
        self.dropout = dropout
        self.n_inputs, self.n_visible = chain.n_inputs, chain.n_outputs
        self.n_hidden = self.width = chain.n_units
        self.output = chain.conditionals.take(chain.place)

    def init(self, rng, dtype):
        """Initial weights, and biases that reproduce the frequencies of values."""
        chain = self.chain
        (W, c), (V, b), rho = chain.init(rng, dtype)
        return StepWeights(W, V, rho), c, b

    def inputs(self, v):
        """Inputs of the recurrent net."""
        return self.output.inputs(v, self.share)

    def constrain(self, shared):
        """With dropout, limit factors of columns from below, in place."""
        if self.dropout:
            np.maximum(shared.rho, _FACTOR, out=shared.rho)

    @staticmethod
    def n_watched(n_rows):
        """Number of monitored rows: all."""
        return n_rows

    def _chain_params(self, shared, biases):
        """Parameters of the chain, in its order."""
        W, V, rho = shared
        params = Tied(Layer(W, biases.hidden), Layer(V, biases.visible), rho)
        return self.chain.placed(params)

    def loss(self, shared, biases, v, rng):
        """Negative log-likelihood of each row, differentiable; missing entries are
        drawn given the previous columns, and not predicted."""
        chain, params = self.chain, self._chain_params(shared, biases)
        ordered = complete = chain.ordered(v)
        rows = np.flatnonzero(np.isnan(ordered).any(axis=1))
        if rows.size:
            values = _part(tree_map(getval, params), rows)
            complete, streams = ordered.copy(), rng.rows(len(v)).take(rows)
            completed = chain.filled(
                values, ordered[rows], streams, _N_TRAINING_PARTICLES
            )
            complete[rows] = completed.drawn(streams.fold(_CHOICE))
        if self.dropout:
            params = chain.dropped(params, self.dropout, rng.fold(_DROP))
        out = chain.apply(params, chain.conditionals.inputs(complete))
        return nll(out, (), ordered, chain.conditionals)

    def watched(self, shared, biases, v, rng):
        """Negative log-likelihood of each row, float64."""
        return -self.log_p(shared, biases, v, rng, _N_MONITORING_PARTICLES)

    def log_p(self, shared, biases, v, rng, n_draws=None):
        """Log-likelihood of each row, float64; a particle estimate if entries are
        missing."""
        return self._scored("log_likelihood", shared, biases, v, rng, n_draws)

    def log_p_of_entries(self, shared, biases, v, rng):
        """Log-likelihood of each entry given the previous entries; 0 where missing."""
        scores = self._scored("log_p", shared, biases, v, rng)
        return scores[:, self.chain.place]

    def _scored(self, method, shared, biases, v, rng, n_draws=None):
        """Score complete rows by a method of the chain, and incomplete rows by
        particles."""
        chain, params = self.chain, self._chain_params(shared, biases)
        ordered = chain.ordered(v)
        incomplete = np.isnan(ordered).any(axis=1)
        if not incomplete.any():
            return getattr(chain, method)(params, ordered)
        scores = np.empty(len(v) if method == "log_likelihood" else v.shape)
        full, rows = np.flatnonzero(~incomplete), np.flatnonzero(incomplete)
        if full.size:
            scores[full] = getattr(chain, method)(_part(params, full), ordered[full])
        n, listed = n_draws or self.n_draws, n_draws is None
        n_parts = max(1, n * len(rows) * self.width // _MAX_ACTIVATIONS)
        for part in np.array_split(rows, n_parts):
            part_params, streams = _part(params, part), rng.take(part)
            completed = chain.filled(part_params, ordered[part], streams, n, listed)
            scores[part] = getattr(completed, method)
        return scores

    def fill(self, shared, biases, v, rng, method):
        """Impute missing entries given the known entries, by particles."""
        rows = np.flatnonzero(np.isnan(v).any(axis=1))
        if not rows.size:
            return v
        chain, v, streams = self.chain, v.copy(), rng.take(rows)
        params = _part(self._chain_params(shared, biases), rows)
        completed = chain.filled(
            params, chain.ordered(v[rows]), streams, self.n_draws, listed=True
        )
        if method == "mean":
            w = softmax(completed.log_w, axis=1)
            mean = np.einsum("re,rei->ri", w, completed.inputs).astype(v.dtype)
            filled = chain.conditionals.value(mean)
        else:
            filled = completed.drawn(streams.fold(_CHOICE))
        # Means of known entries equal them only up to rounding.
        v[rows] = np.where(np.isnan(v[rows]), filled[:, chain.place], v[rows])
        return v

    def completed(self, shared, biases, v, needs_log_p, rng, means):
        """Log weight of each row, the probability of its known entries given the
        previous columns; the row with missing entries drawn in order; and, if
        ``means``, its inputs, with expectations after the last known entry."""
        chain, params = self.chain, self._chain_params(shared, biases)
        log_p, filled = np.zeros(len(v)), v.copy()
        incomplete = np.isnan(v).any(axis=1)
        full = np.flatnonzero(needs_log_p & ~incomplete)
        rows = np.flatnonzero(incomplete)
        expected: Any = self.inputs(v) if means else None
        if full.size:
            ordered = chain.ordered(v[full])
            log_p[full] = chain.log_likelihood(_part(params, full), ordered)
        if rows.size:
            completed = chain.filled(
                _part(params, rows), chain.ordered(v[rows]), rng.take(rows), 1
            )
            log_p[rows] = completed.log_likelihood
            filled[rows] = completed.v[:, 0, chain.place]
            if means:
                expected[rows] = completed.inputs[:, 0, chain.inputs_back]
        return log_p, filled, expected

    def draw(self, shared, biases, rng):
        """Draw a row for each row of biases."""
        chain, params = self.chain, self._chain_params(shared, biases)
        n = len(biases.hidden)
        nothing = np.full((n, chain.n_columns), np.nan, biases.hidden.dtype)
        return chain.drawn(params, nothing, rng)[:, chain.place]


def _part(params, rows):
    """Parameters of a chain with the biases of selected rows."""
    (W, c), (V, b), rho = params
    return Tied(Layer(W, c[rows]), Layer(V, b[rows]), rho)
