"""``fit`` and ``partial_fit`` of estimators that learn in epochs."""

from sklearn.base import _fit_context

from skdgm.base.learning import LearningMixin
from skdgm.base.rollback import rollback, rolled_back
from skdgm.data.tables import for_callbacks
from skdgm.training import Callbacks, Verbose
from skdgm.utils.domains import is_frame
from skdgm.utils.interrupts import Held
from skdgm.utils.tree import copy


class EpochsMixin(LearningMixin):
    """Mixin of training, for an estimator that learns in epochs.

    The estimator is a :class:`~skdgm.base.TabularModel`, and has

    - ``_check_options()`` and ``_check_unchanged()``, which raise errors,
    - ``_n_epochs(table)``, the number of epochs to run,
    - ``_trainer(table, epochs_before)``, which draws batches and updates the state,
    - ``_start(trainer, table, fresh)``, the initial training state,
    - ``_monitor(trainer, table, held_out, state)``, which measures the losses,
    - ``_attributes(state)``, the fitted attributes of a state, of which those in
      ``_SOMETIMES`` may be missing; ``_state()``, the inverse,
    - ``_remedy()``, advice for the case of divergence,
    - ``_WATCHED``, the name of minus the loss; ``_LISTED``, True to keep rows as lists
      in memory.

    As part of another model, the estimator may have a name there (``_title``), and be
    given a ``Table`` as X.
    """

    @rolled_back
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Fit the model to data.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row. Whole numbers are exactly so many repetitions.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            X is empty, infinite or outside the model's domain; a weight is negative,
            or all weights are zero.
        DivergenceError
            Training diverged. The estimator keeps its last good parameters; if
            pre-training diverged, it is unchanged.
        KeyboardInterrupt
            Ctrl-C, in the ``fit`` of a Pipeline, of a search or of another estimator;
            elsewhere it ends training with a warning. Learned parameters are kept.
        """
        return self._fit(X, y, sample_weight)

    def _fit(self, X, y, sample_weight):
        fresh = not (self.warm_start and hasattr(self, "n_iter_"))
        # Until training ends, every error restores the former attributes.
        with rollback(self, kept=()) as before:
            table = self._begin(X, y, sample_weight, fresh)
            n_epochs = self._n_epochs(table)
            context = self._init_callback_context(max_subtasks=n_epochs)
            # Callbacks pass X to methods, which check the names of its columns.
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
        """Continue training: one pass over the rows, in batches of ``batch_size``.

        The pass is an epoch like those of :meth:`fit`, which it may precede or follow.
        The total number of epochs is unknown, so ``schedule="linear"`` leaves the
        learning rate as it is, and of a piecewise-constant schedule the last value
        applies. Early stopping and callbacks are for :meth:`fit` only.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, as for :meth:`fit`.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError, DivergenceError
            As raised by :meth:`fit`.
        """
        return self._partial_fit(X, y, sample_weight)

    # scikit-learn validates at later calls only if the name is not partial_fit.
    @rolled_back
    @_fit_context(prefer_skip_nested_validation=True)
    def _partial_fit(self, X, y, sample_weight, classes=None):
        fresh = not hasattr(self, "n_iter_")
        with rollback(self, kept=()) as before:
            table = self._begin(X, y, sample_weight, fresh, classes)
            epochs = range(self.n_iter_, self.n_iter_ + 1)
            learned, monitor = self._run(table, epochs, fresh)
            self._keep(learned, before)
        self._report(learned, 1, monitor)
        return self

    def _keep(self, learned, before):
        """Set the fitted attributes, after which errors no longer roll back."""
        with Held():
            self._adopt(learned)
            before.clear()

    def _finish(self, table):
        """Learn what requires the final parameters, after all epochs."""
