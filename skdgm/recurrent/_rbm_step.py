r"""Steps as a restricted Boltzmann machine, with biases of each row.

.. math:: p(x_t \mid s_{t-1}) = e^{-F(x_t;\, b_t, c_t)} / Z_t

Learned by contrastive divergence. With few hidden units log Z is a sum over their
states; else it is estimated by annealed importance sampling [1]_ of each row, from the
machine without couplings:

.. math:: f_\beta(x) = e^{b(x)} \prod_j e^{-\beta y_j / 2} \bigl(1 +
   e^{\beta (c_j + y_j)}\bigr), \qquad \frac{Z}{Z_0} \approx \frac1M \sum_m \prod_k
   \frac{f_{\beta_{k+1}}(x_k)}{f_{\beta_k}(x_k)}

References
----------
.. [1] Neal (2001). Annealed importance sampling. Statistics and Computing.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logsumexp, softmax

from skdgm.distributions import GroupedOutput
from skdgm.nets.restricted import free_energy, statistic
from skdgm.nets.tape import getval
from skdgm.utils.math import softplus
from skdgm.utils.products import matmul
from skdgm.utils.tree import tree_map

# Most hidden units whose states are summed; entries of these sums at a time.
_EXACT, _ROOM = 10, 2**22
# Steps of annealing in monitoring, and number of runs there and in scores; rows that
# are monitored: one in so many, at least, and at most, about.
_WATCH, _FEW, _RUNS = 40, 2, 4
_ONE_IN, _LEAST, _MOST = 12, 100, 400
# Gibbs steps that complete rows in training, and that fill gaps: warming up, and kept.
_COMPLETE, _WARM, _KEPT = 5, 20, 20
# Random streams.
_START, _HIDDEN, _VISIBLE, _RUN, _STATE, _FILL, _RARE = range(300, 307)
_LOG_2PI = np.log(2 * np.pi)


class Machine(NamedTuple):
    """Weights of all steps, (n_inputs, n_hidden), log precisions of real inputs, and
    the offsets of inputs, which are not learned: those of the first rows."""

    W: np.ndarray
    precision: np.ndarray
    centre: np.ndarray


class RBMStep:
    """Distribution of a step by a restricted Boltzmann machine; see
    :class:`~skdgm.recurrent._net.RecurrentNet`.

    ``output`` encodes columns as visible units, :class:`~skdgm.distributions.
    MixedOutput`; ``start`` are visible biases that reproduce their frequencies,
    ``share`` means of inputs, for missing entries of former steps. There are
    ``n_steps`` of contrastive divergence, and ``n_betas`` of annealing.
    """

    def __init__(self, output, start, share, n_hidden, n_steps, n_betas, floor):
        self.output, self.start, self.share = output, start, share
        self.n_hidden, self.n_steps, self.n_betas = n_hidden, n_steps, n_betas
        self.n_inputs = self.n_visible = int(output.n_inputs.sum())
        self.width = max(n_hidden, self.n_inputs)
        sizes, kinds = output.n_inputs, output.kinds
        self.real = np.repeat(kinds == "gaussian", sizes)
        self.bits = np.repeat(kinds == "bernoulli", sizes)
        ends = np.cumsum(sizes)
        own = np.flatnonzero(kinds == "categorical")
        self.groups = [slice(ends[j] - sizes[j], ends[j]) for j in own]
        self.sizes, self.highest = sizes, -np.log(floor)
        # Columns of which rare categories are one.
        self.grouped = [b for b in output.blocks if isinstance(b.output, GroupedOutput)]

    @property
    def exact(self):
        """Whether sums over states of the hidden units are made."""
        return self.n_hidden <= _EXACT

    def n_watched(self, n_rows):
        """Number of rows, of so many, whose likelihood is monitored, so that this takes
        less time than to learn."""
        return n_rows if self.exact else min(_MOST, max(_LEAST, n_rows // _ONE_IN))

    @property
    def kind(self):
        """Kind of log-likelihoods."""
        return "exact" if self.exact else "estimate"

    def init(self, rng, dtype):
        """Small weights, biases that reproduce frequencies, and precisions of 1."""
        W = 0.01 * rng.normal(size=(self.n_inputs, self.n_hidden))
        precision = np.zeros(self.real.sum(), dtype)
        centre = np.zeros(self.n_inputs) if self.share is None else self.share
        centre = np.where(self.real, 0, centre).astype(dtype)
        found = Machine(W.astype(dtype), precision, centre)
        return found, np.zeros(self.n_hidden), self.start

    def inputs(self, v):
        """Visible units, which are inputs of the recurrent net, too."""
        return self.output.inputs(v, self.share)

    def seen(self, machine, x):
        """Visible units as hidden units see them, centred."""
        return statistic(x, self.real, machine.precision) - getval(machine.centre)

    def constrain(self, machine):
        """Limit precisions, in place."""
        np.minimum(machine.precision, self.highest, out=machine.precision)

    def loss(self, machine, biases, v, rng):
        """Difference of free energies of rows and of chains that start there, whose
        gradient is that of contrastive divergence."""
        values, own = tree_map(getval, machine), tree_map(getval, biases)
        generator, known = rng.generator(), self._known(v)
        x = self.inputs(v)
        if not known.all():
            noise = _Noise(generator)
            for _ in range(_COMPLETE):
                x = self._step(values, own, x, noise, 1, known)
        chain, noise = x, _Noise(generator)
        for _ in range(self.n_steps):
            chain = self._step(values, own, chain, noise, 1)
        given = (
            self.real,
            values.centre,
            machine.W,
            biases.hidden,
            biases.visible,
            machine.precision,
        )
        return free_energy(x, *given) - free_energy(chain, *given)

    def watched(self, machine, biases, v, rng):
        """Negative log-likelihood of each row, by few steps of annealing."""
        return -self.log_p(machine, biases, v, rng, _WATCH, _FEW)

    def log_p(self, machine, biases, v, rng, n_betas=None, n_runs=_RUNS):
        """Log-likelihood of each row, float64: that of known entries."""
        how = n_betas or self.n_betas, n_runs
        given, found = (machine, biases, self.inputs(v), rng), np.zeros(len(v))
        size = max(1, _ROOM // self._entries(n_runs))
        for start in range(0, len(v), size):
            part = _part(given, slice(start, start + size))
            known = self._known(v[start : start + size])
            nothing = np.zeros_like(known)
            free = self.log_partition(*part, nothing, *how)
            found[start : start + size] = self.log_partition(*part, known, *how) - free
        for block in self.grouped:
            found += block.output.log_share(v[:, block.columns]).sum(axis=1)
        return found

    def _entries(self, n_runs):
        """Numbers that a sum over states, or annealing, has for each row."""
        return self.width * (2**self.n_hidden if self.exact else n_runs)

    def log_partition(self, machine, biases, x, rng, known, n_betas, n_runs):
        """Log of the sum of exp(-F) over unknown entries of each row, in float64."""
        found = np.empty(len(x))
        whole = known.all(axis=1)
        if whole.any():
            parts = (a[whole] for a in biases)
            given = (
                x[whole],
                self.real,
                machine.centre,
                machine.W,
                *parts,
                machine.precision,
            )
            found[whole] = -free_energy(*given)
        rest = np.flatnonzero(~whole)
        if rest.size:
            machine, biases, x, rng = _part((machine, biases, x, rng), rest)
            if self.exact:
                own = self._by_state(machine, biases, x, known[rest])
                found[rest] = logsumexp(own, axis=1)
            else:
                given = machine, biases, x, rng, known[rest]
                found[rest] = self._annealed(*given, n_betas, n_runs)[0]
        return found

    def _states(self, dtype):
        codes = np.arange(2**self.n_hidden)[:, None] >> np.arange(self.n_hidden)
        return (codes & 1).astype(dtype)

    def _by_state(self, machine, biases, x, known):
        """Log weight of each state of the hidden units, with unknown entries summed
        out, (n_rows, n_states), in float64."""
        h = self._states(np.float64)
        field, b = (h - 0.5) @ machine.W.T.astype(np.float64), biases.visible[:, None]
        x, known = statistic(x, self.real, machine.precision)[:, None], known[:, None]
        total = (
            biases.hidden @ h.T
            - field @ machine.centre
            + (np.where(known, x, 0) * field).sum(axis=2)
        )
        bits = self.bits
        if bits.any():
            eta = b[..., bits] + field[:, bits]
            own = np.where(known[..., bits], x[..., bits] * b[..., bits], softplus(eta))
            total += own.sum(axis=2)
        for group in self.groups:
            own = (x[..., group] * b[..., group]).sum(axis=2)
            free = logsumexp(b[..., group] + field[:, group], axis=2)
            total += np.where(known[..., group.start], own, free)
        real = self.real
        if real.any():
            m, f = np.exp(machine.precision / 2) * b[..., real], field[:, real]
            free = 0.5 * f**2 + m * f + 0.5 * (_LOG_2PI - machine.precision)
            own = -0.5 * (x[..., real] - m) ** 2
            total += np.where(known[..., real], own, free).sum(axis=2)
        return total

    def _p_states(self, machine, biases, x, known):
        """Probabilities of the states of the hidden units, (n_rows, n_states)."""
        size, parts = max(1, _ROOM // self._entries(1)), []
        for start in range(0, len(x), size):
            part = slice(start, start + size)
            given = machine, biases.take(part), x[part], known[part]
            parts.append(softmax(self._by_state(*given), axis=1))
        return np.concatenate(parts)

    def _annealed(self, machine, biases, x, rng, known, n_betas, n_runs):
        """Log of the sum over unknown entries, by annealing, and the last entries of
        all runs, in order of rows."""
        n, runs = len(x), rng.each(n_runs)
        biases = biases.each(n_runs)
        known, x = (np.repeat(a, n_runs, axis=0) for a in (known, x))
        log_z = self._independent(machine, biases, x, known)
        x = self._drawn(machine, biases, None, x, _Streams(runs, _START), known)
        log_w, betas = np.zeros(n * n_runs), np.linspace(0, 1, n_betas + 1)
        for k, (low, high) in enumerate(pairwise(betas)):
            a = self._field(machine, biases, x)
            gain = softplus(a.dtype.type(high) * a) - softplus(a.dtype.type(low) * a)
            gain -= a.dtype.type((high - low) / 2) * (a - biases.hidden)
            log_w += gain.sum(axis=1, dtype=np.float64)
            noise = _Streams(runs, _RUN, k)
            x = self._step(machine, biases, x, noise, high, known, a)
        log_w = (log_z + log_w).reshape(n, n_runs)
        return logsumexp(log_w, axis=1) - np.log(n_runs), x

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
            free = 0.5 * (_LOG_2PI - machine.precision)
            own = np.where(known[:, self.real], -0.5 * gap**2, free)
            total += own.sum(axis=1)
        return total

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
        h = noise.uniform(_HIDDEN, a) < expit(a.dtype.type(beta) * a)
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

    def _known(self, v):
        """Mask of known entries."""
        return np.repeat(~np.isnan(v), self.sizes, axis=1)

    def draw(self, machine, biases, rng):
        """Draw a row for each row of biases: exactly, or by annealing."""
        b = biases.visible
        known = np.zeros(b.shape, bool)
        x = self._completed(machine, biases, np.zeros_like(b), rng, known)
        return self._rows(x, rng)

    def _rows(self, x, rng):
        """Rows of drawn inputs."""
        v = self.output.value(x)
        for block in self.grouped:
            own = x[:, block.inputs], rng.fold(_RARE)
            v[:, block.columns] = block.output.drawn(*own)
        return v

    def _completed(self, machine, biases, x, rng, known):
        """Unknown entries drawn given the others."""
        if not self.exact:
            return self._annealed(machine, biases, x, rng, known, self.n_betas, 1)[1]
        p = self._p_states(machine, biases, x, known)
        upto = np.cumsum(p, axis=1)[:, :-1]
        code = (upto <= rng.fold(_STATE).uniform(1)).sum(axis=1)
        h = self._states(x.dtype)[code]
        noise = _Streams(rng, _START)
        return self._drawn(machine, biases, self._back(machine, h), x, noise, known)

    def completed(self, machine, biases, v, weighed, rng, means):
        """Log-likelihood of each row that is ``weighed``, 0 of others; rows with draws
        of what is missing given the rest; and, if ``means``, expected inputs."""
        log_p, some = np.zeros(len(v)), weighed & ~np.isnan(v).all(axis=1)
        if (some := np.flatnonzero(some)).size:
            given = biases.take(some), v[some], rng.take(some)
            log_p[some] = self.log_p(machine, *given)
        rng, expected = rng.fold(_FILL), self.inputs(v) if means else None
        rows = np.flatnonzero(np.isnan(v).any(axis=1))
        if means and rows.size:
            given = _part((machine, biases, expected, rng), rows)
            expected[rows] = self._expected(*given, self._known(v[rows]))
        return log_p, self.fill(machine, biases, v, rng, "sample"), expected

    def fill(self, machine, biases, v, rng, method):
        """Rows with missing entries filled given the others."""
        rows = np.flatnonzero(np.isnan(v).any(axis=1))
        if not rows.size:
            return v
        known, v = self._known(v[rows]), v.copy()
        given = _part((machine, biases, self.inputs(v), rng), rows)
        if method == "sample":
            x = self._completed(*given, known).astype(v.dtype)
            filled = self._rows(x, given[-1])
        else:
            filled = self.output.value(self._expected(*given, known).astype(v.dtype))
        v[rows] = np.where(np.isnan(v[rows]), filled, v[rows])
        return v

    def _expected(self, machine, biases, x, rng, known):
        """Means of unknown entries given the others: exactly, or over Gibbs steps."""
        if self.exact:
            p = self._p_states(machine, biases, x, known)
            fields = self._back(machine, self._states(x.dtype))
            weighted = zip(fields[:, None], p.T[..., None])
            return sum(w * self._means(machine, biases, f) for f, w in weighted)
        x = self._annealed(machine, biases, x, rng, known, _WARM, 1)[1]
        total = 0
        for k in range(_KEPT):
            noise = _Streams(rng, _KEPT, k)
            a = self._field(machine, biases, x)
            h = noise.uniform(_HIDDEN, a) < expit(a)
            field = self._back(machine, h)
            total += self._means(machine, biases, field)
            x = self._drawn(machine, biases, field, x, noise, known)
        return total / _KEPT


class _Noise:
    """Noise of one generator for all rows."""

    def __init__(self, generator):
        self.generator = generator

    def uniform(self, _, like):
        """Uniform numbers, of a shape and type."""
        return self.generator.random(like.shape, like.dtype.type)

    def normal(self, _, like):
        """Normal numbers."""
        return self.generator.standard_normal(like.shape, like.dtype.type)


class _Streams:
    """Noise of a stream for each row."""

    def __init__(self, rng, *tags):
        self.rng = rng.fold(*tags)

    def uniform(self, tag, like):
        """Uniform numbers."""
        return self.rng.fold(tag).uniform(like.shape[1], like.dtype.type)

    def normal(self, tag, like):
        """Normal numbers."""
        return self.rng.fold(tag, 1).normal(like.shape[1], like.dtype.type)


def _part(given, rows):
    """Machine, biases, inputs and streams of some rows."""
    machine, biases, x, rng = given
    return machine, biases.take(rows), x[rows], rng.take(rows)
