"""``fit`` and ``partial_fit`` of deep belief networks: layer by layer, then jointly."""

from copy import copy

from sklearn.base import _fit_context

from skdgm.base import report, rolled_back
from skdgm.belief._greedy import GreedyMixin, another, ended
from skdgm.belief._up_down import UpDown
from skdgm.data import for_callbacks
from skdgm.training import Callbacks, Verbose, train
from skdgm.utils.counts import count
from skdgm.utils.interrupts import Held
from skdgm.utils.threads import one_blas_thread

# Tag of the random stream of refinement; other tags belong to the layers.
_REFINE = 102


class FittingMixin(GreedyMixin):
    """Mixin with training, for a stack of machines.

    As part of another model, the stack may be given a ``Table`` as X.
    """

    @rolled_back
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Fit one layer after the other; then refine all, if ``refine`` is set.

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
            X is empty, infinite or outside the model's domain; a weight is negative, or
            all are zero; an option given as a tuple has not one value for each layer.
        DivergenceError
            Training of a layer diverged. The estimator keeps the layers below, and the
            last good parameters of this layer.
        """
        return self._fit(X, y, sample_weight)

    def _fit(self, X, y, sample_weight):
        fresh = not (self.warm_start and hasattr(self, "layers_"))
        lesson = self._begin(X, y, sample_weight, fresh)
        depth = len(lesson.machines)
        # With a single layer there is nothing to learn jointly.
        refining = self._options.refine is not None and depth > 1
        context = self._init_callback_context(max_subtasks=depth + refining)
        data = for_callbacks(lesson.table.rows.X, y, sample_weight)
        context.call_on_fit_task_begin(estimator=self, **data)
        finished = True
        if fresh or not self._untied:
            finished = self._fit_layers(lesson, context, data)
        if refining and finished:
            n_epochs = self._options.refine_iter
            own = context.subcontext("refine", max_subtasks=n_epochs)
            own.call_on_fit_task_begin(estimator=self, **data)
            self._refine(lesson.table, n_epochs, n_epochs, own, data)
            ended(self, own, data)
        ended(self, context, data)
        return self

    def partial_fit(self, X, y=None, sample_weight=None, layer=None):
        """Continue training: one pass over the rows for each layer in turn, or for one.

        A pass is an epoch as in :meth:`fit`, and may come before or after calls of it;
        but the total number of epochs is unknown, so ``schedule="linear"`` leaves
        ``learning_rate`` as it is, and the last of several ``n_steps`` holds. If
        ``fit`` refined the layers, a pass refines all of them further.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            As in :meth:`fit`.
        layer : int, default=None
            Layer to train, 0 at the bottom: a fitted one, or the next. All layers if
            None.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError, DivergenceError
            As in :meth:`fit`; or there is no such layer, or the layers were refined and
            only learn jointly now.
        """
        return self._partial_fit(X, y, sample_weight, layer)

    # Under another name than partial_fit, so that options are validated at each call.
    @rolled_back
    @_fit_context(prefer_skip_nested_validation=True)
    def _partial_fit(self, X, y, sample_weight, layer, classes=None):
        fresh = not hasattr(self, "layers_")
        untied = not fresh and bool(self._untied)
        if untied and layer is not None:
            raise ValueError(
                f"layer={layer}, but the layers were refined: they learn together now."
            )
        lesson = self._begin(X, y, sample_weight, fresh, classes)
        last = len(lesson.machines) - 1
        if layer is not None:
            next_one = 0 if fresh else min(len(self.layers_), last)
            layer = last = count(layer, "layer", 0, next_one)
        if untied:
            self._refine(lesson.table, 1)
            return self
        for number in range(last + 1):
            if layer in (None, number):
                machine = self._machine(lesson, number)
                self._teach(machine.partial_fit, lesson, number, machine)
            if number < last:
                lesson = self._lifted(lesson, number)
        return self

    def _refine(self, table, n_iter, n_epochs=None, context=None, data=None):
        """Run epochs of joint refinement."""
        bottom, layers = self.layers_[0], self._directed()
        rows = bottom._domain.seen(table.rows, bottom._columns)
        updown = UpDown(
            layers,
            self.layers_,
            table._replace(rows=rows),
            another(self._seed, _REFINE),
            len(self._losses),
            self._options.refine_learning_rate,
            self._options.refine_steps,
        )

        def attributes(state, losses=()):
            top = copy(self.layers_[-1])
            vars(top).update(top._attributes(state.top))
            top._forget()
            ways, losses = updown.ways(state), [*self._losses, *losses]
            return self._attributes([*self.layers_[:-1], top], ways, losses)

        hooks, name = [], f"{type(self).__name__} refinement"
        if context:
            hooks.append(Callbacks(self, context, data, attributes))
            hooks += [Verbose(name, "bound")] if self.verbose else []
        with one_blas_thread():
            state = updown.start()
            outcome = train(
                state,
                updown.step,
                updown.draw,
                updown.measure,
                epochs=range(n_iter),
                n_epochs=n_epochs,
                loss_limit=updown.limit(state),
                hooks=hooks,
            )
        with Held():
            self._become(attributes(outcome.state, outcome.losses))
        rate = self._options.refine_learning_rate
        remedy = f"Lower refine_learning_rate (now {rate:g})."
        report(outcome, n_iter, name, remedy)
