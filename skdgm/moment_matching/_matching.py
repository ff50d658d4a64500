r"""Moment matching: training of a generator by the maximum mean discrepancy.

Each update decreases the discrepancy of a minibatch from equally many generated rows,

.. math:: \Bigl(\frac{1}{n^2} \sum_{i,j} k(g(z_i), g(z_j)) - \frac{2}{n^2}
   \sum_{i,j} k(g(z_i), x_j) + \frac{1}{n^2} \sum_{i,j} k(x_i, x_j)\Bigr)^{1/2}

for a mixture of Gaussian kernels, or its square [1]_ [2]_. With an autoencoder, which
is trained at the same time, codes are matched in place of rows. Classes are matched as
additional columns, so far apart that kernels hardly span two classes.

References
----------
.. [1] Li, Swersky and Zemel (2015). Generative moment matching networks. ICML.
.. [2] Dziugaite, Roy and Ghahramani (2015). Training generative neural networks via
   maximum mean discrepancy optimization. UAI.
"""

from typing import NamedTuple

import numpy as np

from skdgm.implicit import GeneratorWatch
from skdgm.implicit.generator import one_hot
from skdgm.nets import Part, Parts
from skdgm.nets.discrepancy import FACTORS, bandwidths, discrepancy_and_slope
from skdgm.nets.reconstruction import inferred, reconstruction_slope
from skdgm.nets.stochastic.emission import emit
from skdgm.nets.tape import pulled_back, traced_leaves
from skdgm.training import Objective
from skdgm.utils import random

_LATENT, _EMIT, _DROP, _CODE = range(4)
# Number of minibatches in the running median distance, and rows of each.
_BATCHES, _ROWS = 100, 200
# Distance of classes, relative to the largest bandwidth; smallest squared discrepancy
# under the root.
_CLASS_DISTANCE, _MIN_MMD2 = 2.0, 1e-8
# Number of rows for each update of an autoencoder.
_PIECE = 100


class MatchState(NamedTuple):
    """Training state: net ``matched`` from latent units to rows or codes; autoencoder,
    or (); median distance of matched rows or codes, and number of updates, each (1,).
    """

    matched: Part
    autoencoder: tuple
    width: np.ndarray
    t: np.ndarray

    @property
    def generator(self):
        """Net from latent units to rows, including the decoder if there is one."""
        if not self.autoencoder:
            return self.matched
        _, decoder = self.autoencoder.params
        _, statistics = self.autoencoder.statistics
        return Part(
            (self.matched.params, decoder), (self.matched.statistics, statistics)
        )

    @property
    def params(self):
        """Parameters of the generator, and of the encoder if there is one."""
        params = self.generator.params
        return (params, self.autoencoder.params[0]) if self.autoencoder else (params,)

    learned = params


class MatchBatch(NamedTuple):
    """Rows of an update, and the latent units and noise of generated rows."""

    # Rows, or their codes, (n_rows, n_inputs); 1 at observed entries, or None.
    real: np.ndarray
    known: np.ndarray
    # One-hot classes times their distance, (n_rows, n_classes).
    classes: np.ndarray
    z: np.ndarray
    # Noise from ``emission.noise``.
    noise: np.ndarray
    # Bandwidths.
    sigmas: np.ndarray
    # Random stream of dropout.
    rng: object


class Nets(NamedTuple):
    """Nets of moment matching: the generator; ``matched``, from latent units and
    classes to rows or codes; and encoder and decoder, or None."""

    generator: object
    matched: object
    encoder: object = None
    decoder: object = None

    def inferred(self, part, x, known):
        """Rows x with missing entries imputed by the autoencoder ``part``."""

        def rebuild(x):
            code, _ = self.encoder.apply(part.params[0], part.statistics[0], x)
            return self.decoder.apply(part.params[1], part.statistics[1], code)[0]

        return inferred(self.generator.emission, rebuild, x, known)

    def codes(self, part, x, known):
        """Codes of rows x, after imputation of missing entries."""
        x = self.inferred(part, x, known)
        return self.encoder.apply(part.params[0], part.statistics[0], x)[0]


