r"""Gibbs steps of restricted Boltzmann machines with biases of each row, and annealing.

Log Z of a row is estimated by annealed importance sampling [1]_, from the machine
without couplings:

.. math:: f_\beta(x) = e^{b(x)} \prod_j e^{-\beta y_j / 2} \bigl(1 +
   e^{\beta (c_j + y_j)}\bigr), \qquad \frac{Z}{Z_0} \approx \frac1M \sum_m \prod_k
   \frac{f_{\beta_{k+1}}(x_k)}{f_{\beta_k}(x_k)}

and back from the ends of these runs [2]_. The first is too low on average, the second
too high, by about as much. A base with the means of mean field is no better: couplings
that are strong have several modes, of which it has one.

References
----------
.. [1] Neal (2001). Annealed importance sampling. Statistics and Computing.
.. [2] Burda, Grosse and Salakhutdinov (2015). Accurate and conservative estimates
   of MRF log-likelihood using reverse annealing. AISTATS.
"""

from itertools import pairwise

import numpy as np
from scipy.special import expit, logsumexp, softmax

from skdgm.nets.restricted import statistic
from skdgm.nets.tape import getval
from skdgm.utils.math import softplus
from skdgm.utils.products import matmul

# Gibbs steps between annealing up and down; and difference of both sides, in nats,
# above which they disagree.
_ON, MAX_GAP = 30, 1.0
# Random streams.
_START, HIDDEN, _VISIBLE, _RUN = range(300, 304)
_DOWN = 307
LOG_2PI = np.log(2 * np.pi)


