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

from skdgm.base import fit_steps
from skdgm.base.fit_steps import is_of_series, objective_of
from skdgm.base.parts import in_units_of, name_of, options_of, seed_of
from skdgm.base.series import Series
from skdgm.boltzmann.learning.state import map_params
from skdgm.dask._rows import concatenated, rows_of, targets_of
from skdgm.energies import plain
from skdgm.stacks.training import above
from skdgm.utils import addresses, random
from skdgm.utils.tree import copy, tree_map

# Purpose of the random streams of a shard.
_SHARD = addresses.SHARD
# Shards of this process, by fit and number.
_SHARDS = {}


class LostShard(RuntimeError):
    """Error that a worker does not have a shard that was sent to it."""


def begin(header, parts, y, weight, classes, fresh):
    """Learn statistics of columns and labels from the rows of a shard, after the
    previous shards, of which the :class:`Header` has draws; returns a new Header.

    For models of sequences, y has the lengths.
    """
    estimator, X = shallow_copy(header.estimator), concatenated(parts)
    if is_of_series(estimator):
        X, y = Series(X, y), None
    header = header._replace(estimator=estimator)
    if not header.draws:
        if header.below is not None:
            X, y, weight = _tabulated(header, X, y, weight), None, None
        table = fit_steps.begin(estimator, X, y, weight, fresh, classes)
        _refuse(estimator, table)
    else:
        table = _tabulated(header, X, y, weight)
        table = fit_steps.read_further(estimator, table)
        table = fit_steps.by_sequence(estimator, X, table, weight)
    return header.after(estimator, table)


def _refuse(estimator, table):
    """Raise TypeError for an objective whose states cannot be averaged."""
    if objective_of(estimator, table).LOCAL is None:
        raise TypeError(
            f"skdgm.dask does not fit {name_of(estimator)} with these options: it "
            "averages states of training, and this one has more than parameters "
            "and chains, such as something for each row."
        )


def _tabulated(header, X, y, weight):
    """Table of a shard, for an estimator that knows its columns, or for the next layer
    of a network."""
    estimator, below = header.estimator, header.below
    if below is None:
        return fit_steps.table_of(estimator, X, y, weight, header.dtype)
    table = rows_of(below, X, y, weight)
    for machine in below.estimator.layers_:
        table = above(machine, table)
    return in_units_of(estimator, table) if header.draws else table


def keep(fit, number, header, parts, y, weight, n_batches=None):
    """Store a shard, by fit and number, in the current process; ``header`` is the
    result of :func:`begin` for the last shard.

    Returns the number of draws for training, which differs between shards: early
    stopping holds out rows by their content, so that copies stay together.
    """
    estimator, X = shallow_copy(header.estimator), concatenated(parts)
    if is_of_series(estimator):
        X, y = Series(X, y), None
    if header.dtype is None:
        table = targets_of(estimator, X, y, weight)
    else:
        table = _tabulated(header._replace(estimator=estimator), X, y, weight)
        _, table = fit_steps.learn_columns(estimator, table)
        table = fit_steps.by_sequence(estimator, X, table, weight)
    options = fit_steps.own_options(estimator)
    n_shards = len(header.draws)
    if options.n_chains is not None:
        options.n_chains = -(-options.n_chains // n_shards)
    # A penalty is divided by the rows of a batch, of which a shard has its share.
    share = table.n_draws / sum(header.draws)
    options.alpha = tree_map(lambda alpha: alpha * share, options.alpha)
    if number:
        # Each shard has its own random numbers; the first has those of a normal fit.
        seed = random.stream(seed_of(estimator), _SHARD, number).root % random.MAX_SEED
        estimator = fit_steps.with_seed(estimator, seed)
    trained = table
    if options.early_stopping:
        trained, _ = objective_of(estimator, table).split(table)
    _SHARDS[fit, number] = estimator, table, trained.n_draws
    if n_batches is not None:
        divide(fit, number, n_batches)
    return trained.n_draws


def divide(fit, number, n_batches):
    """Divide the rows of a stored shard into ``n_batches`` batches in each epoch."""
    estimator, table, n_trained = find(fit, number)
    options = options_of(estimator)
    batch_size, size = options.batch_size, max(1, -(-n_trained // n_batches))
    options.batch_size = size
    if isinstance(batch_size, int):
        # Steps depend on outliers relative to the batch size over all shards.
        fit_steps.scale_reach(estimator, np.sqrt(size / batch_size))
    _SHARDS[fit, number] = Shard(estimator, table)


def drop(fit):
    """Delete the shards of a fit."""
    for key in [key for key in _SHARDS if key[0] == fit]:
        del _SHARDS[key]


def find(fit, number):
    """Shard that is stored in this process; LostShard if there is none."""
    if (fit, number) not in _SHARDS:
        raise LostShard(number)
    return _SHARDS[fit, number]


class Shard:
    """Rows, chains and batches on one worker, with an estimator that has its own seed
    and sizes."""

    def __init__(self, estimator, table):
        self.estimator, self.local_state, self.held_out = estimator, {}, None
        self.objective = objective_of(estimator, table)
        if options_of(estimator).early_stopping:
            table, self.held_out = self.objective.split(table)
        self.table = table
        self.watch, self.epoch, self.left, self.at = None, None, iter(()), 0

    def state(self, shared):
        """Training state of shared parameters and the shard's own chains."""
        state = self.objective.resume(shared._replace(**self.local_state))
        # Received arrays are read-only.
        return copy(state)

    def shared(self, state):
        """Part of a training state that is averaged, as arrays; the shard stores the
        rest."""
        names = self.objective.LOCAL
        self.local_state = {n: tuple(map(np.asarray, getattr(state, n))) for n in names}
        return map_params(state._replace(**dict.fromkeys(names, ())), plain)

    def watched(self, state):
        """Watch of the losses, which compares them with the loss of the first state."""
        if self.watch is None:
            watch = self.objective.watch
            self.watch = watch(self.table, self.held_out, state)
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
