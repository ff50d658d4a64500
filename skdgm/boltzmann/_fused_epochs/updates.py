"""Calls of the kernels that make many updates of a machine.

They get their arguments from an objective and its training state, which changes in
place; see :mod:`skdgm.boltzmann._fused_epochs.runs`.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.machines.bernoulli_epoch import bernoulli_epoch
from skdgm._kernels.machines.bernoulli_parts import (
    CenteringRoom,
    EpochOptions,
    EpochPlan,
    ListedRows,
    Momentum,
    Room,
    TiledChain,
)
from skdgm._kernels.machines.gaussian_epoch import (
    DIAGONAL,
    FIXED_PRECISION,
    SCALAR,
    RealEpochOptions,
    RealEpochPlan,
    RealRoom,
    gaussian_epoch,
)
from skdgm._kernels.machines.label_epoch import label_epoch
from skdgm._kernels.machines.phases import NO_OFFSETS
from skdgm.couplings import Weights
from skdgm.distributions import check_range, one_hot
from skdgm.energies import forms
from skdgm.gradients.steps.centering import RATE
from skdgm.inference import TOLERANCE
from skdgm.optim import BETA_2, corrected
from skdgm.utils.lists import Lists
from skdgm.utils.threading.parallel import crew, in_step, n_threads

# Layers of a machine whose label is beside the visible units, by blocks.
_BESIDE = 0, 2, 1
_PRECISIONS = {"fixed": FIXED_PRECISION, "scalar": SCALAR, "diagonal": DIAGONAL}


class Updates(NamedTuple):
    """Updates that a kernel is to make.

    Parameters
    ----------
    objective : EnergyObjective
    state : TrainState
        It changes in place.
    run : BatchRun
        The batches.
    chains : tuple
        Those of the state; or room for as many as a batch has rows.
    offsets : tuple
        Those of the state, or room for them.
    rates : callable
        ``rates(initial)`` returns the learning rate of each update.
    root : Stream
        Of the epoch's updates.
    n_steps : int
        Gibbs steps of the chains.
    momentum : float
    persistent : bool
        Whether chains go on, or start at the rows.
    centering : int
        See :mod:`skdgm._kernels.machines.phases`.
    work : float
        Approximate number of multiply-adds of an update.
    """

    objective: object
    state: object
    run: object
    chains: tuple
    offsets: tuple
    rates: object
    root: object
    n_steps: int
    momentum: float
    persistent: bool
    centering: int
    work: float

    @property
    def options(self):
        """Training options."""
        return self.objective.options

    @property
    def real(self):
        """Type of the parameters."""
        return self.state.params.dtype.type

    @property
    def numbers(self):
        """Momentum, and penalties l1 and l2, of that type."""
        numbers = self.momentum, self.options.l1, self.options.l2
        return tuple(map(self.real, numbers))

    @property
    def max_norm(self):
        """Limit of norms, perhaps infinite."""
        most = self.options.max_norm
        return np.inf if most is None else float(most)

    @property
    def index(self):
        """Row numbers of the batches, one after the other."""
        return np.concatenate(self.run.batches)

    @property
    def resample(self):
        """Whether bits are drawn from grey rows."""
        return bool(self.options.resample and not self.objective.rows.binary)


def bernoulli_updates(given):
    """Updates of a chain of binary layers, above which a label may be; that may be
    beside the visible units in the energy."""
    objective, state, run, real = given.objective, given.state, given.run, given.real
    options, rows, index = objective.options, objective.rows, given.index
    n_layers = len(objective.energy.units)
    (ups, downs), blocks = forms(state.params), tuple(range(n_layers))
    labels = ()
    if objective.label is not None:
        size = objective.energy.units[objective.label].size
        y = one_hot(rows.beside(index), size, real)
        labels = y.index, y.count
        if objective.label < n_layers - 1:
            blocks, ups, downs = _BESIDE, (ups[0], downs[1]), (downs[0], ups[1])

    def placed(parts):
        return tuple(parts[block] for block in blocks)

    velocities, units = state.optimiser.couplings, state.params.units
    most = n_threads()  # Which may change while rooms are made for so many.
    room, known, listed, more = _room(given, blocks, most)
    n_deep = n_layers - 1 - (objective.label is not None)
    plain = given.centering == NO_OFFSETS and not options.resample
    in_step(
        bernoulli_epoch,
        ListedRows(*rows.joined(index), run.edges),
        labels,
        TiledChain(ups, downs, placed(units)),
        Momentum(
            tuple(part.up if given.momentum else part.up[:0] for part in velocities),
            placed(state.optimiser.units),
        ),
        _lists(placed(given.chains)),
        (known,) if n_deep > 1 else (),
        listed if n_layers > 2 and blocks != _BESIDE else (),
        () if plain else CenteringRoom(placed(given.offsets), *more),
        () if options.max_norm is None else (given.max_norm,),
        room,
        EpochPlan(
            given.rates(options.learning_rate),
            np.uint64(given.root.root),
            run.first,
            np.array(blocks),
        ),
        EpochOptions(
            int(given.n_steps),
            options.mean_field_steps,
            real(TOLERANCE),
            *given.numbers,
            real(RATE),
            given.resample,
            given.persistent,
            given.centering,
        ),
        n_rounds=len(run.batches),
        n_threads=min(most, crew(given.work)),
    )


def label_updates(given):
    """Updates of a machine of rows and labels under one binary layer, by Adam."""
    objective, state, run, real = given.objective, given.state, given.run, given.real
    options, rows, index = objective.options, objective.rows, given.index
    v, codes = rows.present(index, True), rows.beside(index)
    (ups, downs), memory = forms(state.params), state[1]
    check_range(codes, objective.energy.units[objective.label].size)
    t = memory.t[0] + 1 + np.arange(len(run.batches))
    memory.t[0] = t[-1]
    rates = corrected(given.rates(options.learning_rate), given.momentum, t)

    def placed(parts):
        return tuple(parts[block] for block in _BESIDE)

    def remembered(params):
        return tuple(part.up for part in params.couplings), placed(params.units)

    shares = {
        "hybrid": (1.0, options.generative_weight),
        "discriminative": (1.0, 0.0),
        "generative": (0.0, 1.0),
    }
    beta, *penalties = given.numbers
    label_epoch(
        (v.index, v.value, v.count),
        codes,
        run.edges,
        ((ups[0], downs[1]), (downs[0], ups[1])),
        remembered(memory.m),
        remembered(memory.s),
        placed(state.params.units),
        _lists(placed(given.chains)),
        np.stack(rates).astype(real),
        np.uint64(given.root.root),
        run.first,
        np.array(_BESIDE),
        given.n_steps,
        tuple(map(real, shares[options.objective])),
        (beta, real(BETA_2)),
        tuple(penalties),
        given.max_norm,
        given.resample,
        given.persistent,
    )


def gaussian_updates(given):
    """Updates of real units under one binary layer, whose weights are ndarrays."""
    objective, state, run, real = given.objective, given.state, given.run, given.real
    (mean, log_precision), c = state.params.units
    (mean_speed, precision_speed), c_speed = state.optimiser.units
    W, velocity = state.params.couplings[0], state.optimiser.couplings[0]
    weights, speeds = Weights.of(W), Weights.of(velocity).up
    unit, chains, options = objective.energy.units[0], given.chains, objective.options
    in_step(
        gaussian_epoch,
        np.ascontiguousarray(objective.rows.take(given.index)),
        run.edges,
        tuple(weights),
        speeds if given.momentum else speeds[:0],
        (mean, log_precision, c),
        (mean_speed, precision_speed, c_speed),
        (chains[0], chains[1].index, chains[1].count),
        given.offsets,
        _real_room(given),
        RealEpochPlan(
            options.learning_rate,
            given.rates(1.0),
            np.uint64(given.root.root),
            run.first,
            _reach(given),
        ),
        RealEpochOptions(
            int(given.n_steps),
            *given.numbers,
            real(RATE),
            real(-np.log(unit.min_variance) if unit.min_variance else np.inf),
            given.max_norm,
            _PRECISIONS[unit.precision],
            given.persistent,
            given.centering,
        ),
        n_rounds=len(run.batches),
        n_threads=crew(2 * given.work),
    )
    W[...] = weights.W
    if given.momentum:
        velocity[...] = Weights(speeds, weights.down).W


def _real_room(given):
    """Arrays that the kernel of real units works with, which the objective keeps."""
    objective, real, n = given.objective, given.real, given.run.longest
    m = len(given.chains[0])
    if (n, m) in objective.rooms:
        return objective.rooms[n, m]
    below, above = (unit.size for unit in objective.energy.units)
    n_thin, tall = 2 * (given.centering != NO_OFFSETS), max(n, m)
    whole = np.arange(below, dtype=np.uint32)

    def arrays(*n_rows, size=below):
        return [np.empty((rows, size), real) for rows in n_rows]

    objective.rooms[n, m] = room = RealRoom(
        np.tile(whole, (tall, 1)),
        *arrays(tall, tall),
        *arrays(tall, tall, size=above),
        np.empty(below * (n + m + n_thin), real),
        *(*arrays(n_thin), *arrays(n_thin, size=above)),
        *(*arrays(3), *arrays(3, size=above)),
        *(np.empty(below, real), np.empty(above, real)),
        *arrays(2, 2),
        *(np.empty(n + m), np.empty(n + m)),
    )
    return room


def _reach(given):
    """Square of the largest value of each column, in batches of so many rows; nothing
    where steps by no column are shortened."""
    objective, options = given.objective, given.options
    excess = objective.reach.get(0, np.empty(0)) ** 2
    excess = excess / (options.batch_size * (1 - given.momentum))
    far = (excess * options.learning_rate > 1).any()
    return excess if far else excess[:0]


def _lists(parts):
    """Indices, and counts, of lists."""
    return tuple(tuple(getattr(x, of) for x in parts) for of in ("index", "count"))


def _room(given, blocks, most):
    """Arrays that the kernel works with, on so many threads at most, which the
    objective keeps: the room; those for mean field and for means as lists; and what
    some updates need more."""
    objective, real, n_rows = given.objective, given.real, given.run.longest
    m = len(given.chains[0])
    key = n_rows, m, given.resample, most
    if key in objective.rooms:
        return objective.rooms[key]
    sizes = [objective.energy.units[block].size for block in blocks]
    n, binary = n_rows + m, objective.rows.binary
    some, n_thin = n_rows * given.resample, 2 * (given.centering != NO_OFFSETS)
    # Layers of which the kernel has lists, of both phases: all but the last; labels
    # beside the visible units in the place of the hidden ones.
    listed = [size if layer != 1 else 0 for layer, size in enumerate(sizes)]
    if blocks != _BESIDE:
        listed = [*sizes[:-1], 0]
    packs = [size if layer > 0 else 0 for layer, size in enumerate(listed)]

    def arrays(n, dtype=real, sizes=sizes):
        return tuple(np.empty((n, size), dtype) for size in sizes)

    def lists(n):
        counts = tuple(np.empty(n, np.int64) for _ in sizes)
        return arrays(n, np.uint32, packs), arrays(n, real, packs), counts

    def lines(n, dtype, sizes=sizes):
        return tuple(np.empty(n * size, dtype) for size in sizes)

    def bounds(n):
        return tuple(np.empty((most + 1, n), np.int64) for _ in sizes)

    x = Lists.empty(n_rows, sizes[0], real, binary)
    room = Room(
        *(x.index, x.value, x.count),
        (np.empty((0, sizes[0]), real), *arrays(n_rows)[1:]),
        arrays(max(n_rows, m)),
        arrays(0),
        bounds(n_rows),
        bounds(m),
        (
            lines(1, np.int64),
            lines(1, np.int64),
            # Only what a batch's entries need of these is ever touched.
            lines(n, np.uint32, listed),
            lines(n, real, listed),
            lines(n + n_thin, real, listed),
        ),
        *(arrays(n_thin), arrays(n_thin)),
        lines(1, float),
        *(lines(1, real) for _ in range(3)),
    )
    more = (
        tuple(np.empty(n) for _ in sizes),
        tuple(np.empty(n) for _ in sizes),
        lines(1, real),
        np.empty((some, sizes[0]), real),
        np.empty((some, sizes[0]), np.uint32),
        np.empty(some, np.int64),
    )
    known = np.empty((max(n_rows, m), sizes[1]), real)
    made = objective.rooms[key] = room, known, (lists(n_rows), lists(m)), more
    return made


def lines(objective, real):
    """Room for a number for each unit of each layer."""
    return tuple(np.empty(unit.size, real) for unit in objective.energy.units)


def listed(objective, n_rows, real):
    """Lists for all blocks."""
    units = objective.energy.units
    return tuple(Lists.empty(n_rows, unit.size, real) for unit in units)
