r"""Game of a generator and a discriminator, played by stochastic gradient descent.

Each update of the discriminator decreases

.. math:: \mathbb{E}[\ell_D(D(x), D(G(z)))] + \tfrac\gamma2
   \bigl(\mathbb{E} \lVert \nabla_x D(x) \rVert^2
   + \mathbb{E} \lVert \nabla_x D(G(z)) \rVert^2 \bigr)

with the zero-centered penalty at real and generated rows [1]_ [2]_, or with
:math:`\gamma (\lVert \nabla_x D \rVert - 1)^2` between them [3]_. Each update of the
generator decreases :math:`\mathbb{E}[\ell_G]`, or the distance of mean hidden units,
:math:`\lVert \mathbb{E} h(x) - \mathbb{E} h(G(z)) \rVert^2` [4]_, separately for each
class if there are classes.

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
from skdgm.nets import Part, Parts, follow, join_columns
from skdgm.nets.adversarial.packing import stacked
from skdgm.nets.stochastic.emission import emit
from skdgm.nets.tape import pulled_back, traced_leaves
from skdgm.training import Objective
from skdgm.utils import random
from skdgm.utils.tree import copy, leaves, tree_map

# The players, in the order of their updates.
DISCRIMINATE, GENERATE = range(2)
_LATENT, _EMIT, _DROP, _NOISE = range(4)
# Random streams of dropout of generated rows only, and of deformations.
_DROP_GENERATED, DEFORM = 5, 20
# Default weight of the penalty for real columns, and for others.
_PENALTIES = 0.05, 0.2


class NetConditions(NamedTuple):
    """Conditions of both nets: class codes, (n_rows,), and columns, (n_rows, n_given),
    each possibly None."""

    classes: np.ndarray = None
    columns: np.ndarray = None


class PlayerUpdate(NamedTuple):
    """Rows and random numbers for one update of one player, ``which``. Real rows x are
    inputs of a discriminator, (n_rows, n_inputs), and ``known`` is 1 at observed
    entries, or None. ``given`` are :class:`NetConditions`, z latent units, and ``near``
    a neighbor of each row with its ``known``, if needed."""

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
        """Random stream of dropout."""
        return self.rng.fold(_DROP)

    @property
    def dropout_generated(self):
        """Random stream of dropout for generated rows only."""
        return self.rng.fold(_DROP_GENERATED)


class Game(Objective):
    """Adversarial training of a generator. ``nets`` has a ``generator``, a
    ``discriminator`` and perhaps others. Subclasses can override real and generated
    rows (:meth:`sides`), losses of both players (:meth:`verdict`), and additional terms
    of the generator's loss (:meth:`outputs`, :meth:`extra_slope`,
    :meth:`extra_gradient`)."""

    quantity, LOCAL = "similarity", ()
    # Whether inputs for real rows also depend on the generator's parameters.
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
        rng = random.stream(self.seed, random.INIT).generator()
        params, state = self.generator.init(rng, self.rows.dtype)
        generator = Part(params, state)
        params, state = self.discriminator.init(rng, self.n_seen, self.rows.dtype)
        return self.resume(GameState(generator, Part(params, state), (), np.zeros(1)))

    @property
    def n_seen(self):
        """Number of columns of the discriminator's inputs for a row."""
        return self.emission.n_inputs + self.generator.n_given

    def resume(self, state):
        players = [self._parts.ready(player) for player in state[:2]]
        mean = self.average(state.mean, players[0].params)
        return state._replace(generator=players[0], discriminator=players[1], mean=mean)

    def average(self, mean, params, n=0):
        """Running average of parameters after n updates, or () without averaging."""
        rate = self.options.average
        if n and mean:
            follow(mean, params, 1 - min(rate, n / (n + 9)))
        return (mean or copy(params)) if rate else ()

    def step(self, state, batch, clock):
        """Update the discriminator and, after every ``n_discriminator_steps``
        minibatches, the generator."""
        packing = self.discriminator.packing
        # Small minibatches are repeated to fill a pack.
        rows = self.read(batch if len(batch) >= packing else np.resize(batch, packing))
        state = self.discriminate(state, self.player_update(DISCRIMINATE, rows, clock))
        if (self._number(clock) + 1) % self.options.n_discriminator_steps:
            return state
        return self.generate(state, self.player_update(GENERATE, rows, clock))

    def read(self, batch):
        """Real rows of a minibatch, for the first three fields of a
        :class:`PlayerUpdate`."""
        x, known = self.emission.inputs(self.rows.take(batch))
        return x, known, NetConditions(self.rows.accompanying(batch))

    def player_update(self, which, rows, clock):
        """:class:`PlayerUpdate` of a player, with real rows as from :meth:`read`."""
        rng, (x, known, conditions) = self.stream(clock).fold(which), rows
        z = self.generator.latent(rng.fold(_LATENT), len(x), self.rows.dtype)
        return PlayerUpdate(x, known, conditions, z, rng, clock, which)

    def pair(self, params, statistics, update):
        """Real and generated rows as inputs of the discriminator, (n_packs, packing *
        n_seen), and updated statistics of the generator; differentiable in ``params``.
        """
        generator, emission, n = self.generator, self.emission, len(update.z)
        noise = emission.noise(update.rng.fold(_EMIT), n, self.rows.dtype)
        z = generator.given(update.z, update.given.classes, update.given.columns)
        out, after = generator.net.apply(
            params, statistics, z, rng=update.dropout, train=True
        )
        fake = emit(out, noise, emission, generator.temperature)
        return self.sides(fake, after, params, statistics, update)

    def sides(self, fake, after, params, statistics, update):
        """Results of :meth:`pair`, given generated rows and updated statistics."""
        return self.seen(update.x, update), self.seen(fake, update, 1), after

    def seen(self, x, update, side=0, columns=None):
        """Inputs of the discriminator for rows x, real (side 0) or generated (side 1),
        and ``columns``, by default the conditions of both nets."""
        rng = update.rng.fold(_NOISE, side) if side else update.rng.fold(_NOISE)
        x = blurred(x, self.options, self.emission, rng, update.clock, bool(side))
        # Missing entries of a row are also hidden in the corresponding generated row.
        x = x if update.known is None else x * update.known
        columns = update.given.columns if columns is None else columns
        return self.discriminator.packed(
            x if columns is None else join_columns(x, columns)
        )

    def verdict(self, update):
        """:class:`Verdict`: losses of both players."""
        return Verdict(self.loss, self._shares(update), self.options.label_smoothing)

    def _shares(self, update):
        """Weights of logits, (n_packs, packing * n_classes): the classes of the rows of
        each pack, with a sum of one; None without classes."""
        classes = update.given.classes
        if classes is None:
            return None
        codes = one_hot(classes, self.generator.n_classes, self.rows.dtype)
        return self.discriminator.packed(codes) / self.discriminator.packing

    def discriminate(self, state, update, pair=None):
        """Update the discriminator, on rows ``pair`` from :meth:`pair` if given."""
        options, before, verdict = (
            self.options,
            state.discriminator,
            self.verdict(update),
        )
        generator = state.generator
        real, fake, _ = pair or self.pair(
            generator.params, generator.statistics, update
        )
        params, n, net = traced_leaves(before.params), len(real), self.discriminator
        judge = partial(net.judge, params, before.statistics)
        if options.minibatch_kernels:
            # Outputs depend on the other rows, so real and generated rows are separate.
            out, *_ = judge(real, update.dropout)
            fake_out, _, updated = judge(fake, update.dropout_generated)
            out = stacked(out, fake_out)
        else:
            out, _, updated = judge(np.concatenate([real, fake]), update.dropout)

        def slopes(out):
            return -np.concatenate(verdict.discriminator(out[:n], out[n:]))

        grads = pulled_back(out, params, slopes)
        n_batches, clock = self._number(update.clock), update.clock
        if self.penalty and n_batches % options.penalty_interval == 0:
            weights = verdict.weights(n)
            penalty_grads = penalty(self, before, (real, fake), weights, update)
            grads = tree_map(np.add, grads, penalty_grads)
        updated = self._parts.ascend(
            "discriminator",
            before._replace(statistics=updated),
            grads,
            clock,
            n,
            rate=options.discriminator_learning_rate,
            n_before=n_batches,
        )
        if options.clip_weights is not None:
            for leaf in leaves(updated.params):
                leaf.clip(-options.clip_weights, options.clip_weights, out=leaf)
        return state._replace(discriminator=updated)

    def _number(self, clock):
        """Number of minibatches before this one."""
        return (self.epochs_before + clock.epoch) * clock.n_batches + clock.batch

    def generate(self, state, update):
        """Update the generator."""
        options, net, verdict = self.options, self.discriminator, self.verdict(update)
        generator, discriminator = state.generator, state.discriminator
        judge = partial(net.judge, discriminator.params, discriminator.statistics)
        hidden = partial(net.hidden, discriminator.params, discriminator.statistics)
        params, real_logits = traced_leaves(generator.params), None
        real, fake, after = self.pair(params, generator.statistics, update)
        if options.feature_matching:
            out, _ = hidden(fake, update.dropout)
        else:
            fake = stacked(real, fake) if self.both_sides else fake
            out, *_ = judge(fake, update.dropout)
            out = self.outputs(out, state, fake, update)
            if self.loss.paired and not self.both_sides:
                real_logits, *_ = judge(real, update.dropout)

        def slopes(out):
            if options.feature_matching:
                target, _ = hidden(real, update.dropout)
                class_weights = self._shares(update)
                if class_weights is None:
                    class_weights = np.ones((len(out), 1), out.dtype)
                gaps = class_weights.T @ (out - target) / len(out)
                return -2 / len(out) * (class_weights @ gaps)
            if self.both_sides:
                real_out, fake_out = np.split(out, 2)
                return -np.concatenate(verdict.both(real_out, fake_out))
            return -verdict.generator(real_logits, out) - self.extra_slope(
                out, state, update
            )

        grads = pulled_back(out, params, slopes)
        extra = self.extra_gradient(state, update)
        grads = grads if extra is None else tree_map(np.subtract, grads, extra)
        n_updates = self._number(update.clock) // options.n_discriminator_steps
        after = self._parts.ascend(
            "generator",
            generator._replace(statistics=after),
            grads,
            update.clock,
            len(update.x),
            n_before=n_updates,
        )
        state.t[0] += 1
        self.average(state.mean, after.params, state.t[0])
        return state._replace(generator=after)

    def outputs(self, out, state, fake, update):
        """Outputs for generated rows in the generator's loss; by default the
        discriminator's."""
        return out

    def extra_slope(self, out, state, update):
        """Gradient of additional terms of the generator's loss with respect to
        ``out``."""
        return 0

    def extra_gradient(self, state, update):
        """Gradient of additional terms of the generator's loss with respect to
        parameters, or None."""

    def watch(self, table, held_out, state):
        return GeneratorWatch(self, table, held_out, state)
