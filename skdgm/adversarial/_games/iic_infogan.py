r"""Codes learned by mutual information between two views of a row.

.. math:: \min_q \; -\lambda L_I - \lambda \sum_h I_h, \qquad
   \min_g \; \mathbb{E} [\ell_G] - \lambda L_I

with the bound :math:`L_I` of an InfoGAN, where q is a net of its own with the hidden
layers of the discriminator. It reads codes of :math:`T g(z, c)` with random
deformations T of images, if there are any, and two views of a real row inform on each
other's categories [1]_,

.. math:: I_h = I(c_1; c_2), \qquad
   p(c_1, c_2) = \mathbb{E}_{x, x', T_1, T_2}
   [q_h(c_1 \mid T_1 x) \, q_h(c_2 \mid T_2 x')]

where :math:`x'` is one of the rows nearest to x, or x itself, and h one of several
heads.

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

# Random streams of neighbours, and of the initial parameters and dropout of q.
_NEAR, _READ = 21, 22
# Updates of an unknown number after which the chosen head stays.
_SETTLED = 1000


class IICInfoGANGame(Game):
    """Adversarial training of a generator with codes.

    Its nets have a ``reader``, too, a net from rows to the outputs of ``heads``, and
    ``deform``, a :class:`~skdgm.nets.images.deform.Deformation` of rows whose codes are
    read, or None. ``near`` are numbers of rows near to each, from the first epoch on,
    if there are to be any.
    """

    near = None

    def start(self):
        """Initial state, with newly drawn parameters of all nets."""
        rng = random.stream(self.seed, random.INIT).fold(_READ).generator()
        _, params, kept = self.nets.reader.init(rng, self.n_seen, self.rows.dtype)
        state = super().start()._replace(told=self.nets.heads.start())
        return self.resume(state._replace(reader=Part(params, kept)))

    def resume(self, state):
        """State to continue from; optimisers are kept if the solver is the same."""
        state = super().resume(state)
        return state._replace(reader=self._parts.ready(state.reader))

    def draw(self, table, number):
        """Batches of an epoch."""
        n, wanted = self.options.n_neighbors, self.nets.heads.codes.categories
        if n and wanted and self.near is None:
            self.near = near_rows(table, self.emission, n)
        return super().draw(table, number)

    def read(self, batch):
        """Real rows of a batch, as of :class:`Game`, and their numbers."""
        return *super().read(batch), batch

    def turn(self, which, rows, clock):
        """Update of a player, with a near row of each real one, if there are any."""
        *rows, batch = rows
        turn = super().turn(which, rows, clock)
        if self.near is None or which != DISCRIMINATE:
            return turn
        rng = turn.rng.fold(_NEAR).generator()
        near = self.near[batch, rng.integers(self.near.shape[1], size=len(batch))]
        return turn._replace(near=self.emission.inputs(self.rows.take(near)))

    def discriminate(self, state, turn):
        """Update the discriminator, and q."""
        pair = self.pair(state.generator.params, state.generator.statistics, turn)
        state = super().discriminate(state, turn, pair)
        before, options = state.reader, self.options
        fake, views = self.moved(pair[1], turn), self.views(turn)
        rows, n = np.concatenate([fake, *views]), len(fake)

        def slopes(out):
            back = np.zeros_like(out)
            back[:n] -= self.by_codes(out[:n], state, turn)
            if views:
                first, second = np.split(out[n:], 2)
                shared = self.nets.heads.shared(first, second, state.told, stays)
                back[n:] = options.information_weight * np.concatenate(shared)
            return back

        clock, stays = turn.clock, self.head_stays(state, turn.clock)
        params = traced_leaves(before.params)
        out, after = self.nets.reader.apply(
            params, before.statistics, rows, rng=turn.rng.fold(_READ), train=True
        )
        grads = pulled_back(out, params, slopes)
        after = self._parts.ascend(
            "reader",
            before._replace(statistics=after),
            grads,
            clock,
            n,
            rate=options.discriminator_learning_rate,
            n_before=self._number(clock),
        )
        return state._replace(reader=after)

    def head_stays(self, state, clock):
        """Return whether the chosen head stays: in the second half of the first fit,
        and in all later ones, the generator has the same categories."""
        if clock.n_epochs is None:
            return state.t[0] >= _SETTLED
        return self.epochs_before > 0 or 2 * clock.epochs_done > clock.n_epochs

    def moved(self, fake, turn):
        """Generated rows as inputs of q."""
        deform = self.nets.deform
        return fake if deform is None else deform(fake, turn.rng.fold(DEFORM))

    def views(self, turn):
        """Two views of the real rows, a list; or none."""
        alike = self.nets.deform is None and turn.near is None
        if alike or not self.nets.heads.codes.categories:
            return []
        views = [turn.x, turn.x if turn.near is None else turn.near[0]]
        if self.nets.deform is None:
            return views
        sides = (turn.rng.fold(DEFORM).fold(side) for side in (1, 2))
        return [self.nets.deform(view, rng) for view, rng in zip(views, sides)]

    def by_codes(self, out, state, turn):
        """Gradient of minus the weighted bound by the outputs of heads."""
        heads, back = self.nets.heads, np.zeros_like(out)
        head, chosen = heads.chosen(out, state.told)
        slope = heads.codes.slope(chosen, turn.z[:, -heads.codes.width :])
        weight = self.options.information_weight / len(out)
        back[:, heads.columns(head)] = weight * slope
        return back

    def outputs(self, out, state, fake, turn):
        """Outputs for generated rows in the generator's loss: the logit, and then those
        of heads."""
        by_heads, _ = self.nets.reader.apply(
            state.reader.params,
            state.reader.statistics,
            self.moved(fake, turn),
            rng=turn.rng.fold(_READ),
            train=True,
        )
        return beside(out, by_heads)

    def extra_slope(self, out, state, turn):
        """Gradient by these outputs of minus the weighted bound."""
        return np.pad(self.by_codes(out[:, 1:], state, turn), [(0, 0), (1, 0)])

    def watch(self, table, held_out, state):
        """Distances of generated rows from the data, and the bound, after each
        epoch."""
        return InfoGANWatch(self, table, held_out, state)
