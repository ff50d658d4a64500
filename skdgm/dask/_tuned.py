"""Data-parallel fits of tuned networks: layer by layer, and then as a net.

Layers are trained as those of a stack, on all rows. Back-propagation then fine-tunes
the net on the rows with a target; shards without targets take no part. Statistics of
the targets (classes, mean and scale of numbers) are computed from all targets, which
are in the client's memory.
"""

import numpy as np
from sklearn.utils import check_random_state

from skdgm.base import Fit, fit_steps
from skdgm.dask._rows import begin_tuned
from skdgm.dask._run import ShardedRun
from skdgm.dask._stack import fit_stack
from skdgm.stacks.tuning import PreTraining, unfitted
from skdgm.training import Table, labeled
from skdgm.utils.domains import checked_weights
from skdgm.utils.math import shares
from skdgm.utils.random import MAX_SEED
from skdgm.utils.rows import Rows


def fit_tuned(client, network, shards, y, sample_weight, local_steps, before):
    """Fit a network, which keeps its pre-trained layers once all are trained;
    ``before`` is cleared then. Other arguments are those of a
    :class:`~skdgm.dask._run.ShardedRun`."""
    fresh = not (network.warm_start and hasattr(network, "coefs_"))
    fit_steps.check_options(network, fresh)
    learned, table = _targets(network, y, sample_weight, fresh)
    fit_steps.n_epochs_of(network, table)  # Raises an error without targets.
    if fresh:
        seed = check_random_state(network.random_state).randint(MAX_SEED)
        fit_steps.begin_with_targets(network, learned, table, seed)
        stack = unfitted(network)
        rows = [(parts, None, weight) for parts, _, weight in shards]

        def train():
            fit_stack(client, stack, rows, None, local_steps, [])
            fit_steps.take_format(network, stack)
            fit_steps.take_options(network)

        PreTraining(network, stack, None, train).run(Fit(network, before))
    labeled = with_targets(network, shards)
    run = ShardedRun(client, network, labeled, None, local_steps, begin=begin_tuned)
    run.fresh = False
    run.fit(before)


def with_targets(network, shards):
    """Shards that have a row with a target."""
    return [
        (parts, y, weight)
        for parts, y, weight in shards
        if len(_targets(network, y, weight, False)[1].index)
    ]


def _targets(network, y, weight, fresh):
    """Attributes that are learned from targets, and a table of the rows with
    targets."""
    n_rows = 0 if y is None else len(y)
    rows = Rows(np.zeros((n_rows, 1)), np.float64)
    rows, learned = fit_steps.labels_of(network, rows, y, fresh)
    weight = checked_weights(weight, rows.X, dtype=np.float64, ensure_non_negative=True)
    share = shares(weight)[0]
    index = np.flatnonzero(share > 0)
    return learned, labeled(Table(rows, index, np.zeros(len(index)), share[index]))
