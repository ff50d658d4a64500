r"""Net for the conditionals of all columns, given any subset of the others.

.. math:: z = f_\theta(x \odot m, m), \qquad
   -\log p(x) \approx \frac{D}{D - |m|} \sum_{j: m_j = 0} -\log p(x_j \mid z_j)

for a mask m that is 1 where a column is seen. The number of seen columns is uniform (by
weights, see :func:`large`), and so is the subset. The expectation is the mean of the
negative log-likelihood over all D! orders [1]_. Missing entries are neither seen nor
predicted.

With several steps [2]_ the net completes the row first, and takes its own expectation
of what is not seen as its input, from the marginal means of the columns on:

.. math:: x^{(0)} = \mathbb{E}[x], \qquad
   z^{(t)} = f_\theta(m \odot x + (1 - m) \odot x^{(t-1)}, m), \qquad
   x^{(t)} = \mathbb{E}[x \mid z^{(t)}]

The loss is the mean of those of all steps, or that of the last, and the conditionals
are those of the last.

References
----------
.. [1] Uria, Murray and Larochelle (2014). A deep and tractable density estimator. ICML.
.. [2] Raiko, Li, Cho and Bengio (2014). Iterative neural autoregressive distribution
   estimator (NADE-k). NIPS.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from skdgm.distributions import draw_within, places_of, relative, slots
from skdgm.nets import (
    Layer,
    activate,
    dense,
    drop_out,
    expected,
    initial,
    listed,
    nll,
)
from skdgm.utils.products import matmul
from skdgm.utils.weighted import Weighted, effective, pooled

# Random streams: for the columns seen, for dropout, and for the choice of an order.
_MASKS, _DROP, _ORDER, _EVENTS = range(100, 104)
# Limit on the numbers of one layer for draws at a time.
_ROOM = 2**22
# Number of shares of seen columns in monitoring.
_WATCHED = 8


class Params(NamedTuple):
    """Parameters of the net: the layer from inputs to the first hidden one, weights
    from the mask to it, (n_columns, n_units), layers between hidden ones, and that of
    outputs."""

    values: Layer
    seen: np.ndarray
    hidden: tuple
    out: Layer


class Orderless:
    """Architecture of the net, as functions of its parameters.

    ``sizes`` are the numbers of hidden units of each layer; they have an activation,
    initial weights by ``init``, and ``dropout`` in training. ``start`` are initial
    biases of the outputs; ``orders``, (n_orders, n_columns), those in which columns are
    predicted after training. Inputs that are not seen begin as their ``means``, or
    zeros if None, and are those expected in all but the first of ``n_steps``, of which
    all are ``learned``, or the last alone.
    """

    # Each watched row costs as much as eight, so fewer training rows are.
    thinned = 4
    # Missing columns come after all others.
    takes_any = True

    def __init__(
        self,
        conditionals,
        sizes,
        activation,
        start,
        init,
        dropout,
        orders,
        n_steps=1,
        means=None,
        learned="all",
    ):
        self.conditionals, self.sizes, self.orders = conditionals, sizes, orders
        self.n_steps, self.means, self.learned = n_steps, means, learned
        self.n_orders, self.n_features = len(orders), sizes[-1]
        self.activation, self.first = activation, start
        self.rule, self.dropout = init, dropout
        self.n_columns = len(conditionals.kinds)
        self.inputs = slots(conditionals.n_inputs)
        self.outputs = slots(conditionals.n_outputs)
        widest = self.inputs[-1].stop, self.outputs[-1].stop, *sizes
        self.width = max(self.n_columns, *widest)

    @staticmethod
    def n_weights(n_columns, n_inputs, n_outputs, sizes):
        """Number of weights."""
        below = n_inputs + n_columns, *sizes, n_outputs
        return sum(a * b for a, b in pairwise(below))

    def init(self, rng, dtype):
        """Initial parameters, whose outputs reproduce the frequencies of values."""
        n_inputs, n_outputs = self.inputs[-1].stop, self.outputs[-1].stop

        def layer(n_below, n_above):
            W = initial(self.rule, rng, n_below, n_above).astype(dtype)
            return Layer(W, np.zeros(n_above, dtype))

        both = layer(n_inputs + self.n_columns, self.sizes[0])
        values = Layer(np.ascontiguousarray(both.W[:n_inputs]), both.b)
        seen = np.ascontiguousarray(both.W[n_inputs:])
        hidden = tuple(layer(*pair) for pair in pairwise(self.sizes))
        W = np.zeros((self.sizes[-1], n_outputs), dtype)
        return Params(values, seen, hidden, Layer(W, self.first.astype(dtype)))

    def prepare(self, params, v, rng, number):
        """Rows split at random into a seen and a hidden part, for one update: these, as
        of :func:`hide`, the weight of the loss of each row, and a stream for
        dropout."""
        generator = rng.fold(_MASKS).generator()
        share, weight = large(generator.random(len(v)), (~np.isnan(v)).sum(axis=1))
        seen, hidden, factor = hide(v, share, generator.random(v.shape, np.float32))
        return seen, hidden, factor * weight.astype(v.dtype), rng.fold(_DROP)

    def forward(self, params, prepared):
        """Weighted loss of the hidden part of each row, and ()."""
        return self.losses(params, prepared), ()

    def losses(self, params, prepared):
        """Weighted loss of the hidden part of each row, of shape (n_rows,)."""
        seen, hidden, factor, rng = prepared
        outs = list(self.apply(params, seen, rng))
        if self.learned == "last":
            outs = outs[-1:]
        total = sum(nll(out, (), hidden, self.conditionals) for out in outs)
        return total * (factor / factor.dtype.type(len(outs)))

    def watched(self, params, v, rng):
        """Negative log-likelihood of each row, averaged over shares of seen columns."""
        n = min(self.n_columns, _WATCHED)
        shift, uniform = rng.uniform(1)[:, 0], rng.fold(0).uniform(self.n_columns)
        shares = [(k + shift) / n for k in range(n)]
        parts = ((*hide(v, share, uniform), None) for share in shares)
        return sum(self.losses(params, part) for part in parts) / n

    def apply(self, params, v, rng=None):
        """Yield the outputs of all columns, (n_rows, n_outputs), after each step, given
        rows, NaN where not seen. Without ``rng`` no units drop out."""
        W, b = params.values
        mask, none = (~np.isnan(v)).astype(v.dtype), np.zeros(1, v.dtype)
        seen = dense(listed(self.conditionals.inputs(v)), W, b, "identity")
        seen = pre = seen + dense(mask, params.seen, none, "identity")
        if self.means is not None or self.n_steps > 1:
            missing = np.repeat(1 - mask, self.conditionals.n_inputs, axis=1)
        if self.means is not None:
            x = missing * self.means.astype(v.dtype)
            pre = seen + dense(x, W, none, "identity")
        for number in range(self.n_steps):
            own = None if rng is None else rng.fold(number)
            out = self._outputs(params, pre, own if number else rng)
            yield out
            if number < self.n_steps - 1:
                x = expected(out, self.conditionals) * missing
                pre = seen + dense(x, W, none, "identity")

    def _outputs(self, params, pre, rng):
        """Outputs of all columns, given the pre-activations of the first layer."""
        h = self._thinned(activate(pre, self.activation), rng, 0)
        for number, layer in enumerate(params.hidden, start=1):
            h = self._thinned(dense(h, *layer, self.activation), rng, number)
        return dense(h, *params.out, "identity")

    def _thinned(self, h, rng, number):
        dropped = rng is not None and self.dropout
        return drop_out(h, self.dropout, rng.fold(number)) if dropped else h

    def features(self, params, v):
        """Last hidden layer, given all entries that are not missing."""
        return self._above(params, self._pre_activation(params, v), v)

    def log_likelihood(self, params, v, number, rng):
        """Log-likelihood of each row in one order, in nats, of shape (n_rows,)."""
        return self.log_p(params, v, number, rng).sum(axis=1)

    def log_p(self, params, v, number, rng):
        """Log probability of each entry given those before it in one order,
        (n_rows, n_columns), in nats; 0 for missing entries, which are neither seen nor
        predicted."""
        x, observed = self.conditionals.inputs(v), ~np.isnan(v)
        pre = np.tile(params.values.b, (len(v), 1))
        log_p, seen = np.zeros(v.shape), np.full_like(v, np.nan)
        for j in self.orders[number]:
            out = self.output(params, pre, seen, j)
            log_p[:, [j]] = self.conditionals.single[j].log_p(out, v[:, [j]])
            pre += self._contribution(params, x, observed, j)
            seen[:, j] = v[:, j]
        return log_p

    def others(self, params, v):
        """Log probability of each entry given all others of its row, in nats."""
        x, observed = self.conditionals.inputs(v), ~np.isnan(v)
        pre, log_p = self._pre_activation(params, v), np.zeros(v.shape)
        seen = v.copy()
        for j in range(self.n_columns):
            seen[:, j] = np.nan
            own = self._contribution(params, x, observed, j)
            out = self.output(params, pre - own, seen, j)
            log_p[:, [j]] = self.conditionals.single[j].log_p(out, v[:, [j]])
            seen[:, j] = v[:, j]
        return log_p

    def fill(self, params, v, rng, method, who="", tell=None):
        """Fill missing entries by "mean", all at once; by "mode", one after the other
        in the first order, dates last; or by "sample", draws in one of the orders at
        random. All count: ``tell`` is not called."""
        if method == "mean":
            out = dense(self.features(params, v), *params.out, "identity")
            return np.where(np.isnan(v), self.conditionals.mean(out), v)
        if method == "sample":
            return self.sampled(params, v, rng)
        order = np.roll(self.orders[0], -self.conditionals.waved.size)
        return self._walk(
            params, v, order, lambda j, single, out, rows: single.mode(out)
        )

    def conditioned(self, params, v, n, rng, who, events):
        """Draw rows given known values and events, as :meth:`Chains.conditioned`.

        Columns with an event come first, the least probable one before all others, so
        that draws for a single one are exact; for several they are weighted. So they
        are where dates, whose law given others is harder to learn, come before them.
        """
        which = [j for j, event in enumerate(events) if event is not None]
        ahead = [j for j in self.conditionals.waved.tolist() if np.isnan(v[j])]
        ahead = ahead if which else []
        which = [j for j in which if j not in ahead]
        if len(which) > 1:
            pre = self._pre_activation(params, v[None])
            masses = [self._mass(params, pre, v, j, events[j], rng) for j in which]
            which = [which[k] for k in np.argsort(masses, kind="stable")]
        which = ahead + which

        def draw(size, rng):
            own, log_w = rng.rows(size), np.zeros(size)
            near = np.ones((len(which), size))

            def choose(j, single, out, rows):
                if events[j] is None:
                    return single.draw(out, own.fold(j))
                found, mass = draw_within(single, out, events[j], own.fold(j))
                if j != which[0]:
                    near[which.index(j)] = relative(single, out, found[:, None])
                log_w[:] += mass
                return found[:, None]

            rows = self._walk(params, np.tile(v, (size, 1)), which, choose)
            share = min(near.mean(axis=1), default=1.0)
            return Weighted(rows, log_w, effective(log_w), share)

        own = rng.fold(_EVENTS)
        if len(which) > 1:
            rows = pooled(draw, n, own, max(1, _ROOM // self.width), who)
        else:
            rows = draw(n, own).rows
        return self.sampled(params, rows, rng.rows(n))

    def _mass(self, params, pre, v, j, event, rng):
        """Log probability of the event of a column, given one row and its first
        pre-activations."""
        out = self.output(params, pre, v[None], j)
        return draw_within(self.conditionals.single[j], out, event, rng)[1][0]

    def sampled(self, params, v, rng):
        """Fill missing entries with draws, each row in one of the orders at random; but
        dates, which come first there, after all others if any of these is known."""
        v, chosen = v.copy(), rng.fold(_ORDER).uniform(1)[:, 0] * self.n_orders
        late, known = self.conditionals.waved, ~np.isnan(v).all(axis=1)
        known, chosen = known & (late.size > 0), chosen.astype(np.intp)
        n = self.n_orders if known.any() else 0
        for number, order in enumerate([*self.orders, *self.orders[:n]]):
            again = number >= self.n_orders
            rows = np.flatnonzero((chosen == number % self.n_orders) & (known == again))
            order = np.roll(order, -late.size) if again else order

            def choose(j, single, out, among, rows=rows):
                return single.draw(out, rng.take(rows[among]).fold(j))

            v[rows] = self._walk(params, v[rows], order, choose)
        return v

    def _walk(self, params, v, order, choose):
        """Fill missing entries in turn, by ``choose(j, single, out, rows)``."""
        v, pre = v.copy(), self._pre_activation(params, v)
        for j in order:
            rows = np.flatnonzero(np.isnan(v[:, j]))
            if rows.size:
                own, single = pre[rows], self.conditionals.single[j]
                out = self.output(params, own, v[rows], j)
                v[rows, j] = choose(j, single, out, rows)[:, 0]
                x, W = single.inputs(v[rows, j : j + 1]), params.values.W
                pre[rows] = own + x @ W[self.inputs[j]] + params.seen[j]
        return v

    def output(self, params, pre, v, j):
        """Outputs of column j, given rows, NaN where not seen, and the pre-activations
        of the first hidden layer due to what is seen."""
        W, b = params.out
        own, h = self.outputs[j], self._above(params, pre, v)
        return matmul(h, np.ascontiguousarray(W[:, own])) + b[own]

    def _pre_activation(self, params, v):
        observed = (~np.isnan(v)).astype(v.dtype)
        pre = matmul(self.conditionals.inputs(v), params.values.W)
        return pre + matmul(observed, params.seen) + params.values.b

    def _contribution(self, params, x, observed, j):
        """Contribution of a column to the first pre-activations; 0 where missing."""
        own = self.inputs[j]
        return x[:, own] @ params.values.W[own] + np.where(
            observed[:, [j]], params.seen[j], 0
        )

    def _above(self, params, pre, v):
        """Last hidden layer after the last step; see :meth:`output`."""
        if self.means is None and self.n_steps == 1:
            return self._layers(params, pre)
        found, at = self.conditionals, np.flatnonzero(np.isnan(v).any(axis=0))
        if not at.size:
            return self._layers(params, pre)
        if at.size < self.n_columns:
            found = found.take(at)
        missing = np.repeat(np.isnan(v[:, at]), found.n_inputs, axis=1)
        inputs = places_of(at, self.conditionals.n_inputs)
        outputs = places_of(at, self.conditionals.n_outputs)
        W, V = params.values.W[inputs], np.take(params.out.W, outputs, axis=1)
        x, b = np.zeros(missing.shape, v.dtype), params.out.b[outputs]
        if self.means is not None:
            x += self.means[inputs].astype(v.dtype)
        for _ in range(self.n_steps - 1):
            h = self._layers(params, pre + matmul(x * missing, W))
            x = found.expected(matmul(h, V, b))
        return self._layers(params, pre + matmul(x * missing, W))

    def _layers(self, params, pre):
        h = activate(pre, self.activation)
        for layer in params.hidden:
            h = dense(h, *layer, self.activation)
        return h


def large(uniform, n_observed):
    r"""Shares of the observed entries of rows to be seen, drawn by uniform noise so
    that large shares are more frequent, and their weights, each (n_rows,).

    The loss of n entries estimated from the n - m that are hidden is scaled by n /
    (n - m), so that its noise grows with m. Sampling each m in proportion to its
    standard deviation, as :math:`1 / \sqrt{n - m}`, minimises the variance for a given
    number of rows; by its weight each number of seen entries counts as if all were
    equally frequent.
    """
    n = np.maximum(1, n_observed)
    n_seen = np.minimum(np.floor((1 - (1 - uniform) ** 2) * n), n - 1)
    frequency = np.sqrt(1 - n_seen / n) - np.sqrt(1 - (n_seen + 1) / n)
    return (n_seen + 0.5) / n, 1 / (n * frequency)


def hide(v, share, uniform):
    """Split the observed entries of each row into a share, below 1, that is seen, those
    with the lowest uniform numbers, and a hidden part.

    The parts have NaN where an entry belongs to the other, or is missing; the third
    array returned is the number of observed entries for each hidden one, (n_rows,).
    """
    observed = ~np.isnan(v)
    n_observed = observed.sum(axis=1)
    uniform = np.where(observed, uniform, uniform.dtype.type(2))
    n_seen = (share * n_observed).astype(np.intp)
    last = np.take_along_axis(np.sort(uniform, axis=1), n_seen[:, None], axis=1)
    is_seen, nothing = uniform < last, v.dtype.type(np.nan)
    factor = n_observed / np.maximum(1, n_observed - n_seen)
    seen, hidden = np.where(is_seen, v, nothing), np.where(is_seen, nothing, v)
    return seen, hidden, factor.astype(v.dtype)
