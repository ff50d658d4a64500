r"""Steps as restricted Boltzmann machines with row-specific biases.

.. math:: p(x_t \mid s_{t-1}) = e^{-F(x_t;\, b_t, c_t)} / Z_t

Machines are trained by contrastive divergence. With few hidden units, log Z is a sum
over their states. Otherwise it is the mean of estimates by annealing up and down, with
more temperatures for rows in which these differ. Annealing starts at the machine
without couplings: a base with mean-field means is no better, because it covers only one
of the modes of strong couplings.
"""

from typing import NamedTuple

import numpy as np

from skdgm.distributions import Bernoulli, Gaussian, GroupedOutput, Normal, Sites
from skdgm.energies import Params, layered
from skdgm.nets.restricted import free_energy, statistic
from skdgm.nets.tape import getval
from skdgm.partition.enumeration import Enumeration
from skdgm.partition.row_chains import RowChains
from skdgm.samplers import Gibbs, State
from skdgm.utils import addresses
from skdgm.utils.math import rows_by_pattern
from skdgm.utils.random import Stream
from skdgm.utils.tree import astype, tree_map

# Maximum number of hidden units for enumeration; maximum size of its arrays.
_MAX_ENUMERATED, _MAX_ENTRIES = 10, 2**22
# Annealing steps in monitoring, and numbers of chains in monitoring and in scores. One
# in _ONE_IN rows is monitored, but about _MIN_MONITORED to _MAX_MONITORED rows.
_N_MONITORING_BETAS, _N_MONITORING_CHAINS, _N_CHAINS = 40, 2, 4
_ONE_IN, _MIN_MONITORED, _MAX_MONITORED = 12, 100, 400
# Maximum gap between both sides of annealing, in nats; rounds of scores, as factors of
# the number of temperatures, and the gap above which the next round follows. Few
# temperatures suffice for weak couplings, whose estimates then agree closely.
MAX_GAP = 1.0
_ROUNDS = (0.25, MAX_GAP / 4), (1, MAX_GAP / 4), (4, MAX_GAP), (16, MAX_GAP)
# Gibbs steps between annealing up and down, which would otherwise start where few
# temperatures end: with 30 steps, scores of chorales are up to 0.06 nats too high.
_BETWEEN = 200
# Steps that impute rows in training; burn-in and averaged steps of imputation.
_IMPUTATION_STEPS, _BURN_IN, _AVERAGED = 5, 20, 20
# Random streams.
_CHAIN, _FILL, _RARE = addresses.MACHINE_STEPS


class StepMachine(NamedTuple):
    """Weights shared by all steps, (n_inputs, n_hidden), log precisions of real inputs,
    and fixed offsets of inputs, the means of the first rows."""

    W: np.ndarray
    precision: np.ndarray
    center: np.ndarray


class _Rows(NamedTuple):
    """Energy parameters of rows, parameters of the annealing base, inputs, a mask of
    known inputs, and random streams."""

    params: Params
    base: tuple
    x: np.ndarray
    known: np.ndarray
    rng: Stream

    def take(self, rows):
        """Rows at an index."""
        base = Params(self.base, ()).take(rows).units
        x, known = self.x[rows], self.known[rows]
        return _Rows(self.params.take(rows), base, x, known, self.rng.take(rows))


