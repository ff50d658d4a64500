"""Parts shared by estimators whose nets are trained by epochs."""

from skdgm.nets.estimator import layers_of
from skdgm.nets.objective import SOLVERS, _penalised
from skdgm.optim import clip_norm, learning_rate, piecewise
from skdgm.training import Budget


class NetsMixin:
    """Mixin for estimators that train nets by epochs.

    Used beside the mixin that runs the epochs. The estimator has

    - ``_structure``, the options that cannot change while training continues,
    - ``_check_options()``, ``_trainer(table, epochs_before)`` and ``_monitor``,

    and training states with ``params``, of which ``learned`` are those in use.
    """

    # Batches are dense arrays.
    _LISTED = False
    _BUDGET = Budget(10_000, 20, 300)

    def _check_unchanged(self):
        """Raise ValueError if options changed that the learned nets depend on."""
        asked = self._structure
        if asked != self._learned:
            names = [name for name in asked if asked[name] != self._learned[name]]
            raise ValueError(
                f"{', '.join(names)} changed since nets were learned: keep what it "
                "was, or fit with warm_start=False."
            )

    def _n_epochs(self, table):
        asked = self._options
        return self._BUDGET.epochs(asked.max_iter, table, asked.batch_size)

    def _start(self, trainer, table, fresh):
        if not fresh:
            return trainer.resume(self._state())
        return trainer.start(table.rows.dtype)

    def _attributes(self, state):
        """Fitted attributes of a training state."""
        dense = list(layers_of(state.learned))
        return {
            "coefs_": [layer.W for layer in dense],
            "intercepts_": [layer.b for layer in dense],
            "_training": state,
            "_learned": self._structure,
        }

    def _state(self):
        return self._training

    def _remedy(self):
        asked = self._options
        return (
            f"Lower learning_rate_init (now {asked.learning_rate_init:g}), raise "
            f"batch_size (now {asked.batch_size}) or set clip_norm."
        )

    @property
    def _dtype(self):
        return self.intercepts_[0].dtype.type


def optimiser_for(recipe, params, memory=None):
    """Return ``memory`` if it is an optimiser state of ``recipe.solver``, else a new
    one for the tree ``params``."""
    fresh = SOLVERS[recipe.solver].init(params)
    return memory if type(memory) is type(fresh) else fresh


def update(recipe, state, grads, clock, n_rows):
    """Update parameters and optimiser state in place from a batch.

    Parameters
    ----------
    recipe : object
        Has attributes ``solver``, ``learning_rate_init``, ``schedule``, ``power_t``,
        ``momentum``, ``clip_norm`` and ``alpha``: weight decay, divided by ``n_rows``,
        a number or a piecewise-constant schedule.
    state : object
        Has ``params``, and the optimiser state ``optimiser``.
    grads : tuple
        Minus the gradient of the loss, a tree like the parameters.
    clock : Clock
    n_rows : int
        Number of rows in the batch.
    """
    rate = recipe.learning_rate_init, recipe.schedule, clock, recipe.power_t
    SOLVERS[recipe.solver].step(
        state.params,
        state.optimiser,
        _penalised(clip_norm(grads, recipe.clip_norm)),
        rate=learning_rate(*rate),
        momentum=recipe.momentum,
        l2=piecewise(recipe.alpha, clock) / n_rows,
    )
