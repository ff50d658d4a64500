r"""The game of a generator and a discriminator, played by stochastic gradient steps.

Each update of the discriminator lowers

.. math:: \mathbb{E}[\ell_D(D(x), D(G(z)))] + \tfrac\gamma2
   \bigl(\mathbb{E} \lVert \nabla_x D(x) \rVert^2
   + \mathbb{E} \lVert \nabla_x D(G(z)) \rVert^2 \bigr)

with the zero-centred penalty of real and generated rows [1]_ [2]_, or with
:math:`\gamma (\lVert \nabla_x D \rVert - 1)^2` between them [3]_; each update of the
generator lowers :math:`\mathbb{E}[\ell_G]`, or the distance of mean hidden units
:math:`\lVert \mathbb{E} h(x) - \mathbb{E} h(G(z)) \rVert^2` [4]_, of each class where
there are classes.

References
----------
.. [1] Mescheder, Geiger and Nowozin (2018). Which training methods for GANs do actually
   converge? ICML.
.. [2] Huang, Gokaslan, Kuleshov and Tompkin (2024). The GAN is dead; long live the GAN!
   A modern baseline GAN. NeurIPS.
.. [3] Gulrajani, Ahmed, Arjovsky, Dumoulin and Courville (2017). Improved training of
   Wasserstein GANs. NIPS.
.. [4] Salimans, Goodfellow, Zaremba, Cheung, Radford and Chen (2016). Improved
   techniques for training GANs. NeurIPS.
"""

from functools import partial
from typing import NamedTuple

import numpy as np

from skdgm.adversarial._games.logit_losses import LOSSES
from skdgm.adversarial._games.losses import Verdict
from skdgm.adversarial._games.penalty import penalty
from skdgm.adversarial._games.players import GameState, of_numbers
from skdgm.adversarial._games.view import blurred
from skdgm.implicit import GeneratorWatch
from skdgm.implicit.generator import one_hot
from skdgm.nets import Part, Parts, beside, follow
from skdgm.nets.adversarial.packing import stacked
from skdgm.nets.stochastic.emission import emit
from skdgm.nets.tape import pulled_back, traced_leaves
from skdgm.training import Objective
from skdgm.utils import random
from skdgm.utils.tree import copy, leaves, tree_map

# The players, in the order of their updates.
DISCRIMINATE, GENERATE = range(2)
_LATENT, _EMIT, _DROP, _NOISE = range(4)
# Dropout where generated rows are judged apart from real ones; deformations.
_DROP_GENERATED, DEFORM = 5, 20
# Weight of the penalty for real numbers, and for others.
_PENALTIES = 0.05, 0.2


class NetConditions(NamedTuple):
    """Conditions of both nets: codes of classes, (n_rows,), and columns, (n_rows,
    n_given); each may be None."""

    classes: np.ndarray = None
    columns: np.ndarray = None


class Turn(NamedTuple):
    """Rows and random numbers of one update of one player.

    Real rows x are inputs of a discriminator, (n_rows, n_inputs), and ``known`` is 1
    where a value is known, or None for all; ``given`` are :class:`NetConditions`, z
    latent units. ``which`` says whose update it is. ``near``, in games that want it, is
    a row near to each real one, and its ``known``.
    """

    x: np.ndarray
    known: np.ndarray
    given: NetConditions
    z: np.ndarray
    rng: object
    clock: object
    which: int = DISCRIMINATE
    near: tuple = None

    @property
    def dropout(self):
        """Stream of dropout in training."""
        return self.rng.fold(_DROP)

    @property
    def dropout_generated(self):
        """Stream of dropout of a discriminator that sees generated rows alone."""
        return self.rng.fold(_DROP_GENERATED)


