r"""Steps as a restricted Boltzmann machine, with biases of each row.

.. math:: p(x_t \mid s_{t-1}) = e^{-F(x_t;\, b_t, c_t)} / Z_t

Learned by contrastive divergence. With few hidden units log Z is a sum over their
states; else it is estimated by annealing up and down, and is the mean of both: with
more temperatures for rows where they are far apart.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit, logsumexp, softmax

from skdgm.distributions import GroupedOutput
from skdgm.nets.restricted import free_energy, statistic
from skdgm.nets.tape import getval
from skdgm.recurrent._rbm_annealing import (
    HIDDEN,
    LOG_2PI,
    MAX_GAP,
    AnnealedMachine,
    Noise,
    Streams,
    combined,
)
from skdgm.utils.math import softplus
from skdgm.utils.tree import tree_map

# Most hidden units whose states are summed; entries of these sums at a time.
_EXACT, _ROOM = 10, 2**22
# Steps of annealing in monitoring, and number of runs there and in scores; rows that
# are monitored: one in so many, at least, and at most, about.
_WATCH, _FEW, _RUNS = 40, 2, 4
_ONE_IN, _LEAST, _MOST = 12, 100, 400
# Numbers of temperatures in scores, as multiples, while both sides disagree by more
# than so many nats: few suffice where couplings are weak, and then agree closely.
_MORE = (0.25, MAX_GAP / 4), (1, MAX_GAP), (4, MAX_GAP), (16, MAX_GAP)
# Gibbs steps that complete rows in training, and that fill gaps: warming up, and kept.
_COMPLETE, _WARM, _KEPT = 5, 20, 20
# Random streams, beside those of annealing.
_START, _STATE, _FILL, _RARE = 300, 304, 305, 306


class Machine(NamedTuple):
    """Weights of all steps, (n_inputs, n_hidden), log precisions of real inputs, and
    the offsets of inputs, which are not learned: those of the first rows."""

    W: np.ndarray
    precision: np.ndarray
    centre: np.ndarray


class RBMStep(AnnealedMachine):
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
            noise = Noise(generator)
            for _ in range(_COMPLETE):
                x = self._step(values, own, x, noise, 1, known)
        chain, noise = x, Noise(generator)
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
        """Negative log-likelihood of each row, by few steps of annealing, up alone."""
        found = self._scored(machine, biases, v, rng, _WATCH, _FEW, sides=1)
        return -found[0]

    def log_p(self, machine, biases, v, rng):
        """Log-likelihood of each row, float64: that of known entries."""
        return combined(*self.bracket(machine, biases, v, rng))

    def bracket(self, machine, biases, v, rng):
        """Estimates of it by annealing up and down, (2, n_rows): on average too high
        and too low, equal where they are exact."""
        found = np.zeros((2, len(v)))
        rows = np.arange(len(v))
        for more, gap in _MORE:
            given = machine, biases.take(rows), v[rows], rng.take(rows)
            n_betas = max(1, round(self.n_betas * more))
            found[:, rows] = self._scored(*given, n_betas, _RUNS)
            rows = rows[abs(found[0, rows] - found[1, rows]) > gap]
            if not rows.size:
                break
        return found

    def _scored(self, machine, biases, v, rng, n_betas, n_runs, sides=2):
        given, found = (machine, biases, self.inputs(v), rng), np.zeros((2, len(v)))
        size, how = max(1, _ROOM // self._entries(n_runs)), (n_betas, n_runs, sides)
        for start in range(0, len(v), size):
            rows = slice(start, start + size)
            part, known = _part(given, rows), self._known(v[rows])
            free = self.log_partition(*part, np.zeros_like(known), *how)
            seen = self.log_partition(*part, known, *how)
            # Two estimates that are too low would be a difference of any sign.
            found[:, rows] = seen[::-1] - free
        for block in self.grouped:
            found += block.output.log_share(v[:, block.columns]).sum(axis=1)
        return found

    def _entries(self, n_runs):
        """Numbers that a sum over states, or annealing, has for each row."""
        return self.width * (2**self.n_hidden if self.exact else n_runs)

    def log_partition(self, machine, biases, x, rng, known, *how):
        """Log of the sum of exp(-F) over unknown entries of each row, in float64:
        estimates by annealing up and down, (2, n_rows), equal where exact."""
        found = np.empty((2, len(x)))
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
            found[:, whole] = -free_energy(*given)
        rest = np.flatnonzero(~whole)
        if rest.size:
            machine, biases, x, rng = _part((machine, biases, x, rng), rest)
            if self.exact:
                own = self._by_state(machine, biases, x, known[rest])
                found[:, rest] = logsumexp(own, axis=1)
            else:
                found[:, rest] = self._annealed(
                    machine, biases, x, rng, known[rest], *how
                )[0]
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
            free = 0.5 * f**2 + m * f + 0.5 * (LOG_2PI - machine.precision)
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
        noise = Streams(rng, _START)
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
            noise = Streams(rng, _KEPT, k)
            a = self._field(machine, biases, x)
            h = noise.uniform(HIDDEN, a) < expit(a)
            field = self._back(machine, h)
            total += self._means(machine, biases, field)
            x = self._drawn(machine, biases, field, x, noise, known)
        return total / _KEPT


def _part(given, rows):
    """Machine, biases, inputs and streams of some rows."""
    machine, biases, x, rng = given
    return machine, biases.take(rows), x[rows], rng.take(rows)
