r"""Geometric mean of a directed net and its inference net, and its objective.

.. math:: \tilde p(x) = \Bigl(\sum_z f(x, z)\Bigr)^2 = \sum_{z, z'} f(x, z) f(x, z'),
   \qquad f(x, z) = \sqrt{p(x, z) \, q(z \mid x)}

so that a row with two states of its latent units has a probability known up to Z. The
marginal of observed entries is a sum over the missing ones, too.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import softmax

from skdgm.directed._objective import DirectedObjective
from skdgm.distributions import ABSENT
from skdgm.gradients.stochastic.geometric import geometric
from skdgm.nets import Variables, listed, nll, row_mean
from skdgm.nets.tape import getval
from skdgm.utils import addresses
from skdgm.utils.math import log_mean_exp

_TOP, _DOWN, _DATA, _GUESS, _OTHER = addresses.GEOMETRIC


class GeometricMean(NamedTuple):
    """Geometric mean of a model and its inference net, up to a factor.

    ``output`` is the distribution of the data given the decoder's outputs; ``share``
    are the marginal means of inputs, or None. Methods take ``net``,
    :class:`~skdgm.nets.Variables`; a ``source`` of noise is as
    :meth:`~skdgm.latent.Hierarchy.through` takes it.
    """

    hierarchy: object
    output: object
    share: np.ndarray

    def terms(self, net, v, source):
        """Draw latent units of rows: log p(x, z), log q(z | x), and the pass."""
        x = listed(self.output.inputs(v, self.share))
        decoded = self.hierarchy.through(net, x, source)
        nll_of_data = nll(decoded.out, net.params.own, v, self.output)
        return sum(decoded.log_p) - nll_of_data, sum(decoded.log_q), decoded

    def dream(self, net, rng):
        """Draw latent units, the lowest first, and outputs for the data, by p."""
        top = self.hierarchy.top(net, rng.fold(_TOP))
        z, outs = zip(*self.hierarchy.descent(net, top, rng.fold(_DOWN)))
        return z[::-1], outs[-1]

    def filled(self, net, v, seen, source, rng):
        """Draw latent units by q, and unknown entries of rows v by p, given these:
        rows, latent units, and the log probability of the draws, (n_rows * n_draws,) in
        float64. ``seen`` are rows as q sees them, which may have guesses; each row of
        draws has a stream."""
        x = listed(self.output.inputs(seen, self.share))
        decoded = self.hierarchy.through(net, x, source)
        v = np.repeat(v, len(decoded.out) // len(v), axis=0)
        x = self.completed(net, v, decoded.out, rng)
        log_q = _float(sum(decoded.log_q))
        return x, decoded.z, log_q + self.log_drawn(net, x, v, decoded.out)

    def completed(self, net, v, out, rng):
        """Rows with unknown entries drawn by p."""
        drawn = self.output.draw(out, rng.fold(_DATA), net.params.own)
        x, present = np.where(np.isnan(v), drawn, v), v == -ABSENT
        if present.any():
            drawn = self.output.present().draw(out, rng.fold(_DATA))
            x = np.where(present, drawn, x)
        return x

    def log_drawn(self, net, x, v, out):
        """Log probability of the entries of x that are unknown in v."""
        before, after = (
            _float(nll(out, net.params.own, rows, self.output)) for rows in (v, x)
        )
        return before - after

    def log_half(self, net, v, rng, n_draws=1):
        r"""Logs of draws, (n_rows, n_draws) in float64, whose mean, squared, is the
        probability up to Z, with a stream for each row.

        .. math:: \tfrac12 \bigl(\log p(x, z) - \log q(z \mid x)\bigr), \qquad
           z \sim q(z \mid x)
        """
        noise = self.hierarchy.noise(rng, n_draws)
        log_p, log_q, _ = self.terms(net, v, noise)
        return 0.5 * _float(log_p - log_q).reshape(len(v), n_draws)

    def log_pair(self, net, v, rng):
        """Logs of draws whose mean is the probability of the known entries up to Z, of
        shape (n_rows,), float64."""
        noise = self.hierarchy.noise(rng.fold(_GUESS), 1)
        x, z, log_r = self.filled(net, v, v, noise, rng)
        return self.log_twice(net, x, z, rng) - log_r

    def log_twice(self, net, x, z, rng):
        """Log of f(x, z), and of f(x, z') / q(z' | x) for draws of q, together."""
        log_p, log_q, _ = self.terms(net, x, self.hierarchy.noise_of(z))
        return 0.5 * _float(log_p + log_q) + self.log_half(net, x, rng)[:, 0]

    def bound(self, net, v, rng, n_draws):
        """Bound on the log probability up to Z of known entries of rows, in
        expectation, and its standard error, each (n_rows,) in float64."""
        bounds, holes = np.empty((2, len(v))), unknown(v).any(axis=1)
        for which, times in (~holes, 2.0), (holes, 1.0):
            if which.any():
                part, streams = v[which], rng.take(which)
                draw = self.log_pair if times == 1 else self._one
                log_w = [draw(net, part, streams.fold(k)) for k in range(n_draws)]
                mean, se = log_mean_exp(np.stack(log_w))
                bounds[:, which] = times * mean, times * se
        return tuple(bounds)

    def _one(self, net, v, rng):
        return self.log_half(net, v, rng)[:, 0]


class GeometricObjective(DirectedObjective):
    r"""Objective of a bidirectional Helmholtz machine: log probability up to Z.

    As Z is at most 1, this is a lower bound. Where entries are missing, draws of q and
    p fill them, with weights

    .. math:: \frac{f(x, z)}{q(z \mid x_\text{seen}) \, p(x_\text{missing} \mid z)}
       \cdot \frac{f(x, z')}{q(z' \mid x)}

    Parameters are those of :class:`DirectedObjective`; the options have
    ``n_importance``, a number.
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
            before = Variables(batch.params.model, batch.kept.model)
            rng = batch.rng.fold(_OTHER).rows(len(batch.noise[0]))
            x, z, log_r = mean.filled(before, v, v, noise, rng)
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
        """Negative log probability up to Z of the rows at an index, by as many draws as
        in training, if rows are many, in float64."""
        net = Variables(state.learned.model, state.statistics.model)
        return -self.mean.bound(net, self.rows.take(index), rng, self.n_judged)[0]


def unknown(v):
    """Mask of entries without a known value: missing, or known to be present only."""
    return np.isnan(v) | (v == -ABSENT)


def _float(x):
    return getval(x).astype(np.float64)
