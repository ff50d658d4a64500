"""Features of deep belief networks: means of hidden layers, and their inverse."""

import numpy as np
from sklearn.utils.validation import check_array, check_is_fitted

from skdgm.base import TabularModel
from skdgm.utils.layers import chosen
from skdgm.utils.threads import one_blas_thread


class Features(TabularModel):
    """Mixin with ``transform`` and ``inverse_transform``.

    The stack has ``_recognisers()`` and ``_recognition(number)``.
    """

    def transform(self, X):
        r"""Means of hidden units, computed layer by layer upwards.

        .. math:: m^{(0)} = x, \qquad m^{(k)} = \sigma(c^{(k)} + m^{(k-1)} R^{(k)})

        of the layers given by ``feature_layer``. Missing entries are inferred by mean
        field, together with the first hidden layer.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        H : ndarray of shape (n_samples, n_hidden)
            Layers side by side, in the order of ``feature_layer``.
        """
        check_is_fitted(self)
        return self._upward(self._rows(X), self._feature_layers())

    def transform_layers(self, X):
        """Means of hidden units in every layer.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        H : list of ndarray of shape (n_samples, n_hidden)
            From the bottom up.
        """
        check_is_fitted(self)
        H = self._upward(self._rows(X), range(len(self.layers_)))
        return np.split(H, np.cumsum(self._widths()[:-1]), axis=1)

    def _upward(self, rows, numbers):
        """Means of the hidden units of some layers, side by side."""
        numbers = list(numbers)
        machines = self.layers_[: 1 + max(numbers)]
        ways = [self._recognition(number) for number in range(len(machines))]

        def of_rows(v):
            means = []
            for machine, params in zip(machines, ways):
                v = machine._hidden_means(
                    machine._energy(), params, *machine._present(v)
                )
                means.append(v)
            return np.concatenate([means[n] for n in numbers], axis=1)

        return self._blockwise(of_rows, rows, of_rows)

    def inverse_transform(self, H):
        """Means of visible units, computed layer by layer downwards.

        Parameters
        ----------
        H : array-like of shape (n_samples, n_hidden)
            Values or means of the hidden units of the layers given by
            ``feature_layer``, side by side. Only the lowest of these layers is used.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            In the scale of the columns.

        Raises
        ------
        ValueError
            H has another number of columns than ``transform`` returns.
        """
        check_is_fitted(self)
        H = check_array(H, dtype=self._dtype)
        if H.shape[1] != self._n_features_out:
            raise ValueError(
                f"H has {H.shape[1]} columns, but {type(self).__name__} has "
                f"{self._n_features_out} hidden units."
            )
        numbers, widths = self._feature_layers(), self._widths()
        lowest = min(numbers)
        start = sum(widths[n] for n in numbers[: numbers.index(lowest)])
        H = H[:, start : start + widths[lowest]]
        with one_blas_thread():
            for layer in self._recognisers()[lowest::-1]:
                H = layer.units[0].mean(layer.down(H))
        return self._domain.to_data(self._columns, H)

    def _feature_layers(self):
        """Numbers of the layers whose hidden units are features."""
        return chosen(self._now("feature_layer"), len(self.layers_))

    def _widths(self):
        """Number of hidden units in each layer."""
        return [layer._n_features_out for layer in self.layers_]

    @property
    def _n_features_out(self):
        widths = self._widths()
        return sum(widths[number] for number in self._feature_layers())
