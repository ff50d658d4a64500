r"""Steps as a restricted Boltzmann machine, with biases of each row.

.. math:: p(x_t \mid s_{t-1}) = e^{-F(x_t;\, b_t, c_t)} / Z_t

Learned by contrastive divergence. With few hidden units log Z is a sum over their
states; else it is estimated by annealing up and down, and is the mean of both: with
more temperatures for rows where they are far apart. Annealing begins at the machine
without couplings; a base with the means of mean field is no better, as strong couplings
have several modes, of which it has one.
"""

from typing import NamedTuple

import numpy as np

from skdgm.distributions import Bernoulli, Gaussian, GroupedOutput, Normal, Sites
from skdgm.energies import Params, layered
from skdgm.nets.restricted import free_energy, statistic
from skdgm.nets.tape import getval
from skdgm.partition.enumeration import Enumeration, alike
from skdgm.partition.row_chains import RowChains
from skdgm.samplers import Gibbs, State
from skdgm.utils.random import Stream
from skdgm.utils.tree import astype, tree_map

# Most hidden units whose states are summed; entries of these sums at a time.
_EXACT, _ROOM = 10, 2**22
# Steps of annealing in monitoring, and number of chains there and in scores; rows that
# are monitored: one in so many, at least, and at most, about.
_WATCH, _FEW, _CHAINS = 40, 2, 4
_ONE_IN, _LEAST, _MOST = 12, 100, 400
# Difference of both sides of annealing, in nats, above which they disagree; numbers of
# temperatures in scores, as multiples, while they differ by more: few suffice where
# couplings are weak, and then agree closely.
MAX_GAP = 1.0
_MORE = (0.25, MAX_GAP / 4), (1, MAX_GAP), (4, MAX_GAP), (16, MAX_GAP)
# Gibbs steps between annealing up and down; steps that complete rows in training, and
# that fill gaps: warming up, and kept.
_ON, _COMPLETE, _WARM, _KEPT = 30, 5, 20, 20
# Random streams.
_CHAIN, _FILL, _RARE = 303, 305, 306


class Machine(NamedTuple):
    """Weights of all steps, (n_inputs, n_hidden), log precisions of real inputs, and
    the offsets of inputs, which are not learned: those of the first rows."""

    W: np.ndarray
    precision: np.ndarray
    centre: np.ndarray


