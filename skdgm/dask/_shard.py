r"""A shard: rows of a table, and chains, that stay on one worker.

In a round each shard makes :math:`L` updates of its own batches from the same
parameters :math:`\theta`, and returns by how much it changed them, times its rows:

.. math:: \theta \leftarrow \theta + \frac{\sum_s n_s (\theta_s - \theta)}{\sum_s n_s}

With L = 1 and plain stochastic gradient ascent (with momentum, centring, weight decay)
this is one update by the mean gradient of the rows of all shards, as updates are linear
in it; otherwise it is local steps and averaging [1]_.

References
----------
.. [1] Stich (2019). Local SGD converges fast and communicates little. ICLR.
"""

from copy import copy as shallow_copy

import numpy as np

from skdgm.belief._training import above
from skdgm.boltzmann._state import formed
from skdgm.dask._rows import joined, rows_of
from skdgm.data.inputs import tabulate
from skdgm.energies import plain
from skdgm.utils import random
from skdgm.utils.threads import one_blas_thread
from skdgm.utils.tree import copy, tree_map

# Purpose of the random streams of a shard.
_SHARD = 200
# Shards of this process, by fit and number.
_KEPT = {}


class LostShard(RuntimeError):
    """Error that a shard is not where it was put."""


def begin(estimator, parts, y, weight, classes, network=None, *, first, fresh):
    """Learn statistics of columns and labels from the rows of a shard.

    Parameters
    ----------
    estimator : Estimator
        With those of the shards before. It is not changed.
    parts : list of {ndarray, DataFrame}
    y, weight : ndarray or None
    classes : ndarray or None
    network : BeliefNetwork, optional
        As from :func:`~skdgm.dask._rows.begin_stack`, with the layers below the one
        that the estimator is.
    first : bool
        Whether there are no shards before.
    fresh : bool
        Whether the fit begins anew.

    Returns
    -------
    estimator : Estimator
        A copy that has them, and ``_dask``, the type to compute with and the numbers of
        draws of the shards.
    """
    estimator, X = shallow_copy(estimator), joined(parts)
    if first:
        if network is not None:
            X, y, weight = _tabulated(estimator, X, y, weight, network), None, None
        table = estimator._begin(X, y, weight, fresh, classes)
        kind, draws = table.rows.dtype, []
    else:
        kind, draws = estimator._dask
        table = _tabulated(estimator, X, y, weight, network)
        estimator._columns, table = estimator._domain.learn(table, estimator._columns)
        estimator._count(table, False)
    estimator._dask = kind, [*draws, table.n_draws]
    return estimator


def _tabulated(estimator, X, y, weight, network=None):
    """Table of a shard, of an estimator that knows its columns; or of the next layer of
    a network, as an estimator."""
    if network is not None:
        table = rows_of(network, X, y, weight)
        for machine in network.layers_:
            table = above(machine, table)
        if "_columns" not in vars(estimator):
            return table
        seen = estimator._domain.seen(table.rows, estimator._columns)
        return table._replace(rows=seen)
    rows = estimator._rows(X, dtype=estimator._dask[0], fitting=True)
    rows, _ = estimator._label(rows, y, False, None)
    return tabulate(rows, weight, in_memory=estimator._LISTED)


