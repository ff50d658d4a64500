r"""Shards: rows of a table, and chains, that stay on one worker.

In a round, each shard makes :math:`L` updates by its own batches from the same
parameters :math:`\theta`, and returns the change of the parameters times its number of
rows:

.. math:: \theta \leftarrow \theta + \frac{\sum_s n_s (\theta_s - \theta)}{\sum_s n_s}

With L = 1 and plain stochastic gradient ascent (with momentum, centering, weight
decay), updates are linear in the gradient, and a round is one update by the mean
gradient of all rows. Otherwise it is local SGD [1]_.

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
    """Error that a worker does not have a shard that was sent to it."""


def begin(estimator, parts, y, weight, classes, network=None, *, first, fresh):
    """Learn statistics of columns and labels from the rows of a shard, after the
    previous shards; ``first`` is True for the first one.

    If the estimator is a layer of a stack, ``network`` has the layers below. For models
    of sequences, y has the lengths. Returns a copy of the estimator with these
    statistics and ``_dask``, the dtype for computations and the numbers of draws of the
    shards.
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
    """Table of a shard, for an estimator that knows its columns, or for the next layer
    of a network."""
    if network is not None:
        table = rows_of(network, X, y, weight)
        for machine in network.layers_:
            table = above(machine, table)
        if "_columns" not in vars(estimator):
            return table
        seen = estimator._domain.in_units(table.rows, estimator._columns)
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
    """Table of sequences, given a table of their rows, if X is a Series."""
    if not isinstance(X, Series):
        return table
    return estimator._by_sequence(table, X.lengths, weight, False)


def keep(fit, number, estimator, parts, y, weight, network=None, n_batches=None):
    """Store a shard, by fit and number, in the current process; ``estimator`` is the
    result of :func:`begin` for the last shard.

    Returns the number of draws for training, which differs between shards: early
    stopping holds out rows by their content, so that copies stay together.
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
        # Each shard has its own random numbers; the first has those of a normal fit.
        own._seed = random.stream(own._seed, _SHARD, number).root % random.MAX_SEED
    trained = table
    if options.early_stopping:
        trained, _ = own._objective(table, own.n_iter_).split(table)
    _KEPT[fit, number] = own, table, trained.n_draws
    if n_batches is not None:
        divide(fit, number, n_batches)
    return trained.n_draws


def divide(fit, number, n_batches):
    """Divide the rows of a stored shard into ``n_batches`` batches in each epoch."""
    estimator, table, n_trained = find(fit, number)
    batch_size, size = (
        options_of(estimator).batch_size,
        max(1, -(-n_trained // n_batches)),
    )
    options_of(estimator).batch_size = size
    if hasattr(vars(estimator).get("_columns"), "reach") and isinstance(
        batch_size, int
    ):
        # Steps depend on outliers relative to the batch size over all shards.
        reach = estimator._columns.reach * np.sqrt(size / batch_size)
        estimator._columns = estimator._columns._replace(reach=reach)
    _KEPT[fit, number] = Shard(estimator, table)


def drop(fit):
    """Delete the shards of a fit."""
    for key in [key for key in _KEPT if key[0] == fit]:
        del _KEPT[key]


def find(fit, number):
    """Shard that is stored in this process; LostShard if there is none."""
    if (fit, number) not in _KEPT:
        raise LostShard(number)
    return _KEPT[fit, number]


class Shard:
    """Rows, chains and batches on one worker, with an estimator that has its own seed
    and sizes."""

    def __init__(self, estimator, table):
        self.estimator, self.own, self.held_out = estimator, {}, None
        self.objective = estimator._objective(table, estimator.n_iter_)
        if options_of(estimator).early_stopping:
            table, self.held_out = self.objective.split(table)
        self.table = table
        self.watch, self.epoch, self.left, self.at = None, None, iter(()), 0

    def state(self, shared):
        """Training state of shared parameters and the shard's own chains."""
        state = self.objective.resume(shared._replace(**self.own))
        # Received arrays are read-only.
        return copy(state)

    def shared(self, state):
        """Part of a training state that is averaged, as arrays; the shard stores the
        rest."""
        names = self.objective.LOCAL
        self.own = {n: tuple(map(np.asarray, getattr(state, n))) for n in names}
        return formed(state._replace(**dict.fromkeys(names, ())), plain)

    def watched(self, state):
        """Watch of the losses, which compares them with the loss of the first state."""
        if self.watch is None:
            arguments = self.table, self.held_out, state
            self.watch = self.objective.watch(*arguments)
        return self.watch

    def batches(self, epoch, first):
        """Batches of an epoch, starting at index ``first``."""
        if self.epoch != epoch or self.at > first:
            self.left = iter(self.objective.batches(self.table, epoch))
            self.epoch, self.at = epoch, 0
        while self.at < first and next(self.left, None) is not None:
            self.at += 1
        self.at = first
        for batch in self.left:
            self.at += 1
            yield batch
