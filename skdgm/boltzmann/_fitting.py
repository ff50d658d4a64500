"""``fit`` and ``partial_fit`` of layered Boltzmann machines."""

import warnings

import numpy as np
from sklearn.base import _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight

from skdgm.boltzmann._monitor import Monitor
from skdgm.boltzmann._trainer import SPLIT, Trainer, density
from skdgm.exceptions import (
    DivergenceError,
    InterruptedFitWarning,
    MissingDataWarning,
)
from skdgm.optim import check_staircase
from skdgm.training import (
    Callbacks,
    EarlyStopping,
    Verbose,
    canonical,
    column_sums,
    split,
    train,
)
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.threads import one_blas_thread
from skdgm.utils.tree import copy


class FittingMixin:
    """Training, for an estimator with an energy.

    The estimator has ``_rows(X)``, ``_energy()``, ``_means()``, ``_initial_means()``,
    ``_state()`` and ``_attributes(state)``.
    """

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
            Training diverged. The estimator keeps its last good parameters.
        """
        context = self._init_callback_context(max_subtasks=self.n_iter)
        fresh = not (self.warm_start and hasattr(self, "n_iter_"))
        table = self._begin(X, sample_weight, fresh)
        weights = None if sample_weight is None else {"sample_weight": sample_weight}
        # scikit-learn's ScoringMonitor passes over data without y.
        y = np.zeros(table.rows.shape[0]) if y is None else y
        data = {"X": table.rows.X, "y": y, "metadata": weights}
        context.call_on_fit_task_begin(estimator=self, **data)
        hooks = [Callbacks(self, context, data, lambda s: self._attributes(copy(s)))]
        if self.verbose:
            hooks.append(Verbose(type(self).__name__, "pseudo-likelihood"))
        self._train(
            table,
            range(self.n_iter),
            fresh,
            n_epochs=self.n_iter,
            hooks=hooks,
            early_stopping=self.early_stopping,
        )
        context.call_on_fit_task_end(
            estimator=self,
            reconstruction_attributes=lambda: self._attributes(self._state()),
            **data,
        )
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_weight=None):
        """Go on learning: one pass over rows, in batches of ``batch_size``.

        The pass is an epoch like those of :meth:`fit`, which it may precede or follow;
        but it knows of no last one, so ``schedule="linear"`` leaves ``learning_rate``
        as it is, and of several ``n_steps`` the last holds. Early stopping and
        callbacks are for :meth:`fit` only.

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
        fresh = not hasattr(self, "n_iter_")
        table = self._begin(X, sample_weight, fresh)
        self._train(table, range(self.n_iter_, self.n_iter_ + 1), fresh)
        return self

    def _begin(self, X, sample_weight, fresh):
        """Validate everything, and only then change what the estimator knows."""
        check_staircase("n_steps", self.n_steps)
        if not fresh and self.n_components != self._n_features_out:
            raise ValueError(
                f"n_components={self.n_components}, but {self._n_features_out} units "
                "were learned before: keep their number, or fit with warm_start=False."
            )
        rows = self._rows(X, fitting=True, reset=fresh)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(
                sample_weight, rows.X, dtype=np.float64, ensure_non_negative=True
            )
        table = canonical(rows.in_memory(), sample_weight)
        seen, total = column_sums(table)
        if fresh:
            self._remember(X)
            self._seed = check_random_state(self.random_state).randint(MAX_SEED)
            self._seen, self._total, self.n_iter_ = 0.0, 0.0, 0
            self.loss_curve_, self.validation_curve_ = [], []
        self._seen, self._total = self._seen + seen, self._total + total
        self._forget()
        if not self._seen.all():
            warnings.warn(
                f"Columns {np.flatnonzero(self._seen == 0).tolist()} have no observed "
                "value: nothing can be learned of them. Drop them or fill them.",
                MissingDataWarning,
                stacklevel=5,
            )
        return table

    def _train(
        self, table, epochs, fresh, *, n_epochs=None, hooks=(), early_stopping=False
    ):
        before = self.n_iter_ - epochs.start
        trainer = Trainer(
            self._energy(self.n_components),
            self,
            table.rows,
            self._seed,
            self._means(),
            before,
            density(table),
        )
        held_out, stopping = None, None
        if early_stopping:
            rng = stream(self._seed, SPLIT)
            table, held_out = split(table, self.validation_fraction, rng)
            stopping = EarlyStopping(self.n_iter_no_change, self.tol)
            hooks = [*hooks, stopping]
        with one_blas_thread():
            state = self._start(trainer, fresh)
            monitor = Monitor(trainer, table, held_out, state)
            outcome = train(
                state,
                trainer.step,
                lambda number: trainer.draw(table, number),
                monitor,
                epochs=epochs,
                n_epochs=n_epochs,
                loss_limit=monitor.limit,
                hooks=hooks,
            )
        state = stopping.best if stopping and stopping.best else outcome.state
        for name, value in self._attributes(state).items():
            setattr(self, name, value)
        self.n_iter_ += len(outcome.losses)
        self.loss_curve_ += outcome.losses
        self.validation_curve_ += outcome.validation if early_stopping else []
        self._report(outcome, len(epochs), monitor)

    def _start(self, trainer, fresh):
        """Where training begins: anew, or where it ended."""
        if fresh:
            return trainer.start(self._initial_means())
        return trainer.resume(self._state())

    def _report(self, outcome, n_epochs, monitor):
        """Say how training ended, where it did not end well."""
        done = f"after {len(outcome.losses)} of {n_epochs} epochs"
        remedy = (
            f"Lower learning_rate (now {self.learning_rate:g}) or momentum (now "
            f"{self.momentum:g}), or raise batch_size (now {self.batch_size})."
        )
        if outcome.ended == "diverged":
            raise DivergenceError(
                f"Training of {type(self).__name__} diverged {done}; the parameters "
                f"from then are kept. {remedy}"
            )
        if outcome.ended == "interrupted":
            warnings.warn(
                f"Training was interrupted {done}; what was learned is kept.",
                InterruptedFitWarning,
                stacklevel=5,
            )
        elif outcome.losses and monitor.is_useless(outcome.losses[-1]):
            warnings.warn(
                f"{type(self).__name__} predicts an entry from the rest of its row "
                f"worse than the mean of its column does. {remedy}",
                ConvergenceWarning,
                stacklevel=5,
            )