def keep(fit, number, estimator, parts, y, weight, n_batches, network=None):
    """Keep a shard in the process that this runs in.

    Parameters
    ----------
    fit : str
        Name of the fit.
    number : int
    estimator : Estimator
        As from :func:`begin`, of the last shard.
    parts, y, weight
        Rows of this shard.
    n_batches : int
        Number of batches of an epoch.
    network : BeliefNetwork, optional
        As for :func:`begin`.
    """
    own = shallow_copy(estimator)
    table = _tabulated(own, joined(parts), y, weight, network)
    _, table = own._domain.learn(table, own._columns)
    options = own._asked = shallow_copy(own._options)
    n_shards = len(own._dask[1])
    options.batch_size = max(1, -(-n_trained(options, table.n_draws) // n_batches))
    if getattr(options, "n_chains", None) is not None:
        options.n_chains = -(-options.n_chains // n_shards)
    if number:
        # No two shards have the same random numbers; a single one those of a fit.
        own._seed = random.stream(own._seed, _SHARD, number).root % random.MAX_SEED
    _KEPT[fit, number] = Shard(own, table)


def n_trained(options, n_draws):
    """Number of draws that early stopping leaves for training, about."""
    held_out = options.validation_fraction if stops_early(options) else 0.0
    return max(1, round(n_draws * (1 - held_out)))


def stops_early(options):
    """Return whether rows are held out, and training may end before all epochs."""
    return bool(getattr(options, "early_stopping", False))


def drop(fit):
    """Forget the shards of a fit."""
    for key in [key for key in _KEPT if key[0] == fit]:
        del _KEPT[key]


def find(fit, number):
    """Shard that is kept in this process.

    Raises
    ------
    LostShard
        There is none.
    """
    if (fit, number) not in _KEPT:
        raise LostShard(number)
    return _KEPT[fit, number]


class Shard:
    """Rows, chains and batches that stay where they are.

    Parameters
    ----------
    estimator : Estimator
        With a seed and sizes of its own.
    table : Table
    """

    def __init__(self, estimator, table):
        self.estimator, self.own, self.held_out = estimator, {}, None
        self.objective = estimator._objective(table, estimator.n_iter_)
        if stops_early(estimator._options):
            table, self.held_out = self.objective.split(table)
        self.table = table
        self.watch, self.epoch, self.left, self.at = None, None, iter(()), 0
        if self.objective.LOCAL is None:
            raise TypeError(
                f"skdgm.dask does not fit {estimator._name}: it trains Boltzmann "
                "machines on tables, and nets that remember nothing of single rows."
            )

    def state(self, shared):
        """Training state of shared parameters and chains of its own."""
        state = self.objective.resume(shared._replace(**self.own))
        # What came from elsewhere may not be written to.
        return copy(state)

    def shared(self, state):
        """Part of a training state that is averaged, as arrays; the rest is kept."""
        names = self.objective.LOCAL
        self.own = {n: tuple(map(np.asarray, getattr(state, n))) for n in names}
        return formed(state._replace(**dict.fromkeys(names, ())), plain)

    def batches(self, epoch, first):
        """Batches of an epoch from a number on."""
        if self.epoch != epoch or self.at > first:
            self.left = iter(self.objective.batches(self.table, epoch))
            self.epoch, self.at = epoch, 0
        while self.at < first and next(self.left, None) is not None:
            self.at += 1
        self.at = first
        for batch in self.left:
            self.at += 1
            yield batch


def start(fit, number, seed, fresh, n_epochs):
    """Initial training state, without chains, by one of the shards.

    Parameters
    ----------
    fit : str
    number : int
    seed : int
        Of the whole fit.
    fresh : bool
        Whether the fit begins anew.
    n_epochs : int

    Returns
    -------
    quantity : str
        Name of minus the loss.
    since : int
        First of the epochs that early stopping counts.
    shared : tuple
    """
    shard = find(fit, number)
    own = shallow_copy(shard.estimator)
    own._seed = seed
    objective = own._objective(shard.table, own.n_iter_)
    state = objective.start() if fresh else objective.resume(own._state())
    shared, shard.own = shard.shared(state), {}
    return objective.quantity, objective.since(range(n_epochs)), shared


def step(fit, number, shared, place, n_steps):
    """Updates of a shard, by whose rows the change of the state is multiplied.

    Parameters
    ----------
    fit : str
    number : int
    shared : tuple
        Part of the training state that all have.
    place : Clock
        Of the first update.
    n_steps : int
        Number of updates.

    Returns
    -------
    total : (int, tuple)
        Number of rows, and the change times it.
    """
    shard, n_rows = find(fit, number), 0
    with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
        state = shard.state(shared)
        batches = shard.batches(place.epoch, place.batch)
        for turn, batch in zip(range(n_steps), batches):
            clock = place._replace(batch=place.batch + turn)
            state = shard.objective.step(state, batch, clock)
            n_rows += len(getattr(batch, "v", batch))
        after = shard.shared(state)
    return n_rows, tree_map(lambda new, old: _times(new, old, n_rows), after, shared)


def _times(new, old, n_rows):
    kind = new.dtype.type if new.dtype.kind == "f" else np.float64
    return (new.astype(kind) - old.astype(kind)) * kind(n_rows)


def add(a, b):
    """Sum of two totals."""
    return a[0] + b[0], tree_map(np.add, a[1], b[1])


def mean(shared, total):
    """Shared state after a round."""
    n_rows, change = total

    def after(old, part):
        part = part / part.dtype.type(max(1, n_rows))
        whole = old.dtype.kind != "f"
        return old + (np.rint(part).astype(old.dtype) if whole else part)

    return tree_map(after, shared, change)


def losses(fit, number, shared):
    """Draws of a shard, its loss and the limit of it times these; rows held out, and
    their loss times these."""
    shard = find(fit, number)
    with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
        state = shard.state(shared)
        if shard.watch is None:
            known = shard.table, shard.held_out, state
            shard.watch = shard.objective.watch(*known)
        loss, validation = shard.watch(state)
    n, n_held = shard.table.n_draws, 0.0
    if shard.held_out is not None:
        n_held = shard.held_out.weight.sum()
    own = n_held, n_held * (validation or 0.0)
    return np.array([n, n * loss, n * shard.watch.limit, *own])


def chains(fit, number, shared):
    """What a shard has of its own, as arrays; anew if its former worker was lost."""
    shard = find(fit, number)
    if not shard.own:
        shard.shared(shard.state(shared))
    return {name: parts for name, parts in shard.own.items() if parts}
