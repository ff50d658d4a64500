"""Pre-training of layers pair by pair, without a machine."""

from types import SimpleNamespace

from skdgm.base import Fit
from skdgm.boltzmann.learning.pretraining import layerwise


def pretrained(*given, **options):
    """Parameters of the joint machine, and of each pair, of stages as of ``layerwise``
    has them; and their losses."""
    pairs, whole = [], []

    def stages():
        left = layerwise(*given, **options)
        while True:
            try:
                pairs.append(next(left))
            except StopIteration as end:
                whole.append(end.value)
                return
            yield pairs[-1]

    fit = Fit(SimpleNamespace(verbose=0, _name="machine"), [])
    for stage in fit.remaining_stages(stages()):
        fit.completed = stage.run(fit)
    return whole[0], [one.params for one in pairs], [one.losses for one in pairs]