class AnnealedMachine:
    """Machine of which each row has biases of its own.

    A subclass has ``n_inputs`` and ``n_hidden``, numbers of units; which of the inputs
    are ``real`` or ``bits``, masks; and ``groups``, slices of one-hot inputs.
    """

    def seen(self, machine, x):
        """Visible units as hidden units see them, centred."""
        return statistic(x, self.real, machine.precision) - getval(machine.centre)

    def _field(self, machine, biases, x):
        """Input of hidden units."""
        return biases.hidden + matmul(self.seen(machine, x), machine.W)

    def _back(self, machine, h):
        """Input of visible units, given hidden ones."""
        return matmul(
            h.astype(machine.W.dtype) - machine.W.dtype.type(0.5), machine.W.T
        )

    def _step(self, machine, biases, x, noise, beta, known=None, a=None):
        """One step of Gibbs sampling, of unknown entries."""
        a = self._field(machine, biases, x) if a is None else a
        h = noise.uniform(HIDDEN, a) < expit(a.dtype.type(beta) * a)
        field = a.dtype.type(beta) * self._back(machine, h)
        return self._drawn(machine, biases, field, x, noise, known)

    def _drawn(self, machine, biases, field, x, noise, known):
        """Entries drawn given the input of hidden units, or None for no input."""
        b, real = biases.visible, self.real
        eta = b if field is None else b + field
        u = noise.uniform(_VISIBLE, b)
        if self.bits.all():
            found = (u < expit(eta)).astype(b.dtype)
        else:
            found = np.zeros_like(b)
            found[:, self.bits] = u[:, self.bits] < expit(eta[:, self.bits])
            for group in self.groups:
                upto = np.cumsum(softmax(eta[:, group], axis=1), axis=1)
                code = (upto[:, :-1] <= u[:, group.start, None]).sum(axis=1)
                found[np.arange(len(b)), group.start + code] = 1
            if real.any():
                size = np.exp(-machine.precision / 2)
                found[:, real] = b[:, real] + size * noise.normal(_VISIBLE, b)[:, real]
                if field is not None:
                    found[:, real] += size * field[:, real]
        return found if known is None else np.where(known, x, found)

    def _means(self, machine, biases, field):
        """Means of entries given the input of hidden units."""
        eta = biases.visible + field
        found = expit(eta)
        for group in self.groups:
            found[:, group] = softmax(eta[:, group], axis=1)
        if self.real.any():
            size = np.exp(-machine.precision / 2)
            own = biases.visible[:, self.real] + size * field[:, self.real]
            found[:, self.real] = own
        return found

    def _annealed(self, machine, biases, x, rng, known, n_betas, n_runs, sides=1):
        """Log of the sum over unknown entries, by annealing up and, of two ``sides``,
        back down, (2, n_rows); and the last entries of all runs up, in order of
        rows."""
        biases, rng = biases.each(n_runs), rng.each(n_runs)
        known, x = (np.repeat(a, n_runs, axis=0) for a in (known, x))
        log_z = self._independent(machine, biases, x, known)
        x = self._drawn(machine, biases, None, x, Streams(rng, _START), known)
        betas = np.linspace(0, 1, n_betas + 1)
        given = machine, biases, x, rng.fold(_RUN), known, betas
        log_w, drawn = self._along(*given)
        up = _log_mean(log_z + log_w, n_runs)
        if sides == 1:
            return np.stack([up, up]), drawn
        x, rng = drawn, rng.fold(_DOWN)
        for k in range(_ON):
            x = self._step(machine, biases, x, Streams(rng, _ON, k), 1.0, known)
        log_w, _ = self._along(machine, biases, x, rng, known, betas[::-1])
        return np.stack([up, -_log_mean(log_w - log_z, n_runs)]), drawn

    def _along(self, machine, biases, x, rng, known, betas):
        """Log weights of runs along temperatures, up or down, and their ends."""
        log_w = np.zeros(len(x))
        for k, (old, new) in enumerate(pairwise(betas)):
            a = self._field(machine, biases, x)
            gain = softplus(a.dtype.type(new) * a) - softplus(a.dtype.type(old) * a)
            gain -= a.dtype.type((new - old) / 2) * (a - biases.hidden)
            log_w += gain.sum(axis=1, dtype=np.float64)
            x = self._step(machine, biases, x, Streams(rng, k), new, known, a)
        return log_w, x

    def _independent(self, machine, biases, x, known):
        """Log of the sum over unknown entries without couplings, in float64."""
        b = biases.visible.astype(np.float64)
        total = np.full(len(x), self.n_hidden * np.log(2))
        own = np.where(known, x * b, softplus(b))[:, self.bits]
        total += own.sum(axis=1)
        for group in self.groups:
            own = (x[:, group] * b[:, group]).sum(axis=1)
            free = logsumexp(b[:, group], axis=1)
            total += np.where(known[:, group.start], own, free)
        if self.real.any():
            gap = np.exp(machine.precision / 2) * (x - b)[:, self.real]
            free = 0.5 * (LOG_2PI - machine.precision)
            own = np.where(known[:, self.real], -0.5 * gap**2, free)
            total += own.sum(axis=1)
        return total


def combined(high, low):
    """Log-likelihoods of estimates that are too high and too low on average: the means,
    or the lower ones where these are more than 1 nat apart."""
    return np.where(
        abs(high - low) > MAX_GAP, np.minimum(high, low), 0.5 * (high + low)
    )


def _log_mean(log_w, n_runs):
    """Log of the mean weight of the runs of each row."""
    return logsumexp(log_w.reshape(-1, n_runs), axis=1) - np.log(n_runs)


class Noise:
    """Noise of one generator for all rows."""

    def __init__(self, generator):
        self.generator = generator

    def uniform(self, _, like):
        """Uniform numbers, of a shape and type."""
        return self.generator.random(like.shape, like.dtype.type)

    def normal(self, _, like):
        """Normal numbers."""
        return self.generator.standard_normal(like.shape, like.dtype.type)


class Streams:
    """Noise of a stream for each row."""

    def __init__(self, rng, *tags):
        self.rng = rng.fold(*tags)

    def uniform(self, tag, like):
        """Uniform numbers."""
        return self.rng.fold(tag).uniform(like.shape[1], like.dtype.type)

    def normal(self, tag, like):
        """Normal numbers."""
        return self.rng.fold(tag, 1).normal(like.shape[1], like.dtype.type)
