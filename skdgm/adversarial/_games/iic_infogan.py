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
from skdgm.adversarial._games.neighbors import near_rows
from skdgm.nets import Part, join_columns
from skdgm.nets.tape import pulled_back, traced_leaves
from skdgm.utils import random

# Random streams of neighbors, and of the initial parameters and dropout of q.
_NEIGHBORS, _READER = 21, 22
# With partial_fit, the selected head is final after this number of updates.
_FINAL_UPDATES = 1000


class IICInfoGANGame(Game):
    """Adversarial training of a generator with codes, and of a net ``reader`` that
    predicts them by several ``heads``. ``deform`` is a
    :class:`~skdgm.nets.images.deform.Deformation` of the reader's inputs, or None, and
    ``near`` the indices of each row's neighbors, if needed."""

    near = None

    def start(self):
        rng = random.stream(self.seed, random.INIT).fold(_READER).generator()
        _, params, net_state = self.nets.reader.init(rng, self.n_seen, self.rows.dtype)
        state = super().start()._replace(head_information=self.nets.heads.start())
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

    def player_update(self, which, rows, clock):
        """:class:`PlayerUpdate`, with a random neighbor of each real row if needed."""
        *rows, batch = rows
        update = super().player_update(which, rows, clock)
        if self.near is None or which != DISCRIMINATE:
            return update
        rng = update.rng.fold(_NEIGHBORS).generator()
        near = self.near[batch, rng.integers(self.near.shape[1], size=len(batch))]
        return update._replace(near=self.emission.inputs(self.rows.take(near)))

    def discriminate(self, state, update):
        """Update the discriminator and the reader."""
        pair = self.pair(state.generator.params, state.generator.statistics, update)
        state = super().discriminate(state, update, pair)
        reader, options = state.reader, self.options
        fake, views = self.moved(pair[1], update), self.views(update)
        rows, n = np.concatenate([fake, *views]), len(fake)

        def slopes(out):
            gradient = np.zeros_like(out)
            gradient[:n] -= self.by_codes(out[:n], state, update)
            if views:
                view_1, view_2 = np.split(out[n:], 2)
                shared = self.nets.heads.shared(
                    view_1, view_2, state.head_information, stays
                )
                gradient[n:] = options.information_weight * np.concatenate(shared)
            return gradient

        clock, stays = update.clock, self.head_stays(state, update.clock)
        params = traced_leaves(reader.params)
        out, updated = self.nets.reader.apply(
            params, reader.statistics, rows, rng=update.rng.fold(_READER), train=True
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
            return state.t[0] >= _FINAL_UPDATES
        return self.epochs_before > 0 or 2 * clock.epochs_done > clock.n_epochs

    def moved(self, fake, update):
        """Deformed generated rows, as inputs of the reader."""
        deform = self.nets.deform
        return fake if deform is None else deform(fake, update.rng.fold(DEFORM))

    def views(self, update):
        """Two views of the real rows, or an empty list."""
        are_identical = self.nets.deform is None and update.near is None
        if are_identical or not self.nets.heads.codes.categories:
            return []
        views = [update.x, update.x if update.near is None else update.near[0]]
        if self.nets.deform is None:
            return views
        sides = (update.rng.fold(DEFORM).fold(side) for side in (1, 2))
        return [self.nets.deform(view, rng) for view, rng in zip(views, sides)]

    def by_codes(self, out, state, update):
        """Gradient of the negative weighted bound with respect to outputs of heads."""
        heads, gradient = self.nets.heads, np.zeros_like(out)
        head, chosen = heads.chosen(out, state.head_information)
        slope = heads.codes.slope(chosen, update.z[:, -heads.codes.width :])
        weight = self.options.information_weight / len(out)
        gradient[:, heads.columns(head)] = weight * slope
        return gradient

    def outputs(self, out, state, fake, update):
        """Outputs in the generator's loss: the logit, followed by the outputs of
        heads."""
        by_heads, _ = self.nets.reader.apply(
            state.reader.params,
            state.reader.statistics,
            self.moved(fake, update),
            rng=update.rng.fold(_READER),
            train=True,
        )
        return join_columns(out, by_heads)

    def extra_slope(self, out, state, update):
        """Gradient of the negative weighted bound with respect to ``out``."""
        return np.pad(self.by_codes(out[:, 1:], state, update), [(0, 0), (1, 0)])

    def watch(self, table, held_out, state):
        return InfoGANWatch(self, table, held_out, state)
