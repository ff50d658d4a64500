"""Data-parallel fine-tuning of the net of a deep Boltzmann machine with a label."""

from skdgm.base.parts import name_of, options_of, seed_of
from skdgm.boltzmann.learning.fine_tuning import (
    NET,
    attributes_of,
    epochs_of,
    report_tuning,
    tuner_of,
    unfolded,
)
from skdgm.dask._rows import begin_tuned
from skdgm.dask._run import ShardedRun
from skdgm.nets import NetState


class MachineNet:
    """Net of a fitted machine, with the interface of an estimator that a
    :class:`~skdgm.dask._run.ShardedRun` fits."""

    warm_start, _TRANSIENT = False, ()

    def __init__(self, machine):
        self.machine, self._fit_options = machine, options_of(machine).net
        self._seed, self.verbose = seed_of(machine), machine.verbose
        self._name = f"the net of {name_of(machine)}"
        self.n_iter_, self.loss_curve_, self.validation_curve_ = 0, [], []

    @property
    def _options(self):
        return self._fit_options

    def _current_options(self):
        return self._fit_options

    def get_params(self, deep=True):
        """Return no parameters: they belong to the machine."""
        return {}

    def _n_epochs(self, table):
        return epochs_of(self._fit_options, table)

    def _remedy(self):
        return f"Lower learning_rate (now {self._fit_options.learning_rate:g})."

    def _objective(self, table, epochs_before):
        return tuner_of(self.machine, table, self._fit_options, self._seed)

    def _state(self):
        return NetState(unfolded(self.machine.density_))

    def _attributes(self, state):
        return dict(zip(NET[:2], attributes_of(state, [], []).values()))

    def _report(self, learned, n_epochs, watch):
        report_tuning(self.machine, learned, n_epochs)


def fit_net(client, machine, shards, local_steps):
    """Fine-tune the net of a fitted machine, and set its attributes; the arguments are
    those of a :class:`~skdgm.dask._run.ShardedRun`, with labeled shards."""
    net = MachineNet(machine)
    run = ShardedRun(client, net, shards, None, local_steps, begin=begin_tuned)
    run.fresh = False
    try:
        run.fit([])
    finally:
        if hasattr(net, "net_coefs_"):
            parameters = (getattr(net, name) for name in NET[:2])
            curves = net.loss_curve_, net.validation_curve_
            vars(machine).update(zip(NET, (*parameters, *curves)))
