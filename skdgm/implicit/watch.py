"""Monitoring of a generator: distances of its rows from the data."""

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skdgm.exceptions import CollapseWarning
from skdgm.implicit.generator import LATENT, drawn
from skdgm.nets import Variables
from skdgm.nets.discrepancy import FACTORS, bandwidths, discrepancy, squared_distances
from skdgm.training import Watch, epoch
from skdgm.utils import addresses
from skdgm.utils.random import PROBE, stream
from skdgm.utils.threading.callers import warn

# Neighbours that define the surroundings of a row; rows watched at most.
_NEIGHBOURS, _MOST = 5, 500
# Rise of the discrepancy from which on training was useless.
_WORSE = 0.3
# Least shares of the rows to cover, and of their variance.
_COVERED, _DIVERSE = 0.1, 0.2
# Updates before which sameness is no collapse.
_SETTLED = 1000
_HELD = addresses.IMPLICIT_HELD_OUT


class GeneratorWatch(Watch):
    r"""Discrepancy of generated rows and watched ones, after each epoch.

    The loss is the root of the squared maximum mean discrepancy, between 0 and
    :math:`\sqrt 2`, with the same latent units at each call. Generated rows *cover* a
    row if one of them is closer than the fifth of its neighbours in the data [1]_.

    Parameters
    ----------
    objective : Objective
        With a ``generator``; its states have the parameters to use as ``learned[0]``
        and statistics as ``generator.statistics``.
    table, held_out, state
        As of :class:`~skdgm.training.Watch`.

    References
    ----------
    .. [1] Naeem, Oh, Uh, Choi and Yoo (2020). Reliable fidelity and diversity metrics
       for generative models. ICML.
    """

    MEMORY = ("first",)
    useless = "draws rows less like the data than it did when its training began."

    def __init__(self, objective, table, held_out, state):
        self.objective, self.rng = objective, stream(objective.seed, PROBE)
        super().__init__(table, held_out, self.rng)
        self.probe = self.probe[:_MOST]
        if held_out is not None:
            # Rows as often as they weigh.
            (draws,) = epoch(held_out, held_out.n_draws, self.rng.fold(_HELD))
            self.unseen = draws[:_MOST]
        self.x, self.known = self._seen(self.probe)
        self.sigmas = bandwidths(self.x, FACTORS)
        near = squared_distances(self.x, self.x)
        near = np.sort(near, axis=1)[:, min(_NEIGHBOURS, len(near) - 1)]
        self.near = np.maximum(near, np.finfo(near.dtype).eps)
        self.first = self.of_probe(state)

    @property
    def limit(self):
        """Loss above which training has diverged: none, as all are bounded."""
        return np.inf

    def is_useless(self, loss):
        """Return whether a loss is clearly worse than at the start."""
        return loss > self.first + _WORSE

    def of_probe(self, state):
        return self._between(self.drawn(state, self.probe, self.known), self.x)

    def collapse(self, state):
        """Share of the watched rows that generated ones cover, and a sentence if this,
        or their variance, is next to nothing, else ""."""
        fake = self.drawn(state, self.probe, self.known)
        of_data, of_fake = (
            x.var(axis=0, dtype=np.float64).sum() for x in (self.x, fake)
        )
        near = squared_distances(self.x, fake).min(axis=1)
        covered = float((near <= self.near).mean())
        spread = of_fake / of_data if of_data > 0 else 1.0
        if covered >= _COVERED and spread >= _DIVERSE:
            return covered, ""
        what = f"its rows have {spread:.0%} of the variance of the data, of which"
        return covered, f"{what} they cover {covered:.0%}."

    def _loss(self, state, index, weight):
        x, known = self._seen(self.unseen)
        return self._between(self.drawn(state, self.unseen, known), x)

    def _between(self, fake, x):
        return float(np.sqrt(max(discrepancy(fake, x, self.sigmas)[0], 0.0)))

    def _seen(self, index):
        return self.objective.generator.emission.inputs(self.objective.rows.take(index))

    def latent(self, n_rows):
        """Latent units, the same ones at each call."""
        generator, rng = self.objective.generator, self.rng.rows(n_rows)
        return generator.latent(rng.fold(LATENT), n_rows, self.objective.rows.dtype)

    def drawn(self, state, index, known=None):
        """Generated rows with the classes of those at an index, and their missing
        entries."""
        net = Variables(state.learned[0], state.generator.statistics)
        generator, rows = self.objective.generator, self.objective.rows
        rng = self.rng.rows(len(index))
        x = drawn(generator, net, rng, rows.dtype, rows.beside(index))
        return x if known is None else x * known


def tell(name, n_updates, fault, advice):
    """Warn of a generator that did not learn at all, or that collapsed by a ``fault``,
    as of :meth:`GeneratorWatch.collapse`."""
    if not n_updates:
        warn(
            f"The generator of {name} has not learned yet: there were fewer batches "
            "than discriminator__n_steps.",
            ConvergenceWarning,
        )
    elif fault and n_updates >= _SETTLED:
        warn(f"{name} collapsed: {fault} {advice}", CollapseWarning)
