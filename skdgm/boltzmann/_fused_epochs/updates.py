"""Calls of the kernels that make many updates of a machine.

Their arguments come from an objective and its training state, which changes in place;
see :mod:`skdgm.boltzmann._fused_epochs.runs`.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.machines.arguments import ListedLayers, TiledChain, Tiles
from skdgm._kernels.machines.bernoulli_epoch import bernoulli_epoch
from skdgm._kernels.machines.bernoulli_parts import (
    CenteringWorkspace,
    EpochOptions,
    EpochPlan,
    ListedRows,
    Momentum,
    Workspace,
)
from skdgm._kernels.machines.gaussian_epoch import (
    DIAGONAL,
    FIXED_PRECISION,
    SCALAR,
    RealChains,
    RealEpochOptions,
    RealEpochPlan,
    RealMachine,
    RealWorkspace,
    gaussian_epoch,
)
from skdgm._kernels.machines.label_epoch import (
    LabelEpochOptions,
    LabelRows,
    Moments,
    label_epoch,
)
from skdgm._kernels.machines.mean_field import MeanFieldArrays
from skdgm._kernels.machines.phases import NO_OFFSETS
from skdgm._kernels.sparse.lists import JoinedLists, RowLists
from skdgm.boltzmann.model_options import penalties_per_row
from skdgm.couplings import Weights
from skdgm.distributions import check_range, one_hot
from skdgm.energies import forms
from skdgm.gradients.steps.centering import RATE
from skdgm.inference import TOLERANCE
from skdgm.optim import BETA_2, corrected
from skdgm.utils.lists import Lists
from skdgm.utils.threading.parallel import in_step, n_efficient_threads, n_threads

# Blocks of the layers of a machine whose label is next to the visible units.
_BESIDE = 0, 2, 1
_PRECISIONS = {"fixed": FIXED_PRECISION, "scalar": SCALAR, "diagonal": DIAGONAL}


class Updates(NamedTuple):
    """Updates for a kernel, which change ``state`` in place."""

    objective: object
    state: object
    run: object
    # Chains of the state, or empty arrays for as many chains as rows in a batch.
    chains: tuple
    # Offsets of the state, or empty arrays.
    offsets: tuple
    # ``rates(initial)`` returns the learning rate of each update.
    rates: object
    # Stream of the updates of the epoch.
    root: object
    n_steps: int
    momentum: float
    persistent: bool
    # Mode of skdgm._kernels.machines.phases.
    centering: int
    # Approximate number of multiply-adds of an update.
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
    def step_options(self):
        """Momentum, and penalties l1 and l2, in the type of the parameters."""
        values = {"momentum": self.momentum} | penalties_per_row(self.options)
        return {name: self.real(value) for name, value in values.items()}

    @property
    def max_norm(self):
        """Maximum norm; infinite without a limit."""
        limit = self.options.max_norm
        return np.inf if limit is None else float(limit)

    @property
    def index(self):
        """Row numbers of all batches, joined."""
        return np.concatenate(self.run.batches)

    @property
    def resample(self):
        """True if bits are drawn from gray rows."""
        return bool(self.options.resample and not self.objective.rows.binary)


def bernoulli_updates(updates):
    """Updates of a chain of binary layers, with an optional label above them. In the
    energy, the label may also be a block of the visible layer."""
    objective, run = updates.objective, updates.run
    state, dtype = updates.state, updates.real
    options, rows, index = objective.options, objective.rows, updates.index
    n_layers = len(objective.energy.units)
    (ups, downs), blocks = forms(state.params), tuple(range(n_layers))
    labels = ()
    if objective.label is not None:
        size = objective.energy.units[objective.label].size
        y = one_hot(rows.accompanying(index), size, dtype)
        labels = y.index, y.count
        if objective.label < n_layers - 1:
            blocks, ups, downs = _BESIDE, (ups[0], downs[1]), (downs[0], ups[1])

    def placed(parts):
        return tuple(parts[block] for block in blocks)

    velocities, units = state.optimizer.couplings, state.params.units
    # Read once, since it may change while buffers are allocated.
    max_threads = n_threads()
    workspace, mean_field, listed, centering = _workspaces(updates, blocks, max_threads)
    n_deep = n_layers - 1 - (objective.label is not None)
    is_plain = updates.centering == NO_OFFSETS and not options.resample
    first, end, columns, values, order = rows.joined(index)
    in_step(
        bernoulli_epoch,
        ListedRows(JoinedLists(first, end, columns, values), order, run.edges),
        labels,
        TiledChain(ups, downs, placed(units)),
        Momentum(
            tuple(part.up if updates.momentum else part.up[:0] for part in velocities),
            placed(state.optimizer.units),
        ),
        _lists(placed(updates.chains)),
        (mean_field,) if n_deep > 1 else (),
        listed if n_layers > 2 and blocks != _BESIDE else (),
        () if is_plain else centering._replace(offsets=placed(updates.offsets)),
        () if options.max_norm is None else (updates.max_norm,),
        workspace,
        EpochPlan(
            updates.rates(options.learning_rate),
            np.uint64(updates.root.root),
            run.first,
            np.array(blocks),
        ),
        EpochOptions(
            n_steps=int(updates.n_steps),
            sweeps=options.mean_field_steps,
            tol=dtype(TOLERANCE),
            pace=dtype(RATE),
            resample=updates.resample,
            persistent=updates.persistent,
            centering=updates.centering,
            **updates.step_options,
        ),
        n_rounds=len(run.batches),
        n_threads=min(max_threads, n_efficient_threads(updates.work)),
    )


def label_updates(updates):
    """Updates of rows and labels under one binary layer, by Adam."""
    objective, run = updates.objective, updates.run
    state, dtype = updates.state, updates.real
    options, rows, index = objective.options, objective.rows, updates.index
    v, codes = rows.present(index, True), rows.accompanying(index)
    (ups, downs), memory = forms(state.params), state[1]
    check_range(codes, objective.energy.units[objective.label].size)
    t = memory.t[0] + 1 + np.arange(len(run.batches))
    memory.t[0] = t[-1]
    rates = corrected(updates.rates(options.learning_rate), updates.momentum, t)

    def placed(parts):
        return tuple(parts[block] for block in _BESIDE)

    def remembered(params):
        return tuple(part.up for part in params.couplings), placed(params.units)

    shares = {
        "hybrid": (1.0, options.generative_weight),
        "discriminative": (1.0, 0.0),
        "generative": (0.0, 1.0),
    }
    step = updates.step_options
    label_epoch(
        LabelRows(RowLists(v.index, v.value, v.count), codes, run.edges),
        TiledChain((ups[0], downs[1]), (downs[0], ups[1]), placed(state.params.units)),
        Moments(remembered(memory.m), remembered(memory.s)),
        _lists(placed(updates.chains)),
        EpochPlan(
            np.stack(rates).astype(dtype),
            np.uint64(updates.root.root),
            run.first,
            np.array(_BESIDE),
        ),
        LabelEpochOptions(
            n_steps=updates.n_steps,
            shares=tuple(map(dtype, shares[options.objective])),
            decays=(step["momentum"], dtype(BETA_2)),
            penalties=(step["l1"], step["l2"]),
            max_norm=updates.max_norm,
            resample=updates.resample,
            persistent=updates.persistent,
        ),
    )


def gaussian_updates(updates):
    """Updates of real units under one binary layer, whose weights are ndarrays."""
    objective, run = updates.objective, updates.run
    state, dtype = updates.state, updates.real
    (mean, log_precision), c = state.params.units
    (mean_speed, precision_speed), c_speed = state.optimizer.units
    W, velocity = state.params.couplings[0], state.optimizer.couplings[0]
    weights, speeds = Weights.of(W), Weights.of(velocity).up
    unit, chains, options = objective.energy.units[0], updates.chains, objective.options
    in_step(
        gaussian_epoch,
        RealMachine(
            Tiles(weights.up, weights.down, speeds if updates.momentum else speeds[:0]),
            (mean, log_precision, c),
            (mean_speed, precision_speed, c_speed),
            updates.offsets,
        ),
        RealChains(chains[0], chains[1].index, chains[1].count),
        _real_workspace(updates),
        RealEpochPlan(
            np.ascontiguousarray(objective.rows.take(updates.index)),
            run.edges,
            options.learning_rate,
            updates.rates(1.0),
            np.uint64(updates.root.root),
            run.first,
            _reach(updates),
        ),
        RealEpochOptions(
            n_steps=int(updates.n_steps),
            pace=dtype(RATE),
            most=dtype(-np.log(unit.min_variance) if unit.min_variance else np.inf),
            max_norm=updates.max_norm,
            precision=_PRECISIONS[unit.precision],
            persistent=updates.persistent,
            centering=updates.centering,
            **updates.step_options,
        ),
        n_rounds=len(run.batches),
        n_threads=n_efficient_threads(2 * updates.work),
    )
    W[...] = weights.W
    if updates.momentum:
        velocity[...] = Weights(speeds, weights.down).W


def _real_workspace(updates):
    """Work arrays of the kernel for real units, which the objective caches."""
    objective, dtype, n = updates.objective, updates.real, updates.run.longest
    m = len(updates.chains[0])
    if (n, m) in objective.workspaces:
        return objective.workspaces[n, m]
    below, above = (unit.size for unit in objective.energy.units)
    n_thin, n_tall = 2 * (updates.centering != NO_OFFSETS), max(n, m)
    all_columns = np.arange(below, dtype=np.uint32)

    def array(n_rows, size=below):
        return np.empty((n_rows, size), dtype)

    objective.workspaces[n, m] = workspace = RealWorkspace(
        index=np.tile(all_columns, (n_tall, 1)),
        values=array(n_tall),
        values_model=array(n_tall),
        y=array(n_tall, above),
        y_model=array(n_tall, above),
        factors=np.empty(below * (n + m + n_thin), dtype),
        thin=array(n_thin),
        thin_above=array(n_thin, above),
        means=array(3),
        means_above=array(3, above),
        lost=np.empty(below, dtype),
        lost_above=np.empty(above, dtype),
        slopes=array(2),
        shares=array(2),
        received=np.empty(n + m),
        sent=np.empty(n + m),
    )
    return workspace


def _reach(updates):
    """Squares of the largest values of each column, divided by the batch size and by 1
    - momentum; empty if no step is shortened."""
    objective, options = updates.objective, updates.options
    excess = objective.max_magnitudes.get(0, np.empty(0)) ** 2
    excess = excess / (options.batch_size * (1 - updates.momentum))
    is_far = (excess * options.learning_rate > 1).any()
    return excess if is_far else excess[:0]


def _lists(parts):
    """Indices and counts of lists."""
    return tuple(tuple(getattr(x, of) for x in parts) for of in ("index", "count"))


def _workspaces(updates, blocks, max_threads):
    """Work arrays of the kernel for at most ``max_threads`` threads, which the
    objective caches: the workspace; arrays for mean field and for means as lists; and
    arrays for resampling and centering, without offsets."""
    objective, float_type, n_rows = updates.objective, updates.real, updates.run.longest
    m = len(updates.chains[0])
    key = n_rows, m, updates.resample, max_threads
    if key in objective.workspaces:
        return objective.workspaces[key]
    sizes = [objective.energy.units[block].size for block in blocks]
    n, binary = n_rows + m, objective.rows.binary
    n_resampled = n_rows * updates.resample
    n_thin = 2 * (updates.centering != NO_OFFSETS)
    # Layers for which the kernel has lists in both phases: all but the last. A label
    # next to the visible units has the place of the hidden units.
    listed = [size if layer != 1 else 0 for layer, size in enumerate(sizes)]
    if blocks != _BESIDE:
        listed = [*sizes[:-1], 0]
    packs = [size if layer > 0 else 0 for layer, size in enumerate(listed)]

    def arrays(n, dtype=float_type, sizes=sizes):
        return tuple(np.empty((n, size), dtype) for size in sizes)

    def lists(n):
        counts = tuple(np.empty(n, np.int64) for _ in sizes)
        indices, values = arrays(n, np.uint32, packs), arrays(n, float_type, packs)
        return ListedLayers(indices, values, counts)

    def lines(n, dtype, sizes=sizes):
        return tuple(np.empty(n * size, dtype) for size in sizes)

    def bounds(n):
        return tuple(np.empty((max_threads + 1, n), np.int64) for _ in sizes)

    x = Lists.empty(n_rows, sizes[0], float_type, binary)
    workspace = Workspace(
        index=x.index,
        value=x.value,
        count=x.count,
        means=(np.empty((0, sizes[0]), float_type), *arrays(n_rows)[1:]),
        fields=arrays(max(n_rows, m)),
        no_values=arrays(0),
        bounds=bounds(n_rows),
        bounds_model=bounds(m),
        columns=(
            lines(1, np.int64),
            lines(1, np.int64),
            # Allocated for the worst case; a batch only touches what it needs.
            lines(n, np.uint32, listed),
            lines(n, float_type, listed),
            lines(n + n_thin, float_type, listed),
        ),
        thin=arrays(n_thin),
        thin_above=arrays(n_thin),
        total=lines(1, float),
        grads=lines(1, float_type),
        data=lines(1, float_type),
        model=lines(1, float_type),
    )
    centering = CenteringWorkspace(
        offsets=(),
        received=tuple(np.empty(n) for _ in sizes),
        sent=tuple(np.empty(n) for _ in sizes),
        lost=lines(1, float_type),
        grey=np.empty((n_resampled, sizes[0]), float_type),
        index=np.empty((n_resampled, sizes[0]), np.uint32),
        count=np.empty(n_resampled, np.int64),
    )
    max_rows = max(n_rows, m)
    mean_field = MeanFieldArrays(
        workspace.means,
        workspace.fields,
        np.empty((max_rows, sizes[1]), float_type),
        np.empty(max_rows, np.int64),
        np.empty(max_rows, bool),
    )
    workspaces = workspace, mean_field, (lists(n_rows), lists(m)), centering
    objective.workspaces[key] = workspaces
    return workspaces


def lines(objective, real):
    """Empty array with a number for each unit of each block, a tuple."""
    return tuple(np.empty(unit.size, real) for unit in objective.energy.units)


def listed(objective, n_rows, real):
    """Empty lists for all blocks, a tuple."""
    units = objective.energy.units
    return tuple(Lists.empty(n_rows, unit.size, real) for unit in units)
