"""Likelihood quantities of layered Boltzmann machines for :mod:`skdgm.metrics`."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdgm.boltzmann._visible import BINARY
from skdgm.exceptions import LikelihoodWarning
from skdgm.partition import Problem, ais, bracket, estimate, exact
from skdgm.samplers import gibbs
from skdgm.utils.hashing import row_hash
from skdgm.utils.purposes import LIKELIHOOD
from skdgm.utils.random import stream
from skdgm.utils.threads import one_blas_thread
from skdgm.utils.tree import leaves
from skdgm.utils.warn import warn

N_CHAINS = 100


class EvidenceMixin:
    """Log Z and log-likelihoods, for a :class:`~skdgm.boltzmann._machine.Machine`."""

    def _bracket(
        self, n_chains=N_CHAINS, effort=None, seed=None, max_bits=None, compare=True
    ):
        """Bracket of log Z from both sides of AIS; exact where that is feasible.

        If ``compare``, warn where samples do not have the means of the training rows.
        """
        energy = self._energy()
        self._check_finite()
        if exact.is_enumerable(energy, max_bits):
            log_Z = exact.log_partition(energy, self._params(np.float64))
            return bracket.exactly(log_Z, n_chains)
        rng, problem = self._problem(n_chains, seed)
        with one_blas_thread():
            found = bracket.estimate(rng, problem, effort)
        if compare and self._fits_means:
            mean = self._mean_near(found.means[0])
            if text := estimate.unlike(found.means[0], mean, n_chains):
                warn(f"{type(self).__name__}: {text}", LikelihoodWarning)
        return found

    def _mean_near(self, found):
        """Means of the training rows, or what is nearer between these and the smoothed
        means with which biases start; NaN where nothing was observed."""
        seen, total = self._columns.seen, self._columns.total
        mean = np.divide(total, seen, out=np.full_like(total, np.nan), where=seen > 0)
        smooth = self._domain.moments(self._columns)
        return np.clip(found, np.minimum(mean, smooth), np.maximum(mean, smooth))

    @property
    def _fits_means(self):
        """Whether learning gives the model the means of its columns, which are bits."""
        objective = getattr(self._options, "objective", "generative")
        return self._domain is BINARY and objective == "generative"

    def _problem(self, n_chains, seed=None):
        """Random stream, and the problem of which log Z is estimated."""
        self._check_finite()
        rng = stream(self._seed if seed is None else seed, LIKELIHOOD)
        energy, params = self._energy(), self._params_for_chains()
        with one_blas_thread():
            start = self._chain_starts("chains", n_chains, rng.fold(0))
        return rng.fold(1), Problem(energy, params, start, self._moments(energy))

    def _numerator(self, X, n_draws):
        """Log-likelihoods before log Z is subtracted, standard errors, and density
        kind."""
        rows = self._rows_for_likelihood(X)
        log_p = self._domain.log_volume(self._columns, rows) - self._free_energy(rows)
        sure = rows.complete or exact.is_enumerable(self._energy())
        return log_p, np.zeros_like(log_p), "exact" if sure else "lower bound"

    def _annealed(self, X, rng, annealing):
        """Conservative log-likelihoods of rows, from one annealed chain for each."""
        check_is_fitted(self)
        rows = complete(self._rows(X), "Annealing from rows")
        rng, log_p = rng.rows(row_hash(rows)), []
        with one_blas_thread():
            for part in rows.blocks():
                own = rows.present(part), rng.take(part)
                log_p.append(self._log_annealed(*own, annealing))
        volume = self._domain.log_volume(self._columns, rows)
        return np.concatenate(log_p) + volume

    def _log_annealed(self, v, rng, annealing):
        """Conservative log-likelihoods of values of the visible units."""
        energy, params = self._energy(), self._params_for_chains()
        x, log_q = self._drawn_even(energy, params, *self._present(v), rng)
        base, betas, n_jobs = annealing
        given = energy, params, base, gibbs.State(x), betas, n_jobs
        return ais.conservative(rng, *given) - log_q

    def _drawn_even(self, energy, params, x, clamp, rng):
        """Values of the even layers, with those above the data drawn, and the log
        probabilities of these draws."""
        return x, 0.0

    def _visible_fields(self, n_samples, rng, n_steps):
        """Unit of the visible block, and its natural parameters given samples."""
        energy, params = self._energy(), self._params_for_chains()
        with one_blas_thread():
            state = self._chain_starts("chains", n_samples, rng.fold(0))
            state = self._gibbs(params, rng.fold(1), state, n_steps)
            eta = energy.field(params, 0, energy.received(params, state.x, 0))
        return energy.units[0], eta

    def _check_finite(self):
        if not all(np.isfinite(leaf).all() for leaf in leaves(self._params())):
            raise ValueError(
                f"This {type(self).__name__} has weights or biases that are not "
                "finite: there is no likelihood. Fit it anew."
            )


def complete(rows, what):
    """Return rows if no values are missing.

    Parameters
    ----------
    rows : Rows
    what : str
        Name of the method that needs complete rows, for the message.

    Returns
    -------
    rows : Rows

    Raises
    ------
    ValueError
        Values are missing.
    """
    if not rows.complete:
        raise ValueError(
            f"X has missing values (NaN). {what} cannot be done with these: use "
            "score_samples, or fill them by impute."
        )
    return rows