class Game(Objective):
    """Adversarial training of a generator, by the options of a GAN and ``nets``: a
    ``generator``, a ``discriminator`` and others of variants.

    A subclass may define real and generated rows (:meth:`sides`), losses of both
    players by the discriminator's outputs (:meth:`verdict`), and further terms of the
    generator's (:meth:`outputs`, :meth:`extra_slope`, :meth:`extra_gradient`).
    """

    quantity, LOCAL = "similarity", ()
    # Whether real rows depend on the generator's part, which then learns from them.
    both_sides = False

    def __init__(self, run, nets):
        super().__init__(run)
        options = run.options
        self.nets, self.emission = nets, nets.generator.emission
        self.generator, self.discriminator = nets.generator, nets.discriminator
        self.loss, self._parts = LOSSES[options.loss], Parts(options)
        self.penalty = options.gradient_penalty
        if self.penalty == "auto":
            self.penalty = _PENALTIES[0 if of_numbers(self.emission) else 1]

    def start(self):
        """Initial state, with newly drawn parameters of both nets."""
        rng = random.stream(self.seed, random.INIT).generator()
        params, kept = self.generator.init(rng, self.rows.dtype)
        generator = Part(params, kept)
        params, kept = self.discriminator.init(rng, self.n_seen, self.rows.dtype)
        return self.resume(GameState(generator, Part(params, kept), (), np.zeros(1)))

    @property
    def n_seen(self):
        """Number of columns of a row that the discriminator sees."""
        return self.emission.n_inputs + self.generator.n_given

    def resume(self, state):
        """State to continue from; optimisers are kept if the solver is the same."""
        players = [self._parts.ready(part) for part in state[:2]]
        mean = self.average(state.mean, players[0].params)
        return state._replace(generator=players[0], discriminator=players[1], mean=mean)

    def average(self, mean, params, n=0):
        """Average of parameters after n updates, or () without averaging."""
        rate = self.options.average
        if n and mean:
            follow(mean, params, 1 - min(rate, n / (n + 9)))
        return (mean or copy(params)) if rate else ()

    def step(self, state, batch, clock):
        """Update the discriminator and, every so many batches, the generator."""
        packing = self.discriminator.packing
        # A pack at least, of the same rows again if need be.
        rows = self.read(batch if len(batch) >= packing else np.resize(batch, packing))
        state = self.discriminate(state, self.turn(DISCRIMINATE, rows, clock))
        if (self._number(clock) + 1) % self.options.n_discriminator_steps:
            return state
        return self.generate(state, self.turn(GENERATE, rows, clock))

    def read(self, batch):
        """Real rows of a batch: the first fields of a :class:`Turn`, three of them."""
        x, known = self.emission.inputs(self.rows.take(batch))
        return x, known, NetConditions(self.rows.beside(batch))

    def turn(self, which, rows, clock):
        """Update of a player: real rows, as of :meth:`read`, and draws."""
        rng, (x, known, conditions) = self.stream(clock).fold(which), rows
        z = self.generator.latent(rng.fold(_LATENT), len(x), self.rows.dtype)
        return Turn(x, known, conditions, z, rng, clock, which)

    def pair(self, params, statistics, turn):
        """Real and generated rows as inputs of the discriminator,
        (n_packs, packing * n_seen), and updated statistics, given those and the
        parameters of the generator's part, which may be traced."""
        generator, emission, n = self.generator, self.emission, len(turn.z)
        noise = emission.noise(turn.rng.fold(_EMIT), n, self.rows.dtype)
        z = generator.given(turn.z, turn.given.classes, turn.given.columns)
        out, after = generator.net.apply(
            params, statistics, z, rng=turn.dropout, train=True
        )
        fake = emit(out, noise, emission, generator.temperature)
        return self.sides(fake, after, params, statistics, turn)

    def sides(self, fake, after, params, statistics, turn):
        """Results of :meth:`pair`, given generated rows and updated statistics."""
        return self.seen(turn.x, turn), self.seen(fake, turn, 1), after

    def seen(self, x, turn, side=0, columns=None):
        """Inputs of the discriminator for rows, real (side 0) or generated ones (1),
        and columns, by default the conditions of both nets."""
        rng = turn.rng.fold(_NOISE, side) if side else turn.rng.fold(_NOISE)
        x = blurred(x, self.options, self.emission, rng, turn.clock, bool(side))
        # Missing entries of a row are missing in its generated counterpart.
        x = x if turn.known is None else x * turn.known
        columns = turn.given.columns if columns is None else columns
        return self.discriminator.packed(x if columns is None else beside(x, columns))

    def verdict(self, turn):
        """Losses of both players by the discriminator's outputs, a :class:`Verdict`."""
        return Verdict(self.loss, self._shares(turn), self.options.label_smoothing)

    def _shares(self, turn):
        """Classes of the rows of each pack, with a sum of one, as weights of logits: of
        shape (n_packs, packing * n_classes); None without classes."""
        classes = turn.given.classes
        if classes is None:
            return None
        codes = one_hot(classes, self.generator.n_classes, self.rows.dtype)
        return self.discriminator.packed(codes) / self.discriminator.packing

    def discriminate(self, state, turn, pair=None):
        """Update the discriminator, by rows as of :meth:`pair` if they are there."""
        options, before, verdict = self.options, state.discriminator, self.verdict(turn)
        generator = state.generator
        real, fake, _ = pair or self.pair(generator.params, generator.statistics, turn)
        params, n, net = traced_leaves(before.params), len(real), self.discriminator
        judge = partial(net.judge, params, before.statistics)
        if options.minibatch_kernels:
            # Rows depend on each other: real and generated ones are judged apart.
            out, *_ = judge(real, turn.dropout)
            other, _, after = judge(fake, turn.dropout_generated)
            out = stacked(out, other)
        else:
            out, _, after = judge(np.concatenate([real, fake]), turn.dropout)

        def slopes(out):
            return -np.concatenate(verdict.discriminator(out[:n], out[n:]))

        grads = pulled_back(out, params, slopes)
        number, clock = self._number(turn.clock), turn.clock
        if self.penalty and number % options.penalty_interval == 0:
            weights = verdict.weights(n)
            terms = penalty(self, before, (real, fake), weights, turn)
            grads = tree_map(np.add, grads, terms)
        after = self._parts.ascend(
            "discriminator",
            before._replace(statistics=after),
            grads,
            clock,
            n,
            rate=options.discriminator_learning_rate,
            n_before=number,
        )
        if options.clip_weights is not None:
            for leaf in leaves(after.params):
                leaf.clip(-options.clip_weights, options.clip_weights, out=leaf)
        return state._replace(discriminator=after)

    def _number(self, clock):
        """Number of batches before this one."""
        return (self.epochs_before + clock.epoch) * clock.n_batches + clock.batch

    def generate(self, state, turn):
        """Update the generator's part."""
        options, net, verdict = self.options, self.discriminator, self.verdict(turn)
        before, other = state.generator, state.discriminator
        judge = partial(net.judge, other.params, other.statistics)
        hidden = partial(net.hidden, other.params, other.statistics)
        params, r = traced_leaves(before.params), None
        real, fake, after = self.pair(params, before.statistics, turn)
        if options.feature_matching:
            out, _ = hidden(fake, turn.dropout)
        else:
            fake = stacked(real, fake) if self.both_sides else fake
            out, *_ = judge(fake, turn.dropout)
            out = self.outputs(out, state, fake, turn)
            if self.loss.paired and not self.both_sides:
                r, *_ = judge(real, turn.dropout)

        def slopes(out):
            if options.feature_matching:
                target, _ = hidden(real, turn.dropout)
                shares = self._shares(turn)
                if shares is None:
                    shares = np.ones((len(out), 1), out.dtype)
                gaps = shares.T @ (out - target) / len(out)
                return -2 / len(out) * (shares @ gaps)
            if self.both_sides:
                of_real, of_fake = np.split(out, 2)
                return -np.concatenate(verdict.both(of_real, of_fake))
            return -verdict.generator(r, out) - self.extra_slope(out, state, turn)

        grads = pulled_back(out, params, slopes)
        extra = self.extra_gradient(state, turn)
        grads = grads if extra is None else tree_map(np.subtract, grads, extra)
        number = self._number(turn.clock) // options.n_discriminator_steps
        after = self._parts.ascend(
            "generator",
            before._replace(statistics=after),
            grads,
            turn.clock,
            len(turn.x),
            n_before=number,
        )
        state.t[0] += 1
        self.average(state.mean, after.params, state.t[0])
        return state._replace(generator=after)

    def outputs(self, out, state, fake, turn):
        """Outputs for generated rows in the generator's loss, given the
        discriminator's."""
        return out

    def extra_slope(self, out, state, turn):
        """Gradient of further terms of the generator's loss by these outputs."""
        return 0

    def extra_gradient(self, state, turn):
        """Gradient of further terms of its loss by parameters, or None."""

    def watch(self, table, held_out, state):
        """Distances of generated rows from the same rows after each epoch."""
        return GeneratorWatch(self, table, held_out, state)
