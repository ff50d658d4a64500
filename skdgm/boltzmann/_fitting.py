"""``fit`` and ``partial_fit`` of layered Boltzmann machines."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight

from skdgm.boltzmann._trainer import SPLIT, density
from skdgm.boltzmann._visible import REAL
from skdgm.exceptions import (
    DivergenceError,
    InterruptedFitWarning,
)
from skdgm.optim import check_staircase
from skdgm.training import (
    Callbacks,
    EarlyStopping,
    Table,
    Verbose,
    canonical,
    split,
    train,
)
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.threads import one_blas_thread
from skdgm.utils.tree import copy
from skdgm.utils.warn import warn


def tabulate(rows, sample_weight, in_memory=True):
    """The table of validated rows and of weights that are not valid yet."""
    if sample_weight is not None:
        sample_weight = _check_sample_weight(
            sample_weight, rows.X, dtype=np.float64, ensure_non_negative=True
        )
    return canonical(rows.in_memory() if in_memory else rows, sample_weight)


def for_callbacks(X, y, sample_weight):
    """Data as scikit-learn's callbacks are told of them."""
    weights = None if sample_weight is None else {"sample_weight": sample_weight}
    # Its ScoringMonitor passes over data without y.
    y = np.zeros(X.shape[0]) if y is None else y
    return {"X": X, "y": y, "metadata": weights}


def report(outcome, n_epochs, name, remedy):
    """Raise or warn where training did not come to its end."""
    done = f"after {len(outcome.losses)} of {n_epochs} epochs"
    if outcome.ended == "diverged":
        raise DivergenceError(
            f"Training of {name} diverged {done}; the parameters from then are "
            f"kept. {remedy}"
        )
    if outcome.ended == "interrupted":
        warn(
            f"Training was interrupted {done}; what was learned is kept.",
            InterruptedFitWarning,
        )


class FittingMixin:
    """Training, for an estimator with an energy.

    The estimator is a :class:`~skdgm.boltzmann._machine.Machine`, with ``_energy()``,
    ``_moments(energy)``, ``_initial_means(energy)``, ``_state()`` and
    ``_attributes(state)``, some of which, those of ``_SOMETIMES``, may be missing.

    Where it is part of another model, it may have a name there (``_title``), and get a
    ``Table`` for X.
    """

    _title = None

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
        return self._fit(X, y, sample_weight)

    def _fit(self, X, y, sample_weight):
        fresh = not (self.warm_start and hasattr(self, "n_iter_"))
        table = self._begin(X, y, sample_weight, fresh)
        n_epochs = self._n_epochs(table)
        context = self._init_callback_context(max_subtasks=n_epochs)
        data = for_callbacks(table.rows.X, y, sample_weight)
        context.call_on_fit_task_begin(estimator=self, **data)
        hooks = [Callbacks(self, context, data, lambda s: self._attributes(copy(s)))]
        if self.verbose:
            hooks.append(Verbose(self._name, self._WATCHED))
        self._train(
            table,
            range(n_epochs),
            fresh,
            n_epochs=n_epochs,
            hooks=hooks,
            early_stopping=self.early_stopping,
        )
        self._finish(table)
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
        return self._partial_fit(X, y, sample_weight)

    def _partial_fit(self, X, y, sample_weight, classes=None):
        fresh = not hasattr(self, "n_iter_")
        table = self._begin(X, y, sample_weight, fresh, classes)
        self._train(table, range(self.n_iter_, self.n_iter_ + 1), fresh)
        return self

    def _begin(self, X, y, sample_weight, fresh, classes=None):
        """Validate everything, and only then change what the estimator knows."""
        self._check_options()
        if not fresh:
            self._check_unchanged()
        if isinstance(X, Table):
            table, known, X = X, {}, X.rows.X
        else:
            rows = self._rows(X, fitting=True, reset=fresh)
            rows, known = self._labelled(rows, y, fresh, classes)
            table = tabulate(rows, sample_weight)
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

    def _n_epochs(self, table):
        """How many epochs are asked for."""
        return self.n_iter

    def _finish(self, table):
        """Learn what is learned when all epochs are done."""

    def _check_options(self):
        """Whether what the parameters' types do not say is right, too."""
        check_staircase("n_steps", self.n_steps, Integral, 1)
        check_staircase("momentum", self.momentum, Real, 0, 1)

    @property
    def _name(self):
        """What messages call the machine."""
        return self._title or type(self).__name__

    def _check_unchanged(self):
        """Whether what was learned is of the machine that is asked for now."""
        if self._sizes != self._learned_sizes:
            raise ValueError(
                f"{self._SIZES}={getattr(self, self._SIZES)}, but "
                f"{', '.join(map(str, self._learned_sizes))} units were learned "
                "before: keep their number, or fit with warm_start=False."
            )
        if hasattr(self, "precision_") != (self._domain is REAL):
            raise ValueError(
                f"visible={self.visible!r}, but columns of the other kind were learned "
                "before: keep it, or fit with warm_start=False."
            )

    def _labelled(self, rows, y, fresh, classes):
        """Rows with their labels, and what is learned of these, by attribute."""
        return rows, {}

    def _count(self, table, fresh):
        """Learn how frequent labels are."""

    def _train(
        self, table, epochs, fresh, *, n_epochs=None, hooks=(), early_stopping=False
    ):
        before = self.n_iter_ - epochs.start
        energy = self._energy(self._sizes)
        trainer = self._TRAINER(
            energy,
            self,
            table.rows,
            self._seed,
            self._domain.fill(self._columns),
            self._moments(energy),
            before,
            density(table),
        )
        held_out, stopping = None, None
        if early_stopping:
            table, held_out = self._split(table)
            stopping = EarlyStopping(self.n_iter_no_change, self.tol)
            hooks = [*hooks, stopping]
        with one_blas_thread():
            state = self._start(trainer, table, fresh)
            monitor = self._monitor(trainer, table, held_out, state)
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
        state, kept = outcome.state, -1
        if stopping and stopping.best:
            state, kept = stopping.best, int(np.argmin(outcome.validation))
        for name in self._SOMETIMES:
            vars(self).pop(name, None)
        for name, value in self._attributes(state).items():
            setattr(self, name, value)
        self.n_iter_ += len(outcome.losses)
        self.loss_curve_ += outcome.losses
        self.validation_curve_ += outcome.validation if early_stopping else []
        self._report(outcome, len(epochs), kept, monitor)

    def _split(self, table):
        """Rows to learn from, and rows to hold out."""
        return split(table, self.validation_fraction, stream(self._seed, SPLIT))

    def _start(self, trainer, table, fresh):
        """Where training begins: anew, or where it ended."""
        if not fresh:
            return trainer.resume(self._state())
        return trainer.start(self._initial_means(trainer.energy))

    def _report(self, outcome, n_epochs, kept, monitor):
        """Say how training ended, where it did not end well."""
        self._ended = outcome.ended
        remedy = (
            f"Lower learning_rate (now {self.learning_rate:g}) or momentum (now "
            f"{self.momentum}), or raise batch_size (now {self.batch_size})."
        )
        report(outcome, n_epochs, self._name, remedy)
        useful = outcome.ended == "interrupted" or not outcome.losses
        if not useful and monitor.is_useless(outcome.losses[kept]):
            warn(f"{self._name} {monitor.useless} {remedy}", ConvergenceWarning)
        self._domain.warn(self)
