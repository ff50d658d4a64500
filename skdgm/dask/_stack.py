"""Data-parallel fits of stacks: layer by layer, from the bottom up.

Each layer is a machine that is fitted to the means of the hidden units below. Every
worker computes these means for its own rows. A lost shard is computed again from its
rows and the layers below.
"""

from types import SimpleNamespace
from typing import Any

import numpy as np

from skdgm.base.attributes import shallow
from skdgm.base.fit_steps import take_options
from skdgm.base.parts import name_of
from skdgm.dask._rows import Header, begin_stack
from skdgm.dask._run import ShardedRun
from skdgm.stacks.model import unfitted_machines
from skdgm.stacks.training import Training
from skdgm.training import Table


def machines_of(network):
    """Unfitted machines that the present options of a network ask for; ValueError if
    one is invalid, or layers of a fitted network were refined jointly."""
    if network.warm_start and vars(network).get("_untied"):
        raise ValueError(
            f"The layers of this {name_of(network)} were refined, and learn jointly "
            "now: fit it with warm_start=False, or on one machine."
        )
    new = shallow(network)
    take_options(new)
    return unfitted_machines(new)


def fit_stack(client, network, shards, y, local_steps, before):
    """Fit a network, which keeps each layer once it is trained; ``before`` is cleared
    then. Other arguments are those of a :class:`~skdgm.dask._run.ShardedRun`."""
    run = ShardedRun(client, network, shards, y, local_steps)
    run.fresh = not (network.warm_start and hasattr(network, "layers_"))
    header = run.read(begin_stack, Header(network))
    vars(network).update(vars(header.estimator) | network.get_params(deep=False))
    training = Training(network, before=before)
    rows = SimpleNamespace(shape=(None, network.n_features_in_))
    unknown: Any = None
    training.adapt(Table(rows, unknown, unknown, np.array([float(sum(header.draws))])))
    for number in range(len(training.machines)):
        machine, below = training.machine(number), shallow(network)
        below.layers_ = network.layers_[:number]
        run = ShardedRun(client, machine, shards, y, local_steps)
        run.below = header._replace(estimator=below)
        # The machine is added even if it diverges.
        training.train(lambda *_, run=run: run.fit([]), None, number, machine)
