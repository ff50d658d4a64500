"""Densities known up to their partition function."""

from abc import abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from skdgm.base import Density, of_rows
from skdgm.boltzmann._density.chains import MachineChains
from skdgm.boltzmann.structure.labels import label_of
from skdgm.boltzmann.structure.visible import BinaryUnits
from skdgm.energies import tiled
from skdgm.exceptions import LikelihoodWarning
from skdgm.partition import LogPartition, Problem, ais, bracket, estimate, exact
from skdgm.samplers import State
from skdgm.utils.lists import Values
from skdgm.utils.random import LIKELIHOOD, stream
from skdgm.utils.rows import row_hash
from skdgm.utils.threading.callers import warn
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import astype, leaves

# Objectives whose optimum has the means of the training rows.
_OF_MEANS = "generative", "likelihood"
# Number of rows whose product with the weights takes as long as tiling the weights.
_MIN_TILING_ROWS = 100


class FittedMachine(NamedTuple):
    """Energy with learned parameters, and the initial states of its chains."""

    energy: object
    params: object
    # Last states of the training chains, by block.
    chains: tuple
    # ``moments()`` returns the means of each block without couplings, or None.
    moments: Callable
    # ``noise(rng, dtype)`` draws independent visible values, a row for each stream.
    noise: Callable
    # Blocks of the visible units of a table.
    layout: object = None


