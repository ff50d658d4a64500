r"""Density of rows that a generator draws: an estimate around some of its draws.

.. math:: \log \hat p(x) = \log \frac1m \sum_{i=1}^m \prod_j k_j(x_j, s_{ij})

for draws :math:`s_i` [1]_, with normal kernels of one bandwidth for real columns, in
units of the model, and for bits and columns of K categories the kernels [2]_

.. math:: k(x, s) = \begin{cases} 1 - \lambda & x = s \\ \lambda / (K - 1) & \text{else}
   \end{cases}

Both widths maximise the likelihood of each draw given the others. The density of
missing entries is one, so all conditional distributions follow: those of a mixture.

References
----------
.. [1] Parzen (1962). On estimation of a probability density function and mode. Annals
   of Mathematical Statistics.
.. [2] Aitchison and Aitken (1976). Multivariate binary discrimination by the kernel
   method. Biometrika.
"""

from hashlib import sha256

import numpy as np
from scipy.special import logsumexp
from sklearn.utils import check_random_state

from skdgm.base import Density
from skdgm.data import BinaryColumns, fill
from skdgm.implicit.inversion import invert
from skdgm.nets import layers_of
from skdgm.nets.discrepancy import squared_distances
from skdgm.utils.counts import count, count_rows
from skdgm.utils.random import LIKELIHOOD, MAX_SEED, stream
from skdgm.utils.threads import one_blas_thread

_LATENT, _EMIT, _NOISE, _CLASS, _CHOICE = range(100, 105)
# Entries of a block of distances; draws among which widths are chosen.
_ENTRIES, _AMONG = 2**22, 1000
# Candidate bandwidths, in units of the median distance to the nearest other draw, the
# least one, and candidate probabilities of another category.
_WIDTHS, _LEAST = np.logspace(-1.0, 0.75, 15), 1e-3
_LAMBDAS = np.logspace(-3, -0.4, 12)
# Widths found last, by a digest of what they follow from: each call has the same draws.
_FOUND, _KEPT = {}, 64


class GreyColumns(BinaryColumns):
    """Columns of grey values in [0, 1], of which there is a density."""

    measure = "density"


