r"""Densities of rows under layered energies.

.. math:: \log p(v) = -F(v) - \log Z, \qquad F(v) = -\log \sum_h e^{-E(v, h)}
"""

from functools import partial
from typing import Any

import numpy as np

from skdgm.base import MissingCapability, by_blocks, of_rows
from skdgm.boltzmann._density.unnormalized import Unnormalized
from skdgm.boltzmann.learning.state import clamp_rows
from skdgm.couplings import Weights
from skdgm.data import fill
from skdgm.inference import bound, last_means, mean_field
from skdgm.partition import exact
from skdgm.typing import Data
from skdgm.utils.counts import count
from skdgm.utils.lists import Values
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import astype


class EnergyDensity(Unnormalized):
    """Density of a machine with one hidden layer."""

    # Whether features are functions of products with the weights, and hence equal, bit
    # for bit, for dense rows and for lists.
    _from_products = True

    @property
    def capabilities(self):
        return super().capabilities | {
            "pseudo_likelihood": of_rows("exact", missing="estimate"),
            "inverse": {"unconditional": "exact"},
        }

    @property
    def n_features_out(self):
        return self.energy.units[-1].size

    def log_prob(self, X):
        return self._unnormalized(self.rows(X)) - self.log_partition()[0]

    def numerator(self, X: Data, n_draws: int | None = None) -> tuple:
        """Log-likelihood of each row without log Z, in nats; its standard error by
        importance sampling with ``n_draws`` draws, if needed; and its kind, "exact",
        "lower bound" or "estimate"."""
        rows = self.rows(X)
        log_p = self._unnormalized(rows)
        return log_p, np.zeros_like(log_p), self.require("numerator", rows)

    def _unnormalized(self, rows):
        volume = self.domain.log_volume(self.columns, rows)
        return volume - self._free_energy(rows)

    def free_energy(self, X):
        """Free energy of each row, in nats, with missing entries marginalized."""
        return self._free_energy(self.rows(X))

    def _free_energy(self, rows):
        params = self.params_for(rows, rows.dtype)

        def of_rows(v):
            x, clamp = self.clamp_rows(v)
            return -self.log_weight(params, x, clamp)

        return by_blocks(of_rows, rows)

    def log_weight(self, params, x, clamp):
        """Log of the sum of exp(-E) over all entries that are not clamped, or a lower
        bound, (n_rows,)."""
        if all(clamped is True for clamped in clamp[: self.n_visible]):
            return self.energy.log_marginal(params, x)
        if self.enumerable:
            return exact.log_evidence(self.energy, params, x, clamp)
        means, _ = mean_field(self.energy, params, x, clamp)
        return bound(self.energy, params, means, clamp)

    def pseudo_likelihood(self, X):
        """Log pseudo-likelihood of the observed entries of each row, in nats."""
        rows = self.read(X, dtype=np.float64)
        self.require("pseudo_likelihood", rows)
        params, log_p = astype(self.params, np.float64), self.domain.log_conditionals

        def of_complete(v):
            return log_p(self.energy, params, self.clamp_rows(v)[0], None).sum(axis=1)

        def of_incomplete(v):
            x, clamp = self.clamp_rows(v)
            means, _ = mean_field(self.energy, params, x, clamp)
            of_columns = log_p(self.energy, params, means, None)
            return of_columns.sum(axis=1, where=~np.isnan(v))

        volume = self.domain.log_volume(self.columns, rows)
        return volume + by_blocks(of_complete, rows, of_incomplete)

    def pair(self, dtype=None):
        """Energy and parameters of data and hidden units, without a label."""
        return self.energy, astype(self.params, dtype)

    def features(self, X):
        return self.features_of(self.read(X, dtype=self.params.dtype.type))

    def features_of(self, rows, index=None):
        """Means of the hidden units of all rows, or of the rows at an index."""
        params = self.params_for(rows, index=index)

        def of_rows(v):
            x, clamp = self.clamp_rows(v)
            return self.hidden_means(params, x, clamp)

        # Without tiles, lists would be converted back.
        tiles = isinstance(params.couplings[0], Weights)
        lists = False if self._from_products and not tiles else None
        return by_blocks(of_rows, rows, index=index, lists=lists)

    def hidden_means(self, params, x, clamp):
        """Means of the hidden units given the clamped entries, (n_rows,
        n_features_out)."""
        if clamp[0] is True:
            return last_means(self.energy, params, x, clamp)[-1]
        return mean_field(self.energy, params, x, clamp)[0][-1]

    def log_joint_of(self, rows):
        """Log of the unnormalized probability of each row with each label, (n_rows,
        n_classes). MissingCapability if the machine has no label."""
        params = self.params_for(rows, rows.dtype)

        def of_rows(v):
            x, clamp = self.clamp_rows(v)
            return self.log_joint(params, x, clamp)

        return by_blocks(of_rows, rows)

    def log_joint(self, params: Any, x: tuple, clamp: tuple) -> np.ndarray:
        """As :meth:`log_joint_of`, for values of blocks; the label in ``x`` is
        ignored."""
        raise MissingCapability(self.name, "log_joint_of")

    def inverse(self, H):
        H = self.checked(H, self.params.dtype, f"hidden units{self._of_layers}")
        with one_blas_thread():
            v = self.visible_means(H)
        return self.decoded(self.domain.to_data(self.columns, v))

    # End of the error message of inverse.
    _of_layers = ""

    def visible_means(self, H):
        """Means of the visible units given hidden units, on the scale of the model."""
        x = (None,) * (len(self.energy.units) - 1) + (H,)
        return self.energy.units[0].mean(self._field(self.params, x))

    def sample(self, n_samples, random_state=None, **options):
        """Draw rows by blocked Gibbs sampling; options are those of
        :meth:`~skdgm.boltzmann._density.chains.MachineChains.collect`."""
        (v,) = self.chains.collect(self._visible, n_samples, random_state, **options)
        return self.decoded(self.domain.to_data(self.columns, v))

    def trace(self, n_samples, random_state=None, **options):
        """Draw rows as :meth:`sample` does. Also returns the free energies of the even
        layers, in nats, on which alone the chains depend."""
        params = self.params_for_chains

        def look(state):
            return *self._visible(state), -self.energy.log_marginal(params, state.x)

        v, trace = self.chains.collect(look, n_samples, random_state, **options)
        return self.domain.to_data(self.columns, v), trace

    def fill(self, X, method="mean", random_state=None, *, n_steps=100):
        """Impute missing entries by chains of ``n_steps`` Gibbs steps; see
        :class:`~skdgm.base.Density`."""
        n_steps = count(n_steps, "n_steps")

        def filled(block):
            return self.chains.filled(block.v, block.rng, n_steps, method)

        rows = fill(self, self.with_missing_columns(X), method, random_state, filled)
        return self.decoded(rows, X)

    # Number of visible blocks, which come first.
    n_visible = 1

    def visible_of(self, x):
        """Values of the table, an ndarray, for values of the visible blocks."""
        return np.asarray(x[0])

    def _visible(self, state):
        """Visible units of chains, in a tuple of one array."""
        return (self.visible_of(state.x),)

    def starts(self, params, x, clamp, rng):
        """Values of the even layers from which chains start, given the visible
        values."""
        return self.drawn_even(params, x, clamp, rng)[0]

    def clamp_rows(self, v: Values) -> tuple:
        fill = partial(self.domain.fill, self.columns)
        return clamp_rows(v, fill, len(self.energy.units))
