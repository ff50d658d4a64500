r"""Geometric mean of a directed net and its inference net, and its training objective.

.. math:: \tilde p(x) = \Bigl(\sum_z f(x, z)\Bigr)^2 = \sum_{z, z'} f(x, z) f(x, z'),
   \qquad f(x, z) = \sqrt{p(x, z) \, q(z \mid x)}

A row with two states of its latent units thus has an unnormalized probability in closed
form. The marginal of observed entries also sums over missing entries.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy.special import softmax

from skdgm.directed._objective import DirectedObjective
from skdgm.distributions import ABSENT
from skdgm.gradients.stochastic.geometric import geometric
from skdgm.nets import Variables, lists_if_sparse, nll, row_mean
from skdgm.nets.tape import getval
from skdgm.utils import addresses
from skdgm.utils.math import log_mean_exp

_TOP, _DOWN, _DATA, _GUESS, _OTHER = addresses.GEOMETRIC


class GeometricMean(NamedTuple):
    """Unnormalized geometric mean of a model and its inference net.

    ``output`` is the distribution of the data given the decoder's outputs, and
    ``share`` are the marginal means of inputs, or None. Methods take ``net``,
    :class:`~skdgm.nets.Variables`, and a ``source`` of noise for
    :meth:`~skdgm.latent.Hierarchy.through`.
    """

    hierarchy: Any
    output: Any
    share: np.ndarray

    def terms(self, net, v, source):
        """Draw latent units of rows; return log p(x, z), log q(z | x), and the forward
        pass."""
        x = lists_if_sparse(self.output.inputs(v, self.share))
        decoded = self.hierarchy.through(net, x, source)
        nll_of_data = nll(decoded.out, net.params.dispersion, v, self.output)
        return sum(decoded.log_p) - nll_of_data, sum(decoded.log_q), decoded

    def dream(self, net, rng):
        """Draw latent units from p, lowest first, and compute outputs for the data."""
        top = self.hierarchy.top(net, rng.fold(_TOP))
        z, outs = zip(*self.hierarchy.descent(net, top, rng.fold(_DOWN)))
        return z[::-1], outs[-1]

    def filled(self, net, v, seen, source, rng):
        """Draw latent units from q, then unknown entries of rows v from p.

        ``seen`` are the rows as inputs of q, which may contain guesses; each row of
        draws has a random stream. Returns rows, latent units, and the log probability
        of the draws, (n_rows * n_draws,), float64.
        """
        x = lists_if_sparse(self.output.inputs(seen, self.share))
        decoded = self.hierarchy.through(net, x, source)
        v = np.repeat(v, len(decoded.out) // len(v), axis=0)
        x = self.completed(net, v, decoded.out, rng)
        log_q = _float(sum(decoded.log_q))
        return x, decoded.z, log_q + self.log_drawn(net, x, v, decoded.out)

    def completed(self, net, v, out, rng):
        """Rows with unknown entries drawn from p."""
        drawn = self.output.draw(out, rng.fold(_DATA), net.params.dispersion)
        x, present = np.where(np.isnan(v), drawn, v), v == -ABSENT
        if present.any():
            drawn = self.output.present().draw(out, rng.fold(_DATA))
            x = np.where(present, drawn, x)
        return x

    def log_drawn(self, net, x, v, out):
        """Log probability of the entries of x that are unknown in v."""
        before, after = (
            _float(nll(out, net.params.dispersion, rows, self.output))
            for rows in (v, x)
        )
        return before - after

    def log_half_weight(self, net, v, rng, n_draws=1):
        r"""Log weights of draws, (n_rows, n_draws), float64, with a random stream for
        each row.

        .. math:: \tfrac12 \bigl(\log p(x, z) - \log q(z \mid x)\bigr), \qquad
           z \sim q(z \mid x)

        The squared mean of the weights is the unnormalized probability.
        """
        noise = self.hierarchy.noise(rng, n_draws)
        log_p, log_q, _ = self.terms(net, v, noise)
        return 0.5 * _float(log_p - log_q).reshape(len(v), n_draws)

    def log_marginal_weight(self, net, v, rng):
        """Log weights of draws, (n_rows,), float64, whose mean is the unnormalized
        probability of the known entries."""
        noise = self.hierarchy.noise(rng.fold(_GUESS), 1)
        x, z, log_r = self.filled(net, v, v, noise, rng)
        return self.log_pair_weight(net, x, z, rng) - log_r

    def log_pair_weight(self, net, x, z, rng):
        """Log f(x, z) plus log f(x, z') - log q(z' | x) for draws z' from q."""
        log_p, log_q, _ = self.terms(net, x, self.hierarchy.noise_of(z))
        return 0.5 * _float(log_p + log_q) + self.log_half_weight(net, x, rng)[:, 0]

    def bound(self, net, v, rng, n_draws):
        """Lower bound, in expectation, on the unnormalized log probability of known
        entries, and its standard error, each (n_rows,), float64."""
        bounds, incomplete = np.empty((2, len(v))), unknown(v).any(axis=1)
        for group, factor in (~incomplete, 2.0), (incomplete, 1.0):
            if group.any():
                part, streams = v[group], rng.take(group)
                draw = self.log_marginal_weight if factor == 1 else self._one
                log_w = [draw(net, part, streams.fold(k)) for k in range(n_draws)]
                mean, se = log_mean_exp(np.stack(log_w))
                bounds[:, group] = factor * mean, factor * se
        return tuple(bounds)

    def _one(self, net, v, rng):
        return self.log_half_weight(net, v, rng)[:, 0]


