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

from skdgm.base.parts import options_of
from skdgm.base.series import Series
from skdgm.boltzmann.learning.state import formed
from skdgm.dask._rows import concatenated, rows_of, targets_of
from skdgm.data.inputs import tabulate
from skdgm.energies import plain
from skdgm.stacks.training import above
from skdgm.utils import addresses, random
from skdgm.utils.tree import copy, tree_map

# Purpose of the random streams of a shard.
_SHARD = addresses.SHARD
# Shards of this process, by fit and number.
_KEPT = {}


class LostShard(RuntimeError):
    """Error that a shard is not where it was put."""


def begin(estimator, parts, y, weight, classes, network=None, *, first, fresh):
    """Learn statistics of columns and labels from the rows of a shard; those before it
    are known to the estimator, or it is the first.

    A network, as from :func:`~skdgm.dask._rows.begin_stack`, has the layers below the
    one that the estimator is. Models of sequences have their lengths as y. Returns a
    copy with what was learned, and ``_dask``, the type to compute with and the numbers
    of draws of the shards.
    """
    estimator, X = shallow_copy(estimator), concatenated(parts)
    if is_of_series(estimator):
        X, y = Series(X, y), None
    if first:
        if network is not None:
            X, y, weight = _tabulated(estimator, X, y, weight, network), None, None
        table = estimator._begin(X, y, weight, fresh, classes)
        _refuse(estimator, table)
        kind, draws = table.rows.dtype, []
    else:
        kind, draws = estimator._dask
        table = _tabulated(estimator, X, y, weight, network)
        estimator._columns, table = estimator._domain.learn(table, estimator._columns)
        estimator._count(table, False)
        table = _by_sequence(estimator, X, table, weight)
    estimator._dask = kind, [*draws, table.n_draws]
    return estimator


def _refuse(estimator, table):
    """Raise TypeError for an objective whose states cannot be averaged."""
    if estimator._objective(table, estimator.n_iter_).LOCAL is None:
        raise TypeError(
            f"skdgm.dask does not fit {estimator._name} with these options: it "
            "averages states of training, and this one has more than parameters "
            "and chains, such as something for each row."
        )


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
    series = None
    if isinstance(X, Series):
        X, _, weight, series = estimator._in_order(X, weight, False)
    rows = estimator._rows(X, dtype=estimator._dask[0], fitting=True)
    rows, _ = estimator._label(rows, y, False, series)
    return tabulate(rows, weight, in_memory=estimator._LISTED)


def is_of_series(estimator):
    """Return whether an estimator learns from sequences of rows."""
    options = vars(estimator._present_options())
    return "sequence_length" in options or bool(options.get("n_lags"))


def _by_sequence(estimator, X, table, weight):
    """Table of sequences, where X is such, of a table of their rows."""
    if not isinstance(X, Series):
        return table
    return estimator._by_sequence(table, X.lengths, weight, False)


def keep(fit, number, estimator, parts, y, weight, network=None, n_batches=None):
    """Keep a shard, by fit and number, in the process that this runs in; the estimator
    is as from :func:`begin`, of the last shard, and ``n_batches`` see :func:`divide`.

    Returns the number of draws for training: early stopping holds rows out by their
    content, so that where they repeat, more or fewer are left than a fraction is.
    """
    own, X = shallow_copy(estimator), concatenated(parts)
    if is_of_series(own):
        X, y = Series(X, y), None
    if own._dask[0] is None:
        table = targets_of(own, X, y, weight)
    else:
        table = _tabulated(own, X, y, weight, network)
        _, table = own._domain.learn(table, own._columns)
        table = _by_sequence(own, X, table, weight)
    options = own._asked = shallow_copy(options_of(own))
    n_shards = len(own._dask[1])
    if options.n_chains is not None:
        options.n_chains = -(-options.n_chains // n_shards)
    # A penalty is divided by the rows of a batch, of which a shard has its share.
    share = table.n_draws / sum(own._dask[1])
    options.alpha = tree_map(lambda alpha: alpha * share, options.alpha)
    if number:
        # No two shards have the same random numbers; a single one those of a fit.
        own._seed = random.stream(own._seed, _SHARD, number).root % random.MAX_SEED
    trained = table
    if options.early_stopping:
        trained, _ = own._objective(table, own.n_iter_).split(table)
    _KEPT[fit, number] = own, table, trained.n_draws
    if n_batches is not None:
        divide(fit, number, n_batches)
    return trained.n_draws


def divide(fit, number, n_batches):
    """Divide the rows of a shard that is kept into so many batches an epoch."""
    own, table, n_trained = find(fit, number)
    whole, size = options_of(own).batch_size, max(1, -(-n_trained // n_batches))
    options_of(own).batch_size = size
    if hasattr(vars(own).get("_columns"), "reach") and isinstance(whole, int):
        # Steps suit values far out by the rows of all shards' batches.
        reach = own._columns.reach * np.sqrt(size / whole)
        own._columns = own._columns._replace(reach=reach)
    _KEPT[fit, number] = Shard(own, table)


def drop(fit):
    """Forget the shards of a fit."""
    for key in [key for key in _KEPT if key[0] == fit]:
        del _KEPT[key]


def find(fit, number):
    """Shard that is kept in this process; LostShard if there is none."""
    if (fit, number) not in _KEPT:
        raise LostShard(number)
    return _KEPT[fit, number]


class Shard:
    """Rows, chains and batches that stay where they are, of an estimator with a seed
    and sizes of its own."""

    def __init__(self, estimator, table):
        self.estimator, self.own, self.held_out = estimator, {}, None
        self.objective = estimator._objective(table, estimator.n_iter_)
        if options_of(estimator).early_stopping:
            table, self.held_out = self.objective.split(table)
        self.table = table
        self.watch, self.epoch, self.left, self.at = None, None, iter(()), 0

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

    def watched(self, state):
        """Watch of the losses, which compares them with that of the first state."""
        if self.watch is None:
            known = self.table, self.held_out, state
            self.watch = self.objective.watch(*known)
        return self.watch

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