class ImplicitDensity(Density):
    """Density of rows drawn by a generator, estimated by kernels around draws.

    Parameters
    ----------
    name, read, domain, columns, seed
        As of :class:`~skdgm.base.Density`.
    generator : Generator
    net : (tuple, tuple)
        Its parameters and statistics.
    n_draws : callable
        Returns the number of draws.
    noise : float
        Standard deviation of the noise of real columns, which is their bandwidth; 0 for
        none.
    shares : ndarray of shape (n_classes,), or None
        Frequencies of the classes.
    hidden : callable, optional
        ``hidden(x)`` returns features of what a discriminator sees; by default features
        are latent units.
    """

    kind = "estimate"

    def __init__(
        self, *common, generator, net, n_draws, noise=0.0, shares=None, hidden=None
    ):
        super().__init__(*common)
        self.generator, self.net, self.n_draws = generator, net, n_draws
        self.emission, self.noise, self.shares = generator.emission, noise, shares
        self.hidden, self._kernels = hidden, None
        if (self.emission.kinds == "grey").all():
            self.domain = GreyColumns()

    def drawn(self, rng, n_rows, codes=None):
        """What a discriminator sees of draws, of shape (n_rows, n_inputs).

        Parameters
        ----------
        rng : Stream
            With a stream for each row.
        n_rows : int
        codes : ndarray of int, optional
            Classes; by default drawn by their frequencies.
        """
        generator, dtype = self.generator, self._dtype
        if self.shares is not None and codes is None:
            codes = self.classes(rng, n_rows)
        z = generator.latent(rng.fold(_LATENT), n_rows, dtype)
        noise = self.emission.noise(rng.fold(_EMIT), n_rows, dtype)
        x, _ = generator.draw(*self.net, generator.given(z, codes), noise)
        return x

    def classes(self, rng, n_rows):
        """Draw classes by their frequencies."""
        uniform = rng.fold(_CLASS).rows(n_rows).uniform(1)[:, 0]
        ends = np.cumsum(self.shares)
        return np.searchsorted(ends / ends[-1], uniform, side="right").clip(
            max=len(ends) - 1
        )

    @property
    def _dtype(self):
        return next(layers_of(self.net[0])).b.dtype.type

    def sample(self, n_samples, random_state=None, codes=None):
        """Draw rows; ``codes`` are classes, by default drawn."""
        n_samples = count_rows(n_samples, len(self.columns.seen))
        rng = stream(check_random_state(random_state).randint(MAX_SEED))
        with one_blas_thread():
            x = self.drawn(rng.rows(n_samples), n_samples, codes)
            if self.noise:
                own = rng.fold(_NOISE).rows(n_samples)
                spread = self.noise * self.emission.continuous
                x = x + own.normal(x.shape[1], x.dtype.type) * spread.astype(x.dtype)
        return self.presented(x)

    def decode(self, Z, codes=None):
        """Rows of latent units, and of classes, in the form of the data."""
        generator, noise = self.generator, self.emission.silence(len(Z), Z.dtype)
        with one_blas_thread():
            x, _ = generator.draw(*self.net, generator.given(Z, codes), noise)
        return self.presented(x)

    def presented(self, x):
        """Rows, in the form of the data, of what a discriminator sees."""
        v = self.domain.to_data(self.columns, self.emission.values(x))
        return self.decoded(v)

    def kernels(self):
        """Draws, and the kernels around them."""
        if self._kernels is None:
            n = count(self.n_draws(), "n_draws")
            with one_blas_thread():
                x = self.drawn(stream(self.seed, LIKELIHOOD).rows(n), n)
                self._kernels = Kernels(self.emission, x.astype(float), self.noise)
        return self._kernels

    def log_prob(self, X):
        """Estimated log density of each row."""
        rows, kernels = self.read(X), self.kernels()

        def of_rows(v, _):
            x, known = self.emission.inputs(v.astype(float))
            return kernels.log_prob(x, known)

        found = self.by_content(of_rows, rows, _ENTRIES // len(kernels.centres))
        return found + self.domain.log_volume(self.columns, rows)

    def fill(self, X, method="mean", random_state=None):
        """Fill missing entries from the mixture of kernels, given the others."""
        kernels, emission = self.kernels(), self.emission

        def filled(v, rng):
            x, known = emission.inputs(v.astype(float))
            log_w = kernels.log_weights(x, known)
            if method == "sample":
                noisy = log_w + rng.fold(_CHOICE).gumbel(log_w.shape[1])
                return emission.values(kernels.centres[noisy.argmax(axis=1)])
            w = np.exp(log_w - log_w.max(axis=1, keepdims=True))
            mean = w @ kernels.centres / w.sum(axis=1, keepdims=True)
            none = mean[:, emission.none]
            mean[:, emission.scores] /= np.where(none > 0, none, 1)
            return emission.values(mean)

        whole = fill(self, self.widened(X), method, random_state, filled)
        return self.decoded(whole, X)

    def features(self, X):
        """Hidden units of the discriminator, or latent units."""
        if self.hidden is None:
            return invert(self, X)
        return self.by_rows(X, self.hidden)

    def by_rows(self, X, function):
        """A function of what a discriminator sees of each row."""

        def of_rows(v, _):
            return function(self.emission.inputs(v)[0])

        return self.by_content(of_rows, self.read(X), _ENTRIES // 2**8)


class Kernels:
    """Kernels around draws.

    Parameters
    ----------
    emission : Emission
    centres : ndarray of shape (n_draws, n_inputs), float64
    width : float
        Bandwidth of real columns; 0 for the one by which each draw is most probable
        given the others.
    """

    def __init__(self, emission, centres, width=0.0):
        self.emission, self.centres = emission, centres
        self.real = np.flatnonzero(emission.continuous)
        # Log of the number of other categories, of each input of a choice.
        others = np.log(np.maximum(emission.sizes - 1, 1))
        single = emission.sizes > 1
        self.others = np.repeat(others, emission.sizes)
        self.single = np.repeat(single, emission.sizes)
        few = np.ascontiguousarray(centres[:_AMONG])
        columns = (emission.kinds.tolist(), emission.choice.tolist())
        given = repr((width, few.shape, few.dtype.str, *columns)).encode()
        key = sha256(given + few.tobytes()).digest()
        found = _FOUND.get(key)
        if found is None:
            found = self._widths(few, width)
            while len(_FOUND) >= _KEPT:
                # Another thread may have been first.
                _FOUND.pop(next(iter(tuple(_FOUND)), None), None)
            _FOUND[key] = found
        self.width, self.share = found

    def _widths(self, few, width):
        """Widths by which each of a few draws is most probable given the others."""
        share, parts = 0.1, self._parts(few, None, few)
        if not width and len(self.real):
            width = self._best_width(parts, share)
        if self.emission.is_random:
            scores = [self._left_out(parts, width, s) for s in _LAMBDAS]
            share = float(_LAMBDAS[int(np.argmax(scores))])
        return width, share

    def _best_width(self, parts, share):
        gaps = parts[0].copy()
        gaps[np.diag_indices(len(gaps))] = np.inf
        near = gaps.min(axis=1) / max(1, len(self.real))
        unit = max(np.sqrt(np.median(near)) if len(gaps) > 1 else 1.0, _LEAST)
        tried = np.maximum(unit * _WIDTHS, _LEAST)
        scores = [self._left_out(parts, width, share) for width in tried]
        return float(tried[int(np.argmax(scores))])

    def _left_out(self, parts, width, share):
        """Mean log density of each draw given the others."""
        log_k = self._log_kernels(parts, width, share)
        if len(log_k) == 1:
            return float(log_k[0, 0])
        log_k[np.diag_indices(len(log_k))] = -np.inf
        # In place, which is a fraction of SciPy's time; draws may be infinitely far.
        top = np.maximum(log_k.max(axis=1), np.finfo(float).min)
        log_k -= top[:, None]
        with np.errstate(divide="ignore"):
            total = np.log(np.exp(log_k, out=log_k).sum(axis=1))
        return float((top + total).mean())

    def _parts(self, x, known, centres):
        """Squared distances, numbers of differences, and log numbers of categories
        that could differ, of each pair; numbers of real and other entries of rows."""
        emission, real = self.emission, self.real
        whole = known is None
        known = np.ones_like(x) if whole else known
        seen = known.copy()
        seen[:, emission.scores] *= x[:, emission.none]
        x, part, own = x * seen, seen[:, real], centres[:, real]
        if seen.all():
            gaps = squared_distances(x[:, real], own)
        else:
            gaps = (x[:, real] ** 2).sum(axis=1)[:, None] + part @ (own**2).T
            gaps = np.maximum(gaps - 2 * x[:, real] @ own.T, 0)
        bits, chosen = emission.bits, emission.chosen
        b, c = x[:, bits], centres[:, bits]
        differ = b.sum(axis=1)[:, None] + known[:, bits] @ c.T - 2 * b @ c.T
        n = known[:, bits].sum(axis=1)
        one, two = x[:, chosen] * self.single, centres[:, chosen]
        count = one.sum(axis=1)
        differ = differ + count[:, None] - one @ two.T
        one = one * self.others
        rest = one.sum(axis=1)[:, None] - one @ two.T
        return gaps, differ, rest, part.sum(axis=1), n + count

    def _log_kernels(self, parts, width, share):
        gaps, differ, rest, n_real, n_other = parts
        found = differ * (np.log(share) - np.log1p(-share)) - rest
        found += (n_other * np.log1p(-share))[:, None]
        if len(self.real):
            found -= gaps / (2 * width**2)
            found -= (n_real * np.log(np.sqrt(2 * np.pi) * width))[:, None]
        return found

    def log_weights(self, x, known=None):
        """Log kernel of each row around each draw, of shape (n_rows, n_draws)."""
        parts = self._parts(x, known, self.centres)
        return self._log_kernels(parts, self.width, self.share)

    def log_prob(self, x, known=None):
        """Log density of rows, of shape (n_rows,)."""
        log_k = self.log_weights(x, known)
        return logsumexp(log_k, axis=1) - np.log(log_k.shape[1])
