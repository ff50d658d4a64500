"""Density of rows that a generator draws, estimated by kernels around draws.

The estimate is a mixture of the kernels of :mod:`skdgm.implicit.kernels`. Kernels are
products over columns, so missing entries are marginalized by leaving out their factors,
and conditional distributions are mixtures.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from skdgm.base import Density, of_rows
from skdgm.base.density import numbers_of
from skdgm.data import BinaryColumns, fill
from skdgm.data.attributes import chosen
from skdgm.implicit.generator import drawn
from skdgm.implicit.inversion import invert
from skdgm.implicit.kernels import Kernels, noisy
from skdgm.nets import Variables, layers_of
from skdgm.utils import addresses
from skdgm.utils.counts import count, count_rows
from skdgm.utils.random import LIKELIHOOD, MAX_SEED, stream
from skdgm.utils.threading.threads import one_blas_thread

_NOISE, _CLASS, _CHOICE, _RARE = addresses.IMPLICIT
# Largest number of distances in memory.
_ENTRIES = 2**22


class GrayColumns(BinaryColumns):
    """Columns of values between 0 and 1, which have a density instead of
    probabilities."""

    measure = "density"

    def to_data(self, columns, v):
        if columns.per_unit:
            v = np.rint(v * columns.per_unit) / v.dtype.type(columns.per_unit)
        return super().to_data(columns, v)


class FeatureMaps(NamedTuple):
    """Maps between rows and features: ``of_rows(nets, state, x, known)`` from inputs x
    of a discriminator, None if features are latent units; and ``to_rows(density, H)``,
    or None."""

    of_rows: Callable | None
    to_rows: Callable | None


class ImplicitDensity(Density):
    """Density of rows drawn by a generator, estimated by kernels around draws.
    ``nets`` and a training ``state`` are those of an :class:`ImplicitModel`, and
    ``maps`` are :class:`FeatureMaps`. ``n_draws()`` is the number of draws. ``noise``
    is the standard deviation of noise in real columns and the bandwidth, or 0;
    ``shares`` are class frequencies, or None."""

    # Values far beyond the range of the training rows are clipped to it.
    bounded = True

    def __init__(self, context, *, nets, state, maps, n_draws, noise=0.0, shares=None):
        super().__init__(context)
        self.nets, self.state, self.maps = nets, state, maps
        self.generator, self.emission = nets.generator, nets.generator.emission
        self.net = Variables(state.learned[0], state.generator.statistics)
        self.n_draws, self.noise, self.shares = n_draws, noise, shares
        self._kernels = None
        if (self.emission.kinds == "gray").all():
            self.domain = GrayColumns(self.domain.top)

    @property
    def capabilities(self):
        """Kinds of the results: exact draws, and estimates by kernels around them."""
        labels = {} if self.shares is None else {"labels": "exact"}
        inverse = {"inverse": {"unconditional": "exact"}} if self.maps.to_rows else {}
        return {
            "log_prob": of_rows("estimate", gray="estimate"),
            "features": of_rows("estimate"),
            "sample": {"unconditional": "exact"} | labels,
            "fill": {"missing": "estimate"},
        } | inverse

    def drawn(self, rng, n_rows, codes=None):
        """Draw rows as inputs of a discriminator, (n_rows, n_inputs), with a random
        stream for each row; class ``codes`` are drawn by default."""
        if self.shares is not None and codes is None:
            codes = self.classes(rng, n_rows)
        return drawn(self.generator, self.net, rng, self.dtype, codes)

    def classes(self, rng, n_rows):
        """Draw class codes by their frequencies, (n_rows,)."""
        uniform = rng.fold(_CLASS).rows(n_rows).uniform(1)[:, 0]
        return chosen(self.shares, uniform)

    @property
    def dtype(self):
        """Data type of the parameters."""
        return next(layers_of(self.net.params)).b.dtype.type

    def sample(self, n_samples, random_state=None, *, codes=None):
        """Draw rows; class ``codes`` are drawn by default."""
        n_samples = count_rows(n_samples, len(self.columns.seen))
        rng = stream(check_random_state(random_state).randint(MAX_SEED))
        with one_blas_thread():
            x = self.drawn(rng.rows(n_samples), n_samples, codes)
            if self.noise:
                streams = rng.fold(_NOISE).rows(n_samples)
                x = noisy(x, self.emission, self.noise, streams)
        return self.presented(x, rng.fold(_RARE).rows(n_samples))

    def decode(self, Z, codes=None):
        """Rows, in the form of the data, generated from latent units Z and class
        ``codes``."""
        Z, generator = numbers_of(Z, self.dtype, "Z"), self.generator
        if Z.shape[1] != generator.n_latent:
            raise ValueError(
                f"Z has {Z.shape[1]} columns, but {self.name} has {generator.n_latent} "
                "latent units."
            )
        if codes is None and self.shares is not None:
            raise ValueError(f"{self.name} is conditional: generate needs y.")
        noise = self.emission.silence(len(Z), Z.dtype)
        with one_blas_thread():
            inputs = generator.given(Z, codes)
            x, _ = generator.draw(self.net.params, self.net.statistics, inputs, noise)
        return self.presented(x)

    def presented(self, x, rng=None):
        """Rows, in the form of the data, from inputs of a discriminator; ``rng`` draws
        rare categories."""
        v = self.domain.to_data(self.columns, self.emission.values(x, rng))
        return self.decoded(v)

    def kernels(self):
        """:class:`Kernels` around draws, cached."""
        if self._kernels is None:
            n = count(self.n_draws(), "n_draws")
            with one_blas_thread():
                x = self.drawn(stream(self.seed, LIKELIHOOD).rows(n), n)
                self._kernels = Kernels(self.emission, x.astype(float), self.noise)
        return self._kernels

    def log_prob(self, X):
        rows, kernels = self.read(X), self.kernels()

        def of_rows(v, _):
            x, known = self.emission.inputs(v.astype(float))
            return kernels.log_prob(x, known) + self.emission.log_shares(v)

        log_p = self.by_content(of_rows, rows, _ENTRIES // len(kernels.centers))
        return log_p + self.domain.log_volume(self.columns, rows)

    def fill(self, X, method="mean", random_state=None):
        """Impute missing entries from the mixture of kernels, given the observed
        entries."""
        kernels, emission = self.kernels(), self.emission

        def filled(block):
            v, rng = block.v, block.rng
            x, known = emission.inputs(v.astype(float))
            log_w = kernels.log_weights(x, known)
            if method == "sample":
                by_chance = log_w + rng.fold(_CHOICE).gumbel(log_w.shape[1])
                chosen = kernels.centers[by_chance.argmax(axis=1)]
                if self.noise:
                    chosen = noisy(chosen, emission, self.noise, rng.fold(_NOISE))
                return emission.values(chosen, rng.fold(_RARE))
            w = np.exp(log_w - log_w.max(axis=1, keepdims=True))
            mean = w @ kernels.centers / w.sum(axis=1, keepdims=True)
            none = mean[:, emission.none]
            mean[:, emission.scores] /= np.where(none > 0, none, 1)
            return emission.values(mean)

        X_filled = fill(
            self, self.with_missing_columns(X), method, random_state, filled
        )
        return self.decoded(X_filled, X)

    def features(self, X):
        """Hidden units of the discriminator, or latent units."""
        if self.maps.of_rows is None:
            return invert(self, X)
        return self.by_rows(self.read(X), self.maps.of_rows)

    def inverse(self, H):
        self.require("inverse")
        return self.maps.to_rows(self, H)

    @property
    def n_features_out(self):
        if self.maps.of_rows is None:
            return self.generator.n_latent
        x = np.zeros((1, self.emission.n_inputs))
        return self.maps.of_rows(self.nets, self.state, x).shape[1]

    def by_rows(self, rows, function):
        """Evaluate ``function(nets, state, x, known)``, such as
        :meth:`ImplicitModel.hidden`, on inputs x of a discriminator with a mask of
        observed entries."""

        def of_rows(v, _):
            x, known = self.emission.inputs(v)
            return function(self.nets, self.state, x, known)

        return self.by_content(of_rows, rows, _ENTRIES // 2**8)
