"""Predictions of machines with a label, and samples given a label."""

import numpy as np
from scipy.special import log_softmax
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from skdgm.boltzmann._label_fitting import LabelFittingMixin
from skdgm.boltzmann._labels import label_of, with_label
from skdgm.boltzmann._visible import BINARY
from skdgm.data.labels import of_one_kind
from skdgm.data.targets import as_values
from skdgm.distributions import one_hot
from skdgm.samplers import gibbs


class PredictingMixin(ClassifierMixin):
    """Predictions, for a :class:`~skdgm.boltzmann._machine.TabularModel`.

    It needs ``_logits(rows)``, the log probabilities of the labels up to a constant for
    each row, and ``_label_counts``.
    """

    def predict_log_proba(self, X):
        """Log probabilities of the labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        check_is_fitted(self)
        return log_softmax(self._logits(self._rows(X)), axis=1)

    def predict_proba(self, X):
        """Probabilities of the labels; see :meth:`predict_log_proba`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        return np.exp(self.predict_log_proba(X))

    def predict(self, X):
        """Most probable label of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        codes = self.predict_log_proba(X).argmax(axis=1)
        return self.classes_[codes]

    @property
    def _label_frequencies(self):
        # Smoothed: each label counts once more than it was seen.
        return (self._label_counts + 1) / (self._label_counts + 1).sum()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # scikit-learn's checks use data that are not binary.
        tags.classifier_tags.poor_score = self._domain is BINARY
        return tags


class ClassifyingMixin(PredictingMixin, LabelFittingMixin):
    """Predictions and samples, for a machine with a label.

    The estimator is a :class:`~skdgm.boltzmann._machine.Machine` with
    ``_log_joint_of(energy, params, x, clamp)``, which returns the log of the
    unnormalised probability of each row with each label.
    """

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
        """Draw rows from the model by blocked Gibbs sampling.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
        y : object or array-like of shape (n_samples,), default=None
            Label of all rows, or of each row, to which the chains are clamped. If None,
            labels are sampled, too.
        init, n_steps, burn_in, thin
            As in :meth:`BernoulliRBM.sample`. Where y is given, chains start from
            training chains with the same label, if there are any.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)

        Raises
        ------
        ValueError
            A label is unknown; y has one label for each row, but not ``n_samples`` of
            them, or ``thin`` is given; or as in :meth:`BernoulliRBM.sample`.
        """
        check_is_fitted(self)
        options = {"init": init, "n_steps": n_steps, "burn_in": burn_in, "thin": thin}
        if y is None:
            return self._sample(n_samples, random_state, **options)
        y = as_values(y, self)
        if y.ndim and thin is not None:
            raise ValueError(
                "thin is for chains, which have one label each: give one y."
            )
        if y.ndim > 1:
            raise ValueError(f"y must be one label or a 1d array; got {y.tolist()}.")
        codes = self._codes(of_one_kind(np.atleast_1d(y)))
        if y.ndim and len(codes) != n_samples:
            raise ValueError(f"y has {len(codes)} labels, but n_samples={n_samples}.")
        return self._sample(
            n_samples,
            random_state,
            **options,
            clamping=lambda state: self._with_labels(state, codes, init),
        )

    def _logits(self, rows):
        return self._log_joint(rows)

    def _log_joint(self, rows):
        """Log of the unnormalised probability of each row with each label."""
        energy, params = self._energy(), self._params_for(rows, rows.dtype)

        def of_rows(v):
            return self._log_joint_of(energy, params, *self._present(v))

        return self._blockwise(of_rows, rows, of_rows)

    def _moments(self, energy):
        moments = super()._moments(energy)
        return with_label(moments, label_of(energy), self._label_frequencies)

    def _with_labels(self, state, codes, init):
        """Chains clamped to labels, started from training chains with these, if any."""
        energy, n_chains, x = self._energy(), len(state.x[0]), state.x
        units, label = energy.units, label_of(energy)
        codes = np.broadcast_to(codes, n_chains)
        if isinstance(init, str) and init == "chains":
            chains = self._cold_chains()
            turn = np.arange(n_chains) % len(chains[0])
            had = chains[label].argmax(axis=1)
            for code in np.unique(codes):
                where, rows = np.flatnonzero(had == code), np.flatnonzero(codes == code)
                if len(where):
                    turn[rows] = where[np.arange(len(rows)) % len(where)]
            x = tuple(unit.pack(part[turn]) for unit, part in zip(units, chains))
        y = one_hot(codes, units[label].size, self._params().dtype)
        clamp = with_label((None,) * len(units), label, True)
        return gibbs.State(with_label(x, label, y)), clamp
