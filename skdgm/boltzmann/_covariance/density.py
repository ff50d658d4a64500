"""Densities of energies whose hidden units set covariances."""

import numpy as np
from scipy.special import logsumexp
from sklearn.utils import check_random_state

from skdgm.base import Density
from skdgm.boltzmann._covariance.annealing import MovesPath, bracket, log_integral
from skdgm.data import fill
from skdgm.partition import LogPartition
from skdgm.partition.bracket import exactly
from skdgm.samplers import State
from skdgm.utils.counts import count, count_rows
from skdgm.utils.random import LIKELIHOOD, MAX_SEED, stream
from skdgm.utils.threading.threads import one_blas_thread

# Number of steps of chains that draw missing entries, for features.
_INFERRED = 30
# Number of rows processed at a time.
_BLOCK = 500


class CovarianceDensity(Density):
    """Density of rows. ``moves`` has the samplers of the energy, ``state`` is a
    training state, and ``log_Z`` a :class:`~skdgm.partition.LogPartition` that
    densities share."""

    def __init__(self, context, *, moves, state, log_Z=None):
        super().__init__(context)
        self.moves, self.energy = moves, moves.energy
        self.params, self.chains = state.params, state.chains
        self.size = float(np.exp(state.log_size[0]))
        self.guide = moves.guide(self.params, self.chains)
        self.known_log_Z = log_Z or LogPartition({})

    @property
    def capabilities(self):
        """Log Z is an estimate or, with few spikes, exact; missing entries are
        sampled."""
        kind = "exact" if self.moves.exact(self.params) else "estimate"
        return {
            "log_prob": {"complete": kind, "missing": kind},
            "free_energy": {"complete": "exact", "missing": kind},
            "features": {"complete": "exact", "missing": "estimate"},
            "inverse": {"unconditional": "exact"},
            "sample": {"unconditional": kind},
            "fill": {"missing": "estimate"},
            "log_partition": {"unconditional": kind},
            "bracket": {"unconditional": kind},
            "numerator": {"complete": "exact", "missing": kind},
        }

    @property
    def dtype(self):
        """Type of the parameters."""
        return self.params.dtype.type

    @property
    def n_features_out(self):
        return self.energy.n_hidden(self.params)

    def log_partition(self):
        return self.known_log_Z.bracketed(self.bracket)

    def bracket(self, n_chains=100, options=None, seed=None, max_bits=None):
        """Bracket of log Z by annealed importance sampling in both directions, with
        ``n_chains`` chains each."""
        if self.moves.exact(self.params):
            log_Z = logsumexp(self.energy.patterns(self.params).log_w)
            return exactly(float(log_Z), n_chains)
        rng = stream(self.seed if seed is None else seed, LIKELIHOOD)
        path = MovesPath(self.moves, self.params, self.size, self.guide)
        with one_blas_thread():
            return bracket(rng, path, self.chains, self.name, n_chains, options)

    def numerator(self, X, n_draws=None):
        """Log-likelihoods of rows without log Z, their standard errors, and their
        kind."""
        rows = self.read(X)
        free_energy, se = self._free(rows).T
        exact = rows.complete or self.moves.exact(self.params)
        kind = "exact" if exact else "estimate"
        return self.domain.log_volume(self.columns, rows) - free_energy, se, kind

    def log_prob(self, X):
        return self.numerator(X)[0] - self.log_partition()[0]

    def free_energy(self, X):
        """Free energy of each row, in nats."""
        return self._free(self.read(X))[:, 0]

    def _free(self, rows):
        """Free energies and their standard errors, of shape (n_rows, 2)."""

        def of_rows(v, rng):
            F, incomplete = np.zeros((len(v), 2)), np.isnan(v).any(axis=1)
            F[~incomplete, 0] = self.energy.value(self.params, (v[~incomplete],))[0]
            if incomplete.any() and self.moves.exact(self.params):
                F[incomplete, 0] = -self.energy.log_marginal(self.params, v[incomplete])
            elif incomplete.any():
                streams = rng.take(np.flatnonzero(incomplete))
                log_p, se = log_integral(
                    streams,
                    self.moves,
                    self.params,
                    v[incomplete],
                    self.size,
                    self.guide,
                )
                F[incomplete] = np.stack([-log_p, se], axis=1)
            return F

        return self.by_content(of_rows, rows, _BLOCK)

    def features(self, X):
        """Means of the hidden units; averaged over draws if entries are missing."""

        def of_rows(v, rng):
            means = np.empty((len(v), self.n_features_out), self.dtype)
            incomplete = np.isnan(v).any(axis=1)
            means[~incomplete] = np.hstack(
                self.energy.hidden(self.params, v[~incomplete])
            )
            if incomplete.any():
                streams = rng.take(np.flatnonzero(incomplete))
                draws = self._completed(v[incomplete], streams, _INFERRED)
                means_of_draws = [
                    np.hstack(self.energy.hidden(self.params, v)) for v in draws
                ]
                means[incomplete] = np.mean(means_of_draws, axis=0)
            return means

        return self.by_content(of_rows, self.read(X), _BLOCK)

    def inverse(self, H):
        H = self.checked(H, self.dtype, "hidden units")
        v = self.energy.mean(self.params, H)
        return self.domain.to_data(self.columns, v)

    def covariance(self, X):
        """Covariances of columns given the means of the hidden units, (n_rows,
        n_columns, n_columns)."""
        H = self.features(X).astype(float)
        covariances = np.linalg.inv(self.energy.precisions(self.params, H))
        return covariances * np.multiply.outer(self.columns.scale, self.columns.scale)

    def sample(self, n_samples, random_state=None, *, n_steps=20):
        """Draw rows by chains of ``n_steps`` steps."""
        n_samples = count_rows(n_samples, self.chains.shape[1])
        n_steps = count(n_steps, "n_steps")
        seed = check_random_state(random_state).randint(MAX_SEED)
        rng = stream(seed).rows(n_samples)
        v = self.chains[np.arange(n_samples) % len(self.chains)]
        with one_blas_thread():
            sampler = self.moves.sampler(self.size, self.guide)
            state, _ = sampler.step(rng, self.params, State((v,)), n_steps)
        return self.domain.to_data(self.columns, state.x[0])

    def fill(self, X, method="mean", random_state=None, *, n_steps=50):
        """Impute missing entries by clamped chains of ``n_steps`` steps."""
        n_steps = count(n_steps, "n_steps")

        def filled(block):
            draws = self._completed(block.v, block.rng, n_steps)
            return draws[-1] if method == "sample" else np.mean(draws, axis=0)

        return fill(self, X, method, random_state, filled)

    def _completed(self, v, rng, n_steps):
        """Rows with missing entries drawn, after each step of the second half of the
        chain."""
        known = ~np.isnan(v)
        sampler = self.moves.sampler(self.size, self.guide, (known,))
        state, draws = State((np.nan_to_num(v),)), []
        for number in range(n_steps):
            state, _ = sampler.step(rng, self.params, state, first=number)
            draws.append(state.x[0])
        return draws[n_steps // 2 :]
