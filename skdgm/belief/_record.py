"""What a callback keeps of the fit of a stack: layers that are complete, and the
machine under way, each of which is kept as it is when it is fitted alone; or all of
them, as refinement changes them. A stack that is pre-trained is kept so, too, within
the network that is fine-tuned afterwards."""

from functools import partial

from skdgm.base.attributes import shallow
from skdgm.base.records import Place, StageRecord, facts_of, file_of, refuse_other
from skdgm.belief._stack import Stack
from skdgm.training import Keeper, Progress


class StackRecord:
    """Record of one fit of a network.

    Parameters
    ----------
    network : BeliefNetwork
        About to be trained. If there is an earlier run, it gets the layers that this
        one completed, or all that it learned.
    table : Table
        Training rows.

    Attributes
    ----------
    number : int
        Number of the layer to begin with.
    complete : bool
        Whether nothing is left to do.

    Raises
    ------
    ValueError
        The file has the record of another fit.
    """

    def __init__(self, network, table):
        self.network, self.file = network, file_of(network)
        self.number, self.complete, self.source = 0, False, None
        self.progress = None
        if self.file is None:
            return
        before = network.n_iter_ if network.layers_ else 0
        self.facts, source = facts_of(network, before, table), self.file.read()
        if source is None:
            return
        refuse_other(self.file, network, self.facts, source)
        record = vars(source).pop("_record")
        self.number, self.complete = record["number"], record["complete"]
        network._seed = source._seed
        if self.complete or record["refined"] is not None:
            own = {"_asked", *network.get_params(deep=False)}
            known = vars(source).items()
            vars(network).update({name: v for name, v in known if name not in own})
        if self.complete:
            return
        if record["refined"] is not None:
            self.progress = Progress(**record["refined"])
            # Losses of this fit are those of the progress.
            earlier = len(source._losses) - len(self.progress.losses)
            network._losses = source._losses[:earlier]
            return
        self.source = source.layers_[self.number]
        done, left = source.layers_[: self.number], network.layers_[self.number :]
        network.layers_ = [*done, *left]

    def part(self, number):
        """Where the record of a layer is, as of a callback; or None."""
        if self.file is None:
            return None
        source = self.source if number == self.number else None
        return Place(self.file, source, partial(self.keep, number))

    def refinement(self, attributes):
        """Hook that keeps the refinement of all layers, or None.

        Parameters
        ----------
        attributes : callable
            ``attributes(state, losses)`` returns the network's fitted attributes.
        """
        if self.file is None:
            return None

        def write(state, progress, due):
            if due:
                new = shallow(self.network)
                new._update(attributes(state, progress.losses))
                self._write(new, refined=progress._asdict())

        return Keeper(StageRecord(self.file, write), self.progress)

    def finish(self):
        """Write the fitted network, at the end of training."""
        if self.file is not None:
            self._write(shallow(self.network), complete=True)

    def keep(self, number, machine):
        """Write the network, with one machine as it is now."""
        new = shallow(self.network)
        layers = [*self.network.layers_]
        layers[number : number + 1] = [machine]
        new._update(new._attributes(Stack(layers)))
        self._write(new, number=number)

    def _write(self, new, *, complete=False, number=0, refined=None):
        new._record = {
            "facts": self.facts,
            "number": number,
            "refined": refined,
            "complete": complete,
        }
        self.file.write(new)
