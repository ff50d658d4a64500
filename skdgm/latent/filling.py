r"""Missing entries filled by draws: weighted ones, or those of a Markov chain.

.. math:: \hat x = \frac{\sum_k w_k x_k}{\sum_k w_k}, \qquad
   w_k = \frac{p(x_\text{seen}, z_k)}{q(z_k \mid x)}

A chain has ``init(rng)``, its first state; ``step(rng, state)``, the next one and an
:class:`Accepted`; and ``expected(state)``, the mean of a row given a state. Its
constructor takes all that does not change from step to step, such as known entries.
"""

from typing import NamedTuple

import numpy as np
from sklearn.utils import gen_batches

from skdgm.latent.data_layer import Entries
from skdgm.utils import addresses

_DATA, _CHOICE, _OLD = addresses.LATENT_FILLING
# Chains of each row in a mean, the part of the steps that each has as burn-in, and as
# steps; most numbers of one layer at a time.
CHAINS, _PART, _ROOM = 10, 5, 2**22


class Incomplete(NamedTuple):
    """Rows v, NaN where missing; the same with a ``guess`` of missing entries; and
    covariates, or None if these are drawn, or there are none."""

    v: np.ndarray
    guess: np.ndarray
    covariates: np.ndarray | None = None

    def take(self, index):
        """Rows at an index."""
        return Incomplete._make(None if part is None else part[index] for part in self)


class LatentState(NamedTuple):
    """State of a :class:`LatentChain`, of each row: values x, latent units z of each
    layer (none before the first step), and outputs of the decoder."""

    x: np.ndarray
    z: tuple = ()
    out: np.ndarray = None


class Accepted(NamedTuple):
    """Mask of the rows whose proposed latent units a step accepted, (n_rows,)."""

    accepted: np.ndarray


class LatentChain:
    r"""Latent units drawn by the encoder, and missing entries by the decoder, in turn.

    .. math:: z \sim q(z \mid x), \qquad x_\text{missing} \sim p(x \mid z)

    ``rows`` are :class:`Incomplete`. If ``correct``, latent units are accepted or
    rejected by Metropolis and Hastings' rule, so that the chain leaves
    :math:`p(z, x_\text{missing} \mid x_\text{seen})` invariant; otherwise it does only
    if the encoder is exact. Covariates that are not known are part of the state and
    drawn with latent units, and accepted or rejected in either case.
    """

    def __init__(self, density, rows, correct):
        self.density, self.correct = density, correct
        self.v, self.guess, self.covariates = rows
        self.missing, self.dispersion = np.isnan(rows.v), density.net.params.own

    def init(self, rng):
        """State before the first step, without latent units."""
        return LatentState(self.guess)

    def step(self, rng, state):
        """Draw latent units, and missing entries given these."""
        hierarchy, output = self.density.hierarchy, self.density.output
        noise = hierarchy.noise(rng, 1)
        new = self._through(state.x, noise, self.covariates)
        accepted, z, out = np.ones(len(self.v), bool), new.z, new.out
        if state.z and self.correct:
            source = hierarchy.noise_of(state.z, rng.fold(_OLD))
            old = self._through(state.x, source, self.covariates)
            ratio = self._weight(new, state.x) - self._weight(old, state.x)
            accepted = taken(ratio, rng.fold(_CHOICE))
            z = chosen(accepted, z, state.z)
            out = np.where(accepted[:, None], out, state.out)
        elif state.z and hierarchy.covariates is not None and self.covariates is None:
            former = state.z[-1]
            old = self._through(state.x, noise, former)
            ratio = self._log_p(new, state.x) - self._log_p(old, state.x)
            kept = taken(ratio, rng.fold(_CHOICE))[:, None]
            z = *z[:-1], np.where(kept, z[-1], former)
            out = np.where(kept, out, old.out)
        if hierarchy.data is not None:
            x, out = self._linked(rng, state.x, z, out)
            return LatentState(x, z, out), Accepted(accepted)
        drawn = output.draw(out, rng.fold(_DATA), self.dispersion)
        x = np.where(self.missing, drawn, self.v)
        return LatentState(x, z, out), Accepted(accepted)

    def _through(self, x, source, covariates, entries=None):
        """Pass of rows x by a source of noise."""
        density = self.density
        inputs = density.output.inputs(x, density.share)
        return density.hierarchy.through(
            density.net, inputs, source, entries=entries, covariates=covariates
        )

    def _linked(self, rng, x, z, out):
        """Missing entries of columns that depend on each other, and outputs given
        these: drawn given previous entries, and accepted by known ones after them."""
        source = self.density.hierarchy.noise_of(z, rng.fold(_OLD, 1))
        entries = Entries(self.v, rng.fold(_DATA))
        new = self._through(x, source, self.covariates, entries)
        if new.filled is None:
            return x, out
        old = -self.density.output.nll(out, self.v, self.dispersion)
        ratio = self._log_p(new, self.v) - old
        kept = taken(ratio, rng.fold(_CHOICE, 1))[:, None]
        return np.where(kept, new.filled, x), np.where(kept, new.out, out)

    def expected(self, state):
        """Means of rows given latent units."""
        layer = self.density.hierarchy.data
        if layer is not None:
            return layer.expected(state.out, self.v, state.x)
        return self.density.output.expected(state.out)

    def _log_p(self, decoded, x):
        return -self.density.output.nll(decoded.out, x, self.dispersion)

    def _weight(self, decoded, x):
        return self._log_p(decoded, x) - decoded.gap


