"""Joint training of all layers of a belief network."""

from skdgm.base import Epochs, report
from skdgm.belief._stack import BeliefStack
from skdgm.utils.threading.threads import Held


class Refinement(Epochs):
    """Stage in which all layers learn jointly."""

    key = task = "refine"

    def __init__(self, network, table, n_iter, whole=True):
        self.network, self.table, self.epochs = network, table, range(n_iter)
        self.name = f"{type(network).__name__} refinement"
        self.n_epochs = n_iter if whole else None

    def begin(self, fit):
        network = self.network
        if fit.record.at(self):
            own, source = fit.record.start, fit.record.source
            stack = BeliefStack(source.layers_, source._untied, own["_losses"])
            network._update(network._attributes(stack))
        model = network.density_
        rows = model.domain.seen(self.table.rows, model.columns)
        self.table, self.losses = self.table._replace(rows=rows), network._losses
        self.objective = network._objective(self.table, len(self.losses))
        return self.objective, None

    def attributes(self, state, progress=None):
        losses = [*self.losses, *(() if progress is None else progress.losses)]
        stack = BeliefStack(*self.objective.fitted(state), losses)
        return self.network._attributes(stack)

    def restored(self, source, memory):
        """None: the objective begins with the layers as they are."""

    def keep(self, fit):
        with Held():
            self.network._update(self.attributes(self.learned.state, self.learned))
            fit.before.clear()

    def report(self, watch):
        rate = self.network._options.refine_learning_rate
        remedy = f"Lower refine__learning_rate (now {rate:g})."
        report(self.learned, len(self.epochs), self.name, remedy)
