r"""Densities of machines with several hidden layers.

The log-likelihood has the bound

.. math:: \log p(v) \ge \mathbb{E}_Q[-E(v, h)] + H(Q) - \log Z

for the factorial Q of mean field. With the odd layers marginalized in :math:`\tilde p`,
it is

.. math:: \log p(v) = \log \mathbb{E}_{h \sim Q}\left[\tilde p(v, h_\text{even}) /
   Q(h_\text{even})\right] - \log Z.

An average over draws from Q estimates it, with an expectation below the log-likelihood.
"""

from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skdgm.base import of_rows
from skdgm.boltzmann._density.layered import EnergyDensity
from skdgm.boltzmann.structure.labels import label_of, with_label
from skdgm.distributions import one_hot
from skdgm.inference import bound, mean_field
from skdgm.utils.counts import chosen, count
from skdgm.utils.math import log_mean_exp
from skdgm.utils.random import LIKELIHOOD, stream
from skdgm.utils.rows import row_hash
from skdgm.utils.threading.callers import warn
from skdgm.utils.threading.threads import one_blas_thread

_DRAWS = 2


class DeepDensity(EnergyDensity):
    """Density of a machine with several hidden layers, and an optional label above
    them. Its ``current_option`` returns ``inference_steps``, ``inference_tol`` and
    ``feature_layer``."""

    @property
    def capabilities(self):
        """As for one hidden layer, but several layers are marginalized by a mean-field
        bound, or, for complete rows, by an estimate from importance sampling."""
        kinds, low = super().capabilities, "lower bound"
        del kinds["pseudo_likelihood"]
        kind = low if self.enumerable else "estimate"
        bound = of_rows(low, gray=low)
        drawn = {"complete": "estimate"}
        if label_of(self.energy) is not None:
            kinds["log_joint_of"] = bound
        return kinds | {
            "log_prob": of_rows(kind, gray=kind),
            "numerator": drawn,
            "importance": drawn,
            "free_energy": bound,
            "features": of_rows("estimate"),
            "inverse": {"unconditional": "estimate"},
        }

    @property
    def blocks(self):
        """Blocks of the layers in ``feature_layer``."""
        depth = len(self.energy.units) - 1 - (label_of(self.energy) is not None)
        return tuple(
            1 + layer for layer in chosen(self.current_option("feature_layer"), depth)
        )

    @property
    def n_features_out(self):
        return sum(map(self.width, self.blocks))

    def width(self, block):
        """Number of features of a layer."""
        unit = self.energy.units[block]
        return unit.n_pooled if self.pooled else unit.size

    def _shown(self, block, mean):
        """Features of a layer, given its means."""
        return self.energy.units[block].pool(mean) if self.pooled else mean

    def _taken(self, block, H):
        """Means of a layer, given its features; all units of a pooled block are equally
        likely."""
        return self.energy.units[block].spread(H) if self.pooled else H

    @property
    def _of_layers(self):
        return f" in the layers feature_layer={self.current_option('feature_layer')!r}"

    def hidden_means(self, params, x, clamp):
        """Means of the hidden layers in ``feature_layer``, side by side."""
        means = self.inferred(params, x, clamp)
        features = [self._shown(block, means[block]) for block in self.blocks]
        return np.concatenate(features, axis=1)

    def visible_means(self, H):
        """Means of the visible units given hidden units, by mean field."""
        params, shape = self.params, (len(H), self.energy.units[0].size)
        (v, *nothing), _ = self.clamp_rows(np.full(shape, np.nan, params.dtype))
        clamp: list[Any] = [None, *nothing]
        x = [v, *nothing]
        edges = np.cumsum(list(map(self.width, self.blocks)))
        for block, features in zip(self.blocks, np.split(H, edges[:-1], axis=1)):
            x[block], clamp[block] = self._taken(block, features), True
        return self.inferred(params, tuple(x), tuple(clamp))[0]

    @property
    def limits(self):
        """Limits of inference, as arguments of :func:`~skdgm.inference.mean_field`."""
        names = {"max_sweeps": "inference_steps", "tol": "inference_tol"}
        return {name: self.current_option(option) for name, option in names.items()}

    def inferred(self, params, x, clamp):
        """Means of each block by mean field, within the limits of inference."""
        limits = self.limits
        means, info = mean_field(self.energy, params, x, clamp, **limits)
        if not info.converged.all():
            warn(
                f"Mean field of {np.count_nonzero(~info.converged)} rows still moved "
                f"by more than inference_tol={limits['tol']:g} after inference_steps="
                f"{limits['max_sweeps']} sweeps: raise one of them.",
                ConvergenceWarning,
            )
        return means

    def starts(self, params, x, clamp, rng):
        """Values of the even layers, drawn from mean-field means."""
        means, _ = mean_field(self.energy, params, x, clamp)
        (_, *others), _ = _drawn(self.energy, means, rng)
        return x[0], *others

    def log_joint(self, params, x, clamp):
        """Bounds on the log of the unnormalized probability of each row with each
        label, (n_rows, n_classes)."""
        energy, columns = self.energy, []
        label = label_of(energy)
        if label is None:
            return super().log_joint(params, x, clamp)
        n_labels, clamped = energy.units[label].size, with_label(clamp, label, True)
        for code in range(n_labels):
            y = one_hot(np.full(len(x[0]), code), n_labels, params.dtype)
            means = self.inferred(params, with_label(x, label, y), clamped)
            columns.append(bound(energy, params, means, clamped))
        return np.stack(columns, axis=1)

    def importance(self, X, n_draws):
        """Log-likelihood of complete rows without log Z, by importance sampling with
        ``n_draws`` draws from Q for each row, and standard errors, in nats."""
        n_draws = count(n_draws, "n_draws")
        rows = self.rows(X)
        self.require("importance", rows)
        rng = stream(self.seed, LIKELIHOOD, _DRAWS).rows(row_hash(rows))
        log_w = []
        with one_blas_thread():
            for batch in rows.blocks():
                log_w.append(self._log_weights(rows, batch, rng.take(batch), n_draws))
        log_p, se = log_mean_exp(np.concatenate(log_w), axis=1)
        return self.domain.log_volume(self.columns, rows) + log_p, se

    def numerator(self, X, n_draws=100):
        return *self.importance(X, n_draws), "estimate"

    def _log_weights(self, rows, part, rng, n_draws):
        """Log importance weights, of shape (n_rows, n_draws)."""
        energy, params = self.energy, self.params_for(rows, rows.dtype)
        x, clamp = self.clamp_rows(rows.present(part))
        means, log_w = self.inferred(params, x, clamp), []
        for number in range(n_draws):
            drawn, log_q = _drawn(energy, means, rng.fold(number))
            log_w.append(energy.log_marginal(params, drawn) - log_q)
        return np.stack(log_w, axis=1)

    def drawn_even(self, params, x, clamp, rng):
        return _drawn(self.energy, self.inferred(params, x, clamp), rng)

    def log_weight(self, params, x, clamp):
        means = self.inferred(params, x, clamp)
        return bound(self.energy, params, means, clamp)


def _drawn(energy, means, rng):
    """Draws of the even hidden layers from means, and their log probabilities."""
    drawn, log_q = list(means), 0.0
    for block in energy.rest()[1:]:
        unit, mean = energy.units[block], means[block]
        drawn[block] = unit.draw(mean, rng.fold(block))
        log_q += unit.log_prob(mean, drawn[block])
    return tuple(drawn), log_q
