"""Machines with a label in the visible layer: what they predict, and all it takes."""

import numpy as np
from scipy.special import log_softmax, logsumexp
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from skdgm.boltzmann._label_fitting import LabelFittingMixin
from skdgm.boltzmann._labels import LABEL, drawn
from skdgm.boltzmann._restricted import RestrictedMachine
from skdgm.boltzmann._visible import BINARY, REAL
from skdgm.energies import Params
from skdgm.inference import Posterior, bound, mean_field
from skdgm.partition import exact
from skdgm.samplers import gibbs
from skdgm.units import Softmax, one_hot


class LabelledMachine(ClassifierMixin, LabelFittingMixin, RestrictedMachine):
    """Base class of machines with data and a label in the visible layer."""

    def predict_log_proba(self, X):
        """Log probabilities of the labels.

        They are exact, but for rows with missing values under more than 20 hidden
        units: there each label's probability is by its mean-field bound.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_classes)
        """
        check_is_fitted(self)
        return log_softmax(self._log_joint(self._rows(X)), axis=1)

    def predict_proba(self, X):
        """Probabilities of the labels; see :meth:`predict_log_proba`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
        """
        return np.exp(self.predict_log_proba(X))

    def predict(self, X):
        """The most probable labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        codes = self.predict_log_proba(X).argmax(axis=1)
        return self.classes_[codes]

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
        random_state : int, RandomState instance or None, default=None
        y : object or array-like of shape (n_samples,), default=None
            The label of all rows, or of each; any label if None.
        init, n_steps, burn_in, thin
            As of :meth:`BernoulliRBM.sample`. Chains that training left start with the
            label that is asked for, where there are such.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)

        Raises
        ------
        ValueError
            A label is unknown; or there is one for each row, and ``thin`` is given.
        """
        check_is_fitted(self)
        options = {"init": init, "n_steps": n_steps, "burn_in": burn_in, "thin": thin}
        if y is None:
            return self._sample(n_samples, random_state, **options)
        if np.ndim(y) and thin is not None:
            raise ValueError(
                "thin is for chains, which have one label each: give one y."
            )
        codes = self._codes(np.atleast_1d(np.asarray(y)))
        if np.ndim(y) and len(codes) != n_samples:
            raise ValueError(f"y has {len(codes)} labels, but n_samples={n_samples}.")
        return self._sample(
            n_samples,
            random_state,
            **options,
            hold=lambda state: self._with_labels(state, codes, init),
        )

    def _hidden_means(self, energy, params, x, clamp):
        if clamp[0] is not True:
            return super()._hidden_means(energy, params, x, clamp)
        posterior = Posterior(energy, params, x, LABEL)
        return posterior.mean(len(energy.units) - 1, posterior.log_joint())

    def _log_joint(self, rows):
        """Log of the unnormalised probability of each row with each label."""
        energy, params = self._energy(), self._params_for(rows, rows.dtype)

        def of_rows(v):
            return self._log_joint_of(energy, params, *self._present(v))

        return self._blockwise(of_rows, rows, of_rows)

    def _log_joint_of(self, energy, params, x, clamp):
        if clamp[0] is True:
            return Posterior(energy, params, x, LABEL).log_joint()
        columns = []
        for code in range(energy.units[LABEL].size):
            codes = np.full(len(x[0]), code)
            y = np.asarray(one_hot(codes, energy.units[LABEL].size, params.dtype))
            given, held = (x[0], y, None), (clamp[0], True, None)
            if exact.is_enumerable(energy):
                columns.append(exact.log_evidence(energy, params, given, held))
            else:
                means, _ = mean_field(energy, params, given, held)
                columns.append(bound(energy, params, means, held))
        return np.stack(columns, axis=1)

    def _free_energy(self, rows):
        return -logsumexp(self._log_joint(rows), axis=1)

    @property
    def _domain(self):
        return BINARY if self.visible == "bernoulli" else REAL

    def _beside(self):
        return (Softmax(len(self.classes_)),)

    def _moments(self):
        # As if each label had been seen once more.
        frequencies = (self._label_counts + 1) / (self._label_counts + 1).sum()
        return self._domain.moments(self._columns), frequencies, None

    def _initial_means(self):
        visible, labels, _ = self._moments()
        known = self.init == "marginals" and self._domain is BINARY
        return (visible if known else None), labels, None

    def _present(self, v):
        (v, *_), (held, *_) = super()._present(v)
        frequencies = self._moments()[LABEL].astype(self._params().dtype)
        return (v, np.tile(frequencies, (len(v), 1)), None), (held, None, None)

    def _params(self, dtype=None):
        biases = self.intercept_label_, self.intercept_hidden_
        couplings = self.components_.T, self.label_components_.T
        visible = self._visible_params(self.intercept_visible_)
        return self._typed(Params((visible, *biases), couplings), dtype)

    def _attributes(self, state):
        attributes = super()._attributes(state)
        attributes["intercept_label_"] = state.params.units[LABEL]
        U = state.params.couplings[LABEL]
        attributes["label_components_"] = getattr(U, "W", U).T
        return attributes

    def _chain_starts(self, init, n_chains, rng):
        state = super()._chain_starts(init, n_chains, rng)
        if isinstance(init, str) and init == "chains":
            return state
        posterior = Posterior(self._energy(), self._params(), state.x, LABEL)
        return gibbs.State((state.x[0], drawn(rng.fold(LABEL), posterior), None))

    def _with_labels(self, state, codes, init):
        """Chains with their labels held; started from such as had them, if any."""
        units, n_chains = self._energy().units, len(state.x[0])
        codes = np.broadcast_to(codes, n_chains)
        if isinstance(init, str) and init == "chains":
            chains = self._cold_chains()
            turn, had = (
                np.arange(n_chains) % len(chains[0]),
                chains[LABEL].argmax(axis=1),
            )
            for code in np.unique(codes):
                where, rows = np.flatnonzero(had == code), np.flatnonzero(codes == code)
                if len(where):
                    turn[rows] = where[np.arange(len(rows)) % len(where)]
            state = gibbs.State((units[0].pack(chains[0][turn]), *state.x[1:]))
        y = one_hot(codes, units[LABEL].size, self._params().dtype)
        return gibbs.State((state.x[0], y, None)), (None, True, None)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # The data of scikit-learn's checks are not binary.
        tags.classifier_tags.poor_score = self.visible == "bernoulli"
        return tags