class GeometricObjective(DirectedObjective):
    r"""Objective of a bidirectional Helmholtz machine: the unnormalized log
    probability.

    This is a lower bound, because Z is at most 1. Draws from q and p impute missing
    entries, with weights

    .. math:: \frac{f(x, z)}{q(z \mid x_\text{seen}) \, p(x_\text{missing} \mid z)}
       \cdot \frac{f(x, z')}{q(z' \mid x)}
    """

    def __init__(self, run, *, hierarchy, domain, columns, output):
        super().__init__(
            run, hierarchy=hierarchy, domain=domain, columns=columns, output=output
        )
        self.mean = GeometricMean(hierarchy, output, domain.share(columns))

    def forward(self, params, batch):
        v, mean, n = batch.v, self.mean, len(batch.v)
        net = Variables(params.model, batch.kept.model)

        def noise(level, _):
            return batch.noise[level]

        if unknown(v).any():
            current_net = Variables(batch.params.model, batch.kept.model)
            rng = batch.rng.fold(_OTHER).rows(len(batch.noise[0]))
            x, z, log_r = mean.filled(current_net, v, v, noise, rng)
            log_p, log_q, _ = mean.terms(net, x, mean.hierarchy.noise_of(z))
            source = mean.hierarchy.noise(rng, 1)
            other_p, other_q, _ = mean.terms(net, x, source)
            total = (log_p + log_q + other_p + other_q) * v.dtype.type(0.5)
            log_w = 0.5 * _float(log_p + log_q + other_p - other_q) - log_r
            weight = softmax(log_w.reshape(n, -1), axis=1)
        else:
            log_p, log_q, _ = mean.terms(net, v, noise)
            p, q = (_float(part).reshape(n, -1, 1) for part in (log_p, log_q))
            total, weight = log_p + log_q, geometric(p, q).of_p
        weight *= weight.shape[1]
        terms = total.reshape(weight.shape) * weight.astype(v.dtype)
        return -row_mean(terms), batch.kept

    def losses(self, state, index, rng):
        """Negative unnormalized log probability of the rows at an index, float64."""
        net = Variables(state.learned.model, state.statistics.model)
        return -self.mean.bound(net, self.rows.take(index), rng, self.n_loss_draws)[0]


def unknown(v):
    """Mask of entries without a known value: missing, or known only to be present."""
    return np.isnan(v) | (v == -ABSENT)


def _float(x):
    return getval(x).astype(np.float64)
