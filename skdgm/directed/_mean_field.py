r"""Training by Saul's mean field: a variational bound for each row.

Independent bits with means :math:`\mu` replace the posterior [1]_,

.. math:: \log p(x) \ge \sum_i \mu_i \bar a_i - \xi_i \bar a_i - \log \mathbb{E}\bigl[
   e^{-\xi_i a_i} + e^{(1 - \xi_i) a_i}\bigr] + \sum_j H(\mu_j)

over columns (where :math:`\mu_i = x_i`) and hidden bits i, whose log odds :math:`a_i`
have the mean :math:`\bar a_i`; all terms have closed forms. Means and :math:`\xi` are
initialized by the inference net and updated by several sweeps. The model follows the
gradient of the bound, and the inference net is trained to predict the means.
:mod:`skdgm.directed._expected` has the other types of columns.

References
----------
.. [1] Saul, Jaakkola and Jordan (1996). Mean field theory for sigmoid belief networks.
   Journal of Artificial Intelligence Research.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import entr, expit

from skdgm._kernels.graphs import belief_gibbs as kernels
from skdgm.directed._expected import CodeExpectation, RealExpectation
from skdgm.directed._method import (
    BeliefNet,
    BeliefStatistics,
    Method,
    affine,
    fields,
    linear_surrogate,
)
from skdgm.nets import Variables
from skdgm.utils.counts import count
from skdgm.utils.math import softplus
from skdgm.utils.threading.parallel import run
from skdgm.utils.tree import astype

# Cost of a pair of parent and child, in multiply-adds.
_WORK = 30
# Expectations of columns by type.
_COLUMNS = {"gaussian": RealExpectation, "categorical": CodeExpectation}
# Number of rows at a time.
_ROWS = 512


class VariationalMeans(NamedTuple):
    """Variational means of hidden bits, and the parameters of the bound: lists of
    arrays, starting with the layer next to the data."""

    # (n_rows, n_units) for each layer.
    means: list
    # (n_rows, n_children) for binary columns and each layer below the highest;
    # ``better`` is xi after another step.
    xi: list
    share: list
    better: list


class Factored:
    """Factorial approximation of the posterior."""

    def __init__(self, net):
        self.net = net
        # Expectations of columns that are not binary.
        self.columns = None
        if net.output.kind != "bernoulli":
            self.columns = _columns(net)

    def optimize(self, net, v, n_steps):
        """Variational means after ``n_steps`` sweeps, initialized by the inference
        net."""
        model = net.params
        means = self.net.hierarchy.upwards(net, self.net.inputs(v))
        means = [np.ascontiguousarray(part) for part in means]
        slack = v.dtype.type(np.sqrt(np.finfo(v.dtype).max))
        layers = [affine(model, level) for level in range(len(means))]
        xi = [mean @ W + b for mean, (W, b) in zip(means, layers)]
        starts = [expit] * len(xi)
        if self.columns:
            starts[0] = self.columns.start
        xi = [start(part) for start, part in zip(starts, xi)]
        share = [np.empty_like(part) for part in xi]
        better, v = xi, np.ascontiguousarray(v)
        for _ in range(n_steps):
            xi, better = better, [np.empty_like(part) for part in xi]
            for level, mean in enumerate(means):
                field, layer = fields(model, means, level), layers[level]
                t = means[level - 1] if level else v
                if self.columns and not level:
                    better[0] = self.columns.optimize(model, v, mean, field, xi[0])
                    continue
                run(
                    kernels.mean_field,
                    kernels.SaulRows(mean, t, xi[level]),
                    field,
                    layer,
                    slack,
                    (better[level], share[level]),
                    n=len(v),
                    work=_WORK * len(v) * layer.W.size,
                )
        return VariationalMeans(means, xi, share, better)

    def bound(self, model, v, posterior):
        """Variational bound of each row, float64."""
        means = posterior.means
        total = sum(entr(mean.astype(float)).sum(axis=1) for mean in means)
        total += sum(entr(1 - mean.astype(float)).sum(axis=1) for mean in means)
        top = means[-1].astype(float)
        total += top @ model.prior - softplus(model.prior.astype(float)).sum()
        for level, mean in enumerate(means):
            if self.columns and not level:
                total += self.columns.log_p(model, v, mean, posterior.better[0])
                continue
            layer, out = affine(model, level), np.empty(len(v))
            t = np.ascontiguousarray(means[level - 1] if level else v)
            rows = kernels.SaulRows(mean, t, posterior.better[level])
            work = _WORK * len(v) * layer.W.size
            run(kernels.bound, rows, layer, out, n=len(v), work=work)
            total += out
        return total


class SaulMeanField(Method):
    """Saul's mean field."""

    def __init__(self, net, options):
        super().__init__(net, options)
        # Only losses need draws.
        self.n_each, self.factored = 1, Factored(net)

    @classmethod
    def check(cls, options):
        """Raise ValueError for columns whose expectations have no closed form."""
        kind = options.column_types
        if not isinstance(kind, str) or kind == "mixed":
            raise ValueError(
                'objective="mean-field" takes column_types="bernoulli", "gaussian" or '
                f'"categorical", not {kind!r}.'
            )
        if kind == "gaussian" and options.variance == "sample":
            raise ValueError(
                'objective="mean-field" of "gaussian" columns takes variances that do '
                'not differ by row: column_types__variance="feature" or a number, not '
                '"sample".'
            )

    def surrogate(self, params, batch):
        """Values with the gradients of the bound at the posterior means, and of their
        log q."""
        net, (model, _), v = self.net, batch.params, batch.v
        kept, traced, columns = batch.kept.model, params.model, self.factored.columns
        posterior = self.factored.optimize(
            Variables(model, kept), v, self.options.mean_field_steps
        )
        z, n = posterior.means, v.dtype.type(1 / len(v))
        total = net.hierarchy.units.log_prior(z[-1], traced.prior)
        for level in range(len(z)):
            if columns and not level:
                column_term = columns.surrogate(model, traced, v, z[0], posterior.xi[0])
                total = total + column_term
            else:
                t = z[level - 1] if level else v
                by_W, by_b = bound_gradient(
                    affine(model, level), z[level], t, posterior, level
                )
                total = total + linear_surrogate(
                    affine(traced, level), by_W * n, by_b * n
                )
        below, ups = net.inputs(v), []
        for level, up in enumerate(net.hierarchy.up):
            raw, statistics = up.apply(
                traced.encoders[level], kept.encoders[level], below
            )
            ups.append(statistics)
            total = total + net.hierarchy.units.log_prob(z[level], raw)
            below = (batch.noise[level] < z[level]).astype(v.dtype)
        return total, BeliefStatistics(kept._replace(encoders=tuple(ups)), ())


