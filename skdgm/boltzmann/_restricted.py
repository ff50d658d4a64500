"""Base class of machines with one hidden layer of binary units."""

from numbers import Integral

from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_array, check_is_fitted

from skdgm.boltzmann._machine import Machine
from skdgm.boltzmann._state import TrainState
from skdgm.distributions import Bernoulli
from skdgm.energies import Params, layered, plain
from skdgm.inference import mean_field
from skdgm.utils.threads import one_blas_thread
from skdgm.utils.tree import astype


class RestrictedMachine(Machine):
    """Base class of restricted Boltzmann machines: a visible and a hidden layer."""

    _SIZES = "n_components"
    # Initial parameters of data and hidden units, set by a model this is part of.
    _given = None

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        **Machine._parameter_constraints,
    }

    def transform(self, X):
        r"""Means of the hidden units, :math:`p(h_j = 1 \mid v)`.

        Missing entries are inferred by mean field, jointly with the hidden units.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        H : ndarray of shape (n_samples, n_components)
            Probabilities.
        """
        check_is_fitted(self)
        return self._features(self._rows(X))

    def _features(self, rows, index=None):
        """Means of the hidden units, of all rows or of those of an index."""
        energy, params = self._energy(), self._params_for(rows, index=index)

        def of_rows(v):
            return self._hidden_means(energy, params, *self._present(v))

        return self._blockwise(of_rows, rows, of_rows, index)

    def inverse_transform(self, H):
        r"""Means of the visible units, :math:`\mathbb{E}[v \mid h]`.

        Parameters
        ----------
        H : array-like of shape (n_samples, n_components)
            States or means of the hidden units.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            In the units of the columns; probabilities where these are binary.

        Raises
        ------
        ValueError
            H does not have one column for each hidden unit.
        """
        check_is_fitted(self)
        energy, params = self._energy(), self._params()
        H = check_array(H, dtype=params.dtype)
        if H.shape[1] != self._n_features_out:
            raise ValueError(
                f"H has {H.shape[1]} columns, but {type(self).__name__} has "
                f"{self._n_features_out} hidden units."
            )
        x = (None,) * (len(energy.units) - 1) + (H,)
        with one_blas_thread():
            received = energy.received(params, x, 0)
            v = energy.units[0].mean(energy.field(params, 0, received))
        return self._domain.to_data(self._columns, v)

    def _hidden_means(self, energy, params, x, clamp):
        return mean_field(energy, params, x, clamp)[0][-1]

    @property
    def _sizes(self):
        return (self._options.n_components,)

    @property
    def _learned_sizes(self):
        return (self._n_features_out,)

    def _energy(self, sizes=None):
        visible = self._domain.unit(self, self.n_features_in_)
        (n_hidden,) = sizes or self._learned_sizes
        return layered([[visible, *self._beside()], [Bernoulli(n_hidden)]])

    def _beside(self):
        """Blocks of the visible layer beside the data."""
        return ()

    def _pair(self, dtype=None):
        """Energy and parameters of data and hidden units, without further blocks."""
        visible, *_, hidden = self._energy().units
        own = self._visible_params(self.intercept_visible_), self.intercept_hidden_
        params = Params(own, (self.components_.T,))
        return layered([[visible], [hidden]]), astype(params, dtype)

    def _start(self, trainer, table, fresh):
        state = super()._start(trainer, table, fresh)
        if not fresh or self._given is None:
            return state
        (visible, hidden), (W,) = self._given
        # Blocks beside the data start as they do without given parameters.
        units, couplings = plain(state.params)
        params = Params((visible, *units[1:-1], hidden), (W, *couplings[1:]))
        return trainer.resume(TrainState(params, (), ()))

    def _params(self, dtype=None):
        return self._pair(dtype)[1]

    def _attributes(self, state):
        """Fitted attributes of a training state."""
        units, (W, *_) = plain(state.params)
        attributes, visible, chains = self._common_attributes(state)
        return attributes | {
            "components_": W.T,
            "intercept_visible_": visible,
            "intercept_hidden_": units[-1],
            "h_samples_": chains[-1],
        }

    @property
    def _n_features_out(self):
        return self.components_.shape[0]
