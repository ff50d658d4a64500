"""Features of deep belief networks: means of hidden layers, and the way back."""

import numpy as np
from sklearn.utils.validation import check_array, check_is_fitted

from skdgm.base import TabularModel
from skdgm.utils.layers import chosen
from skdgm.utils.threads import one_blas_thread


class Features(TabularModel):
    """``transform`` and ``inverse_transform``, for a stack with ``_recognisers()`` and
    ``_recognition(number)``."""

    def transform(self, X):
        r"""Hidden units' means, layer by layer.

        .. math:: m^{(0)} = x, \qquad m^{(k)} = \sigma(c^{(k)} + m^{(k-1)} R^{(k)})

        those of the layers that ``feature_layer`` says. Missing entries are found by
        mean field, together with the first hidden layer.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        H : ndarray of shape (n_samples, n_hidden)
        """
        check_is_fitted(self)
        return self._upward(self._rows(X), self._feature_layers())

    def transform_layers(self, X):
        """Hidden units' means in every layer.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        H : list of ndarray of shape (n_samples, n_hidden)
            From the bottom up.
        """
        check_is_fitted(self)
        H = self._upward(self._rows(X), range(len(self.layers_)))
        return np.split(H, np.cumsum(self._widths()[:-1]), axis=1)

    def _upward(self, rows, numbers):
        """The means of some of the layers, side by side."""
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
        r"""Visible units' means, layer by layer.

        Parameters
        ----------
        H : array-like of shape (n_samples, n_hidden)
            Hidden units of the layers that ``feature_layer`` says, side by side, or
            their means. The lowest of them counts.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
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
        """The numbers of the layers whose units are features."""
        return chosen(self._now("feature_layer"), len(self.layers_))

    def _widths(self):
        """The number of hidden units in each layer."""
        return [layer._n_features_out for layer in self.layers_]

    @property
    def _n_features_out(self):
        widths = self._widths()
        return sum(widths[number] for number in self._feature_layers())
