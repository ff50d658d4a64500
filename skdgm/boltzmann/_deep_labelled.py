"""Base class of machines with several hidden layers and a label above them."""

import numpy as np

from skdgm.boltzmann._classifying import ClassifyingMixin
from skdgm.boltzmann._deep import DeepMachine
from skdgm.boltzmann._fine_tuning import FineTuningMixin
from skdgm.boltzmann._labels import LabelMonitor, label_of, with_label
from skdgm.distributions import Softmax, one_hot
from skdgm.energies import Params
from skdgm.inference import bound, mean_field
from skdgm.utils.tree import astype


class LabelledDeepMachine(FineTuningMixin, ClassifyingMixin, DeepMachine):
    """Base class of deep machines with a softmax unit above the last hidden layer."""

    _parameter_constraints: dict = {
        **DeepMachine._parameter_constraints,
        **FineTuningMixin._parameter_constraints,
        "unlabeled": "no_validation",
    }

    def predict_log_proba(self, X):
        r"""Log probabilities of the labels.

        Those of the network, where there is one. Otherwise each label is tried:

        .. math:: \log p(y \mid v) \approx \mathcal{L}(v, y) - \log \sum_{y'}
           e^{\mathcal{L}(v, y')}

        where :math:`\mathcal{L}` is the mean-field bound with data and label clamped,
        which is exact with one hidden layer.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Missing entries (NaN) are inferred by mean field.

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        return super().predict_log_proba(X)

    def _log_joint_of(self, energy, params, x, clamp):
        label, columns = label_of(energy), []
        n_labels, clamped = energy.units[label].size, with_label(clamp, label, True)
        for code in range(n_labels):
            y = one_hot(np.full(len(x[0]), code), n_labels, params.dtype)
            given = with_label(x, label, y)
            means = self._inferred(energy, params, given, clamped)
            columns.append(bound(energy, params, means, clamped))
        return np.stack(columns, axis=1)

    def _seen_labels(self, energy, params, x, clamp):
        """Label's log probabilities, up to a constant, by mean field with the label
        free: fast enough for monitoring."""
        label, budget = label_of(energy), {"max_sweeps": self._options.mean_field_steps}
        x, clamp = (with_label(parts, label, None) for parts in (x, clamp))
        means, _ = mean_field(energy, params, x, clamp, **budget)
        return energy.field(params, label, energy.received(params, means, label))

    def _monitor(self, *arguments):
        return LabelMonitor(*arguments, self._seen_labels)

    def _above(self):
        return ([Softmax(len(self.classes_))],)

    def _params(self, dtype=None):
        (*units,), (*couplings,) = super()._params(dtype)
        own, weights = self.intercept_label_, self.label_components_
        own, weights = astype((own, weights), dtype)
        return Params((*units, own), (*couplings, weights))

    def _attributes(self, state):
        attributes = super()._attributes(state)
        attributes["label_components_"] = attributes["coefs_"].pop()
        attributes["intercept_label_"] = attributes["intercepts_"].pop()
        attributes["h_samples_"].pop()
        return attributes
