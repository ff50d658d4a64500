r"""The game of a generator and a discriminator, played by stochastic gradient steps.

Each update of the discriminator lowers

.. math:: \mathbb{E}[\ell_D(D(x), D(G(z)))] + \tfrac\gamma2
   \bigl(\mathbb{E} \lVert \nabla_x D(x) \rVert^2
   + \mathbb{E} \lVert \nabla_x D(G(z)) \rVert^2 \bigr)

with the zero-centred penalty of real and generated rows [1]_ [2]_, or with
:math:`\gamma (\lVert \nabla_x D \rVert - 1)^2` between them [3]_; each update of the
generator lowers :math:`\mathbb{E}[\ell_G]`, or the distance of mean hidden units
:math:`\lVert \mathbb{E} h(x) - \mathbb{E} h(G(z)) \rVert^2` [4]_.

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

import numpy as np

from skdgm.adversarial._losses import LOSSES
from skdgm.adversarial._players import GameState, Player, follow
from skdgm.implicit import GeneratorWatch
from skdgm.implicit.generator import one_hot
from skdgm.nets import SOLVERS
from skdgm.nets.tangents import gradient_penalty
from skdgm.nets.tape import getval, vjp
from skdgm.optim import Joined, clip_norm, learning_rate, piecewise
from skdgm.training import Objective
from skdgm.utils import random
from skdgm.utils.tree import copy, leaves, tree_map

_DISCRIMINATE, _GENERATE = range(2)
_LATENT, _EMIT, _DROP, _NOISE, _BETWEEN = range(5)


class Game(Objective):
    """Adversarial training of a generator.

    Parameters
    ----------
    recipe : object
        Options of a GAN.
    rows, seed, epochs_before
        As of :class:`~skdgm.training.Objective`.
    generator : Generator
    discriminator : Discriminator
    """

    quantity = "similarity"

    def __init__(
        self, recipe, rows, seed, epochs_before=0, *, generator, discriminator
    ):
        super().__init__(recipe, rows, seed, epochs_before)
        self.generator, self.discriminator = generator, discriminator
        self.emission, self.loss = generator.emission, LOSSES[recipe.loss]
        self._joined = [None, None]

    def start(self):
        """Initial state, with newly drawn parameters of both nets."""
        rng = random.stream(self.seed, random.INIT).generator()
        dtype = self.rows.dtype
        generator = self.generator.init(rng, dtype)
        found = self.discriminator.init(rng, self.emission.n_inputs, dtype)
        players = Player(*generator), Player(*found)
        return self.resume(GameState(*players, (), np.zeros(1)))

    def resume(self, state):
        """State to continue from; optimisers are kept if the solver is the same."""
        recipe, players = self.recipe, []
        for player in state[:2]:
            fresh = SOLVERS[recipe.solver].init(player.params)
            if not player.optimiser or type(player.optimiser) is not type(fresh):
                player = player._replace(optimiser=fresh)
            past = player.past if recipe.historical_averaging else ()
            if recipe.historical_averaging and not past:
                past = copy(player.params)
            players.append(player._replace(past=past))
        mean = state.mean if recipe.averaging else ()
        if recipe.averaging and not mean:
            mean = copy(players[0].params)
        return GameState(*players, mean, state.t)

    def step(self, state, batch, clock):
        """Update the discriminator and, every so many batches, the generator."""
        rng, packing = self.stream(clock), self.discriminator.packing
        # A pack at least, of the same rows again if need be.
        batch = batch if len(batch) >= packing else np.resize(batch, packing)
        x, known = self.emission.inputs(self.rows.take(batch))
        codes = self._codes(batch)
        state = self._discriminate(state, x, known, codes, rng, clock)
        if (self._number(clock) + 1) % self.recipe.n_discriminator_steps:
            return state
        return self._generate(state, x, known, codes, rng, clock)

    def _codes(self, batch):
        if not self.generator.n_classes:
            return None
        return self.rows.labels[batch]

    def _drawn(self, params, statistics, codes, n_rows, rng):
        """Generated rows as in training, by traced parameters perhaps."""
        dtype, generator = self.rows.dtype, self.generator
        z = generator.latent(rng.fold(_LATENT), n_rows, dtype)
        noise = self.emission.noise(rng.fold(_EMIT), n_rows, dtype)
        given = generator.given(z, codes), noise, rng.fold(_DROP)
        return generator.draw(params, statistics, *given, train=True)

    def _blurred(self, x, rng, clock, of_output=False):
        """Rows with instance noise, which fades as the learning rate does, and
        generated ones with output noise."""
        recipe = self.recipe
        size = learning_rate(
            recipe.instance_noise, recipe.schedule, clock, recipe.power_t
        )
        if of_output and recipe.output_noise:
            real = np.tile(self.emission.continuous, (len(x), 1))
            # A generated atom has no score, as one of the data.
            real[:, self.emission.scores] &= getval(x)[:, self.emission.none] > 0
            size = np.hypot(size, recipe.output_noise * real)
        elif not size:
            return x
        noise = rng.generator().standard_normal(x.shape, self.rows.dtype)
        return x + np.asarray(size, self.rows.dtype) * noise

    def _seen(self, x, known, rng, clock, of_output=False):
        """What the discriminator sees: missing entries of a row are missing in its
        generated counterpart."""
        x = self._blurred(x, rng, clock, of_output)
        x = x if known is None else x * known
        return self.discriminator.packed(x)

    def _weights(self, codes, n_logits):
        """Weights of logits whose sum is that of a pack: those of its classes."""
        discriminator = self.discriminator
        if codes is None:
            return None
        packs = discriminator.packed(one_hot(codes, n_logits, self.rows.dtype))
        packs = packs.reshape((len(packs), discriminator.packing, -1))
        return packs.mean(axis=1)

    def _discriminate(self, state, x, known, codes, rng, clock):
        recipe, players, judge = self.recipe, state[:2], self.discriminator.judge
        rng = rng.fold(_DISCRIMINATE)
        fake, _ = self._drawn(*players[0][:2], codes, len(x), rng)
        real = self._seen(x, known, rng.fold(_NOISE), clock)
        fake = self._seen(fake, known, rng.fold(_NOISE, 1), clock, True)
        before, n = players[1], len(real)
        mask = self._weights(codes, self.generator.n_classes)
        how, after = {"rng": rng.fold(_DROP), "train": True}, ()

        def judged(rows, params):
            nonlocal after
            out, _, after = judge(params, before.statistics, rows, **how)
            return out

        def slopes(out):
            z = _picked(out, mask)
            smoothing = recipe.label_smoothing
            _, *back = self.loss.discriminator(z[:n], z[n:], smoothing)
            return _spread(-np.concatenate(back) / n, out, mask)

        def gradient(rows, vector_of):
            return vjp(partial(judged, rows), before.params, vector_of)[1]

        if recipe.minibatch_kernels:
            # Rows depend on each other: real and generated ones are judged apart.
            out = np.concatenate([judged(rows, before.params) for rows in (real, fake)])
            by_real, by_fake = np.split(slopes(out), 2)
            grads = gradient(real, lambda _: by_real)
            grads = tree_map(np.add, grads, gradient(fake, lambda _: by_fake))
        else:
            grads = gradient(np.concatenate([real, fake]), slopes)
        if recipe.gradient_penalty and self._penalised(clock):
            terms = self._penalty(before, real, fake, mask, rng, clock)
            grads = tree_map(np.add, grads, terms)
        rate = recipe.discriminator_learning_rate or recipe.learning_rate
        after = before._replace(statistics=after)
        after = self._ascend(1, after, grads, rate, clock, n)
        if recipe.clip_weights is not None:
            for leaf in leaves(after.params):
                leaf.clip(-recipe.clip_weights, recipe.clip_weights, out=leaf)
        return state._replace(discriminator=after)

    def _number(self, clock):
        """Number of batches before this one."""
        return (self.epochs_before + clock.epoch) * clock.n_batches + clock.batch

    def _penalised(self, clock):
        return self._number(clock) % self.recipe.penalty_interval == 0

    def _penalty(self, player, real, fake, mask, rng, clock):
        """Gradient of minus the penalty, which counts for as many updates as pass
        between two of them."""
        recipe, net = self.recipe, self.discriminator
        factor = recipe.gradient_penalty * recipe.penalty_interval
        if recipe.schedule == "linear" and clock.n_epochs is not None:
            factor *= recipe.penalty_decay ** (clock.epochs_done / clock.n_epochs)
        if recipe.penalty == "one-centred":
            share = rng.fold(_BETWEEN).generator().random((len(real), 1))
            points = fake + share.astype(real.dtype) * (real - fake)
            target, weight = 1.0, factor
        else:
            points, target = np.concatenate([real, fake]), 0.0
            weight = 0.5 * factor
            mask = mask if mask is None else np.concatenate([mask, mask])
        critic, params = net.critic(mask), (*player.params, ())
        statistics = *player.statistics, ()
        how = {"rng": rng.fold(_DROP), "train": True}

        def penalties(params):
            return gradient_penalty(critic, params, statistics, points, target, **how)

        weight = -weight / len(real)
        return vjp(penalties, params, lambda p: np.full_like(p, weight))[1][:2]

    def _generate(self, state, x, known, codes, rng, clock):
        recipe, judge = self.recipe, self.discriminator.judge
        rng = rng.fold(_GENERATE)
        before, other = state.generator, state.discriminator
        real = self._seen(x, known, rng.fold(_NOISE), clock)
        how = {"rng": rng.fold(_DROP), "train": True}
        mask = self._weights(codes, self.generator.n_classes)
        after = ()

        def judged(params):
            nonlocal after
            fake, after = self._drawn(params, before.statistics, codes, len(x), rng)
            fake = self._seen(fake, known, rng.fold(_NOISE, 1), clock, True)
            net = other.params, other.statistics
            if recipe.feature_matching:
                return self.discriminator.hidden(*net, fake, **how)[0]
            return judge(*net, fake, **how)[0]

        def slopes(out):
            net = other.params, other.statistics
            if recipe.feature_matching:
                target = self.discriminator.hidden(*net, real, **how)[0]
                gap = out.mean(axis=0) - target.mean(axis=0)
                return np.broadcast_to(-2 * gap / len(out), out.shape)
            z = r = _picked(out, mask)
            if self.loss.paired:
                r = _picked(judge(*net, real, **how)[0], mask)
            return _spread(-self.loss.generator(r, z)[1] / len(z), out, mask)

        _, grads = vjp(judged, before.params, slopes)
        after = before._replace(statistics=after)
        after = self._ascend(0, after, grads, recipe.learning_rate, clock, len(x))
        state.t[0] += 1
        if state.mean:
            keep = min(recipe.averaging, state.t[0] / (state.t[0] + 9))
            follow(state.mean, after.params, 1 - keep)
        return state._replace(generator=after)

    def _ascend(self, which, player, grads, rate, clock, n_rows):
        """Take an optimiser's step along a gradient."""
        recipe, joined = self.recipe, self._joined[which]
        if joined is None or player.params is not joined.params:
            joined = self._joined[which] = Joined(player.params, player.optimiser)
            player = player._replace(params=joined.params, optimiser=joined.optimiser)
        if player.past:
            pull = -2 * recipe.historical_averaging
            grads = tree_map(
                lambda g, p, m: g + p.dtype.type(pull) * (p - m),
                *(grads, player.params, player.past),
            )
        own = {"beta_2": recipe.beta_2} if recipe.solver == "adam" else {}
        joined.step(
            SOLVERS[recipe.solver],
            clip_norm(grads, recipe.clip_norm),
            rate=learning_rate(rate, recipe.schedule, clock, recipe.power_t),
            momentum=recipe.momentum,
            l2=piecewise(recipe.alpha, clock) / n_rows,
            **own,
        )
        if player.past:
            # The generator is updated once in several batches.
            n = self._number(clock) // (1 if which else recipe.n_discriminator_steps)
            follow(player.past, player.params, 1 / (n + 2))
        return player

    def watch(self, table, held_out, state):
        """Distances of generated rows from the same rows after each epoch."""
        return GeneratorWatch(self, table, held_out, state)


def _picked(out, mask):
    """A logit for each pack: the only one, or that of its classes."""
    return (
        out[:, 0]
        if mask is None
        else (out.reshape(-1, *mask.shape) * mask).sum(axis=2).reshape(-1)
    )


def _spread(grad, out, mask):
    """Gradient by all logits, given that by the picked ones."""
    if mask is None:
        return grad[:, None].astype(out.dtype)
    grad = grad.reshape(-1, len(mask), 1) * mask
    return grad.reshape(out.shape).astype(out.dtype)
