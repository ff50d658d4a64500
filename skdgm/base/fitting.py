"""``fit`` and ``partial_fit`` of what learns in epochs."""

from sklearn.base import _fit_context

from skdgm.base.learning import LearningMixin
from skdgm.base.tables import for_callbacks, is_frame
from skdgm.base.undoing import undoing, undone_by_errors
from skdgm.training import Callbacks, Verbose
from skdgm.utils.interrupts import Held
from skdgm.utils.tree import copy


class EpochsMixin(LearningMixin):
    """Training, for an estimator that learns in epochs.

    It is a :class:`~skdgm.base.TabularModel`, and has

    - ``_check_options()`` and ``_check_unchanged()``, which raise errors,
    - ``_n_epochs(table)``, how many are asked for,
    - ``_trainer(table, epochs_before)``, which draws batches and takes steps,
    - ``_start(trainer, table, fresh)``, the state where training begins,
    - ``_monitor(trainer, table, held_out, state)``, what is watched,
    - ``_attributes(state)``, a state as fitted attributes, some of which, those of
      ``_SOMETIMES``, may be missing; ``_state()``, the way back,
    - ``_remedy()``, what to do where training diverged,
    - ``_WATCHED``, what the losses are minus; ``_LISTED``, whether rows are better kept
      as lists.

    Where it is part of another model, it may have a name there (``_title``), and get a
    ``Table`` for X.
    """

    @undone_by_errors
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Learn from data.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts. Whole numbers repeat rows, exactly.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            X is empty, infinite or outside the model's domain; a weight is negative,
            or all are zero.
        DivergenceError
            Training diverged. The estimator keeps its last good parameters; where
            pre-training did, it is what it was before.
        KeyboardInterrupt
            Ctrl-C, in the ``fit`` of a Pipeline, of a search or of another estimator;
            elsewhere it ends training with a warning. What was learned is kept.
        """
        return self._fit(X, y, sample_weight)

    def _fit(self, X, y, sample_weight):
        fresh = not (self.warm_start and hasattr(self, "n_iter_"))
        # Until there is something learned there is nothing to keep.
        with undoing(self, kept=()) as before:
            table = self._begin(X, y, sample_weight, fresh)
            n_epochs = self._n_epochs(table)
            context = self._init_callback_context(max_subtasks=n_epochs)
            # Callbacks pass X back to methods, which look for the names of its columns.
            told = X if is_frame(X) else table.rows.X
            data = for_callbacks(told, y, sample_weight)
            context.call_on_fit_task_begin(estimator=self, **data)
            hooks = [
                Callbacks(self, context, data, lambda s: self._attributes(copy(s)))
            ]
            if self.verbose:
                hooks.append(Verbose(self._name, self._WATCHED))
            learned, monitor = self._run(
                table,
                range(n_epochs),
                fresh,
                n_epochs=n_epochs,
                hooks=hooks,
                early_stopping=self.early_stopping,
            )
            self._keep(learned, before)
        self._report(learned, n_epochs, monitor)
        if learned.ended != "interrupted":
            self._finish(table)
        context.call_on_fit_task_end(
            estimator=self,
            reconstruction_attributes=lambda: self._attributes(self._state()),
            **data,
        )
        return self

    def partial_fit(self, X, y=None, sample_weight=None):
        """Go on learning: one pass over rows, in batches of ``batch_size``.

        The pass is an epoch like those of :meth:`fit`, which it may precede or follow;
        but it knows of no last one, so ``schedule="linear"`` leaves the learning rate
        as it is, and of several values that share the epochs the last holds. Early
        stopping and callbacks are for :meth:`fit` only.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            As for :meth:`fit`.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError, DivergenceError
            As by :meth:`fit`.
        """
        return self._partial_fit(X, y, sample_weight)

    # By another name than partial_fit's options are validated at each call.
    @undone_by_errors
    @_fit_context(prefer_skip_nested_validation=True)
    def _partial_fit(self, X, y, sample_weight, classes=None):
        fresh = not hasattr(self, "n_iter_")
        with undoing(self, kept=()) as before:
            table = self._begin(X, y, sample_weight, fresh, classes)
            epochs = range(self.n_iter_, self.n_iter_ + 1)
            learned, monitor = self._run(table, epochs, fresh)
            self._keep(learned, before)
        self._report(learned, 1, monitor)
        return self

    def _keep(self, learned, before):
        """Take over what was learned, after which nothing is undone."""
        with Held():
            self._adopt(learned)
            before.clear()

    def _finish(self, table):
        """Learn what is learned when all epochs are done."""
