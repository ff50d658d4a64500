r"""``fit`` of tuned belief networks: unsupervised pre-training, then supervised tuning.

.. math:: h^k = \sigma(c^k + h^{k-1} R^k), \qquad z = h^L W + b

The recognition of a belief network is a feed-forward net. With an output layer on top,
it is trained by back-propagation [1]_. A layer without pre-training starts from random
weights, as in an ordinary net.

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

from skdgm.base import KEPT, replacing, report, rolled_back
from skdgm.belief.dbn import DBN
from skdgm.data import for_callbacks, tabulate
from skdgm.exceptions import DivergenceError
from skdgm.nets import NetState, Tuner, check_dropout, fine_tune
from skdgm.training import Budget, Callbacks, Table, Verbose, labelled
from skdgm.utils.interrupts import Held
from skdgm.utils.layers import check_sizes, per_layer
from skdgm.utils.random import MAX_SEED
from skdgm.utils.tree import copy
from skdgm.utils.warn import warn

# Hidden units of restricted Boltzmann machines are logistic.
ACTIVATION = "logistic"
# Names of the pre-training parameters in a DBN.
PRETRAINING = {
    "pretrain_iter": "n_iter",
    "pretrain_learning_rate": "learning_rate",
    "pretrain_batch_size": "batch_size",
    "pretrain_gradient": "gradient",
    "pretrain_steps": "n_steps",
}


class Lesson(NamedTuple):
    """Validated inputs of a call of ``fit`` or ``partial_fit``.

    Parameters
    ----------
    X : array-like
        Data as given.
    everything : Table or None
        All rows, without targets; None without pre-training.
    table : Table
        Rows with a target, which is their label.
    dbn : DBN
        Unfitted.
    known : dict
        Facts learned from the targets, by attribute name.
    seed : int
    """

    X: object
    everything: Table
    table: Table
    dbn: DBN
    known: dict
    seed: int


class FineTuningMixin:
    """Mixin with training, for an estimator with a net (``_begun()``, ``_net()``,
    ``_filled(v)``) and outputs (``_read(rows, y, fresh, classes)``, ``_survey(table)``,
    ``_wanted(labels)``, ``_loss``, ``_WATCHED``)."""

    _BUDGET = Budget(5_000, 20, 100)

    @rolled_back
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Pre-train layer by layer on all rows, then tune on rows with a target.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets; see the class for the mark of a missing target.
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
            Pre-training diverged, and the estimator is unchanged; or fine-tuning
            diverged, and the net keeps its last good weights.
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

    # Under another name than partial_fit, so that options are validated at each call.
    @rolled_back
    @_fit_context(prefer_skip_nested_validation=True)
    def _partial_fit(self, X, y, sample_weight, classes=None):
        fresh = not hasattr(self, "coefs_")
        lesson = self._begin(X, y, sample_weight, fresh, classes)
        if self._pretrain(lesson) and len(lesson.table.index):
            self._tune(lesson.table, range(self.n_iter_, self.n_iter_ + 1))
        return self

    @rolled_back(kept=())
    def _begin(self, X, y, sample_weight, fresh, classes=None):
        """Validate all inputs, before anything is changed."""
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
        """Unfitted belief network to pre-train."""
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
        """Pre-train layers not learned yet; return whether training ran to its end."""
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
        """Fit the belief network; return an error after which its layers are kept."""
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
        """Adopt a belief network, as a net whose output layer is zero."""
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
        """Number of epochs of fine-tuning."""
        asked = self._options
        return self._BUDGET.epochs(asked.max_iter, table, asked.batch_size)

    def _tune(self, table, epochs, *, n_epochs=None, hooks=(), early_stopping=False):
        """Run epochs of back-propagation."""
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
            tuner.resume(NetState(self._net(), self._memory)),
            epochs,
            n_epochs=n_epochs,
            hooks=hooks,
            early_stopping=early_stopping,
        )
        with Held(), replacing(self) as new:
            new._become(*tuned.state[:2])
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
        """Fitted attributes of a training state."""
        params, memory = state[:2]
        return {
            "coefs_": [layer.W for layer in params],
            "intercepts_": [layer.b for layer in params],
            "_memory": memory,
        }

    def _end(self, context, data):
        """Report the end of a task to callbacks; return whether to stop."""
        # All fitted attributes are set already.
        return context.call_on_fit_task_end(
            estimator=self, reconstruction_attributes=dict, **data
        )
