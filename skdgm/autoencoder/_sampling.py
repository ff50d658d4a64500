"""Samples of whole rows and of missing entries."""

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted

from skdgm.data import fill
from skdgm.nets import halves
from skdgm.utils.counts import count, count_rows
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.threads import one_blas_thread

_LATENT, _DOWN, _DATA, _CHOICE = range(100, 104)
# Number of iterations of filling by means, to find a proposal.
_SETTLED = 10
SAMPLERS = "importance", "metropolis", "gibbs"


class SamplingMixin:
    """``sample``, ``inverse_transform`` and ``impute``, for an estimator with
    ``_hierarchy()``, ``_net()`` and ``_domain``."""

    def sample(self, n_samples=1, random_state=None):
        """Draw rows from the model: latent units, then data given these.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            See :meth:`inverse_transform` for means in place of draws.
        """
        check_is_fitted(self)
        n_samples = count_rows(n_samples, self.n_features_in_)
        seed = check_random_state(random_state).randint(MAX_SEED)
        rng, net = stream(seed).rows(n_samples), self._net()
        n_latent = self._n_features_out
        with one_blas_thread():
            z = rng.fold(_LATENT).normal(n_latent, self._dtype)
            out = self._hierarchy().downwards(*net, z, rng.fold(_DOWN))
            drawn = net[0].own, rng.fold(_DATA)
            v = self._domain.draw(self._columns, out, *drawn)
        return self._domain.to_data(self._columns, v)

    def inverse_transform(self, Z):
        r"""Expected data given latent units, :math:`\mathbb{E}[x \mid z]`.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)
            Latent units of the highest layer.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Means; with ``decoder="categorical"`` the most probable codes.

        Raises
        ------
        ValueError
            Z does not have a column for each latent unit.
        """
        check_is_fitted(self)
        Z = check_array(Z, dtype=self._dtype)
        if Z.shape[1] != self._n_features_out:
            raise ValueError(
                f"Z has {Z.shape[1]} columns, but {type(self).__name__} has "
                f"{self._n_features_out} latent units."
            )
        domain, columns = self._domain, self._columns
        with one_blas_thread():
            out = self._hierarchy().downwards(*self._net(), Z)
            v = domain.value(columns, domain.mean(columns, out))
        return domain.to_data(columns, v)

    def impute(
        self, X, *, method="mean", sampler="importance", n_steps=100, random_state=None
    ):
        r"""Fill missing entries, given the others of their row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        method : {"mean", "sample"}, default="mean"
            "mean" returns means (probabilities of bits; the most probable codes), the
            same at each call; "sample" returns draws.
        sampler : {"importance", "metropolis", "gibbs"}, default="importance"
            "importance" weights ``n_steps`` draws of latent units, given a first guess
            of the missing entries, by :math:`p(x_\text{seen}, z) / q(z \mid x)`.
            "gibbs" alternates draws of latent units by the encoder and of missing
            entries by the decoder, which is exact only if the encoder is; "metropolis"
            corrects this by accepting or rejecting the draws of latent units.
        n_steps : int, default=100
            Number of draws, or of steps of the chain.
        random_state : int, RandomState instance or None, default=None
            For "sample".

        Returns
        -------
        X_filled : ndarray of shape (n_samples, n_features)
            Entries that are not missing are unchanged.

        Raises
        ------
        ValueError
            ``method`` or ``sampler`` is none of these.
        """
        check_is_fitted(self)
        n_steps = count(n_steps, "n_steps")
        if sampler not in SAMPLERS:
            raise ValueError(f"sampler must be one of {SAMPLERS}, not {sampler!r}.")
        way = self._weighed if sampler == "importance" else self._chained

        def filled(v, rng):
            given = v, self._guess(v), rng, n_steps, method
            return way(*given, sampler == "metropolis")

        return fill(self, X, method, random_state, filled)

    def _guess(self, v):
        """Rows with missing entries filled by means, iterated."""
        missing, hierarchy, net = np.isnan(v), self._hierarchy(), self._net()
        domain, columns = self._domain, self._columns
        guess = v
        for _ in range(_SETTLED):
            top = hierarchy.upwards(*net, domain.inputs(columns, guess))[-1]
            mean = domain.mean(columns, hierarchy.downwards(*net, top))
            guess = np.where(missing, domain.value(columns, mean), v)
        return guess

    def _weighed(self, v, guess, rng, n_steps, method, _):
        """Fill by importance sampling: a weighted mean, or a draw by weight."""
        hierarchy, (params, memory) = self._hierarchy(), self._net()
        domain, columns = self._domain, self._columns
        x = domain.inputs(columns, guess)
        high, total, norm, best, out = -np.inf, 0.0, 0.0, -np.inf, 0.0
        for number in range(n_steps):
            own = rng.fold(number)
            found = hierarchy.through(params, memory, x, hierarchy.noise(own, 1))
            log_w = -domain.loss(columns, found.out, params.own, v) - found.gap
            log_w = log_w.astype(np.float64)[:, None]
            if method == "mean":
                before, high = high, np.maximum(high, log_w)
                shrunk, w = np.exp(before - high), np.exp(log_w - high)
                norm = shrunk * norm + w
                total = shrunk * total + w * domain.mean(columns, found.out)
            else:  # The largest of log weight plus Gumbel noise is a draw by weight.
                uniform = log_w + _gumbel(own.fold(_CHOICE))
                out = np.where(uniform > best, found.out, out)
                best = np.maximum(best, uniform)
        if method == "mean":
            return domain.value(columns, (total / norm).astype(v.dtype))
        return domain.draw(columns, out, params.own, rng.fold(_DATA))

    def _chained(self, v, guess, rng, n_steps, method, correct):
        """Fill by a Markov chain: the mean over its steps, or its last state."""
        hierarchy, (params, memory) = self._hierarchy(), self._net()
        domain, columns, missing = self._domain, self._columns, np.isnan(v)
        z, out, total, x = None, None, 0.0, guess

        def weight(found):
            return -domain.loss(columns, found.out, params.own, x) - found.gap

        for number in range(n_steps):
            own, inputs = rng.fold(number), domain.inputs(columns, x)
            new = hierarchy.through(params, memory, inputs, hierarchy.noise(own, 1))
            moved = np.ones(len(v), bool)
            if correct and z is not None:
                old = hierarchy.through(params, memory, inputs, _undone(z))
                ratio = weight(new) - weight(old)
                uniform = own.fold(_CHOICE).uniform(1)[:, 0]
                moved = uniform < np.exp(np.minimum(ratio, 0))
            if z is None:
                z, out = new.z, new.out
            z = [np.where(moved[:, None], *pair) for pair in zip(new.z, z)]
            out = np.where(moved[:, None], new.out, out)
            drawn = domain.draw(columns, out, params.own, own.fold(_DATA))
            x, total = np.where(missing, drawn, v), total + domain.mean(columns, out)
        return x if method == "sample" else domain.value(columns, total / n_steps)


def _undone(z):
    """Source of the noise for which latent units have given values."""

    def source(level, stats):
        mean, log_var = halves(stats)
        return (z[level] - mean) * np.exp(-0.5 * log_var)

    return source


def _gumbel(rng):
    """Gumbel noise, one number for each row."""
    return -np.log(-np.log(rng.uniform(1) + 2.0**-33))
