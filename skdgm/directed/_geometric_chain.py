"""Markov chain of the geometric mean of a directed net and its inference net."""

from typing import NamedTuple

import numpy as np

from skdgm.latent.filling import Accepted, metropolis_accept, where_accepted
from skdgm.utils import addresses

_CHOICE, _OTHER, _MOVE = addresses.GEOMETRIC_DENSITY[1:]


class PairState(NamedTuple):
    """State of a :class:`GeometricChain`: values x of rows, and two sets of latent
    units per layer."""

    x: np.ndarray
    z: tuple
    other: tuple


class GeometricChain:
    r"""Metropolis-Hastings chain of two sets of latent units and the missing entries.

    .. math:: f(x, z) \, f(x, z'), \qquad f(x, z) = \sqrt{p(x, z) \, q(z \mid x)}

    This is the invariant distribution; see :mod:`skdgm.latent.filling`. Each step swaps
    the two sets. v are rows, NaN where missing, and ``guess`` are rows with initial
    values.
    """

    def __init__(self, density, v, guess):
        self.density, self.v, self.guess = density, v, guess
        self.mean, self.net = density.mean, density.net
        self.hierarchy = density.hierarchy

    def init(self, rng):
        """Initial state: latent units drawn from q, and entries drawn from p."""
        noise = self.hierarchy.noise(rng.fold(_MOVE), 1)
        x, z, _ = self.mean.filled(self.net, self.v, self.guess, noise, rng)
        return PairState(x, z, z)

    def step(self, rng, state):
        """Propose latent units, then missing entries together with the other latent
        units."""
        (x, z, other), mean, net = state, self.mean, self.net
        noise, noise_of = self.hierarchy.noise, self.hierarchy.noise_of
        # Latent units are proposed by q.
        new = mean.terms(net, x, noise(rng.fold(_MOVE), 1))
        old = mean.terms(net, x, noise_of(z))
        accepted = metropolis_accept(0.5 * (_gap(new) - _gap(old)), rng.fold(_CHOICE))
        z = where_accepted(accepted, new[2].z, z)
        # Missing entries are proposed by p, and the other latent units by q.
        before, above, _ = self._weight(x, z, noise_of(other))
        proposed = mean.completed(net, self.v, above.out, rng)
        after, _, drawn = self._weight(proposed, z, noise(rng.fold(_OTHER), 1))
        accepted = metropolis_accept(after - before, rng.fold(_CHOICE, 1))
        x = np.where(accepted[:, None], proposed, x)
        other = where_accepted(accepted, drawn.z, other)
        return PairState(x, other, z), Accepted(accepted)

    def expected(self, state):
        """Inputs of rows, whose mean over the chain is the conditional expectation."""
        return self.density.output.inputs(state.x, self.density.share)

    def _weight(self, x, z, source):
        """Log ratio of the target to the proposal, and the forward pass of either
        set."""
        mean, net = self.mean, self.net
        log_p, log_q, first = mean.terms(net, x, self.hierarchy.noise_of(z))
        second = mean.terms(net, x, source)
        log_w = 0.5 * (log_p + log_q).astype(np.float64) + 0.5 * _gap(second)
        return log_w - mean.log_drawn(net, x, self.v, first.out), first, second[2]


def _gap(terms):
    log_p, log_q, _ = terms
    return (log_p - log_q).astype(np.float64)
