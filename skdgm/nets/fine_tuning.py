"""Train a net on labelled rows, by the loop that all estimators share.

::

    tuner = Tuner(recipe, inputs, targets, loss, seed)
    state = tuner.start(sizes, dtype)       # or resume(params), of a pre-trained net
    learned = fine_tune(tuner, table, state, range(recipe.max_iter))

Rows of which no target is known are left out, by :func:`~skdgm.training.labelled`.
"""

from skdgm.nets.tuner import PROBE, SPLIT
from skdgm.training import EarlyStopping, Watch, learn, split
from skdgm.utils.random import stream
from skdgm.utils.threads import one_blas_thread

# A loss so many times that at the start, and so much more, is divergence.
_DIVERGED = 10.0
# And one a little above it means that nothing was learned.
_USELESS = 0.1


class Monitor(Watch):
    """The mean loss of training rows and of held-out rows, with nothing dropped out.

    Parameters
    ----------
    tuner : Tuner
    table, held_out
        As of :class:`Watch`.
    state : NetState
        Where training begins.
    """

    def __init__(self, tuner, table, held_out, state):
        self.tuner = tuner
        super().__init__(table, held_out, stream(tuner.seed, PROBE))
        self.first = self.of_probe(state)

    @property
    def limit(self):
        """A loss above it means that training diverged."""
        return _DIVERGED * (self.first + 1)

    def is_useless(self, loss):
        """Whether training did harm."""
        return loss > self.first + _USELESS * (self.first + 1)

    def _losses(self, state, index, part):
        return self.tuner.losses(state.params, index)


def fine_tune(
    tuner, table, state, epochs, *, n_epochs=None, hooks=(), early_stopping=False
):
    """Run epochs.

    Parameters
    ----------
    tuner : Tuner
    table : Table
        Of rows with targets.
    state : NetState
        Where to begin.
    epochs : range
        The numbers of the epochs to run.
    n_epochs : int, optional
        How many there will ever be, for the schedules.
    hooks : sequence of Hook
    early_stopping : bool
        Whether to hold rows out, as the recipe's ``validation_fraction``,
        ``n_iter_no_change`` and ``tol`` say, and to keep what is best for them.

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
