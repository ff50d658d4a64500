"""Training of a net on labelled rows, by the loop that all estimators share.

::

    tuner = Tuner(recipe, inputs, targets, loss, seed)
    state = tuner.start(sizes, dtype)       # or resume(params), of a pre-trained net
    learned = fine_tune(tuner, table, state, range(recipe.max_iter))

Rows without a known target are left out beforehand, by
:func:`~skdgm.training.labelled`.
"""

from skdgm.nets.tuner import PROBE, SPLIT
from skdgm.training import EarlyStopping, Watch, learn, split
from skdgm.utils.random import stream
from skdgm.utils.threads import one_blas_thread

# Training has diverged if the loss exceeds this times (1 + the initial loss).
_DIVERGED = 10.0
# Training was useless if the loss rose by more than this times (1 + the initial).
_USELESS = 0.1


class Monitor(Watch):
    """Mean loss of training rows and of held-out rows, without dropout.

    Parameters
    ----------
    tuner : Tuner
    table, held_out
        As for :class:`~skdgm.training.Watch`.
    state : NetState
        Initial state of training.
    """

    def __init__(self, tuner, table, held_out, state):
        self.tuner = tuner
        super().__init__(table, held_out, stream(tuner.seed, PROBE))
        self.first = self.of_probe(state)

    @property
    def limit(self):
        """Loss above which training has diverged."""
        return _DIVERGED * (self.first + 1)

    def is_useless(self, loss):
        """Return whether a loss is clearly worse than at the start."""
        return loss > self.first + _USELESS * (self.first + 1)

    def _losses(self, state, index, part):
        return self.tuner.losses(state.params, index)


def fine_tune(
    tuner, table, state, epochs, *, n_epochs=None, hooks=(), early_stopping=False
):
    """Train a net for a range of epochs.

    Parameters
    ----------
    tuner : Tuner
    table : Table
        Rows with targets.
    state : NetState
        Initial state.
    epochs : range
        Numbers of the epochs to run.
    n_epochs : int, optional
        Total number of epochs for the schedules, if known.
    hooks : sequence of Hook
    early_stopping : bool
        Whether to hold rows out, by the recipe's ``validation_fraction``,
        ``n_iter_no_change`` and ``tol``, and to keep the state with their lowest loss.

    Returns
    -------
    learned : Learned
    """
    held_out, stopping = None, None
    if early_stopping:
        recipe, rng = tuner.recipe, stream(tuner.seed, SPLIT)
        table, held_out = split(table, recipe.validation_fraction, rng)
        stopping = EarlyStopping(recipe.n_iter_no_change, recipe.tol)
    with one_blas_thread():
        monitor = Monitor(tuner, table, held_out, state)
        return learn(
            tuner,
            state,
            table,
            monitor,
            epochs,
            n_epochs=n_epochs,
            hooks=hooks,
            stopping=stopping,
        )
