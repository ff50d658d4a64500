r"""Imputation by importance-weighted draws, or by Markov chains.

.. math:: \hat x = \frac{\sum_k w_k x_k}{\sum_k w_k}, \qquad
   w_k = \frac{p(x_\text{seen}, z_k)}{q(z_k \mid x)}

A chain has the methods ``init(rng)``, its first state; ``step(rng, state)``, the next
state and an :class:`Accepted`; and ``expected(state)``, the mean of a row given the
state. Its constructor takes constants, such as observed entries.
"""

from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import gen_batches

from skdgm.latent.data_layer import Entries
from skdgm.utils import addresses
from skdgm.utils.counts import count

# Random streams of entries, choices, and the noise of the current state.
_DATA, _CHOICE, _CURRENT = addresses.LATENT_FILLING
# Number of chains of each row for a mean; each chain has n_steps / _N_PARTS steps of
# burn-in and as many further steps. Maximum number of activations of a layer.
N_CHAINS, _N_PARTS, _MAX_ACTIVATIONS = 10, 5, 2**22
# Number of draws, or of steps, of each row by default.
_DEFAULT_EFFORT = 100


class IncompleteRows(NamedTuple):
    """Rows v, (n_rows, n_columns), NaN where missing; the same rows with a ``guess`` of
    missing entries; and covariates, or None if unknown or absent."""

    v: np.ndarray
    guess: np.ndarray
    covariates: np.ndarray | None = None

    def take(self, index):
        """Rows at an index."""
        return IncompleteRows._make(None if x is None else x[index] for x in self)


class LatentState(NamedTuple):
    """State of a :class:`LatentChain`: rows x, (n_rows, n_columns); latent units z of
    each layer, (n_rows, n_units), () before the first step; outputs of the decoder."""

    x: np.ndarray
    z: tuple = ()
    out: Any = None


class Accepted(NamedTuple):
    """Mask of the rows whose proposed latent units were accepted, (n_rows,)."""

    accepted: np.ndarray


class LatentChain:
    r"""Chain that alternates between latent units, drawn by the encoder, and missing
    entries, drawn by the decoder.

    .. math:: z \sim q(z \mid x), \qquad x_\text{missing} \sim p(x \mid z)

    With ``metropolis``, latent units are accepted or rejected by the
    Metropolis-Hastings rule, which leaves :math:`p(z, x_\text{missing} \mid
    x_\text{seen})` invariant; without it, the encoder must be exact. Unknown covariates
    are part of the state, proposed with the latent units, and accepted or rejected in
    either case.
    """

    def __init__(self, density, rows, metropolis):
        self.density, self.metropolis = density, metropolis
        self.v, self.guess, self.covariates = rows
        self.missing, self.dispersion = np.isnan(rows.v), density.net.params.dispersion

    def init(self, rng):
        """Initial state, without latent units."""
        return LatentState(self.guess)

    def step(self, rng, state):
        """Draw latent units, then missing entries given the latent units."""
        hierarchy, output = self.density.hierarchy, self.density.output
        noise = hierarchy.noise(rng, 1)
        proposed = self._encode_decode(state.x, noise, self.covariates)
        accepted, z, out = np.ones(len(self.v), bool), proposed.z, proposed.out
        if state.z and self.metropolis:
            source = hierarchy.noise_of(state.z, rng.fold(_CURRENT))
            old = self._encode_decode(state.x, source, self.covariates)
            log_ratio = self._log_weight(proposed, state.x) - self._log_weight(
                old, state.x
            )
            accepted = metropolis_accept(log_ratio, rng.fold(_CHOICE))
            z = where_accepted(accepted, z, state.z)
            out = np.where(accepted[:, None], out, state.out)
        elif state.z and hierarchy.covariates is not None and self.covariates is None:
            old_covariates = state.z[-1]
            old = self._encode_decode(state.x, noise, old_covariates)
            log_ratio = self._log_p(proposed, state.x) - self._log_p(old, state.x)
            accept_covariates = metropolis_accept(log_ratio, rng.fold(_CHOICE))[:, None]
            z = *z[:-1], np.where(accept_covariates, z[-1], old_covariates)
            out = np.where(accept_covariates, out, old.out)
        if hierarchy.data is not None:
            x, out = self._propose_autoregressive(rng, state.x, z, out)
            return LatentState(x, z, out), Accepted(accepted)
        drawn = output.draw(out, rng.fold(_DATA), self.dispersion)
        x = np.where(self.missing, drawn, self.v)
        return LatentState(x, z, out), Accepted(accepted)

    def _encode_decode(self, x, source, covariates, entries=None):
        """Draw latent units of rows x with given noise, and decode them."""
        density = self.density
        inputs = density.output.inputs(x, density.share)
        return density.hierarchy.through(
            density.net, inputs, source, entries=entries, covariates=covariates
        )

    def _propose_autoregressive(self, rng, x, z, out):
        """Missing entries and outputs for columns that depend on each other: entries
        are proposed given previous columns, and accepted by the likelihood of observed
        entries."""
        source = self.density.hierarchy.noise_of(z, rng.fold(_CURRENT, 1))
        entries = Entries(self.v, rng.fold(_DATA))
        proposed = self._encode_decode(x, source, self.covariates, entries)
        if proposed.filled is None:
            return x, out
        old = -self.density.output.nll(out, self.v, self.dispersion)
        log_ratio = self._log_p(proposed, self.v) - old
        accept = metropolis_accept(log_ratio, rng.fold(_CHOICE, 1))[:, None]
        return np.where(accept, proposed.filled, x), np.where(accept, proposed.out, out)

    def expected(self, state):
        """Means of rows given latent units."""
        layer = self.density.hierarchy.data
        if layer is not None:
            return layer.expected(state.out, self.v, state.x)
        return self.density.output.expected(state.out)

    def _log_p(self, decoded, x):
        return -self.density.output.nll(decoded.out, x, self.dispersion)

    def _log_weight(self, decoded, x):
        return self._log_p(decoded, x) - decoded.gap


