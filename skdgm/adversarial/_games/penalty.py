r"""Penalties on the gradient of a discriminator with respect to its input rows.

.. math:: \tfrac\gamma2 \bigl(\mathbb{E} \lVert \nabla_x D(x) \rVert^2
   + \mathbb{E} \lVert \nabla_x D(G(z)) \rVert^2 \bigr) \quad\text{or}\quad
   \gamma \, \mathbb{E} (\lVert \nabla_x D(t x + (1 - t) G(z)) \rVert - 1)^2

with t uniform between 0 and 1.
"""

import numpy as np

from skdgm.nets.adversarial.tangents import gradient_penalty
from skdgm.nets.tape import vjp

_BETWEEN = 4


def penalty(game, player, sides, mask, update):
    """Gradient of the negative penalty with respect to the discriminator's parameters,
    scaled by the number of updates per penalty. ``sides`` are real and generated rows,
    (n_packs, n_columns); ``mask``, (n_packs, n_outputs) or None, are weights of outputs
    in a logit."""
    options, clock, (real, fake) = game.options, update.clock, sides
    factor = game.penalty * options.penalty_interval
    if options.schedule == "linear" and clock.n_epochs is not None:
        factor *= options.penalty_decay ** (clock.epochs_done / clock.n_epochs)
    if options.penalty == "one-centered":
        share = update.rng.fold(_BETWEEN).generator().random((len(real), 1))
        points = fake + share.astype(real.dtype) * (real - fake)
        target, weight = 1.0, factor
    else:
        points, target = np.concatenate([real, fake]), 0.0
        weight = 0.5 * factor
        mask = mask if mask is None else np.concatenate([mask, mask])
    critic, params = game.discriminator.critic(mask), (*player.params, ())
    statistics = *player.statistics, ()

    def penalties(params):
        rng = update.dropout
        return gradient_penalty(
            critic, params, statistics, points, target, rng=rng, train=True
        )

    weight = -weight / len(real)
    return vjp(penalties, params, lambda p: np.full_like(p, weight))[1][:2]
