r"""``fit`` of belief networks with a teacher: first without one, then with one.

.. math:: h^k = \sigma(c^k + h^{k-1} R^k), \qquad z = h^L W + b

A belief network's recognition is a feed-forward net. With an output layer on top of it,
it is tuned as one, by back-propagation [1]_. Where nothing was learned of a layer
beforehand, it begins with random weights, as nets do.

References
----------
.. [1] Hinton and Salakhutdinov (2006). Reducing the dimensionality of data with neural
   networks. Science.
"""

from contextlib import nullcontext
from types import SimpleNamespace
from typing import NamedTuple

from sklearn.base import _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from skdgm.base import (
    KEPT,
    for_callbacks,
    replacing,
    report,
    tabulate,
    undone_by_errors,
)
from skdgm.belief.dbn import DBN
from skdgm.exceptions import DivergenceError
from skdgm.nets import Tuner, check_dropout, fine_tune
from skdgm.training import Budget, Callbacks, Table, Verbose, labelled
from skdgm.utils.interrupts import Held
from skdgm.utils.layers import check_sizes, per_layer
from skdgm.utils.random import MAX_SEED
from skdgm.utils.tree import copy
from skdgm.utils.warn import warn

# The hidden units are those of restricted machines.
ACTIVATION = "logistic"
# What parameters of pre-training are called in a DBN.
PRETRAINING = {
    "pretrain_iter": "n_iter",
    "pretrain_learning_rate": "learning_rate",
    "pretrain_batch_size": "batch_size",
    "pretrain_gradient": "gradient",
    "pretrain_steps": "n_steps",
}


class Lesson(NamedTuple):
    """What there is to learn.

    Parameters
    ----------
    X : array-like
        As it was given.
    everything : Table or None
        All rows, without targets, if there is to be pre-training.
    table : Table
        Rows with a target, which is their label.
    dbn : DBN
        Unfitted.
    known : dict
        What was learned of the targets, by attribute.
    seed : int
    """

    X: object
    everything: Table
    table: Table
    dbn: DBN
    known: dict
    seed: int


