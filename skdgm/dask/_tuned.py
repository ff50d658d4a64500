"""Data-parallel fits of networks that are tuned: layer by layer, and then as a net.

Layers are trained as those of a stack, on all rows. The net is tuned on the rows with a
target, by back-propagation, whose gradient is a sum over rows; shards that have none
take no part in it. What is learned of the targets themselves (classes, the mean and
the scale of numbers) is that of all of them, which are in the client's memory.
"""

import numpy as np
from sklearn.utils import check_random_state

from skdgm.base import Fit
from skdgm.base.fits import asked_of
from skdgm.dask._rows import begin_tuned
from skdgm.dask._run import Run
from skdgm.dask._stack import fit_stack
from skdgm.stacks.tuning import PreTraining, unfitted
from skdgm.training import Table, labelled
from skdgm.utils.domains import checked_weights
from skdgm.utils.math import shares
from skdgm.utils.random import MAX_SEED
from skdgm.utils.rows import Rows


def fit_tuned(client, network, shards, y, sample_weight, local_steps, before):
    """Fit a network, whose pre-trained layers are kept once all are trained: ``before``
    is cleared then. Other arguments are those of a :class:`~skdgm.dask._run.Run`."""
    fresh = not (network.warm_start and hasattr(network, "coefs_"))
    network._asked = asked_of(network)
    network._check_options()
    if not fresh:
        network._check_unchanged()
    known, table = _targets(network, y, sample_weight, fresh)
    network._n_epochs(table)
    if fresh:
        network._seed = check_random_state(network.random_state).randint(MAX_SEED)
        vars(network).update(known | network._blank())
        network._count(table, fresh)
        stack = unfitted(network)
        rows = [(parts, None, weight) for parts, _, weight in shards]

        def train():
            fit_stack(client, stack, rows, None, local_steps, [])
            for name in ("n_features_in_", "feature_names_in_", "_form", "_reading"):
                if name in vars(stack):
                    setattr(network, name, vars(stack)[name])
            network._asked = asked_of(network)
            # Rows that it draws are arrays, of which the net makes DataFrames.
            stack._form = None

        PreTraining(network, stack, None, train).run(Fit(network, before))
    given = with_targets(network, shards), None, local_steps
    run = Run(client, network, *given, begin=begin_tuned)
    run.fresh = False
    run.fit(before)


def with_targets(network, shards):
    """Those of the shards that have a row with a target."""
    return [s for s in shards if len(_targets(network, *s[1:], False)[1].index)]


def _targets(network, y, weight, fresh):
    """Attributes that are learned from targets, and a table of those that are known."""
    n_rows = 0 if y is None else len(y)
    rows = Rows(np.zeros((n_rows, 1)), np.float64)
    rows, known = network._label(rows, y, fresh, None)
    given = {"dtype": np.float64, "ensure_non_negative": True}
    share = shares(checked_weights(weight, rows.X, **given))[0]
    index = np.flatnonzero(share > 0)
    return known, labelled(Table(rows, index, np.zeros(len(index)), share[index]))
