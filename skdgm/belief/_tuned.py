"""Base class of tuned belief networks.

Features and outputs are those of the net; samples and likelihoods are those of the
pre-trained network.
"""

from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skdgm.base import TabularModel
from skdgm.belief._fine_tuning import ACTIVATION, PRETRAINING, FineTuningMixin
from skdgm.belief._stack import Composed, StackMixin
from skdgm.belief.dbn import DBN
from skdgm.boltzmann._likelihood import PartitionMixin
from skdgm.nets import LEARNING, Layer, forward, hidden, init
from skdgm.nets.tuner import INIT
from skdgm.utils.random import stream


class TunedModel(FineTuningMixin, PartitionMixin, TabularModel, Composed):
    """Base class of belief networks with outputs; fitted ones have ``dbn_``."""

    _parameter_constraints: dict = {
        "hidden_layer_sizes": DBN._parameter_constraints["hidden_layer_sizes"],
        "layers": DBN._parameter_constraints["layers"],
        **{
            name: DBN._parameter_constraints[theirs]
            for name, theirs in PRETRAINING.items()
        },
        **{name: value for name, value in LEARNING.items() if name != "clip_norm"},
        "solver": [StrOptions({"sgd", "adam"})],
        "dropout": [Interval(Real, 0, 1, closed="left"), tuple],
        "max_norm": [Interval(Real, 0, None, closed="neither"), None],
    }
    _asked_domain = StackMixin._asked_domain

    def transform(self, X):
        """Compute the last hidden layer of the net.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing; see :meth:`transform_layers`.

        Returns
        -------
        H : ndarray of shape (n_samples, n_hidden)
        """
        check_is_fitted(self)
        return self._of_rows(X, lambda params, x: hidden(params[:-1], x, ACTIVATION))

    def transform_layers(self, X):
        """Compute every hidden layer of the net.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Missing entries (NaN) are replaced by their means given the rest of the row,
            inferred by mean field in the pre-trained first layer.

        Returns
        -------
        H : list of ndarray of shape (n_samples, n_hidden)
            From the bottom up.
        """
        check_is_fitted(self)

        def layers(params, x):
            found = []
            for layer in params[:-1]:
                x = hidden((layer,), x, ACTIVATION)
                found.append(x)
            return np.concatenate(found, axis=1)

        widths = [len(b) for b in self.intercepts_[:-2]]
        return np.split(self._of_rows(X, layers), np.cumsum(widths), axis=1)

    def inverse_transform(self, H):
        """Means of visible units given the last hidden layer.

        The pre-trained network computes them.

        Parameters
        ----------
        H : array-like of shape (n_samples, n_hidden)
            Values or means of hidden units.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        return self.dbn_.inverse_transform(H)

    def sample(
        self,
        n_samples=1,
        random_state=None,
        *,
        init="chains",
        n_steps=100,
        burn_in=0,
        thin=None,
    ):
        """Draw rows from the pre-trained network.

        Parameters
        ----------
        n_samples : int, default=1
        random_state : int, RandomState instance or None, default=None
        init, n_steps, burn_in, thin
            As in :meth:`DBN.sample`.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        options = {"init": init, "n_steps": n_steps, "burn_in": burn_in, "thin": thin}
        return self.dbn_.sample(n_samples, random_state, **options)

    def impute(self, X, *, method="mean", n_steps=100, random_state=None):
        """Fill missing entries, given the rest of their row.

        The pre-trained network infers them.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        method, n_steps, random_state
            As in :meth:`DBN.impute`.

        Returns
        -------
        X_filled : ndarray of shape (n_samples, n_features)
            Observed entries are unchanged.
        """
        check_is_fitted(self)
        options = {"n_steps": n_steps, "random_state": random_state}
        return self.dbn_.impute(X, method=method, **options)

    def score_samples(self, X):
        """Log-likelihood of each row, or a lower bound on it, in nats.

        It is that of the pre-trained network; see :meth:`DBN.score_samples`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN marks a missing value.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        return self.dbn_.score_samples(X)

    @property
    def density_kind_(self):
        """Meaning of ``score_samples``: "exact", "lower bound" or "estimate"."""
        check_is_fitted(self)
        return self.dbn_.density_kind_

    def _log_partition(self):
        """Log Z of the top-level machine and its standard error."""
        return self.dbn_.log_Z_, self.dbn_.log_Z_se_

    def _bracket(self, *effort, **options):
        return self.dbn_._bracket(*effort, **options)

    def _problem(self, n_chains, seed=None):
        return self.dbn_._problem(n_chains, seed)

    def _numerator(self, X, n_draws):
        return self.dbn_._numerator(X, n_draws)

    def _trace(self, n_samples, random_state, **options):
        return self.dbn_._trace(n_samples, random_state, **options)

    def _annealed(self, X, rng, annealing):
        return self.dbn_._annealed(X, rng, annealing)

    def _visible_fields(self, n_samples, rng, n_steps):
        return self.dbn_._visible_fields(n_samples, rng, n_steps)

    def _outputs(self, X):
        """Pre-activations of the output layer."""
        check_is_fitted(self)
        return self._of_rows(X, lambda params, x: forward(params, x, ACTIVATION))

    def _of_rows(self, X, function):
        """Apply a function of the net and its inputs, a block of rows at a time."""
        rows, params = self._rows(X), self._net()

        def of_rows(v):
            return function(params, self._filled(np.asarray(v)))

        return self._blockwise(of_rows, rows, of_rows)

    def _filled(self, v):
        """Inputs of the net: rows with means in place of missing entries."""
        holes = np.isnan(v).any(axis=1)
        if not holes.any():
            return v
        layer, v = self.dbn_._layer(0), v.copy()
        v[holes] = layer.means(*self.dbn_.layers_[0]._present(v[holes]))[0]
        return v

    def _begun(self):
        """Parameters of the net before fine-tuning."""
        layers = self.dbn_._recognisers()
        sizes = [layer.units[1].size for layer in layers]
        rng = stream(self._seed, INIT).generator()
        sizes = [self.n_features_in_, *sizes, self.n_outputs_]
        *given, (W, b) = init(rng, sizes, ACTIVATION, self._dtype)
        for number, (machine, layer) in enumerate(zip(self.dbn_.layers_, layers)):
            if machine.n_iter_:
                given[number] = _seen_as_net(layer, self._dtype)
        return (*given, Layer(np.zeros_like(W), np.zeros_like(b)))

    def _net(self):
        """Parameters of the net."""
        return tuple(map(Layer, self.coefs_, self.intercepts_))

    @property
    def _domain(self):
        return self.dbn_._domain if "dbn_" in vars(self) else self._asked_domain

    @property
    def _dtype(self):
        return self.dbn_._dtype

    @property
    def _columns(self):
        return self.dbn_._columns

    @property
    def _n_features_out(self):
        return len(self.intercepts_[-2])


def _seen_as_net(layer, dtype):
    """Convert a layer's recognition to a layer of a net.

    The weights of real units apply to their statistics, which are multiples of the
    values.
    """
    (below, above), (W,) = layer.recognition
    ones = np.ones((1, len(W)), dtype)
    scale = np.asarray(layer.units[0].statistic(below, ones)).reshape(-1, 1)
    return Layer((W * scale).astype(dtype), above.astype(dtype))