class _Rows(NamedTuple):
    """Energy parameters of rows, those of the base of annealing, inputs, a mask of the
    known ones, and streams."""

    params: Params
    base: tuple
    x: np.ndarray
    known: np.ndarray
    rng: Stream

    def take(self, rows):
        """Some of the rows."""
        base = Params(self.base, ()).take(rows).units
        x, known = self.x[rows], self.known[rows]
        return _Rows(self.params.take(rows), base, x, known, self.rng.take(rows))


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
        self.sizes, self.highest = output.n_inputs, -np.log(floor)
        real = output.kinds == "gaussian"
        self.real = np.repeat(real, self.sizes)
        # Columns of which rare categories are one.
        self.grouped = [b for b in output.blocks if isinstance(b.output, GroupedOutput)]
        units, self.places = [], []
        if not real.all():
            codes = np.where(output.kinds == "categorical", self.sizes, 0)[~real]
            bits = Bernoulli(len(codes))
            units.append(Sites(tuple(codes.tolist())) if codes.any() else bits)
            self.places.append(np.flatnonzero(~self.real))
        if real.any():
            units.append(Gaussian(int(real.sum())))
            self.places.append(np.flatnonzero(self.real))
        self.energy = layered([units, [Bernoulli(n_hidden)]])

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

    def seen(self, machine, x):
        """Inputs as hidden units see them, centred."""
        return statistic(x, self.real, machine.precision) - getval(machine.centre)

    def loss(self, machine, biases, v, rng):
        """Difference of free energies of rows and of chains that start there, whose
        gradient is that of contrastive divergence."""
        values, own = tree_map(getval, machine), tree_map(getval, biases)
        (params, _), x, rng = (
            self._params(values, own),
            self.inputs(v),
            rng.rows(len(v)),
        )
        known, order = self._known(v), self.energy.backwards
        state = State((*self._blocks(x), None))
        if not known.all():
            sampler = Gibbs(self.energy, colours=order, clamp=self._clamp(known))
            state, _ = sampler.step(rng.fold(_FILL), params, state, _COMPLETE)
            x = self._joined(state.x)
        sampler = Gibbs(self.energy, colours=order)
        state, _ = sampler.step(rng.fold(_CHAIN), params, state, self.n_steps)
        given = (
            self.real,
            values.centre,
            machine.W,
            biases.hidden,
            biases.visible,
            machine.precision,
        )
        return free_energy(x, *given) - free_energy(self._joined(state.x), *given)

    def _params(self, machine, biases):
        """Parameters of the energy, without offsets and with biases of each row, and
        those of blocks in the base of annealing, without couplings."""
        units, base, couplings = [], [], []
        half = machine.W.dtype.type(0.5)
        for unit, places in zip(self.energy.units, self.places):
            W, bias, start = machine.W[places], biases.visible[:, places], None
            if unit.form == "normal":
                W = W / np.exp(machine.precision / 2)[:, None]
                start = Normal(None, machine.precision)
            base.append(unit.with_bias(start, bias))
            units.append(unit.with_bias(start, bias - half * W.sum(axis=1)))
            couplings.append(W)
        units.append(biases.hidden - machine.centre @ machine.W)
        base.append(np.zeros(self.n_hidden, machine.W.dtype))
        return Params(tuple(units), tuple(couplings)), tuple(base)

    def _rows(self, machine, biases, x, rng, known):
        """Rows in the form that sums and chains take, in float64 where exact."""
        if self.exact:
            machine, biases, x = astype((machine, biases, x), np.float64)
        return _Rows(*self._params(machine, biases), x, known, rng)

    def _blocks(self, x):
        """Inputs of each visible block."""
        return tuple(x[:, places] for places in self.places)

    def _joined(self, x):
        """Inputs of values of the visible blocks."""
        parts = [np.asarray(part) for part, _ in zip(x, self.places)]
        out = np.empty((len(parts[0]), self.n_inputs), parts[0].dtype)
        for part, places in zip(parts, self.places):
            out[:, places] = part
        return out

    def _clamp(self, known):
        """Entries of blocks that are clamped, given a mask of inputs."""
        masks = self._blocks(known)
        return (*(mask if mask.any() else None for mask in masks), None)

    def watched(self, machine, biases, v, rng):
        """Negative log-likelihood of each row, by few steps of annealing, up alone."""
        found = self._scored(machine, biases, v, rng, _WATCH, _FEW, n_steps=0)
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
            found[:, rows] = self._scored(*given, n_betas, _CHAINS)
            rows = rows[abs(found[0, rows] - found[1, rows]) > gap]
            if not rows.size:
                break
        return found

    def _scored(self, machine, biases, v, rng, n_betas, n_chains, n_steps=_ON):
        """The same by so many temperatures and chains of each row; by annealing up
        alone if ``n_steps``, which go between up and down, is 0."""
        log_p, size = np.zeros((2, len(v))), max(1, _ROOM // self._entries(n_chains))
        rows = self._rows(machine, biases, self.inputs(v), rng, self._known(v))
        how = n_betas, n_chains, n_steps
        for start in range(0, len(v), size):
            part = rows.take(slice(start, start + size))
            free = part._replace(known=np.zeros_like(part.known))
            seen, free = (self._log_partition(own, *how) for own in (part, free))
            # Two estimates that are too low would be a difference of any sign.
            log_p[:, start : start + size] = seen[::-1] - free
        for block in self.grouped:
            log_p += block.output.log_share(v[:, block.columns]).sum(axis=1)
        return log_p

    def _entries(self, n_chains):
        """Numbers that a sum over states, or annealing, has for each row."""
        return self.width * (2**self.n_hidden if self.exact else n_chains)

    def _log_partition(self, rows, n_betas, n_chains, n_steps):
        """Log of the sum of exp(-E) over the unknown entries of each row, in float64:
        estimates by annealing up and down, (2, n_rows), equal where exact."""
        log_Z, whole = np.empty((2, len(rows.x))), rows.known.all(axis=1)
        if whole.any():
            part = rows.take(whole)
            x = self._blocks(part.x)
            log_Z[:, whole] = self.energy.log_marginal(part.params, x)
        if self.exact:
            for index, sums, x in self._sums(rows, np.flatnonzero(~whole)):
                log_Z[:, index] = sums.log_evidence(None, x)
        elif not whole.all():
            chains, rng = self._chains(rows.take(~whole), n_chains)
            log_Z[:, ~whole] = chains.log_Z(rng, n_betas + 1, n_steps)[0]
        return log_Z

    def _sums(self, rows, index):
        """Iterate over the rows at an index that have the same known entries: their
        numbers, sums over their states, and values of blocks."""
        for same in alike(rows.known[index]) if len(index) else ():
            part = rows.take(index[same])
            known = [mask[0] for mask in self._blocks(part.known)]
            sums = Enumeration(self.energy, part.params, known)
            yield index[same], sums, list(self._blocks(part.x))

    def _chains(self, rows, n_chains):
        """Chains of each row, and their streams."""
        model, x = (self.energy, rows.params, rows.base), (*self._blocks(rows.x), None)
        chains = RowChains.of(*model, x, self._clamp(rows.known), n_chains)
        return chains, rows.rng.each(n_chains)

    def _known(self, v):
        """Mask of known inputs."""
        return np.repeat(~np.isnan(v), self.sizes, axis=1)

    def draw(self, machine, biases, rng):
        """Draw a row for each row of biases: exactly, or by annealing."""
        b = biases.visible
        rows = self._rows(machine, biases, b, rng, np.zeros(b.shape, bool))
        return self._values(self._completed(rows).astype(b.dtype), rng)

    def _values(self, x, rng):
        """Values of drawn inputs."""
        v = self.output.value(x)
        for block in self.grouped:
            own = x[:, block.inputs], rng.fold(_RARE)
            v[:, block.columns] = block.output.drawn(*own)
        return v

    def _completed(self, rows):
        """Inputs, of which unknown ones are drawn given the others."""
        if not self.exact:
            chains, rng = self._chains(rows, 1)
            return self._joined(chains.up(rng, self.n_betas + 1)[1].x)
        x = np.empty_like(rows.x)
        for index, sums, values in self._sums(rows, np.arange(len(x))):
            x[index] = self._joined(sums.draw(None, rows.rng.take(index), values))
        return x

    def _expected(self, rows):
        """Inputs, of which unknown ones are means given the others: exactly, or over
        Gibbs steps."""
        if not self.exact:
            chains, rng = self._chains(rows, 1)
            means = chains.averaged(rng, chains.up(rng, _WARM + 1)[1], _KEPT)
            return np.where(rows.known, rows.x, self._joined(means))
        x = np.empty_like(rows.x)
        for index, sums, values in self._sums(rows, np.arange(len(x))):
            x[index] = self._joined(sums.means(None, values))
        return x

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
            given = biases.take(rows), expected[rows], rng.take(rows)
            holed = self._rows(machine, *given, self._known(v[rows]))
            expected[rows] = self._expected(holed)
        return log_p, self.fill(machine, biases, v, rng, "sample"), expected

    def fill(self, machine, biases, v, rng, method):
        """Rows with missing entries filled given the others."""
        index = np.flatnonzero(np.isnan(v).any(axis=1))
        if not index.size:
            return v
        holed, rng, filled = v[index], rng.take(index), v.copy()
        given = biases.take(index), self.inputs(holed), rng, self._known(holed)
        rows = self._rows(machine, *given)
        if method == "sample":
            new = self._values(self._completed(rows).astype(v.dtype), rng)
        else:
            new = self.output.value(self._expected(rows).astype(v.dtype))
        filled[index] = np.where(np.isnan(holed), new, holed)
        return filled


def combined(high, low):
    """Log-likelihoods of estimates that are too high and too low on average: the means,
    or the lower ones where these are more than 1 nat apart."""
    return np.where(
        abs(high - low) > MAX_GAP, np.minimum(high, low), 0.5 * (high + low)
    )
