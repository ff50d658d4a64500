"""Beginning, epochs and end of training."""

from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from skdgm.base.rollback import replacing
from skdgm.data.tables import tabulate
from skdgm.exceptions import DivergenceError, InterruptedFitWarning
from skdgm.training import EarlyStopping, Table, learn, split
from skdgm.utils.callers import fits_for_another
from skdgm.utils.purposes import SPLIT
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.threads import one_blas_thread
from skdgm.utils.warn import warn


def report(outcome, n_epochs, name, remedy):
    """Raise an error or warn if training diverged or was interrupted.

    After Ctrl-C, a call of ``fit`` by the user ends with a warning; a call by something
    else, such as a search, raises KeyboardInterrupt, so that the caller ends too.

    Parameters
    ----------
    outcome : Outcome
    n_epochs : int
        Number of epochs that were to be run.
    name : str
        Name of the estimator.
    remedy : str
        Advice for the case of divergence.

    Raises
    ------
    DivergenceError, KeyboardInterrupt
    """
    done = f"after {len(outcome.losses)} of {n_epochs} epochs"
    if outcome.ended == "diverged":
        what = f"Training of {name} diverged {done}"
        error = DivergenceError(f"{what}; the parameters from then are kept. {remedy}")
        # For models of which this is a part, and which discard its parameters.
        error.what = what
        raise error
    if outcome.ended == "interrupted":
        message = f"Training was interrupted {done}; what was learned is kept."
        if fits_for_another():
            raise KeyboardInterrupt(message)
        warn(message, InterruptedFitWarning)


class LearningMixin:
    """Mixin that runs epochs, for an :class:`~skdgm.base.EpochsMixin`."""

    _title, _SOMETIMES, _LISTED = None, (), True

    def _begin(self, X, y, sample_weight, fresh, classes=None):
        """Validate all arguments, and only then change the estimator's attributes."""
        self._ask()
        self._check_options()
        if not fresh:
            self._check_unchanged()
        if isinstance(X, Table):
            table, known, X = X, {}, X.rows.X
        else:
            rows = self._rows(X, fitting=True, reset=fresh)
            rows, known = self._labelled(rows, y, fresh, classes)
            table = tabulate(rows, sample_weight, in_memory=self._LISTED)
        columns, table = self._domain.learn(table, None if fresh else self._columns)
        for name, value in known.items():
            setattr(self, name, value)
        if fresh:
            self._remember(X)
            self._seed = check_random_state(self.random_state).randint(MAX_SEED)
            self.n_iter_, self.loss_curve_, self.validation_curve_ = 0, [], []
        self._columns = columns
        self._count(table, fresh)
        self._forget()
        return table

    def _labelled(self, rows, y, fresh, classes):
        """Rows with their labels, and a dict of attributes learned from the labels."""
        return rows, {}

    def _count(self, table, fresh):
        """Count the labels."""

    def _run(
        self, table, epochs, fresh, *, n_epochs=None, hooks=(), early_stopping=False
    ):
        """Run epochs and return their result and the monitor, setting no attributes."""
        trainer = self._trainer(table, self.n_iter_ - epochs.start)
        held_out, stopping = None, None
        if early_stopping:
            table, held_out = self._split(table)
            since = self._first_to_stop(epochs)
            asked = self._options
            stopping = EarlyStopping(asked.n_iter_no_change, asked.tol, since)
        with one_blas_thread():
            state = self._start(trainer, table, fresh)
            monitor = self._monitor(trainer, table, held_out, state)
            learned = learn(
                trainer,
                state,
                table,
                monitor,
                epochs,
                n_epochs=n_epochs,
                hooks=hooks,
                stopping=stopping,
            )
        return learned, monitor

    def _adopt(self, learned):
        """Set the fitted attributes to the learned ones, all at once."""
        with replacing(self) as new:
            for name in self._SOMETIMES:
                vars(new).pop(name, None)
            vars(new).update(self._attributes(learned.state))
            new.n_iter_ += len(learned.losses)
            # New lists, so that a rollback finds the old ones unchanged.
            new.loss_curve_ = self.loss_curve_ + learned.losses
            new.validation_curve_ = self.validation_curve_ + learned.validation
            new._ended = learned.ended

    def _first_to_stop(self, epochs):
        """First epoch at which training may stop, or that counts as the best."""
        return epochs.start

    def _split(self, table):
        """Split a table into training rows and held-out rows."""
        fraction = self._options.validation_fraction
        return split(table, fraction, stream(self._seed, SPLIT))

    def _report(self, learned, n_epochs, monitor):
        """Raise an error or warn if training failed."""
        remedy = self._remedy()
        report(learned, n_epochs, self._name, remedy)
        if learned.useless and learned.ended != "interrupted":
            warn(f"{self._name} {monitor.useless} {remedy}", ConvergenceWarning)

    @property
    def _name(self):
        """Name of the estimator in messages."""
        return self._title or type(self).__name__
