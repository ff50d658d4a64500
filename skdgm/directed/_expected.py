r"""Expected log probability of columns over independent hidden bits with given means.

Real columns have the exact expectation,

.. math:: \mathbb{E}[(x_i - a_i)^2] = (x_i - \bar a_i)^2 +
   \sum_j \mu_j (1 - \mu_j) W_{ji}^2

Categorical columns have a bound, which generalizes Saul's bound for binary columns,

.. math:: \mathbb{E}\Bigl[\log \sum_k e^{a_k}\Bigr] \le \sum_k \xi_k \bar a_k +
   \log \sum_k \mathbb{E}\bigl[e^{a_k - \sum_l \xi_l a_l}\bigr]

for any :math:`\xi` that sums to one; here, the probabilities at the means.
"""

import numpy as np

from skdgm.directed._method import affine, linear_surrogate
from skdgm.nets import nll
from skdgm.utils.math import sigmoid


class RealExpectation:
    """Expectation of real columns whose variances do not differ by row."""

    def __init__(self, net):
        self.net = net

    def start(self, a):
        """Initial xi; a placeholder, because real columns need none."""
        return a

    def optimize(self, model, v, mean, field, xi):
        """Update the means of the hidden bits of rows v one after another, in place,
        given their log odds ``field`` under the layer above; return xi, (n_rows,
        n_outputs)."""
        (W, b), output = affine(model, 0), self.net.output
        column_mean = mean @ W + b
        precision = np.exp(-output.parts(column_mean, model.dispersion)[1]) * ~np.isnan(
            v
        )
        residual = np.where(np.isnan(v), 0, v - column_mean)
        for j, weights in enumerate(W):
            previous, pull = mean[:, j].copy(), weights * (mean[:, j : j + 1] - 0.5)
            total = ((residual + pull) * precision) @ weights
            mean[:, j] = sigmoid(field[:, j] + total)
            residual -= (mean[:, j] - previous)[:, None] * weights
        return xi

    def log_p(self, model, v, mean, xi):
        """Expected log probability of each row."""
        m, far = self._far(model, v, mean)
        return -self.net.output.nll(m, far, model.dispersion)

    def surrogate(self, model, traced, v, mean, xi):
        """Values with the gradient of :meth:`log_p` with respect to the traced
        parameters."""
        W, output = affine(model, 0).W, self.net.output
        m, far = self._far(model, v, mean)
        weight = np.full(len(v), -1 / len(v), v.dtype)
        by_mean, _ = output.nll_grad(m, v, weight, model.dispersion)
        precision = np.exp(-output.parts(m, model.dispersion)[1]) * ~np.isnan(v)
        spread = (mean * (1 - mean)).T @ precision * W / v.dtype.type(len(v))
        by_weight = mean.T @ by_mean - spread
        total = linear_surrogate(affine(traced, 0), by_weight, by_mean.sum(axis=0))
        if output.variance == "feature":
            total = total - nll(m, traced.dispersion, far, output)
        return total

    def _far(self, model, v, mean):
        """Means of columns, and values whose squared distance from the means is the
        expected squared distance of the rows."""
        W, b = affine(model, 0)
        m = mean @ W + b
        return m, m + np.sqrt((v - m) ** 2 + (mean * (1 - mean)) @ W**2)


class CodeExpectation:
    """Bound on the expectation of categorical columns; methods are as in
    :class:`RealExpectation`."""

    def __init__(self, net):
        self.net = net
        self.starts, self.sizes = net.output.starts, net.output.n_outputs

    def start(self, a):
        """Initial xi: probabilities of logits a."""
        return self.net.output.expected(a)

    def optimize(self, model, v, mean, field, xi):
        """Update the means one after another, in place; return an improved xi."""
        (W, b), (t, known) = affine(model, 0), self._targets(v)
        total = self._totals(W, b, mean, xi)
        for j, weights in enumerate(W):
            m, e = mean[:, j : j + 1], np.exp(self._centered(weights, xi))
            factor = 1 - m + m * e
            slope = self._shares(total) * (e - 1) / factor
            pull = (known * ((t - xi) * weights - slope)).sum(axis=1)
            new = sigmoid(field[:, j] + pull)[:, None]
            total += np.log(1 - new + new * e) - np.log(factor)
            mean[:, j] = new[:, 0]
        return self.start(mean @ W + b)

    def log_p(self, model, v, mean, xi):
        """Bound on the expected log probability of each row."""
        (W, b), (t, known) = affine(model, 0), self._targets(v)
        total = self._totals(W, b, mean, xi)
        high = np.maximum.reduceat(total, self.starts, axis=1)
        size = np.exp(total - np.repeat(high, self.sizes, axis=1))
        log_sum = high + np.log(np.add.reduceat(size, self.starts, axis=1))
        exact = (known * (t - xi) * (mean @ W + b)).sum(axis=1)
        return exact - np.where(np.isnan(v), 0, log_sum).sum(axis=1)

    def surrogate(self, model, traced, v, mean, xi):
        """Values with the gradient of :meth:`log_p` with respect to the traced
        parameters."""
        (W, b), (t, known) = affine(model, 0), self._targets(v)
        shares, n = self._shares(self._totals(W, b, mean, xi)), v.dtype.type(len(v))
        by_weight = np.empty_like(W)
        for j, weights in enumerate(W):
            m, e = mean[:, j : j + 1], np.exp(self._centered(weights, xi))
            tilted = shares * (m * e / (1 - m + m * e))
            tilted -= xi * self._summed(tilted)
            by_weight[j] = (known * (m * (t - xi) - tilted)).sum(axis=0)
        by_bias = (known * (t - shares)).sum(axis=0)
        return linear_surrogate(affine(traced, 0), by_weight / n, by_bias / n)

    def _targets(self, v):
        """One-hot rows, and a mask of known entries."""
        return self.net.output.inputs(v), np.repeat(~np.isnan(v), self.sizes, axis=1)

    def _totals(self, W, b, mean, xi):
        """Log expectations of the terms in the bound."""
        total = self._centered(b, xi)
        for j, weights in enumerate(W):
            m = mean[:, j : j + 1]
            total = total + np.log(1 - m + m * np.exp(self._centered(weights, xi)))
        return total

    def _summed(self, x):
        """Sum over the categories of each column, repeated for each category."""
        total = np.add.reduceat(x, self.starts, axis=1)
        return np.repeat(total, self.sizes, axis=1)

    def _centered(self, a, xi):
        """Logits minus their means under xi."""
        return a - self._summed(xi * a)

    def _shares(self, total):
        """Share of each category in the sum."""
        return self.net.output.expected(total)
