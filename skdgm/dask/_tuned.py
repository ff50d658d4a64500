"""Data-parallel fits of networks that are tuned: layer by layer, and then as a net.

Layers are trained as those of a stack, on all rows. The net is tuned on the rows with a
target, by back-propagation, whose gradient is a sum over rows; shards that have none
take no part in it. What is learned of the targets themselves (classes, the mean and
the scale of numbers) is that of all of them, which are in the client's memory.
"""

import numpy as np
from sklearn.utils.validation import _check_sample_weight

from skdgm.belief._fine_tuning import Tuning
from skdgm.dask._rows import begin_tuned
from skdgm.dask._run import Run
from skdgm.dask._stack import fit_stack
from skdgm.training import Table, labelled
from skdgm.utils.math import shares
from skdgm.utils.rows import Rows


def fit_tuned(client, network, shards, y, sample_weight, local_steps, before):
    """Fit a network, whose pre-trained layers are kept once all are trained: ``before``
    is cleared then. Other arguments are those of a :class:`~skdgm.dask._run.Run`."""
    fresh = not (network.warm_start and hasattr(network, "coefs_"))
    tuning = Tuning(network, before)
    dbn = tuning.unfitted(fresh)
    known, table = _targets(network, y, sample_weight, fresh)
    if not len(table.index):
        raise ValueError(
            f"{network._name} has nothing to learn: no row with a target has a weight "
            "above zero."
        )
    if fresh:
        tuning.start(known, table)
        dbn.set_params(random_state=network._seed)
        rows = [(parts, None, weight) for parts, _, weight in shards]

        def pretrain():
            fit_stack(client, dbn, rows, None, local_steps, [])
            for name in ("n_features_in_", "feature_names_in_", "_form"):
                if name in vars(dbn):
                    setattr(network, name, vars(dbn)[name])
            # Rows that it draws are arrays, of which the net makes DataFrames.
            dbn._form = None

        tuning.pretrain(dbn, None, pretrain)
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
    share = shares(_check_sample_weight(weight, rows.X, **given))[0]
    index = np.flatnonzero(share > 0)
    return known, labelled(Table(rows, index, np.zeros(len(index)), share[index]))
