r"""Density of rows that a map with an inverse makes standard normal.

.. math:: p(x) = \mathcal{N}(f(x); 0, I) \left\lvert \det \frac{\partial f}{\partial x}
   \right\rvert, \qquad p(x_o) = \mathbb{E}_{q(x_m \mid x_o)} \left[
   \frac{p(x_o, x_m)}{q(x_m \mid x_o)} \right]
"""

import numpy as np
from sklearn.utils import check_random_state

from skdgm.base import Density
from skdgm.data import fill
from skdgm.flows._likelihood import ROOM, loss_of
from skdgm.flows._normal import start_of
from skdgm.latent.filling import by_weight
from skdgm.nets import layers_of
from skdgm.utils.counts import count_rows
from skdgm.utils.math import log_mean_exp
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import astype

# Draws are from distributions wider than those of the normal distribution.
_SPREAD = 1.25


class FlowDensity(Density):
    """Density of rows by a flow.

    Besides the arguments of :class:`~skdgm.base.Density` it has ``net``, functions of a
    ``serial``; its ``params`` and ``statistics``; ``place``, the number of its
    whitening, if any; ``n_draws`` of missing entries for each row; and ``width``, the
    most numbers of a layer for one row.
    """

    def __init__(self, *common, net, params, statistics, place, n_draws, width):
        super().__init__(*common)
        self.net, self.params, self.statistics = net, params, statistics
        self.normal = start_of(statistics, place)
        self.n_draws, self.width = n_draws, width

    @property
    def capabilities(self):
        """Exact, but for rows with missing entries."""
        rows = {"complete": "exact", "missing": "estimate"}
        return {
            "log_prob": rows,
            "features": rows,
            "inverse": {"nothing": "exact"},
            "sample": {"nothing": "exact"},
            "fill": {"missing": "estimate"},
        }

    @property
    def dtype(self):
        """Type of the parameters."""
        return next(layers_of(self.params)).b.dtype.type

    @property
    def n_features_out(self):
        """Number of columns of the code: that of the data."""
        return len(self.columns.seen)

    def log_prob(self, X):
        """Log-likelihood of each row, in nats."""
        rows = self.read(X)

        def of_rows(v, rng):
            found, holes = np.empty(len(v)), np.isnan(v).any(axis=1)
            found[~holes] = self._log_p(v[~holes])
            if holes.any():
                given = self.normal.given(v[holes])
                own = rng.take(np.flatnonzero(holes))
                draws = (self._drawn(given, own.fold(k)) for k in range(self.n_draws))
                found[holes] = log_mean_exp(np.stack([log_w for log_w, _ in draws]))[0]
                # Nothing has a probability of one.
                found[np.isnan(v).all(axis=1)] = 0
            return found

        return self._of_rows(of_rows, rows) + self.domain.log_volume(self.columns, rows)

    def features(self, X):
        """Code of each row; the expected one where entries are missing."""

        def of_rows(v, rng):
            found = np.empty_like(v)
            holes = np.isnan(v).any(axis=1)
            found[~holes] = self._code(v[~holes])
            if holes.any():
                own, rng = v[holes], rng.take(np.flatnonzero(holes))
                found[holes] = self._weighed(own, rng, "mean", self._code)
            return found

        return self._of_rows(of_rows, self.read(X))

    def inverse(self, H):
        """Rows of codes."""
        return self._decoded(self.checked(H, self.dtype))

    def sample(self, n_samples, random_state=None):
        """Draw rows."""
        n_samples = count_rows(n_samples, self.n_features_out)
        seed = check_random_state(random_state).randint(MAX_SEED)
        rng = stream(seed).rows(n_samples)
        return self._decoded(rng.normal(self.n_features_out, self.dtype))

    def fill(self, X, method="mean", random_state=None, n_samples=1):
        """Fill missing entries of ``n_samples`` copies of each row."""
        n_samples = count_rows(n_samples, self.n_features_out)

        def filled(v, rng):
            return self._weighed(v, rng, method, lambda v: v).astype(v.dtype)

        how = method, random_state, filled
        found = fill(self, self.widened(X), *how, n_draws=n_samples)
        return self.decoded(found, X)

    def _decoded(self, z):
        """Rows of codes, in the form of the data."""
        with one_blas_thread():
            v = self.net.inverse(self.params, self.statistics, z)
        return self.decoded(self.domain.to_data(self.columns, v))

    def _of_rows(self, function, rows):
        return self.by_content(function, rows, ROOM // self.width)

    def _net(self, v):
        return astype((self.params, self.statistics), v.dtype)

    def _log_p(self, v):
        """Log densities of complete rows in units of the model."""
        return -loss_of(self.net, *self._net(v), v).astype(np.float64)

    def _code(self, v):
        return self.net.apply(*self._net(v), v)[0]

    def _drawn(self, given, rng):
        """Log weights of rows with missing entries drawn, and these rows."""
        whole, log_q = given.completed(rng, _SPREAD)
        return self._log_p(whole) - log_q, whole

    def _weighed(self, v, rng, method, function):
        """Weighted mean of a function of completed rows, or one of them by weight."""
        given = self.normal.given(v)

        def draw(rng):
            log_w, whole = self._drawn(given, rng)
            return log_w, function(whole)

        return by_weight(draw, rng, self.n_draws, method)