def bound_gradient(layer, mean, t, posterior, level):
    """Gradient of the bound on the log probability of children with respect to weights
    and biases."""
    share, W = posterior.share[level], np.empty_like(layer.W)
    rows = kernels.SaulRows(mean, np.ascontiguousarray(t), posterior.xi[level])
    work = _WORK * len(mean) * W.size
    run(kernels.slope, rows, layer.W, share, W, n=len(W), work=work)
    return W, np.where(np.isnan(t), 0, t - share).sum(axis=0)


def _columns(net):
    """Expectations of columns that are not binary."""
    output = net.output
    if output.kind not in _COLUMNS or getattr(output, "variance", None) == "sample":
        raise ValueError(
            'Mean field (objective="mean-field", mean_field_bound) is for columns of '
            "one kind without rare categories, and for real ones whose variances do "
            "not differ by row."
        )
    return _COLUMNS[output.kind](net)


def likelihood_bound(density, X, n_steps):
    """Lower bound on the log-likelihood of each row under a density."""
    output, n_steps = density.output, count(n_steps, "n_steps")
    if density.hierarchy.data:
        raise ValueError(
            "mean_field_bound is for layers whose bits are independent given the layer "
            "above, autoregressive=False."
        )
    factored = Factored(BeliefNet(density.hierarchy, output, density.share))

    def of_rows(v, _):
        net = astype(density.net, v.dtype)
        posterior = factored.optimize(net, v, n_steps)
        return factored.bound(net.params, v, posterior)[:, None]

    rows = density.read(X)
    bound = density.by_content(of_rows, rows, _ROWS)[:, 0]
    return bound + density.domain.log_volume(density.columns, rows)