class RBMStep:
    """Distribution of a step by a restricted Boltzmann machine; see
    :class:`~skdgm.recurrent._net.RecurrentNet`.

    ``output`` (:class:`~skdgm.distributions.MixedOutput`) encodes columns as visible
    units. ``start`` are visible biases that reproduce the column frequencies, and
    ``share`` are means of inputs, which replace missing entries of previous steps.
    ``n_steps`` is the number of CD steps, ``n_betas`` the number of annealing steps,
    and ``floor`` the minimum variance.
    """

    def __init__(self, output, *, start, share, n_hidden, n_steps, n_betas, floor):
        self.output, self.start, self.share = output, start, share
        self.n_hidden, self.n_steps, self.n_betas = n_hidden, n_steps, n_betas
        self.n_inputs = self.n_visible = int(output.n_inputs.sum())
        self.width = max(n_hidden, self.n_inputs)
        self.sizes, self.highest = output.n_inputs, -np.log(floor)
        real = output.kinds == "gaussian"
        self.real = np.repeat(real, self.sizes)
        # Columns with grouped rare categories.
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
        """True if log Z is a sum over all states of the hidden units."""
        return self.n_hidden <= _MAX_ENUMERATED

    def n_watched(self, n_rows):
        """Number of monitored rows, out of ``n_rows``, limited so that monitoring takes
        less time than training."""
        return (
            n_rows
            if self.exact
            else min(_MAX_MONITORED, max(_MIN_MONITORED, n_rows // _ONE_IN))
        )

    @property
    def kind(self):
        """Kind of log-likelihoods."""
        return "exact" if self.exact else "estimate"

    def init(self, rng, dtype):
        """Small weights, biases that reproduce frequencies, and precisions of 1."""
        W = 0.01 * rng.normal(size=(self.n_inputs, self.n_hidden))
        precision = np.zeros(self.real.sum(), dtype)
        center = np.zeros(self.n_inputs) if self.share is None else self.share
        center = np.where(self.real, 0, center).astype(dtype)
        machine = StepMachine(W.astype(dtype), precision, center)
        return machine, np.zeros(self.n_hidden), self.start

    def inputs(self, v):
        """Visible units, which are also the inputs of the recurrent net."""
        return self.output.inputs(v, self.share)

    def constrain(self, machine):
        """Limit precisions, in place."""
        np.minimum(machine.precision, self.highest, out=machine.precision)

    def seen(self, machine, x):
        """Centered statistics of inputs."""
        return statistic(x, self.real, machine.precision) - getval(machine.center)

    def loss(self, machine, biases, v, rng):
        """Difference of free energies of rows and of CD chains started at them, whose
        gradient is that of contrastive divergence."""
        values, x, rng = tree_map(getval, machine), self.inputs(v), rng.rows(len(v))
        params, _ = self._params(values, tree_map(getval, biases))
        known, order = self._known(v), self.energy.backwards
        state = State((*self._blocks(x), None))
        if not known.all():
            sampler = Gibbs(self.energy, colors=order, clamp=self._clamp(known))
            state, _ = sampler.step(rng.fold(_FILL), params, state, _IMPUTATION_STEPS)
            x = self._joined(state.x)
        sampler = Gibbs(self.energy, colors=order)
        state, _ = sampler.step(rng.fold(_CHAIN), params, state, self.n_steps)
        c, b = biases

        def energy(x):
            W, precision = machine.W, machine.precision
            return free_energy(x, self.real, values.center, W, c, b, precision)

        return energy(x) - energy(self._joined(state.x))

    def _params(self, machine, biases):
        """Energy parameters without offsets, with row-specific biases; and parameters
        of the uncoupled annealing base."""
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
        units.append(biases.hidden - machine.center @ machine.W)
        base.append(np.zeros(self.n_hidden, machine.W.dtype))
        return Params(tuple(units), tuple(couplings)), tuple(base)

    def _rows(self, machine, biases, x, rng, known):
        """Rows for enumeration and chains, in float64 if exact."""
        if self.exact:
            machine, biases, x = astype((machine, biases, x), np.float64)
        params, base = self._params(machine, biases)
        return _Rows(params, base, x, known, rng)

    def _blocks(self, x):
        """Inputs of each visible block."""
        return tuple(x[:, places] for places in self.places)

    def _joined(self, x):
        """Inputs, given values of the visible blocks."""
        parts = [np.asarray(part) for part, _ in zip(x, self.places)]
        joined = np.empty((len(parts[0]), self.n_inputs), parts[0].dtype)
        for part, places in zip(parts, self.places):
            joined[:, places] = part
        return joined

    def _clamp(self, known):
        """Clamped entries of each block, given a mask of inputs."""
        masks = self._blocks(known)
        return (*(mask if mask.any() else None for mask in masks), None)

    def watched(self, machine, biases, v, rng):
        """Negative log-likelihood of each row, by few steps of upward annealing."""
        rows = self._rows(machine, biases, self.inputs(v), rng, self._known(v))
        return -self._scored(
            rows, v, _N_MONITORING_BETAS, _N_MONITORING_CHAINS, n_steps=0
        )[0]

    def log_p(self, machine, biases, v, rng):
        """Log-likelihood of the known entries of each row, float64."""
        high, low = self.bracket(machine, biases, v, rng)
        return combined(high, low)

    def bracket(self, machine, biases, v, rng):
        """Estimates of the log-likelihood by annealing up and down, (2, n_rows), which
        are too high and too low on average, and equal if exact."""
        log_p, index = np.zeros((2, len(v))), np.arange(len(v))
        rows = self._rows(machine, biases, self.inputs(v), rng, self._known(v))
        for factor, gap in _ROUNDS:
            n_betas = max(1, round(self.n_betas * factor))
            part = rows.take(index)
            log_p[:, index] = self._scored(part, v[index], n_betas, _N_CHAINS)
            index = index[abs(log_p[0, index] - log_p[1, index]) > gap]
            if not index.size:
                break
        return log_p

    def _scored(self, rows, v, n_betas, n_chains, n_steps=_BETWEEN):
        """Estimates as in :meth:`bracket`, with ``n_betas`` temperatures, ``n_chains``
        per row, and ``n_steps`` Gibbs steps between annealing up and down; 0 for upward
        annealing only."""
        log_p = np.zeros((2, len(v)))
        size = max(1, _MAX_ENTRIES // self._entries(n_chains))
        for start in range(0, len(v), size):
            part = rows.take(slice(start, start + size))
            free = part._replace(known=np.zeros_like(part.known))
            clamped = self._log_partition(part, n_betas, n_chains, n_steps)
            free = self._log_partition(free, n_betas, n_chains, n_steps)
            # The difference of two low estimates could have any sign.
            log_p[:, start : start + size] = clamped[::-1] - free
        for block in self.grouped:
            log_p += block.output.log_share(v[:, block.columns]).sum(axis=1)
        return log_p

    def _entries(self, n_chains):
        """Array size per row of enumeration or annealing."""
        return self.width * (2**self.n_hidden if self.exact else n_chains)

    def _log_partition(self, rows, n_betas, n_chains, n_steps):
        """Log of the sum of exp(-E) over the unknown entries of each row, float64:
        estimates by annealing up and down, (2, n_rows), equal if exact."""
        log_Z, complete = np.empty((2, len(rows.x))), rows.known.all(axis=1)
        if complete.any():
            part = rows.take(complete)
            x = self._blocks(part.x)
            log_Z[:, complete] = self.energy.log_marginal(part.params, x)
        if self.exact:
            for index, sums, x in self._sums(rows, np.flatnonzero(~complete)):
                log_Z[:, index] = sums.log_evidence(None, x)
        elif not complete.all():
            chains, rng = self._chains(rows.take(~complete), n_chains)
            log_Z[:, ~complete] = chains.log_Z(rng, n_betas + 1, n_steps)[0]
        return log_Z

    def _sums(self, rows, index):
        """Group the rows at an index by their known entries; yield their numbers,
        enumerations of their states, and values of blocks."""
        for group in rows_by_pattern(rows.known[index]):
            part = rows.take(index[group])
            known = [mask[0] for mask in self._blocks(part.known)]
            sums = Enumeration(self.energy, part.params, known)
            yield index[group], sums, list(self._blocks(part.x))

    def _chains(self, rows, n_chains):
        """Chains of each row, and their random streams."""
        chains = RowChains.of(
            self.energy,
            rows.params,
            rows.base,
            (*self._blocks(rows.x), None),
            self._clamp(rows.known),
            n_chains,
        )
        return chains, rows.rng.each(n_chains)

    def _known(self, v):
        """Mask of known inputs."""
        return np.repeat(~np.isnan(v), self.sizes, axis=1)

    def draw(self, machine, biases, rng):
        """Draw a row for each row of biases, exactly or by annealing."""
        b = biases.visible
        rows = self._rows(machine, biases, b, rng, np.zeros(b.shape, bool))
        return self._values(self._completed(rows).astype(b.dtype), rng)

    def _values(self, x, rng):
        """Column values of drawn inputs."""
        v = self.output.value(x)
        for block in self.grouped:
            drawn = block.output.drawn(x[:, block.inputs], rng.fold(_RARE))
            v[:, block.columns] = drawn
        return v

    def _completed(self, rows):
        """Inputs, with unknown inputs drawn given the known ones."""
        if not self.exact:
            chains, rng = self._chains(rows, 1)
            return self._joined(chains.up(rng, self.n_betas + 1)[1].x)
        x = np.empty_like(rows.x)
        for index, sums, values in self._sums(rows, np.arange(len(x))):
            x[index] = self._joined(sums.draw(None, rows.rng.take(index), values))
        return x

    def _expected(self, rows):
        """Inputs, with unknown inputs replaced by their conditional means, exact or
        averaged over Gibbs steps."""
        if not self.exact:
            chains, rng = self._chains(rows, 1)
            means = chains.averaged(rng, chains.up(rng, _BURN_IN + 1)[1], _AVERAGED)
            return np.where(rows.known, rows.x, self._joined(means))
        x = np.empty_like(rows.x)
        for index, sums, values in self._sums(rows, np.arange(len(x))):
            x[index] = self._joined(sums.means(None, values))
        return x

    def completed(self, machine, biases, v, needs_log_p, rng, means):
        """Log-likelihood of each row in the mask ``needs_log_p``, 0 for other rows;
        rows with missing entries drawn given the known entries; and, if ``means``,
        expected inputs."""
        log_p, scored = np.zeros(len(v)), needs_log_p & ~np.isnan(v).all(axis=1)
        if (scored := np.flatnonzero(scored)).size:
            log_p[scored] = self.log_p(
                machine, biases.take(scored), v[scored], rng.take(scored)
            )
        rng, expected = rng.fold(_FILL), self.inputs(v) if means else None
        index = np.flatnonzero(np.isnan(v).any(axis=1))
        if means and index.size:
            rows = self._incomplete(machine, biases, v, rng, index)
            expected[index] = self._expected(rows)
        return log_p, self.fill(machine, biases, v, rng, "sample"), expected

    def _incomplete(self, machine, biases, v, rng, index):
        """Rows at an index for enumeration and chains."""
        x, known = self.inputs(v[index]), self._known(v[index])
        return self._rows(machine, biases.take(index), x, rng.take(index), known)

    def fill(self, machine, biases, v, rng, method):
        """Impute missing entries given the known entries."""
        index = np.flatnonzero(np.isnan(v).any(axis=1))
        if not index.size:
            return v
        rows, filled = self._incomplete(machine, biases, v, rng, index), v.copy()
        if method == "sample":
            new = self._values(self._completed(rows).astype(v.dtype), rows.rng)
        else:
            new = self.output.value(self._expected(rows).astype(v.dtype))
        filled[index] = np.where(np.isnan(v[index]), new, v[index])
        return filled


def combined(high, low):
    """Means of estimates that are too high and too low on average, or the lower
    estimates where they differ by more than 1 nat."""
    return np.where(
        abs(high - low) > MAX_GAP, np.minimum(high, low), 0.5 * (high + low)
    )
