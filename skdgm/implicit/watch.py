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

# Number of neighbors of coverage; largest number of monitored rows.
_NEIGHBORS, _MAX_ROWS = 5, 500
# Increase of the discrepancy above which training was useless.
_WORSE = 0.3
# Smallest coverage, and smallest ratio of variances, without a collapse.
_COVERED, _DIVERSE = 0.1, 0.2
# Number of updates before which a collapse is not reported.
_SETTLED = 1000
_HELD = addresses.IMPLICIT_HELD_OUT


class GeneratorWatch(Watch):
    r"""Discrepancy between generated rows and monitored rows, after each epoch.

    The loss is the square root of the squared maximum mean discrepancy, between 0 and
    :math:`\sqrt 2`, with fixed latent units. Generated rows *cover* a row if one of
    them is closer than its fifth nearest neighbor in the data [1]_.

    Parameters
    ----------
    objective : Objective
        With a ``generator``; its states have the parameters to use as ``learned[0]``
        and statistics as ``generator.statistics``.
    table, held_out, state
        As in :class:`~skdgm.training.Watch`.

    References
    ----------
    .. [1] Naeem, Oh, Uh, Choi and Yoo (2020). Reliable fidelity and diversity metrics
       for generative models. ICML.
    """

    MEMORY = ("first",)
    baseline_warning = (
        "draws rows less like the data than it did when its training began."
    )

    def __init__(self, objective, table, held_out, state):
        self.objective, self.rng = objective, stream(objective.seed, PROBE)
        super().__init__(table, held_out, self.rng)
        self.monitored = self.monitored[:_MAX_ROWS]
        if held_out is not None:
            # Rows are repeated in proportion to their weights.
            (draws,) = epoch(held_out, held_out.n_draws, self.rng.fold(_HELD))
            self.unseen = draws[:_MAX_ROWS]
        self.x, self.known = self._seen(self.monitored)
        self.sigmas = bandwidths(self.x, FACTORS)
        radius2 = squared_distances(self.x, self.x)
        radius2 = np.sort(radius2, axis=1)[:, min(_NEIGHBORS, len(radius2) - 1)]
        self.near = np.maximum(radius2, np.finfo(radius2.dtype).eps)
        self.first = self.training_loss(state)

    @property
    def limit(self):
        """Loss above which training has diverged: infinity, as losses are bounded."""
        return np.inf

    def is_useless(self, loss):
        """Return True if a loss is clearly higher than the initial loss."""
        return loss > self.first + _WORSE

    def training_loss(self, state):
        return self._between(self.drawn(state, self.monitored, self.known), self.x)

    def collapse(self, state):
        """Share of the monitored rows that generated rows cover, and a description of
        the collapse if this share, or the variance of generated rows, is very small,
        else ""."""
        fake = self.drawn(state, self.monitored, self.known)
        data_variance, fake_variance = (
            x.var(axis=0, dtype=np.float64).sum() for x in (self.x, fake)
        )
        nearest = squared_distances(self.x, fake).min(axis=1)
        covered = float((nearest <= self.near).mean())
        spread = fake_variance / data_variance if data_variance > 0 else 1.0
        if covered >= _COVERED and spread >= _DIVERSE:
            return covered, ""
        text = f"its rows have {spread:.0%} of the variance of the data, of which"
        return covered, f"{text} they cover {covered:.0%}."

    def _loss(self, state, index, weight):
        x, known = self._seen(self.unseen)
        return self._between(self.drawn(state, self.unseen, known), x)

    def _between(self, fake, x):
        return float(np.sqrt(max(discrepancy(fake, x, self.sigmas)[0], 0.0)))

    def _seen(self, index):
        return self.objective.generator.emission.inputs(self.objective.rows.take(index))

    def latent(self, n_rows):
        """Latent units, (n_rows, n_latent), the same at each call."""
        generator, rng = self.objective.generator, self.rng.rows(n_rows)
        return generator.latent(rng.fold(LATENT), n_rows, self.objective.rows.dtype)

    def drawn(self, state, index, known=None):
        """Generated rows with the classes of the rows at an index, and 0 where
        ``known`` is 0."""
        net = Variables(state.learned[0], state.generator.statistics)
        generator, rows = self.objective.generator, self.objective.rows
        rng = self.rng.rows(len(index))
        x = drawn(generator, net, rng, rows.dtype, rows.accompanying(index))
        return x if known is None else x * known


def tell(name, n_updates, fault, advice):
    """Warn of a generator that was not updated, or that collapsed, with the ``fault``
    from :meth:`GeneratorWatch.collapse`."""
    if not n_updates:
        warn(
            f"The generator of {name} has not learned yet: there were fewer batches "
            "than discriminator__n_steps.",
            ConvergenceWarning,
        )
    elif fault and n_updates >= _SETTLED:
        warn(f"{name} collapsed: {fault} {advice}", CollapseWarning)
