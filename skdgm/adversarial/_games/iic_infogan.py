r"""InfoGAN with mutual information between two views of a row.

.. math:: \min_q \; -\lambda L_I - \lambda \sum_h I_h, \qquad
   \min_g \; \mathbb{E} [\ell_G] - \lambda L_I

:math:`L_I` is the bound of an InfoGAN, but q is a separate net with the hidden layers
of the discriminator. It infers codes from :math:`T g(z, c)`, with random deformations T
of images. Two views of a real row also share information about categories [1]_,

.. math:: I_h = I(c_1; c_2), \qquad
   p(c_1, c_2) = \mathbb{E}_{x, x', T_1, T_2}
   [q_h(c_1 \mid T_1 x) \, q_h(c_2 \mid T_2 x')]

where :math:`x'` is a nearest neighbor of x, or x itself, and h one of several heads.

References
----------
.. [1] Ji, Henriques and Vedaldi (2019). Invariant information clustering for
   unsupervised image classification and segmentation. ICCV.
"""

import numpy as np

from skdgm.adversarial._games.game import DEFORM, DISCRIMINATE, Game
from skdgm.adversarial._games.infogan_game import InfoGANWatch
from skdgm.adversarial._games.neighbours import near_rows
from skdgm.nets import Part, beside
from skdgm.nets.tape import pulled_back, traced_leaves
from skdgm.utils import random

# Random streams of neighbors, and of the initial parameters and dropout of q.
_NEAR, _READ = 21, 22
# With partial_fit, the selected head is final after this number of updates.
_SETTLED = 1000


class IICInfoGANGame(Game):
    """Adversarial training of a generator with codes, and of a net ``reader`` that
    predicts them by several ``heads``. ``deform`` is a
    :class:`~skdgm.nets.images.deform.Deformation` of the reader's inputs, or None, and
    ``near`` the indices of each row's neighbors, if needed."""

    near = None

    def start(self):
        rng = random.stream(self.seed, random.INIT).fold(_READ).generator()
        _, params, net_state = self.nets.reader.init(rng, self.n_seen, self.rows.dtype)
        state = super().start()._replace(told=self.nets.heads.start())
        return self.resume(state._replace(reader=Part(params, net_state)))

    def resume(self, state):
        state = super().resume(state)
        return state._replace(reader=self._parts.ready(state.reader))

    def draw(self, table, number):
        """Minibatches of an epoch."""
        n, categories = self.options.n_neighbors, self.nets.heads.codes.categories
        if n and categories and self.near is None:
            self.near = near_rows(table, self.emission, n)
        return super().draw(table, number)

    def read(self, batch):
        """Real rows of a minibatch, as in :class:`Game`, and their indices."""
        return *super().read(batch), batch

    def turn(self, which, rows, clock):
        """:class:`Turn` of a player, with a random neighbor of each real row, if
        needed."""
        *rows, batch = rows
        turn = super().turn(which, rows, clock)
        if self.near is None or which != DISCRIMINATE:
            return turn
        rng = turn.rng.fold(_NEAR).generator()
        near = self.near[batch, rng.integers(self.near.shape[1], size=len(batch))]
        return turn._replace(near=self.emission.inputs(self.rows.take(near)))

    def discriminate(self, state, turn):
        """Update the discriminator and the reader."""
        pair = self.pair(state.generator.params, state.generator.statistics, turn)
        state = super().discriminate(state, turn, pair)
        reader, options = state.reader, self.options
        fake, views = self.moved(pair[1], turn), self.views(turn)
        rows, n = np.concatenate([fake, *views]), len(fake)

        def slopes(out):
            gradient = np.zeros_like(out)
            gradient[:n] -= self.by_codes(out[:n], state, turn)
            if views:
                view_1, view_2 = np.split(out[n:], 2)
                shared = self.nets.heads.shared(view_1, view_2, state.told, stays)
                gradient[n:] = options.information_weight * np.concatenate(shared)
            return gradient

        clock, stays = turn.clock, self.head_stays(state, turn.clock)
        params = traced_leaves(reader.params)
        out, updated = self.nets.reader.apply(
            params, reader.statistics, rows, rng=turn.rng.fold(_READ), train=True
        )
        grads = pulled_back(out, params, slopes)
        updated = self._parts.ascend(
            "reader",
            reader._replace(statistics=updated),
            grads,
            clock,
            n,
            rate=options.discriminator_learning_rate,
            n_before=self._number(clock),
        )
        return state._replace(reader=updated)

    def head_stays(self, state, clock):
        """Return True once the selected head is final: in the second half of the first
        fit, and in all later fits."""
        if clock.n_epochs is None:
            return state.t[0] >= _SETTLED
        return self.epochs_before > 0 or 2 * clock.epochs_done > clock.n_epochs

    def moved(self, fake, turn):
        """Deformed generated rows, as inputs of the reader."""
        deform = self.nets.deform
        return fake if deform is None else deform(fake, turn.rng.fold(DEFORM))

    def views(self, turn):
        """Two views of the real rows, or an empty list."""
        are_identical = self.nets.deform is None and turn.near is None
        if are_identical or not self.nets.heads.codes.categories:
            return []
        views = [turn.x, turn.x if turn.near is None else turn.near[0]]
        if self.nets.deform is None:
            return views
        sides = (turn.rng.fold(DEFORM).fold(side) for side in (1, 2))
        return [self.nets.deform(view, rng) for view, rng in zip(views, sides)]

    def by_codes(self, out, state, turn):
        """Gradient of the negative weighted bound with respect to outputs of heads."""
        heads, gradient = self.nets.heads, np.zeros_like(out)
        head, chosen = heads.chosen(out, state.told)
        slope = heads.codes.slope(chosen, turn.z[:, -heads.codes.width :])
        weight = self.options.information_weight / len(out)
        gradient[:, heads.columns(head)] = weight * slope
        return gradient

    def outputs(self, out, state, fake, turn):
        """Outputs in the generator's loss: the logit, followed by the outputs of
        heads."""
        by_heads, _ = self.nets.reader.apply(
            state.reader.params,
            state.reader.statistics,
            self.moved(fake, turn),
            rng=turn.rng.fold(_READ),
            train=True,
        )
        return beside(out, by_heads)

    def extra_slope(self, out, state, turn):
        """Gradient of the negative weighted bound with respect to ``out``."""
        return np.pad(self.by_codes(out[:, 1:], state, turn), [(0, 0), (1, 0)])

    def watch(self, table, held_out, state):
        return InfoGANWatch(self, table, held_out, state)