def checked_effort(sampler, n_draws, n_steps):
    """Number of draws, or of steps if ``sampler`` is a chain. An error if the other
    number is set."""
    if sampler == "importance" and n_steps is not None:
        raise ValueError(
            'n_steps is the number of steps of sampler="metropolis" and "gibbs". '
            'sampler="importance" draws without a chain: pass '
            f"n_draws={count(n_steps, 'n_steps')}."
        )
    if sampler != "importance" and n_draws is not None:
        raise ValueError(
            'n_draws is the number of draws of sampler="importance". '
            f"sampler={sampler!r} is a chain: pass "
            f"n_steps={count(n_draws, 'n_draws')}."
        )
    name, effort = "n_draws", n_draws
    if sampler != "importance":
        name, effort = "n_steps", n_steps
    return _DEFAULT_EFFORT if effort is None else count(effort, name)


def impute_by_chains(make, rows, rng, n_steps, method, width):
    """Impute missing entries by Markov chains.

    With ``method="mean"``, run ``N_CHAINS`` chains for each row, each of ``n_steps`` /
    5 burn-in steps and ``n_steps`` / 5 further steps, which reduces the dependence on
    initial values. With "sample", return the last state of one chain. ``rows`` are
    arrays with one entry for each row, or None; ``make(arrays)`` returns a chain;
    ``width`` is the largest number of activations for one row."""
    n_chains, results, burn_in = N_CHAINS if method == "mean" else 1, [], 0
    if method == "mean":
        burn_in, n_steps = n_steps // _N_PARTS, max(1, n_steps // _N_PARTS)
    for block in gen_batches(
        len(rows[0]), max(1, _MAX_ACTIVATIONS // (n_chains * width))
    ):
        arrays = [
            None if x is None else np.repeat(x[block], n_chains, axis=0) for x in rows
        ]
        streams = rng.take(block)
        streams = streams if n_chains == 1 else streams.each(n_chains)
        mean: Any
        mean, state = _run_chain(make(arrays), streams, burn_in, n_steps)
        if method == "mean":
            mean = mean.reshape(-1, n_chains, mean.shape[1]).mean(axis=1)
        results.append(mean if method == "mean" else state.x)
    return np.concatenate(results)


def _run_chain(chain, rng, burn_in, n_steps):
    """Mean over the steps of a chain after the burn-in, and its last state."""
    state, total_mean = chain.init(rng), 0.0
    for step in range(burn_in + n_steps):
        state, _ = chain.step(rng.fold(step), state)
        if step >= burn_in:
            total_mean = total_mean + chain.expected(state)
    return total_mean / n_steps, state


def impute_by_importance(draw, rng, n_draws, method):
    """Importance-weighted mean of ``n_draws`` draws of each row, or with
    ``method="sample"`` one draw, resampled by weight. ``draw(rng)`` returns
    log-weights, (n_rows,), and values, (n_rows, n_columns)."""
    high, weighted_sum, norm, best, value = -np.inf, 0.0, 0.0, -np.inf, 0.0
    for draw_number in range(n_draws):
        streams = rng.fold(draw_number)
        log_w, new = draw(streams)
        log_w = log_w[:, None]
        if method == "mean":
            last_high, high = high, np.maximum(high, log_w)
            rescaling, w = np.exp(last_high - high), np.exp(log_w - high)
            norm = rescaling * norm + w
            weighted_sum = rescaling * weighted_sum + w * new
        else:  # The maximum of log-weights plus Gumbel noise is a draw by weight.
            noisy = log_w + streams.fold(_CHOICE).gumbel(1)
            value = np.where(noisy > best, new, value)
            best = np.maximum(best, noisy)
    return weighted_sum / norm if method == "mean" else value


def metropolis_accept(log_ratio, rng):
    """Mask of rows that accept a proposal, given the log of the Metropolis-Hastings
    ratio."""
    return rng.uniform(1)[:, 0] < np.exp(np.minimum(log_ratio, 0))


def where_accepted(accepted, new, old):
    """Layers of latent units: ``new`` in the rows that accept, otherwise ``old``."""
    return tuple(np.where(accepted[:, None], a, b) for a, b in zip(new, old))
