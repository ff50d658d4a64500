"""Label in the top-level machine of a deep belief network.

The label is a block beside the machine's visible units; this module has training,
prediction and sampling with it.
"""

import numpy as np
from sklearn.base import _fit_context
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from skdgm.base import rolled_back
from skdgm.boltzmann import GaussianRBM, RBMClassifier
from skdgm.boltzmann._classifying import PredictingMixin
from skdgm.boltzmann._label_fitting import counted
from skdgm.boltzmann._label_reading import LabelReadingMixin
from skdgm.utils.rows import Rows

# Default options of a machine on real columns.
_REAL = {name: GaussianRBM().get_params()[name] for name in ("centering", "max_norm")}


class LabelOnTop(PredictingMixin, LabelReadingMixin):
    """Mixin of a :class:`~skdgm.belief._network.BeliefNetwork` with ``unlabeled``."""

    @rolled_back
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit to labelled and unlabelled rows, one layer after the other.

        Then refine all layers, if ``refine`` is set.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : array-like of shape (n_samples,)
            Labels; ``unlabeled`` where there is none.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts. Whole numbers repeat rows, exactly.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            X is empty, infinite or outside the model's domain; y has only one class; a
            weight is negative, or all are zero; an option given as a tuple has not one
            value for each layer.
        DivergenceError
            Training of a layer diverged. The estimator keeps the layers below, and the
            last good parameters of this layer.
        """
        return self._fit(X, y, sample_weight)

    def partial_fit(self, X, y, classes=None, sample_weight=None, layer=None):
        """Continue training: one pass over the rows for each layer in turn, or for one.

        See :meth:`DBN.partial_fit`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : array-like of shape (n_samples,)
            Labels; ``unlabeled`` where there is none.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever occur. Required at the first call; later the same
            ones, or None.
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
            As in :meth:`fit`; or y has a label that is not among the classes, or
            ``classes`` is None at the first call; or there is no such layer, or the
            layers were refined and only learn jointly now.
        """
        self._check_first_call(classes)
        return self._partial_fit(X, y, sample_weight, layer, classes)

    def predict_log_proba(self, X):
        r"""Log probabilities of the labels.

        .. math:: \log p(y \mid m^{(L-1)})

        computed exactly by the top-level machine, given the means :math:`m^{(L-1)}` of
        its visible units from one upward pass. For a single layer, as
        :meth:`RBMClassifier.predict_log_proba`. Before the top-level machine has been
        trained, the frequencies of the training labels, whatever the data.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Missing entries (NaN) are inferred by mean field in the first layer.

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_classes)
        """
        return super().predict_log_proba(X)

    def sample(
        self,
        n_samples=1,
        random_state=None,
        *,
        y=None,
        init="chains",
        n_steps=100,
        burn_in=0,
        thin=None,
    ):
        """Draw rows from the model.

        Gibbs steps in the top-level machine, its label clamped if ``y`` is given, then
        one downward pass through the directed layers.

        Parameters
        ----------
        n_samples : int, default=1
        random_state : int, RandomState instance or None, default=None
        y : object or array-like of shape (n_samples,), default=None
            Label of all rows, or of each; any label if None.
        init, n_steps, burn_in, thin
            As in :meth:`DBN.sample`. With ``init="chains"`` and ``y``, training chains
            that had the requested label are used, if there are any.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)

        Raises
        ------
        ValueError
            A label is unknown; or there is one for each row, and ``thin`` is given.
        NotFittedError
            ``y`` is given, but the top-level machine has not been trained yet.
        """
        options = {"init": init, "n_steps": n_steps, "burn_in": burn_in, "thin": thin}
        check_is_fitted(self)
        if y is not None:
            if not self._has_label:
                raise NotFittedError(
                    f"y={y!r}, but {type(self).__name__} has not come to its top layer "
                    "yet, which learns of labels: call fit, or partial_fit for it."
                )
            options["y"] = y
        return self._sample(n_samples, random_state, **options)

    def _logits(self, rows):
        """Log probabilities of labels, up to a constant in each row."""
        if not self._has_label:
            return np.tile(np.log(self._label_frequencies), (rows.shape[0], 1))
        depth = len(self.layers_)
        if depth > 1:
            H = self._upward(rows, [depth - 2])
            rows = Rows(H, H.dtype.type, complete=True)
        return self.layers_[-1]._logits(rows)

    @property
    def _has_label(self):
        """True if training has reached the top-level machine."""
        return isinstance(self.layers_[-1], RBMClassifier)

    def _begin(self, *arguments):
        lesson = super()._begin(*arguments)
        counts = counted(lesson.table, len(lesson.known["classes_"]))
        return lesson._replace(known=lesson.known | {"_label_counts": counts})

    def _machine(self, lesson, number):
        machine = super()._machine(lesson, number)
        if number == len(lesson.machines) - 1:
            machine.classes_ = lesson.known["classes_"]
        return machine

    def _described_one(self, size, real, on_top, options):
        if not on_top:
            return super()._described_one(size, real, on_top, options)
        visible, own = ("gaussian", _REAL) if real else ("bernoulli", {})
        options = {"visible": visible, "objective": "generative", **own, **options}
        return RBMClassifier(size, **options)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # The data of scikit-learn's checks are not binary, and the binary hidden units
        # of a layer learned without labels retain little of their two real columns.
        tags.classifier_tags.poor_score = True
        return tags

    def _place(self, number, depth):
        if number == depth - 1:
            return "on top", (RBMClassifier,)
        return super()._place(number, depth)

    def _listed(self):
        machines, (name, top) = super()._listed(), self._options.layers[-1]
        if top.objective != "generative":
            raise ValueError(
                f"layers: {name!r}, on top, must have objective='generative'; got "
                f"{top!r}."
            )
        if len(machines) > 1 and top.visible != "bernoulli":
            raise ValueError(
                f"layers: {name!r}, above binary units, must have visible='bernoulli'; "
                f"got {top!r}."
            )
        return machines