class Matching(Objective):
    """Moment matching of a generator."""

    quantity, LOCAL = "similarity", ()

    def __init__(self, run, nets):
        super().__init__(run)
        self.nets, self.generator = nets, nets.generator
        self.emission, self._parts = nets.generator.emission, Parts(run.options)

    def start(self):
        rng = random.stream(self.seed, random.INIT).generator()
        dtype, encoder = self.rows.dtype, self.nets.encoder
        (params, statistics), autoencoder = self.generator.init(rng, dtype), ()
        if encoder is not None:
            _, coder, up_state = encoder.init(rng, self.emission.n_inputs, dtype)
            (params, decoder), (statistics, down_state) = params, statistics
            autoencoder = Part((coder, decoder), (up_state, down_state))
        width, t = np.zeros((2, 1))
        return self.resume(MatchState(Part(params, statistics), autoencoder, width, t))

    def resume(self, state):
        ready_parts = [self._parts.ready(player) for player in state[:2]]
        return state._replace(matched=ready_parts[0], autoencoder=ready_parts[1])

    def step(self, state, batch, clock):
        """Update the autoencoder, if there is one, and then the generator."""
        rng = self.stream(clock)
        x, known = self.emission.inputs(self.rows.take(batch))
        if self.nets.encoder is not None:
            state = self._code(state, x, known, rng.fold(_CODE), clock)
        codes = self.rows.accompanying(batch)
        return self._match(state, x, known, codes, rng, clock)

    def _code(self, state, x, known, rng, clock):
        """Update encoder and decoder, on a part of the minibatch at a time."""
        nets = self.nets
        for piece, start in enumerate(range(0, len(x), _PIECE)):
            autoencoder, rows = state.autoencoder, x[start : start + _PIECE]
            seen = None if known is None else known[start : start + _PIECE]
            streams = rng.fold(piece)
            (encoder_statistics, decoder_statistics) = autoencoder.statistics
            encoder, decoder = params = traced_leaves(autoencoder.params)
            code, encoder_statistics = nets.encoder.apply(
                encoder,
                encoder_statistics,
                nets.inferred(autoencoder, rows, seen),
                rng=streams,
                train=True,
            )
            out, decoder_statistics = nets.decoder.apply(
                decoder, decoder_statistics, code, rng=streams, train=True
            )

            def slopes(out, rows=rows, seen=seen):
                gap = reconstruction_slope(self.emission, out, rows, seen)
                return gap / out.dtype.type(-len(out))

            grads = pulled_back(out, params, slopes)
            autoencoder = autoencoder._replace(
                statistics=(encoder_statistics, decoder_statistics)
            )
            autoencoder = self._parts.ascend(
                "autoencoder", autoencoder, grads, clock, len(rows)
            )
            state = state._replace(autoencoder=autoencoder)
        return state

    def _match(self, state, x, known, codes, rng, clock):
        batch, before = self.prepare(state, x, known, codes, rng), state.matched
        params = traced_leaves(before.params)
        fake, after = self.generated(params, before.statistics, batch)
        grads = pulled_back(fake, params, lambda fake: -self.loss(fake, batch)[1])
        generator = before._replace(statistics=after)
        generator = self._parts.ascend("matched", generator, grads, clock, len(x))
        state.t[0] += 1
        return state._replace(matched=generator)

    def prepare(self, state, x, known, codes, rng):
        """Rows and random numbers of an update, a :class:`MatchBatch`."""
        n, dtype = len(x), self.rows.dtype
        z = self.generator.latent(rng.fold(_LATENT), n, dtype)
        noise = self.emission.noise(rng.fold(_EMIT), n, dtype)
        coded = self.nets.encoder is not None
        real = self.nets.codes(state.autoencoder, x, known) if coded else x
        sigmas = self._sigmas(state, real)
        classes = np.zeros((n, 0), dtype)
        if codes is not None:
            classes = one_hot(codes, self.generator.n_classes, dtype)
            classes = classes * dtype(_CLASS_DISTANCE * max(sigmas))
        z = self.generator.given(z, codes)
        return MatchBatch(real, known, classes, z, noise, sigmas, rng.fold(_DROP))

    def generated(self, params, statistics, batch):
        """Generated rows, or codes, in training, and updated statistics."""
        net, generator = self.nets.matched, self.generator
        out, after = net.apply(params, statistics, batch.z, rng=batch.rng, train=True)
        if self.nets.encoder is not None:
            return out, after
        out = emit(out, batch.noise, self.emission, generator.temperature)
        return (out if batch.known is None else out * batch.known), after

    def loss(self, fake, batch):
        """Discrepancy, or its square, and its gradient with respect to generated
        rows."""
        generated, real = (
            np.concatenate([rows, batch.classes], axis=1) for rows in (fake, batch.real)
        )
        mmd2, slope = discrepancy_and_slope(generated, real, batch.sigmas)
        slope = slope[:, : fake.shape[1]]
        if not self.options.square_root:
            return mmd2, slope
        root = np.sqrt(max(mmd2, _MIN_MMD2))
        return root, fake.dtype.type(0.5 / root) * slope

    def _sigmas(self, state, real):
        """Bandwidths; "auto" follows the running median distance of minibatches."""
        if not isinstance(self.options.bandwidths, str):
            return np.asarray(self.options.bandwidths, float)
        (batch_width,) = bandwidths(real[:_ROWS], [1.0])
        state.width[0] += (batch_width - state.width[0]) / min(state.t[0] + 1, _BATCHES)
        return state.width[0] * np.asarray(FACTORS)

    def watch(self, table, held_out, state):
        return GeneratorWatch(self, table, held_out, state)
