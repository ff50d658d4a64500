r"""Generators: nets from latent units to rows.

.. math:: x = g(z), \qquad z \sim p(z)

The distribution of x has no tractable density, and may be supported on a manifold of
low dimension.
"""

from typing import NamedTuple

import numpy as np

from skdgm.nets import layers_of
from skdgm.nets.stochastic.emission import Emission, emit
from skdgm.utils import addresses
from skdgm.utils.random import standard_normal

# Distributions of latent units.
PRIORS = "normal", "uniform", "bits", "mixed"
_CODES = 1
# Random streams of draws: latent units and noise.
LATENT, _EMIT = addresses.GENERATOR


def check_norm(options):
    """Raise ValueError if batch normalization has minibatches of a single row."""
    if options.batch_norm is True and options.batch_size < 2:
        raise ValueError(
            "batch_norm=True standardizes units over the rows of a batch: set "
            "batch_size to 2 or more."
        )


class Generator(NamedTuple):
    """Net from latent units, and classes, to inputs of a discriminator. Under the
    ``prior``, latent units are standard normal, uniform with unit variance, -1 or 1
    ("bits"), or bits in the first half and normal in the second ("mixed"). One-hot
    classes, ``n_classes``, and ``n_given`` other columns are further inputs.
    ``temperature`` applies to relaxed draws of bits and categories. ``codes``, if any,
    draw the last latent units."""

    net: object
    emission: Emission
    n_latent: int
    prior: str
    n_classes: int = 0
    temperature: float = 0.5
    n_given: int = 0
    codes: object = None

    def init(self, rng, dtype):
        """Initial parameters and statistics, with outputs close to the means of
        columns."""
        n_inputs = self.n_latent + self.n_classes + self.n_given
        _, params, statistics = self.net.init(rng, n_inputs, dtype)
        output_layer = last_layer(params)
        if output_layer.b.shape == (self.emission.n_outputs,):
            output_layer.b[:] = self.emission.start(dtype)
        return params, statistics

    def latent(self, rng, n_rows, dtype):
        """Draw latent units, (n_rows, n_latent), with a random stream for each row or
        one for all."""
        if self.codes is not None:
            n_others = self.n_latent - self.codes.width
            others = self._replace(n_latent=n_others, codes=None)
            drawn = self.codes.draw(rng.fold(_CODES), n_rows, dtype)
            return np.concatenate([others.latent(rng, n_rows, dtype), drawn], axis=1)
        shape = n_rows, self.n_latent
        by_row = len(rng.ids) == n_rows
        if self.prior == "uniform":
            u = rng.uniform(self.n_latent) if by_row else rng.generator().random(shape)
            return ((2 * u - 1) * np.sqrt(3)).astype(dtype)
        if by_row:
            z = rng.normal(self.n_latent, dtype)
        else:
            z = standard_normal(rng.generator(), shape, dtype)
        n_bits = {"bits": self.n_latent, "mixed": self.n_latent // 2}
        n_bits = n_bits.get(self.prior, 0)
        z[:, :n_bits] = np.where(z[:, :n_bits] < 0, -1, 1)
        return z

    def given(self, z, codes, columns=None):
        """Inputs of the net: latent units, one-hot class ``codes``, and ``columns``."""
        inputs = [z]
        if self.n_classes:
            inputs.append(one_hot(codes, self.n_classes, z.dtype))
        if self.n_given:
            inputs.append(columns)
        return np.concatenate(inputs, axis=1) if len(inputs) > 1 else z

    def draw(self, params, statistics, z, noise, rng=None, train=False):
        """Generated rows as inputs of a discriminator, (n_rows, n_inputs), and updated
        statistics, from inputs z of the net and noise from ``emission.noise``; ``rng``
        is the random stream of dropout."""
        out, after = self.net.apply(params, statistics, z, rng=rng, train=train)
        return emit(out, noise, self.emission, self.temperature), after


def drawn(generator, net, rng, dtype, codes=None):
    """Draw rows as inputs of a discriminator, (n_rows, n_inputs), one for each random
    stream, with the :class:`~skdgm.nets.Variables` ``net`` of a generator and class
    ``codes``."""
    n_rows = len(rng.ids)
    z = generator.latent(rng.fold(LATENT), n_rows, dtype)
    noise = generator.emission.noise(rng.fold(_EMIT), n_rows, dtype)
    inputs = generator.given(z, codes)
    return generator.draw(net.params, net.statistics, inputs, noise)[0]


def last_layer(tree):
    """Last :class:`~skdgm.nets.Layer` of a tree of parameters."""
    return list(layers_of(tree))[-1]


def one_hot(codes, n_classes, dtype):
    """One-hot rows of class codes, (n_rows, n_classes)."""
    return np.eye(n_classes, dtype=dtype)[codes]
