r"""Missing entries filled by draws: weighted ones, or those of a Markov chain.

.. math:: \hat x = \frac{\sum_k w_k x_k}{\sum_k w_k}, \qquad
   w_k = \frac{p(x_\text{seen}, z_k)}{q(z_k \mid x)}

A chain has ``init(rng)``, its first state; ``step(rng, state)``, the next one and an
:class:`Info`; and ``expected(state)``, the mean of a row given a state. What does not
change from step to step, such as known entries, it is made of.
"""

from typing import NamedTuple

import numpy as np
from sklearn.utils import gen_batches

_DATA, _CHOICE, _OLD = 102, 103, 106
# Chains of each row whose mean is asked for, the part of their steps that each leaves
# out, and has; most numbers of one layer at a time.
CHAINS, _PART, _ROOM = 10, 5, 2**22


class State(NamedTuple):
    """State of a :class:`LatentChain`, of each row: values x, latent units z of each
    layer (none before the first step), and outputs of the decoder."""

    x: np.ndarray
    z: list = ()
    out: np.ndarray = None


class Info(NamedTuple):
    """Facts about a step: whether what was proposed for latent units was taken,
    (n_rows,)."""

    accepted: np.ndarray


class LatentChain:
    r"""Latent units drawn by the encoder, and missing entries by the decoder, in turn.

    .. math:: z \sim q(z \mid x), \qquad x_\text{missing} \sim p(x \mid z)

    v are rows, NaN where missing, and ``guess`` the same with first values of these. If
    ``correct``, latent units are accepted or rejected by Metropolis and Hastings' rule,
    so that the chain leaves :math:`p(z, x_\text{missing} \mid x_\text{seen})` as it is;
    otherwise it does only if the encoder is exact. Classes or attributes on which the
    data depend are ``told``, or else part of the state, and drawn with latent units;
    by themselves they are accepted or rejected in either case.
    """

    def __init__(self, density, v, guess, correct, told=None):
        self.density, self.v, self.guess, self.correct = density, v, guess, correct
        self.missing, self.own = np.isnan(v), density.net[0].own
        self.told = told

    def init(self, rng):
        """State before the first step, without latent units."""
        return State(self.guess)

    def step(self, rng, state):
        """Draw latent units, and missing entries given these."""
        hierarchy, output = self.density.hierarchy, self.density.output
        given = *self.density.net, output.inputs(state.x, self.density.share)
        new = hierarchy.through(*given, hierarchy.noise(rng, 1), told=self.told)
        accepted, z, out = np.ones(len(self.v), bool), new.z, new.out
        if state.z and self.correct:
            source = hierarchy.noise_of(state.z, rng.fold(_OLD))
            old = hierarchy.through(*given, source, told=self.told)
            ratio = self._weight(new, state.x) - self._weight(old, state.x)
            accepted = taken(ratio, rng.fold(_CHOICE))
            z = chosen(accepted, z, state.z)
            out = np.where(accepted[:, None], out, state.out)
        elif state.z and hierarchy.told is not None and self.told is None:
            told = state.z[-1]
            old = hierarchy.through(*given, hierarchy.noise(rng, 1), told=told)
            ratio = self._log_p(new, state.x) - self._log_p(old, state.x)
            kept = taken(ratio, rng.fold(_CHOICE))[:, None]
            z = *z[:-1], np.where(kept, z[-1], told)
            out = np.where(kept, out, old.out)
        if hierarchy.data is not None:
            x, out = self._linked(rng, state.x, z, out)
            return State(x, z, out), Info(accepted)
        drawn = output.draw(out, rng.fold(_DATA), self.own)
        return State(np.where(self.missing, drawn, self.v), z, out), Info(accepted)

    def _linked(self, rng, x, z, out):
        """Missing entries of columns that depend on each other, and outputs given
        these: drawn given those before them, and accepted by what is known after."""
        hierarchy, own = self.density.hierarchy, (self.v, rng.fold(_DATA))
        given = *self.density.net, self.density.output.inputs(x, self.density.share)
        source = hierarchy.noise_of(z, rng.fold(_OLD, 1))
        new = hierarchy.through(*given, source, given=own, told=self.told)
        if new.whole is None:
            return x, out
        ratio = self._log_p(new, self.v) + self.density.output.nll(
            out, self.v, self.own
        )
        kept = taken(ratio, rng.fold(_CHOICE, 1))[:, None]
        return np.where(kept, new.whole, x), np.where(kept, new.out, out)

    def expected(self, state):
        """Means of rows given latent units."""
        layer = self.density.hierarchy.data
        if layer is not None:
            return layer.expected(state.out, self.v, state.x)
        return self.density.output.expected(state.out)

    def _log_p(self, found, x):
        return -self.density.output.nll(found.out, x, self.own)

    def _weight(self, found, x):
        return self._log_p(found, x) - found.gap


def by_chain(make, rows, rng, n_steps, method, width):
    """Mean over several chains of each row, of a fifth of ``n_steps`` steps each after
    as many that are left out; or by ``method="sample"`` the last state of one.

    ``make(*rows)`` returns a chain, of arrays with a row for each chain, or None;
    ``width`` is how many numbers of a row there are at once. A single chain may stay
    near the values that it began with.
    """
    n_each, parts, left_out = CHAINS if method == "mean" else 1, [], 0
    if method == "mean":
        left_out, n_steps = n_steps // _PART, max(1, n_steps // _PART)
    for block in gen_batches(len(rows[0]), max(1, _ROOM // (n_each * width))):
        own = (None if x is None else np.repeat(x[block], n_each, axis=0) for x in rows)
        streams = rng.take(block)
        streams = streams if n_each == 1 else streams.each(n_each)
        mean, state = _walked(make(*own), streams, left_out, n_steps)
        if method == "mean":
            mean = mean.reshape(-1, n_each, mean.shape[1]).mean(axis=1)
        parts.append(mean if method == "mean" else state.x)
    return np.concatenate(parts)


def _walked(chain, rng, left_out, n_steps):
    """Mean over some steps of a chain after those left out, and its last state."""
    state, total = chain.init(rng), 0.0
    for number in range(left_out + n_steps):
        state, _ = chain.step(rng.fold(number), state)
        if number >= left_out:
            total = total + chain.expected(state)
    return total / n_steps, state


def by_weight(draw, rng, n_steps, method, choice=_CHOICE):
    """Weighted mean of draws, or by ``method="sample"`` one of them chosen by weight,
    of each row: ``draw(rng)`` returns log weights, (n_rows,), and values; ``choice`` is
    the purpose of the random numbers that choose."""
    high, total, norm, best, value = -np.inf, 0.0, 0.0, -np.inf, 0.0
    for number in range(n_steps):
        own = rng.fold(number)
        log_w, new = draw(own)
        log_w = log_w[:, None]
        if method == "mean":
            before, high = high, np.maximum(high, log_w)
            shrunk, w = np.exp(before - high), np.exp(log_w - high)
            norm, total = shrunk * norm + w, shrunk * total + w * new
        else:  # The largest of log weight plus Gumbel noise is a draw by weight.
            noisy = log_w + own.fold(choice).gumbel(1)
            value = np.where(noisy > best, new, value)
            best = np.maximum(best, noisy)
    return total / norm if method == "mean" else value


def taken(log_ratio, rng):
    """Mask of rows that accept a proposal, by the log of Hastings' ratio."""
    return rng.uniform(1)[:, 0] < np.exp(np.minimum(log_ratio, 0))


def chosen(accepted, new, old):
    """Layers of latent units, the new ones in rows that accept these."""
    return tuple(np.where(accepted[:, None], *pair) for pair in zip(new, old))