class FineTuningMixin:
    """Training, for an estimator with outputs: ``_read(rows, y, fresh, classes)``,
    ``_survey(table)``, ``_wanted(labels)``, ``_loss`` and ``_WATCHED``; and with a net:
    ``_begun()``, ``_net()`` and ``_filled(v)``."""

    _BUDGET = Budget(5_000, 20, 100)

    @undone_by_errors
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Learn all rows layer by layer, then those with a target by all layers.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets; what marks that there is none, see the class.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts. Whole numbers repeat rows, exactly.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            X is empty, infinite or outside the model's domain; no row has a target; a
            weight is negative, or all are zero.
        DivergenceError
            Pre-training diverged, and the estimator is what it was before; or the net's
            training did, and its last good weights are kept.
        """
        fresh = not (self.warm_start and hasattr(self, "coefs_"))
        lesson = self._begin(X, y, sample_weight, fresh)
        if not len(lesson.table.index):
            raise ValueError(
                f"{type(self).__name__} has nothing to learn: no row with a target has "
                "a weight above zero."
            )
        context = self._init_callback_context(max_subtasks=1 + fresh)
        data = for_callbacks(lesson.table.rows.X, y, sample_weight)
        context.call_on_fit_task_begin(estimator=self, **data)
        if self._pretrain(lesson, context, data):
            n_epochs = self._n_epochs(lesson.table)
            own = context.subcontext("fine-tuning", max_subtasks=n_epochs)
            own.call_on_fit_task_begin(estimator=self, **data)
            hooks = [Callbacks(self, own, data, lambda s: self._attributes(copy(s)))]
            if self.verbose:
                hooks.append(Verbose(type(self).__name__, self._WATCHED))
            self._tune(
                lesson.table,
                range(n_epochs),
                n_epochs=n_epochs,
                hooks=hooks,
                early_stopping=self.early_stopping,
            )
            self._end(own, data)
        self._end(context, data)
        return self

    # By another name than partial_fit's options are validated at each call.
    @undone_by_errors
    @_fit_context(prefer_skip_nested_validation=True)
    def _partial_fit(self, X, y, sample_weight, classes=None):
        fresh = not hasattr(self, "coefs_")
        lesson = self._begin(X, y, sample_weight, fresh, classes)
        if self._pretrain(lesson) and len(lesson.table.index):
            self._tune(lesson.table, range(self.n_iter_, self.n_iter_ + 1))
        return self

    def _begin(self, X, y, sample_weight, fresh, classes=None):
        """Validate everything; nothing is changed yet."""
        self._ask()
        check_dropout(self._options.dropout)
        dbn = self._stack()
        machines = dbn._machines()
        if not fresh:
            self.dbn_._check_unchanged(machines)
        rows = self._rows(X, fitting=True, reset=fresh)
        targets, known = self._read(rows, y, fresh, classes)
        table = rows._replace(labels=targets)
        table = labelled(tabulate(table, sample_weight, in_memory=False))
        if not fresh:
            return Lesson(X, None, table, dbn, {}, self._seed)
        everything = tabulate(rows, sample_weight)
        known |= self._survey(table)
        seed = check_random_state(self.random_state).randint(MAX_SEED)
        return Lesson(
            X, everything, table, dbn.set_params(random_state=seed), known, seed
        )

    def _stack(self):
        """The belief network that is to be learned first."""
        asked = self._options
        if asked.layers is None:
            depth = len(check_sizes(asked.hidden_layer_sizes))
            for name in PRETRAINING:
                per_layer(name, getattr(asked, name), depth)
        options = {theirs: getattr(asked, name) for name, theirs in PRETRAINING.items()}
        dbn = DBN(
            asked.hidden_layer_sizes,
            visible=asked.visible,
            layers=asked.layers,
            feature_layer=-1,
            verbose=self.verbose,
            **options,
        )
        dbn._title = f"{type(self).__name__} pre-training"
        return dbn

    def _pretrain(self, lesson, context=None, data=None):
        """Learn layer by layer what is not learned yet; whether it came to its end."""
        dbn, table = lesson.dbn, lesson.everything
        if table is None:
            return True
        own = context and context.subcontext("pre-training")
        with own.propagate_callback_context(dbn) if own else nullcontext():
            if own:
                own.call_on_fit_task_begin(estimator=self, **data)
            failure = self._fit_dbn(dbn, table)
            finished = len(dbn.layers_) == len(dbn._machines())
            finished = finished and dbn.layers_[-1]._ended != "interrupted"
            with Held():
                dbn._complete(table)
                self._adopt(lesson)
            if failure:
                raise failure
            stop = own and self._end(own, data)
        return finished and not stop

    def _fit_dbn(self, dbn, table):
        """Learn layer by layer; what ended it, if something of it is to be kept."""
        try:
            dbn.fit(table)
        except DivergenceError as error:
            name = type(self).__name__
            raise DivergenceError(
                f"{error.what}, and {name} is what it was before. Lower "
                f"pretrain_learning_rate (now {self.pretrain_learning_rate}) or raise "
                f"pretrain_batch_size (now {self.pretrain_batch_size})."
            ) from error
        except KEPT as error:
            if not hasattr(dbn, "layers_"):
                raise
            return error
        return None

    def _adopt(self, lesson):
        """Take over a belief network, as a net with outputs that tell nothing."""
        with replacing(self) as new:
            new._remember(lesson.X)
            new.dbn_, new._seed = lesson.dbn, lesson.seed
            if hasattr(new, "feature_names_in_"):
                for part in new.dbn_, new.dbn_.layers_[0]:
                    part.feature_names_in_ = new.feature_names_in_
            vars(new).update(lesson.known)
            new.n_iter_, new.loss_curve_, new.validation_curve_ = 0, [], []
            new._become(new._begun(), ())

    def _n_epochs(self, table):
        """How many epochs of fine-tuning are asked for."""
        asked = self._options
        return self._BUDGET.epochs(asked.max_iter, table, asked.batch_size)

    def _tune(self, table, epochs, *, n_epochs=None, hooks=(), early_stopping=False):
        """Epochs of back-propagation."""
        rows = self._domain.seen(table.rows, self._columns)
        recipe = vars(self._options) | {"activation": ACTIVATION}
        tuner = Tuner(
            SimpleNamespace(**recipe),
            lambda index: self._filled(rows.take(index)),
            self._wanted(rows.labels),
            self._loss,
            self._seed,
            epochs_before=self.n_iter_ - epochs.start,
        )
        tuned = fine_tune(
            tuner,
            table._replace(rows=rows),
            tuner.resume(self._net(), self._memory),
            epochs,
            n_epochs=n_epochs,
            hooks=hooks,
            early_stopping=early_stopping,
        )
        with Held(), replacing(self) as new:
            new._become(*tuned.state)
            new.n_iter_ += len(tuned.losses)
            new.loss_curve_ = self.loss_curve_ + tuned.losses
            new.validation_curve_ = self.validation_curve_ + tuned.validation
        remedy = f"Lower learning_rate_init (now {self._options.learning_rate_init:g})."
        name = type(self).__name__
        report(tuned, len(epochs), name, remedy)
        if tuned.useless and tuned.ended != "interrupted":
            warn(
                f"{name} predicts worse than it did when its training began. {remedy}",
                ConvergenceWarning,
            )

    def _become(self, params, memory):
        vars(self).update(self._attributes((params, memory)))
        self._forget()

    def _attributes(self, state):
        """A training state as fitted attributes."""
        params, memory = state
        return {
            "coefs_": [layer.W for layer in params],
            "intercepts_": [layer.b for layer in params],
            "_memory": memory,
        }

    def _end(self, context, data):
        """Say that a task has ended; whether to stop."""
        # What is fitted is there already.
        return context.call_on_fit_task_end(
            estimator=self, reconstruction_attributes=dict, **data
        )
