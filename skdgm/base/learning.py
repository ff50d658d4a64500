"""How learning begins, goes on and ends."""

from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from skdgm.base.purposes import SPLIT
from skdgm.base.tables import tabulate
from skdgm.base.undoing import replacing
from skdgm.exceptions import DivergenceError, InterruptedFitWarning
from skdgm.training import EarlyStopping, Table, learn, split
from skdgm.utils.callers import fits_for_another
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.threads import one_blas_thread
from skdgm.utils.warn import warn


def report(outcome, n_epochs, name, remedy):
    """Raise or warn where training did not come to its end.

    Ctrl-C ends a user's own call of ``fit`` with a warning. Whatever else fits, such as
    a search, is to end with it.
    """
    done = f"after {len(outcome.losses)} of {n_epochs} epochs"
    if outcome.ended == "diverged":
        what = f"Training of {name} diverged {done}"
        error = DivergenceError(f"{what}; the parameters from then are kept. {remedy}")
        # For those of whom it is a part, and who keep nothing of it.
        error.what = what
        raise error
    if outcome.ended == "interrupted":
        message = f"Training was interrupted {done}; what was learned is kept."
        if fits_for_another():
            raise KeyboardInterrupt(message)
        warn(message, InterruptedFitWarning)


class LearningMixin:
    """A run of epochs, for an :class:`~skdgm.base.EpochsMixin`."""

    _title, _SOMETIMES, _LISTED = None, (), True

    def _begin(self, X, y, sample_weight, fresh, classes=None):
        """Validate everything, and only then change what the estimator knows."""
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
        """Rows with their labels, and what is learned of these, by attribute."""
        return rows, {}

    def _count(self, table, fresh):
        """Learn how frequent labels are."""

    def _run(
        self, table, epochs, fresh, *, n_epochs=None, hooks=(), early_stopping=False
    ):
        """Epochs, and what was watched; nothing of it is taken over yet."""
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
        """Take over what was learned."""
        with replacing(self) as new:
            for name in self._SOMETIMES:
                vars(new).pop(name, None)
            vars(new).update(self._attributes(learned.state))
            new.n_iter_ += len(learned.losses)
            # The lists there were stay as they are, should there be an error later.
            new.loss_curve_ = self.loss_curve_ + learned.losses
            new.validation_curve_ = self.validation_curve_ + learned.validation
            new._ended = learned.ended

    def _first_to_stop(self, epochs):
        """The first epoch that may be the last, or the best."""
        return epochs.start

    def _split(self, table):
        """Rows to learn from, and rows to hold out."""
        fraction = self._options.validation_fraction
        return split(table, fraction, stream(self._seed, SPLIT))

    def _report(self, learned, n_epochs, monitor):
        """Say how training ended, where it did not end well."""
        remedy = self._remedy()
        report(learned, n_epochs, self._name, remedy)
        if learned.useless and learned.ended != "interrupted":
            warn(f"{self._name} {monitor.useless} {remedy}", ConvergenceWarning)

    @property
    def _name(self):
        """What messages call the estimator."""
        return self._title or type(self).__name__
