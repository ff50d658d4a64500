r"""Variational bounds on the log-likelihood.

.. math:: \mathcal{L} = \tfrac1K \sum_k \log p(x \mid z_k) - \beta \,
   \log \frac{q(z_k \mid x)}{p(z_k)}, \qquad
   \mathcal{L}_K = \log \tfrac1K \sum_k p(x \mid z_k) \,
   \Bigl(\frac{p(z_k)}{q(z_k \mid x)}\Bigr)^\beta

for draws :math:`z_k \sim q(z \mid x)`: the evidence lower bound [1]_, in which the log
ratio of the highest layer is replaced by its expectation, and the importance-weighted
bound [2]_. During warm-up, :math:`\beta` rises from 0 [3]_.

References
----------
.. [1] Kingma and Welling (2014). Auto-encoding variational Bayes. ICLR.
.. [2] Burda, Grosse and Salakhutdinov (2016). Importance weighted autoencoders. ICLR.
.. [3] Bowman, Vilnis, Vinyals, Dai, Jozefowicz and Bengio (2016). Generating sentences
   from a continuous space. CoNLL.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from skdgm.nets import NetObjective, Variables, log_mean_exp, nll, row_mean
from skdgm.utils.random import Stream, standard_normal

_NOISE, _DROP, _GRAY = range(3)
# Precision of the normal prior on direct effects between columns, in standard units;
# it shrinks the effects of rare categories.
_TIGHT = 20.0
# Default number of draws for each row of the importance-weighted bound.
_WEIGHTED = 5


class BoundBatch(NamedTuple):
    """Rows v of an update, running statistics, a source of noise, the weight beta, a
    random stream for dropout, and covariates, or None."""

    statistics: tuple
    v: np.ndarray
    noise: Callable
    beta: float
    training: Stream
    covariates: np.ndarray | None


class VariationalBound(NetObjective):
    """Variational bound on the log-likelihood of rows; not a bound unless beta is 1.
    Held-out losses have the value of beta after warm-up. ``output`` is the distribution
    of the data given the decoder's outputs."""

    quantity, max_held_out_draws = "bound", 8

    def __init__(self, run, *, hierarchy, domain, columns, output):
        super().__init__(run, domain.loss_of_independent(columns))
        options, self.hierarchy = self.options, hierarchy
        self.output, self.share = output, domain.share(columns)
        self.weighted = options.objective == "iwae"
        self.n_each = options.n_importance or (_WEIGHTED if self.weighted else 1)
        if hierarchy.data is not None:
            # Half the precision of the prior, per row of all fits.
            self.precision = float(0.5 * _TIGHT / max(1.0, columns.seen.max()))

    def init(self, rng):
        """Initial parameters, with outputs at the means of columns."""
        dtype, output = self.rows.dtype, self.output
        out = output.start(self.share).astype(dtype)
        return self.hierarchy.init(rng, out, output.initial_parameters(dtype), dtype)

    def prepare(self, state, batch, clock):
        """:class:`BoundBatch` of an update."""
        v, rng = self.rows.take(batch), self.stream(clock)
        if self.options.resample:
            v = self.output.resampled(v, rng.fold(_GRAY).rows(len(v)))
        generator = rng.fold(_NOISE).generator()

        def noise(level, stats):
            n = self.hierarchy.units.n_noise(self.hierarchy.n_latent[level])
            return standard_normal(generator, (len(v) * self.n_each, n), v.dtype)

        return BoundBatch(
            statistics=state.statistics,
            v=v,
            noise=noise,
            beta=self.beta(clock),
            training=rng.fold(_DROP),
            covariates=self._covariates(batch),
        )

    def _covariates(self, index):
        """Covariates of the rows at an index, or None."""
        covariates = self.hierarchy.covariates
        if covariates is None:
            return None
        return covariates.read(self.rows.accompanying(index), self.rows.dtype)

    def forward(self, params, prepared):
        v = prepared.v
        decoded = self.hierarchy.through(
            Variables(params, prepared.statistics),
            self.hierarchy.batch(self.output.inputs(v, self.share)),
            prepared.noise,
            exact=not self.weighted,
            training=prepared.training,
            covariates=prepared.covariates,
        ).with_free(self.options.free_bits)
        loss = -self._bound(decoded, params.dispersion, v, prepared.beta)
        if self.hierarchy.data is not None:
            loss = loss + self.precision * self.hierarchy.data.size(params)
        return loss, decoded.statistics

    def constrain(self, params):
        self.hierarchy.constrain(params)

    def losses(self, state, index, rng):
        v, noise = self.rows.take(index), self.hierarchy.noise(rng, self.n_each)
        decoded = self.hierarchy.through(
            Variables(state.learned, state.statistics),
            self.hierarchy.batch(self.output.inputs(v, self.share)),
            noise,
            exact=not self.weighted,
            covariates=self._covariates(index),
        )
        value = self._bound(decoded, state.learned.dispersion, v, self.options.beta)
        return -value.astype(np.float64)

    def _bound(self, decoded, dispersion, v, beta):
        """Bound of each row, from draws of its latent units."""
        terms = -nll(decoded.out, dispersion, v, self.output), decoded.gap
        log_p, gap = (term.reshape((len(v), -1)) for term in terms)
        return bound(log_p, gap, beta, self.weighted)

    def beta(self, clock):
        """Current weight of the divergence, which rises linearly from 0 during
        warm-up."""
        if not self.options.warm_up:
            return self.options.beta
        done = self.epochs_before + clock.epochs_done
        return self.options.beta * min(1.0, done / self.options.warm_up)


def bound(log_p, gap, beta, weighted):
    """Bound, (n_rows,), given log p(x | z) of draws, (n_rows, n_draws), and ``gap``,
    log q(z | x) - log p(z) of each draw, or its expectation. ``weighted`` selects the
    importance-weighted bound."""
    if weighted:
        return log_mean_exp(log_p - beta * gap)
    return row_mean(log_p) - beta * row_mean(gap)
