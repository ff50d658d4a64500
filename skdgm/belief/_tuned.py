"""What is there of a belief network that was tuned as a net: features of the net, and
what the network that it began as says of data."""

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
    """Base class of belief networks with outputs, which have ``dbn_`` when fitted."""

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
        """The last hidden layer of the net.

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
        """Every hidden layer of the net.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            What is missing is taken to be its mean, given the rest of the row, by the
            mean field of the pre-trained first layer.

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
        """Visible units' means given the last hidden layer, by the pre-trained network.

        Parameters
        ----------
        H : array-like of shape (n_samples, n_hidden)

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
            As of :meth:`DBN.sample`.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self)
        options = {"init": init, "n_steps": n_steps, "burn_in": burn_in, "thin": thin}
        return self.dbn_.sample(n_samples, random_state, **options)

    def impute(self, X, *, method="mean", n_steps=100, random_state=None):
        """Fill missing entries, given the others of their row, by the pre-trained
        network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        method, n_steps, random_state
            As of :meth:`DBN.impute`.

        Returns
        -------
        X_filled : ndarray of shape (n_samples, n_features)
            What is known stays as it is.
        """
        check_is_fitted(self)
        options = {"n_steps": n_steps, "random_state": random_state}
        return self.dbn_.impute(X, method=method, **options)

    def score_samples(self, X):
        """The rows' log-likelihood under the pre-trained network, or a bound on it, in
        nats; see :meth:`DBN.score_samples`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        return self.dbn_.score_samples(X)

    @property
    def density_kind_(self):
        """Whether ``score_samples`` is "exact", a "lower bound" or an "estimate"."""
        check_is_fitted(self)
        return self.dbn_.density_kind_

    def _log_partition(self):
        """Log Z of the top machine and its standard error."""
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
        """The output layer, before its non-linearity."""
        check_is_fitted(self)
        return self._of_rows(X, lambda params, x: forward(params, x, ACTIVATION))

    def _of_rows(self, X, function):
        """A function of the net and of its inputs, a block of rows at a time."""
        rows, params = self._rows(X), self._net()

        def of_rows(v):
            return function(params, self._filled(np.asarray(v)))

        return self._blockwise(of_rows, rows, of_rows)

    def _filled(self, v):
        """Rows as the net's inputs: means for what is missing."""
        holes = np.isnan(v).any(axis=1)
        if not holes.any():
            return v
        layer, v = self.dbn_._layer(0), v.copy()
        v[holes] = layer.means(*self.dbn_.layers_[0]._present(v[holes]))[0]
        return v

    def _begun(self):
        """The net as it is before it is tuned."""
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
        """The net's parameters."""
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
    """A layer's recognition as one of a net. Real units are seen by their statistics,
    which are multiples of them."""
    (below, above), (W,) = layer.recognition
    ones = np.ones((1, len(W)), dtype)
    scale = np.asarray(layer.units[0].statistic(below, ones)).reshape(-1, 1)
    return Layer((W * scale).astype(dtype), above.astype(dtype))