class Unnormalized(Density):
    """Density of a layered energy whose first block is visible, divided by Z. A
    subclass marginalizes all entries that are not clamped (:meth:`log_weight`). In all
    methods, ``x`` is a tuple with an array of shape (n_rows, size) or None for each
    block. ``clamp`` has True, a mask or None for each block, if all, some or no values
    are clamped. Arguments ``params`` are :attr:`params`, possibly tiled or of another
    dtype. Training ``objective`` "generative" or "likelihood" fits the means of binary
    columns. ``current_option(name)`` returns the current value of an option of
    inference. Densities with the same parameters share ``log_Z``. Features of maps are
    pooled units if ``pooled``."""

    def __init__(
        self,
        context,
        *,
        machine,
        objective="generative",
        current_option=None,
        log_Z=None,
        pooled=False,
    ):
        super().__init__(context)
        self.energy, self.params = machine.energy, machine.params
        self.layout, self._moments = machine.layout, machine.moments
        self.objective, self.pooled = objective, pooled
        self.current_option: Any = current_option
        self.known_log_Z = log_Z or LogPartition({})
        self.chains = MachineChains(self, machine.chains, machine.noise)

    @cached_property
    def moments(self):
        """Means of each block in the model without couplings, or None."""
        return self._moments()

    @property
    def capabilities(self):
        """Exact if states can be enumerated. Otherwise log Z is an estimate, and
        missing entries are marginalized by a bound."""
        log_Z, with_missing, gray = "estimate", "lower bound", "estimate"
        if self.enumerable:
            log_Z, with_missing, gray = "exact", "exact", "lower bound"
        weight = of_rows("exact", missing=with_missing, gray="lower bound")
        labels = {} if label_of(self.energy) is None else {"labels": "estimate"}
        return {
            "log_prob": of_rows(log_Z, gray=gray),
            "numerator": weight,
            "free_energy": weight,
            "features": of_rows("exact", missing="estimate"),
            "sample": {"unconditional": "estimate"} | labels,
            "fill": {"missing": "estimate"},
            "trace": {"unconditional": "estimate"},
            "log_partition": {"unconditional": log_Z},
            "bracket": {"unconditional": log_Z},
            "annealed": {"complete": "lower bound"},
            "visible_fields": {"unconditional": "estimate"},
        }

    @cached_property
    def enumerable(self):
        """True if all states of the even or of the odd layers can be enumerated."""
        return exact.is_enumerable(self.energy)

    def rows(self, X):
        """Validated rows for likelihoods, in float64 if likelihoods are exact."""
        return self.read(X, dtype=np.float64 if self.enumerable else None)

    @abstractmethod
    def clamp_rows(self, v: Values) -> tuple:
        """Clamp the machine to rows, with NaN where missing; returns ``x`` and
        ``clamp``."""

    def log_partition(self):
        """Log Z and its standard error, in nats, computed once. ValueError if
        parameters are not finite."""
        return self.known_log_Z.bracketed(self.bracket)

    def bracket(
        self, n_chains=100, options=None, seed=None, max_bits=None, compare=True
    ):
        """Bracket of log Z by annealed importance sampling in both directions, with
        ``n_chains`` chains each; exact if a color has at most ``max_bits`` bits. With
        ``compare``, warn if samples do not have the means of the training rows."""
        self.check_finite()
        if exact.is_enumerable(self.energy, max_bits):
            log_Z = exact.log_partition(self.energy, astype(self.params, np.float64))
            return bracket.exactly(log_Z, n_chains)
        rng, problem = self.problem(n_chains, seed)
        with one_blas_thread():
            bracketed = bracket.estimate(rng, problem, options)
        # Learning fits the means of binary columns.
        is_binary = isinstance(self.domain, BinaryUnits)
        if compare and is_binary and self.objective in _OF_MEANS:
            sampled = bracketed.means[0]
            expected = self._mean_near(sampled)
            if text := estimate.unlike(sampled, expected, n_chains):
                warn(f"{self.name}: {text}", LikelihoodWarning)
        return bracketed

    def _mean_near(self, sampled):
        """The value nearest to ``sampled`` between the means of the training rows and
        their smoothed means, from which biases start; NaN for columns without
        observations."""
        counts, total = self.columns.seen, self.columns.total
        mean = np.divide(
            total, counts, out=np.full_like(total, np.nan), where=counts > 0
        )
        smooth = self.domain.moments(self.columns)
        return np.clip(sampled, np.minimum(mean, smooth), np.maximum(mean, smooth))

    def problem(self, n_chains, seed=None):
        """Random stream, and the problem of estimating log Z."""
        self.check_finite()
        rng = stream(self.seed if seed is None else seed, LIKELIHOOD)
        with one_blas_thread():
            start = self.chains.start("chains", n_chains, rng.fold(0))
        params = self.params_for_chains
        return rng.fold(1), Problem(self.energy, params, start, self.moments)

    def annealed(self, X, rng, annealing):
        """Conservative log-likelihoods of complete rows, by an annealed chain for each
        row."""
        rows = self.read(X)
        self.require("annealed", rows)
        rng, log_p = rng.rows(row_hash(rows)), []
        with one_blas_thread():
            for batch in rows.blocks():
                v = rows.present(batch)
                log_p.append(self.annealed_from(v, rng.take(batch), annealing))
        volume = self.domain.log_volume(self.columns, rows)
        return np.concatenate(log_p) + volume

    def annealed_from(self, v, rng, annealing):
        """Conservative log-likelihoods of visible values, with a stream for each
        row."""
        params, (base, betas, n_jobs) = self.params_for_chains, annealing
        x, clamp = self.clamp_rows(v)
        start, log_q = self.drawn_even(params, x, clamp, rng)
        return -log_q + ais.conservative(
            rng, self.energy, params, base, State(start), betas, n_jobs
        )

    def drawn_even(self, params, x, clamp, rng):
        """Values of the even layers, drawn given the data, and the log probabilities of
        these draws, (n_rows,) or 0."""
        return x, 0.0

    def visible_fields(self, n_samples, rng, n_steps):
        """The visible block, and its natural parameters given samples of the hidden
        units after ``n_steps`` Gibbs steps of each chain."""
        self.require("visible_fields")
        params = self.params_for_chains
        with one_blas_thread():
            state = self.chains.start("chains", n_samples, rng.fold(0))
            state = self.chains.run(params, rng.fold(1), state, n_steps)
            return self.energy.units[0], self._field(params, state.x)

    def _field(self, params, x, block=0):
        """Natural parameters of a block, by default the visible block."""
        return self.energy.field(params, block, self.energy.received(params, x, block))

    def params_for(self, rows, dtype=None, index=None):
        """Parameters for all rows or the rows at an index; tiled for many rows in the
        form of lists."""
        n_rows = rows.shape[0] if index is None else len(index)
        is_many = rows.listed and n_rows >= _MIN_TILING_ROWS
        return self.for_lists(dtype) if is_many else astype(self.params, dtype)

    @cached_property
    def params_for_chains(self):
        """Parameters for many Gibbs steps; tiled if all units are binary."""
        return self.params if self.energy.has_real_units else self.for_lists()

    def for_lists(self, dtype=None):
        """Tiled parameters for kernels of lists; arrays if weights are not matrices."""
        params = astype(self.params, dtype)
        return tiled(params) if self.energy.has_matrices else params

    def check_finite(self):
        """Raise ValueError unless all parameters are finite."""
        if not all(np.isfinite(leaf).all() for leaf in leaves(self.params)):
            raise ValueError(
                f"This {self.name} has weights or biases that are not "
                "finite: there is no likelihood. Fit it again."
            )
