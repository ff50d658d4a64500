r"""Net for the conditionals of all columns, given any subset of the other columns.

.. math:: z = f_\theta(x \odot m, m), \qquad
   -\log p(x) \approx \frac{D}{D - |m|} \sum_{j: m_j = 0} -\log p(x_j \mid z_j)

The mask m is 1 for seen columns. Their number is uniform by importance weights (see
:func:`~skdgm.autoregressive.splits.draw_shares`), and the subset of this size is
uniform. The expectation is the mean of the negative log-likelihood over all D! orders
[1]_. Missing entries are
neither seen nor predicted.

With several steps [2]_, the net first completes the row: unseen inputs start at the
marginal means of their columns, and each step replaces them by the net's expectation:

.. math:: x^{(0)} = \mathbb{E}[x], \qquad
   z^{(t)} = f_\theta(m \odot x + (1 - m) \odot x^{(t-1)}, m), \qquad
   x^{(t)} = \mathbb{E}[x \mid z^{(t)}]

The loss is that of the last step, or the mean over all steps. The conditionals are
those of the last step.

References
----------
.. [1] Uria, Murray and Larochelle (2014). A deep and tractable density estimator. ICML.
.. [2] Raiko, Li, Cho and Bengio (2014). Iterative neural autoregressive distribution
   estimator (NADE-k). NIPS.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from skdgm.autoregressive.splits import draw_shares, hide
from skdgm.distributions import (
    column_slices,
    draw_within,
    places_of,
    relative_probability,
)
from skdgm.nets import (
    Layer,
    activate,
    dense,
    drop_out,
    expected,
    initial,
    lists_if_sparse,
    nll,
)
from skdgm.utils import addresses
from skdgm.utils.products import matmul
from skdgm.utils.weighted import Weighted, effective_sample_size, pooled

# Random streams of seen columns, dropout, the choice of an order, and events.
_MASKS, _DROP, _ORDER, _EVENTS = addresses.ORDERLESS
# Maximum size of a layer's activations in a batch of draws.
_MAX_ACTIVATIONS = 2**22
# Number of different shares of seen columns in monitoring.
_N_SHARES = 8


class OrderlessParams(NamedTuple):
    """Parameters of the net: the first layer, weights from the mask to its units,
    (n_columns, n_units), the other hidden layers, and the output layer."""

    input_layer: Layer
    mask_weights: np.ndarray
    hidden: tuple
    out: Layer

    # Names of fields in older files.
    RENAMED = {"values": "input_layer", "seen": "mask_weights"}


class HiddenLayers(NamedTuple):
    """Number of hidden units of each layer, activation, initialization rule, and
    dropout rate."""

    sizes: tuple
    activation: str
    init: str
    dropout: float


class Completion(NamedTuple):
    """Completion of rows by the net: number of steps, initial ``means`` of unseen
    inputs (zeros if None), and whether the loss is that of the last step only."""

    n_steps: int = 1
    means: np.ndarray | None = None
    last_step_only: bool = False


class Orderless:
    """Architecture of the net, as functions of its parameters.

    ``output_biases`` are the initial biases of the outputs; ``orders``, (n_orders,
    n_columns), are the orders of prediction after training.
    """

    # A monitored row costs as much as eight training rows, so fewer rows are monitored.
    monitoring_stride = 4
    # The net has conditionals given any subset of the columns.
    any_subset = True

    def __init__(self, conditionals, *, output_biases, orders, layers, completion):
        self.conditionals, self.output_biases, self.orders = (
            conditionals,
            output_biases,
            orders,
        )
        self.sizes, self.activation, self.init_rule, self.dropout = layers
        self.n_steps, self.means, self.last_step_only = completion
        self.n_orders, self.n_features = len(orders), self.sizes[-1]
        self.n_columns = len(conditionals.kinds)
        self.inputs = column_slices(conditionals.n_inputs)
        self.outputs = column_slices(conditionals.n_outputs)
        ends = self.inputs[-1].stop, self.outputs[-1].stop
        self.width = max((self.n_columns, *ends, *self.sizes))

    def init(self, rng, dtype):
        """Initial parameters, which reproduce the marginal distributions of columns."""
        n_inputs, n_outputs = self.inputs[-1].stop, self.outputs[-1].stop

        def layer(n_below, n_above):
            W = initial(self.init_rule, rng, n_below, n_above).astype(dtype)
            return Layer(W, np.zeros(n_above, dtype))

        both = layer(n_inputs + self.n_columns, self.sizes[0])
        input_layer = Layer(np.ascontiguousarray(both.W[:n_inputs]), both.b)
        mask_weights = np.ascontiguousarray(both.W[n_inputs:])
        hidden = tuple(layer(n, above) for n, above in pairwise(self.sizes))
        W = np.zeros((self.sizes[-1], n_outputs), dtype)
        return OrderlessParams(
            input_layer,
            mask_weights,
            hidden,
            Layer(W, self.output_biases.astype(dtype)),
        )

    def prepare(self, params, v, rng, order_index):
        """Split rows at random into a seen part and targets for an update; return both,
        the weight of the loss of each row, and a random stream for dropout."""
        generator = rng.fold(_MASKS).generator()
        share, weight = draw_shares(
            generator.random(len(v)), (~np.isnan(v)).sum(axis=1)
        )
        seen, targets, factor = hide(v, share, generator.random(v.shape, np.float32))
        return seen, targets, factor * weight.astype(v.dtype), rng.fold(_DROP)

    def forward(self, params, prepared):
        """Weighted loss of the targets of each row, and no statistics."""
        return self.losses(params, prepared), ()

    def losses(self, params, prepared):
        """Weighted loss of the targets of each row, (n_rows,)."""
        seen, targets, factor, rng = prepared
        outs = list(self.apply(params, seen, rng))
        if self.last_step_only:
            outs = outs[-1:]
        total = sum(nll(out, (), targets, self.conditionals) for out in outs)
        return total * (factor / factor.dtype.type(len(outs)))

    def monitoring_loss(self, params, v, rng):
        """Negative log-likelihood of each row, averaged over numbers of seen
        columns."""
        n = min(self.n_columns, _N_SHARES)
        shift, uniform = rng.uniform(1)[:, 0], rng.fold(0).uniform(self.n_columns)
        shares = [(k + shift) / n for k in range(n)]
        parts = ((*hide(v, share, uniform), None) for share in shares)
        return sum(self.losses(params, part) for part in parts) / n

    def apply(self, params, v, rng=None):
        """Yield the outputs of all columns, (n_rows, n_outputs), after each step, given
        rows, NaN where unseen; ``rng`` turns on dropout."""
        W, b = params.input_layer
        mask, no_bias = (~np.isnan(v)).astype(v.dtype), np.zeros(1, v.dtype)
        pre_seen = dense(lists_if_sparse(self.conditionals.inputs(v)), W, b, "identity")
        pre_seen = pre = pre_seen + dense(
            mask, params.mask_weights, no_bias, "identity"
        )
        if self.means is not None or self.n_steps > 1:
            unseen = np.repeat(1 - mask, self.conditionals.n_inputs, axis=1)
        if self.means is not None:
            x = unseen * self.means.astype(v.dtype)
            pre = pre_seen + dense(x, W, no_bias, "identity")
        for number in range(self.n_steps):
            streams = rng.fold(number) if number and rng is not None else rng
            out = self._outputs(params, pre, streams)
            yield out
            if number < self.n_steps - 1:
                x = expected(out, self.conditionals) * unseen
                pre = pre_seen + dense(x, W, no_bias, "identity")

    def _outputs(self, params, pre, rng):
        """Outputs of all columns, given the pre-activations of the first layer."""
        h = self._drop_out(activate(pre, self.activation), rng, 0)
        for number, layer in enumerate(params.hidden, start=1):
            h = dense(h, layer.W, layer.b, self.activation)
            h = self._drop_out(h, rng, number)
        return dense(h, params.out.W, params.out.b, "identity")

    def _drop_out(self, h, rng, number):
        dropped = rng is not None and self.dropout
        return drop_out(h, self.dropout, rng.fold(number)) if dropped else h

    def features(self, params, v):
        """Last hidden layer, given all known entries."""
        return self._last_hidden_layer(params, self._pre_activation(params, v), v)

    def log_likelihood(self, params, v, order_index, rng):
        """Log-likelihood of each row in one order, in nats, (n_rows,)."""
        return self.log_p(params, v, order_index, rng).sum(axis=1)

    def log_p(self, params, v, order_index, rng):
        """Log probability of each entry given the previous entries in one order,
        (n_rows, n_columns), in nats; 0 for missing entries, which are neither seen nor
        predicted."""
        x, observed = self.conditionals.inputs(v), ~np.isnan(v)
        pre = np.tile(params.input_layer.b, (len(v), 1))
        log_p, seen = np.zeros(v.shape), np.full_like(v, np.nan)
        for j in self.orders[order_index]:
            out = self.output(params, pre, seen, j)
            log_p[:, [j]] = self.conditionals.single[j].log_p(out, v[:, [j]])
            pre += self._contribution(params, x, observed, j)
            seen[:, j] = v[:, j]
        return log_p

    def log_conditionals(self, params, v):
        """Log probability of each entry given all other entries of its row, in nats."""
        x, observed = self.conditionals.inputs(v), ~np.isnan(v)
        pre, log_p = self._pre_activation(params, v), np.zeros(v.shape)
        seen = v.copy()
        for j in range(self.n_columns):
            seen[:, j] = np.nan
            contribution = self._contribution(params, x, observed, j)
            out = self.output(params, pre - contribution, seen, j)
            log_p[:, [j]] = self.conditionals.single[j].log_p(out, v[:, [j]])
            seen[:, j] = v[:, j]
        return log_p

    def fill(self, params, v, rng, method, name="", report=None):
        """Impute missing entries: "mean" all at once; "mode" one after another in the
        first order, dates last; "sample" by draws in a random order. ``report`` is not
        called, as there are no particles."""
        if method == "mean":
            h, (W, b) = self.features(params, v), params.out
            out = dense(h, W, b, "identity")
            return np.where(np.isnan(v), self.conditionals.mean(out), v)
        if method == "sample":
            return self.sampled(params, v, rng)
        order = np.roll(self.orders[0], -self.conditionals.date_columns.size)
        return self._impute_in_order(
            params, v, order, lambda j, single, out, rows: single.mode(out)
        )

    def conditioned(self, params, v, n, rng, name, events):
        """Draw rows conditional on known values and events, as in
        :meth:`ChainEnsemble.conditioned`.

        Columns with an event are drawn first, by increasing probability of the event:
        draws are exact for a single event, and weighted for several. They are also
        weighted if dates, whose conditionals are harder to learn, precede events.
        """
        dates = [j for j in self.conditionals.date_columns.tolist() if np.isnan(v[j])]
        dates = dates if any(event is not None for event in events) else []
        first = [j for j, event in enumerate(events) if event is not None]
        first = [j for j in first if j not in dates]
        if len(first) > 1:
            pre = self._pre_activation(params, v[None])
            log_probs = [
                self._log_event_probability(params, pre, v, j, events[j], rng)
                for j in first
            ]
            first = [first[k] for k in np.argsort(log_probs, kind="stable")]
        first = dates + first

        def draw(size, rng):
            streams, log_w = rng.rows(size), np.zeros(size)
            relative_probs = np.ones((len(first), size))

            def choose(j, single, out, rows):
                if events[j] is None:
                    return single.draw(out, streams.fold(j))
                x, log_prob = draw_within(single, out, events[j], streams.fold(j))
                if j != first[0]:
                    relative_probs[first.index(j)] = relative_probability(
                        single, out, x[:, None]
                    )
                log_w[:] += log_prob
                return x[:, None]

            rows = self._impute_in_order(params, np.tile(v, (size, 1)), first, choose)
            share = min(relative_probs.mean(axis=1), default=1.0)
            return Weighted(rows, log_w, effective_sample_size(log_w), share)

        streams = rng.fold(_EVENTS)
        if len(first) > 1:
            rows = pooled(
                draw, n, streams, max(1, _MAX_ACTIVATIONS // self.width), name
            )
        else:
            rows = draw(n, streams).rows
        return self.sampled(params, rows, rng.rows(n))

    def _log_event_probability(self, params, pre, v, j, event, rng):
        """Log probability of the event of column j, given one row and its first
        pre-activations."""
        out = self.output(params, pre, v[None], j)
        return draw_within(self.conditionals.single[j], out, event, rng)[1][0]

    def sampled(self, params, v, rng):
        """Draw missing entries, each row in a random order. Dates are drawn first in
        rows without known entries, otherwise last."""
        v, chosen = v.copy(), rng.fold(_ORDER).uniform(1)[:, 0] * self.n_orders
        dates, known = self.conditionals.date_columns, ~np.isnan(v).all(axis=1)
        known, chosen = known & (dates.size > 0), chosen.astype(np.intp)
        n = self.n_orders if known.any() else 0
        for number, order in enumerate([*self.orders, *self.orders[:n]]):
            dates_last = number >= self.n_orders
            rows = np.flatnonzero(
                (chosen == number % self.n_orders) & (known == dates_last)
            )
            order = np.roll(order, -dates.size) if dates_last else order

            def choose(j, single, out, among, rows=rows):
                return single.draw(out, rng.take(rows[among]).fold(j))

            v[rows] = self._impute_in_order(params, v[rows], order, choose)
        return v

    def _impute_in_order(self, params, v, order, choose):
        """Impute missing entries in the ``order`` of columns. ``choose(j, single, out,
        rows)`` returns values of column j, (n_rows, 1), given its distribution, the
        outputs of the net and row numbers."""
        v, pre = v.copy(), self._pre_activation(params, v)
        for j in order:
            rows = np.flatnonzero(np.isnan(v[:, j]))
            if rows.size:
                row_pre, single = pre[rows], self.conditionals.single[j]
                out = self.output(params, row_pre, v[rows], j)
                v[rows, j] = choose(j, single, out, rows)[:, 0]
                x, W = single.inputs(v[rows, j : j + 1]), params.input_layer.W
                pre[rows] = row_pre + x @ W[self.inputs[j]] + params.mask_weights[j]
        return v

    def output(self, params, pre, v, j):
        """Outputs of column j, given rows, NaN where unseen, and the pre-activations of
        the first hidden layer due to seen entries."""
        W, b = params.out
        outputs, h = self.outputs[j], self._last_hidden_layer(params, pre, v)
        return matmul(h, np.ascontiguousarray(W[:, outputs])) + b[outputs]

    def _pre_activation(self, params, v):
        observed = (~np.isnan(v)).astype(v.dtype)
        pre = matmul(self.conditionals.inputs(v), params.input_layer.W)
        return pre + matmul(observed, params.mask_weights) + params.input_layer.b

    def _contribution(self, params, x, observed, j):
        """Contribution of a column to the first pre-activations; 0 where missing."""
        inputs = self.inputs[j]
        values = x[:, inputs] @ params.input_layer.W[inputs]
        return values + np.where(observed[:, [j]], params.mask_weights[j], 0)

    def _last_hidden_layer(self, params, pre, v):
        """Last hidden layer after the last step; see :meth:`output`."""
        if self.means is None and self.n_steps == 1:
            return self._layers(params, pre)
        unseen, places = self.conditionals, np.flatnonzero(np.isnan(v).any(axis=0))
        if not places.size:
            return self._layers(params, pre)
        if places.size < self.n_columns:
            unseen = unseen.take(places)
        missing = np.repeat(np.isnan(v[:, places]), unseen.n_inputs, axis=1)
        inputs = places_of(places, self.conditionals.n_inputs)
        outputs = places_of(places, self.conditionals.n_outputs)
        W, V = params.input_layer.W[inputs], np.take(params.out.W, outputs, axis=1)
        x, b = np.zeros(missing.shape, v.dtype), params.out.b[outputs]
        if self.means is not None:
            x += self.means[inputs].astype(v.dtype)
        for _ in range(self.n_steps - 1):
            h = self._layers(params, pre + matmul(x * missing, W))
            x = unseen.expected(matmul(h, V, b))
        return self._layers(params, pre + matmul(x * missing, W))

    def _layers(self, params, pre):
        h = activate(pre, self.activation)
        for layer in params.hidden:
            h = dense(h, layer.W, layer.b, self.activation)
        return h
