"""Record of the pre-training of a deep machine."""

from skdgm.base.records import StageRecord
from skdgm.boltzmann._learning.pretraining import joined
from skdgm.boltzmann._learning.state import TrainState
from skdgm.training import Keeper, Progress


class PairsRecord:
    """Pairs of layers that are complete, and all that the one under way continues from.

    The file is a machine, whose layers above these have learned nothing.

    Parameters
    ----------
    record : Record
        Of the machine's fit, which a callback keeps.
    objective : EnergyObjective
        Of the machine.
    params : Params
        Initial parameters of the machine.
    """

    def __init__(self, record, objective, params):
        self.record, self.objective, self.params = record, objective, params
        self.known = record.memory if record.unfinished is not None else None
        self.pairs, self.losses = [], []

    def options(self):
        """Options of :func:`~skdgm.training.optimise` for the next pair."""
        number, known = len(self.pairs), self.known
        if known is None or number >= len(known["pairs"]):
            return {"keeper": Keeper(StageRecord(self.record.file, self._write))}
        if number < len(known["losses"]):
            # No epoch is left, and so only the parameters are of use.
            state, losses = ((), ()), known["losses"][number]
            progress = Progress(losses, [None] * len(losses), {}, {})
        else:
            state, progress = known["state"], Progress(**known["progress"])
        state = TrainState(known["pairs"][number], *state)
        own = StageRecord(self.record.file, self._write)
        return {"state": state, "keeper": Keeper(own, progress)}

    def add(self, params, losses):
        """Note a pair that is complete."""
        self.pairs.append(params)
        self.losses.append(losses)

    def _write(self, state, progress, due):
        if not due:
            return
        state = state.kept()
        pairs, curves = [*self.pairs, state.params], [*self.losses, progress.losses]
        memory = {
            "pairs": pairs,
            "losses": [*self.losses],
            "state": state[1:],
            "progress": progress._asdict(),
        }
        whole = joined(self.objective.energy, pairs, self.params)
        start = self.objective.resume(TrainState(whole, (), ()))
        attributes = self.record.estimator._copied_attributes(start)
        attributes["pretrain_loss_curves_"] = curves
        self.record.keep_earlier(attributes, memory)
