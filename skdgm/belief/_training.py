"""Joint training of all layers of a belief network."""

from skdgm.base import Epochs, report
from skdgm.base.parts import (
    attributes_of,
    facts_of,
    model_of,
    options_of,
    set_state,
    state_of,
)
from skdgm.belief._stack import BeliefStack
from skdgm.utils.threading.threads import DeferredInterrupt


class Refinement(Epochs):
    """Training stage that refines all layers jointly."""

    key = task = "refine"

    def __init__(self, network, table, n_iter, whole=True):
        self.network, self.table, self.epochs = network, table, range(n_iter)
        self.name = f"{type(network).__name__} refinement"
        self.n_epochs = n_iter if whole else None

    def begin(self, fit):
        network = self.network
        if fit.record.at(self):
            attributes, source = fit.record.start, fit.record.source
            stack = state_of(source)._replace(losses=attributes["_losses"])
            set_state(network, stack)
        density, self.losses = network.density_, state_of(network).losses
        rows = density.domain.in_units(self.table.rows, density.columns)
        self.table, facts = self.table._replace(rows=rows), facts_of(network)
        before = len(self.losses)
        self.objective = model_of(network).objective(facts, self.table, before)
        return self.objective, None

    def attributes(self, state, progress=None):
        return attributes_of(self.network, self._stack(state, progress))

    def _stack(self, state, progress):
        losses = [] if progress is None else progress.losses
        machines, untied = self.objective.fitted(state)
        return BeliefStack(machines, untied, [*self.losses, *losses])

    def restored(self, source, memory):
        """Return None: the objective starts from the current layers."""

    def keep(self, fit):
        with DeferredInterrupt():
            set_state(self.network, self._stack(self.learned.state, self.learned))
            fit.former.clear()

    def report(self, watch):
        rate = options_of(self.network).refine_learning_rate
        remedy = f"Lower refine__learning_rate (now {rate:g})."
        report(self.learned, len(self.epochs), self.name, remedy)
