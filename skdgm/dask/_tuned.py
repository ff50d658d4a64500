"""Data-parallel fits of tuned networks: layer by layer, and then as a net.

Layers are trained as those of a stack, on all rows. Back-propagation then fine-tunes
the net on the rows with a target; shards without targets take no part. Statistics of
the targets (classes, mean and scale of numbers) are computed from all targets, which
are in the client's memory.
"""

import numpy as np
from sklearn.utils import check_random_state

from skdgm.base import Fit
from skdgm.base.fits import present_options
from skdgm.dask._rows import begin_tuned
from skdgm.dask._run import ShardedRun
from skdgm.dask._stack import fit_stack
from skdgm.stacks.tuning import PreTraining, unfitted
from skdgm.training import Table, labelled
from skdgm.utils.domains import checked_weights
from skdgm.utils.math import shares
from skdgm.utils.random import MAX_SEED
from skdgm.utils.rows import Rows


def fit_tuned(client, network, shards, y, sample_weight, local_steps, before):
    """Fit a network, which keeps its pre-trained layers once all are trained;
    ``before`` is cleared then. Other arguments are those of a
    :class:`~skdgm.dask._run.ShardedRun`."""
    fresh = not (network.warm_start and hasattr(network, "coefs_"))
    network._asked = present_options(network)
    network._check_options()
    if not fresh:
        network._check_unchanged()
    learned, table = _targets(network, y, sample_weight, fresh)
    network._n_epochs(table)
    if fresh:
        network._seed = check_random_state(network.random_state).randint(MAX_SEED)
        vars(network).update(learned | network._blank())
        network._count(table, fresh)
        stack = unfitted(network)
        rows = [(parts, None, weight) for parts, _, weight in shards]

        def train():
            fit_stack(client, stack, rows, None, local_steps, [])
            for name in ("n_features_in_", "feature_names_in_", "_form", "_reading"):
                if name in vars(stack):
                    setattr(network, name, vars(stack)[name])
            network._asked = present_options(network)
            # The stack draws arrays, which the net converts to DataFrames.
            stack._form = None

        PreTraining(network, stack, None, train).run(Fit(network, before))
    arguments = with_targets(network, shards), None, local_steps
    run = ShardedRun(client, network, *arguments, begin=begin_tuned)
    run.fresh = False
    run.fit(before)


def with_targets(network, shards):
    """Shards that have a row with a target."""
    return [s for s in shards if len(_targets(network, *s[1:], False)[1].index)]


def _targets(network, y, weight, fresh):
    """Attributes that are learned from targets, and a table of the rows with
    targets."""
    n_rows = 0 if y is None else len(y)
    rows = Rows(np.zeros((n_rows, 1)), np.float64)
    rows, learned = network._label(rows, y, fresh, None)
    options = {"dtype": np.float64, "ensure_non_negative": True}
    share = shares(checked_weights(weight, rows.X, **options))[0]
    index = np.flatnonzero(share > 0)
    return learned, labelled(Table(rows, index, np.zeros(len(index)), share[index]))
