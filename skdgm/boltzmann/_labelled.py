"""Base class of restricted machines with a label in the visible layer."""

import numpy as np
from scipy.special import log_softmax, logsumexp

from skdgm.boltzmann._classifying import ClassifyingMixin
from skdgm.boltzmann._labels import (
    HybridTrainer,
    LabelMonitor,
    drawn,
    label_of,
    with_label,
)
from skdgm.boltzmann._restricted import RestrictedMachine
from skdgm.boltzmann._visible import BINARY, REAL
from skdgm.distributions import Softmax, one_hot
from skdgm.energies import Params
from skdgm.inference import Posterior, bound, mean_field
from skdgm.partition import exact
from skdgm.samplers import gibbs
from skdgm.utils.tree import astype


class LabelledMachine(ClassifyingMixin, RestrictedMachine):
    """Base class of machines with data and a label in the visible layer."""

    _TRAINER = HybridTrainer

    def predict_log_proba(self, X):
        r"""Log probabilities of the labels.

        .. math:: \log p(y \mid v) = -F(v, y) - \log \sum_{y'} e^{-F(v, y')}

        Exact, except for rows with missing values under more than 20 hidden units, for
        which each label's free energy :math:`F(v, y)` is that of its mean-field bound.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        return super().predict_log_proba(X)

    def _hidden_means(self, energy, params, x, clamp):
        if clamp[0] is not True:
            return super()._hidden_means(energy, params, x, clamp)
        posterior = Posterior(energy, params, x, label_of(energy))
        return posterior.mean(len(energy.units) - 1, posterior.log_joint())

    def _log_joint_of(self, energy, params, x, clamp):
        label = label_of(energy)
        if clamp[0] is True:
            return Posterior(energy, params, x, label).log_joint()
        columns = []
        for code in range(energy.units[label].size):
            codes = np.full(len(x[0]), code)
            y = np.asarray(one_hot(codes, energy.units[label].size, params.dtype))
            given, clamped = (x[0], y, None), (clamp[0], True, None)
            if exact.is_enumerable(energy):
                columns.append(exact.log_evidence(energy, params, given, clamped))
            else:
                means, _ = mean_field(energy, params, given, clamped)
                columns.append(bound(energy, params, means, clamped))
        return np.stack(columns, axis=1)

    def _log_weight(self, energy, params, x, clamp):
        return logsumexp(self._log_joint_of(energy, params, x, clamp), axis=1)

    def _drawn_even(self, energy, params, x, clamp, rng):
        label = label_of(energy)
        posterior = Posterior(energy, params, x, label)
        y = drawn(rng.fold(label), posterior)
        log_q = (log_softmax(posterior.log_joint(), axis=1) * np.asarray(y)).sum(axis=1)
        return with_label(x, label, y), log_q

    def _monitor(self, *arguments):
        return LabelMonitor(*arguments, self._log_joint_of)

    @property
    def _domain(self):
        return BINARY if self._options.visible == "bernoulli" else REAL

    def _beside(self):
        return (Softmax(len(self.classes_)),)

    def _present(self, v):
        (v, *_), (clamped, *_) = super()._present(v)
        frequencies = self._label_frequencies.astype(self._params().dtype)
        return (v, np.tile(frequencies, (len(v), 1)), None), (clamped, None, None)

    def _params(self, dtype=None):
        (visible, hidden), (W,) = super()._params(dtype)
        own = self.intercept_label_, self.label_components_.T
        d, U = astype(own, dtype)
        return Params((visible, d, hidden), (W, U))

    def _attributes(self, state):
        attributes = super()._attributes(state)
        _, attributes["intercept_label_"], _ = state.params.units
        _, U = state.params.couplings
        attributes["label_components_"] = getattr(U, "W", U).T
        return attributes

    def _chains_from(self, v, rng):
        x, energy = super()._chains_from(v, rng).x, self._energy()
        label = label_of(energy)
        posterior = Posterior(energy, self._params(), x, label)
        return gibbs.State(with_label(x, label, drawn(rng.fold(label), posterior)))
