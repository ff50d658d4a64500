"""Training of layered Boltzmann machines by ``fit`` and ``partial_fit``."""

from numbers import Integral, Real

from skdgm.base import EpochsMixin
from skdgm.boltzmann._trainer import density
from skdgm.boltzmann._visible import REAL
from skdgm.optim import check_piecewise


class FittingMixin(EpochsMixin):
    """Training, for an estimator with an energy.

    The estimator is a :class:`~skdgm.boltzmann._machine.Machine`, with ``_energy()``,
    ``_moments(energy)``, ``_initial_means(energy)``, ``_state()`` and
    ``_attributes(state)``, of which those named in ``_SOMETIMES`` may be missing.

    As part of another model it may have a name there (``_title``), and be given a
    ``Table`` as X.
    """

    def _n_epochs(self, table):
        """Number of epochs to run."""
        return self._options.n_iter

    def _check_options(self):
        """Raise errors for wrong options that the parameters' types do not exclude."""
        check_piecewise("n_steps", self._options.n_steps, Integral, 1)
        check_piecewise("momentum", self._options.momentum, Real, 0, 1)

    def _check_unchanged(self):
        """Raise ValueError where the options do not fit the learned machine."""
        if self._sizes != self._learned_sizes:
            raise ValueError(
                f"{self._SIZES}={getattr(self._options, self._SIZES)}, but "
                f"{', '.join(map(str, self._learned_sizes))} units were learned "
                "before: keep their number, or fit with warm_start=False."
            )
        if hasattr(self, "precision_") != (self._domain is REAL):
            raise ValueError(
                f"visible={self._options.visible!r}, but columns of the other kind "
                "were learned before: keep it, or fit with warm_start=False."
            )

    def _trainer(self, table, epochs_before):
        energy = self._energy(self._sizes)
        return self._TRAINER(
            energy,
            self._options,
            table.rows,
            self._seed,
            self._domain.fill(self._columns),
            self._moments(energy),
            epochs_before,
            density(table),
        )

    def _start(self, trainer, table, fresh):
        """Training state at the start: a new one, or that of the last run."""
        if not fresh:
            return trainer.resume(self._state())
        return trainer.start(self._initial_means(trainer.energy))

    def _remedy(self):
        asked = self._options
        return (
            f"Lower learning_rate (now {asked.learning_rate:g}) or momentum (now "
            f"{asked.momentum}), or raise batch_size (now {asked.batch_size})."
        )

    def _report(self, learned, n_epochs, monitor):
        super()._report(learned, n_epochs, monitor)
        self._domain.warn(self)