def by_chain(make, rows, rng, n_steps, method, width):
    """Mean over several chains of each row, of a fifth of ``n_steps`` steps each after
    a burn-in of as many; or by ``method="sample"`` the last state of one.

    ``rows`` are arrays with a row for each chain, or None; ``make(arrays)`` returns a
    chain of such; ``width`` is the most numbers of a row at once. A single chain may
    stay near the values that it began with.
    """
    n_each, parts, burn_in = CHAINS if method == "mean" else 1, [], 0
    if method == "mean":
        burn_in, n_steps = n_steps // _PART, max(1, n_steps // _PART)
    for block in gen_batches(len(rows[0]), max(1, _ROOM // (n_each * width))):
        arrays = [
            None if x is None else np.repeat(x[block], n_each, axis=0) for x in rows
        ]
        streams = rng.take(block)
        streams = streams if n_each == 1 else streams.each(n_each)
        mean, state = _walked(make(arrays), streams, burn_in, n_steps)
        if method == "mean":
            mean = mean.reshape(-1, n_each, mean.shape[1]).mean(axis=1)
        parts.append(mean if method == "mean" else state.x)
    return np.concatenate(parts)


def _walked(chain, rng, burn_in, n_steps):
    """Mean over some steps of a chain after the burn-in, and its last state."""
    state, total = chain.init(rng), 0.0
    for number in range(burn_in + n_steps):
        state, _ = chain.step(rng.fold(number), state)
        if number >= burn_in:
            total = total + chain.expected(state)
    return total / n_steps, state


def by_weight(draw, rng, n_steps, method, choice=_CHOICE):
    """Weighted mean of draws, or by ``method="sample"`` one of them chosen by weight,
    of each row: ``draw(rng)`` returns log weights, (n_rows,), and values; ``choice`` is
    the purpose of the random numbers that choose."""
    high, total, norm, best, value = -np.inf, 0.0, 0.0, -np.inf, 0.0
    for number in range(n_steps):
        streams = rng.fold(number)
        log_w, new = draw(streams)
        log_w = log_w[:, None]
        if method == "mean":
            before, high = high, np.maximum(high, log_w)
            shrunk, w = np.exp(before - high), np.exp(log_w - high)
            norm, total = shrunk * norm + w, shrunk * total + w * new
        else:  # The largest of log weight plus Gumbel noise is a draw by weight.
            noisy = log_w + streams.fold(choice).gumbel(1)
            value = np.where(noisy > best, new, value)
            best = np.maximum(best, noisy)
    return total / norm if method == "mean" else value


def taken(log_ratio, rng):
    """Mask of rows that accept a proposal, by the log of Hastings' ratio."""
    return rng.uniform(1)[:, 0] < np.exp(np.minimum(log_ratio, 0))


def chosen(accepted, new, old):
    """Layers of latent units, the new ones in rows that accept these."""
    return tuple(np.where(accepted[:, None], a, b) for a, b in zip(new, old))
