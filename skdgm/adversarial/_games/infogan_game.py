r"""The InfoGAN game: codes can be inferred from generated rows.

.. math:: \min_{D, q} \; \mathbb{E} [\ell_D] - \lambda L_I, \qquad
   \min_g \; \mathbb{E} [\ell_G] - \lambda L_I, \qquad
   L_I = \mathbb{E}_{c, x = g(z, c)} [\log q(c \mid x)] + H(c)

The net q shares all hidden units of the discriminator [1]_.

References
----------
.. [1] Chen, Duan, Houthooft, Schulman, Sutskever and Abbeel (2016). InfoGAN:
   interpretable representation learning by information maximizing generative
   adversarial nets. NeurIPS.
"""

import numpy as np

from skdgm.adversarial._games.game import Game
from skdgm.adversarial._games.losses import Verdict
from skdgm.implicit import GeneratorWatch


def code_outputs(nets, state, x):
    """Outputs for the codes of rows x, from the selected head of the reader if there is
    one, and otherwise from the discriminator."""
    if nets.reader is None:
        net = state.discriminator
        return nets.discriminator.judge(net.params, net.statistics, x)[0][:, 1:]
    net = state.reader
    out, _ = nets.reader.apply(net.params, net.statistics, x)
    return nets.heads.chosen(out, state.head_information)[1]


class InfoGANGame(Game):
    """Adversarial training of a generator with codes."""

    def verdict(self, update):
        """:class:`InfoGANVerdict`: losses of both players."""
        codes = self.generator.codes
        units = update.z[:, update.z.shape[1] - codes.width :]
        return InfoGANVerdict(
            self.loss,
            codes,
            units=units,
            weight=self.options.information_weight,
            smoothing=self.options.label_smoothing,
        )

    def watch(self, table, held_out, state):
        return InfoGANWatch(self, table, held_out, state)


class InfoGANVerdict(Verdict):
    """Losses of both players minus the weighted bound. ``units`` are the codes that
    rows were generated from, (n_rows, width), and ``weight`` is the weight of the
    bound."""

    def __init__(self, loss, codes, *, units, weight, smoothing=0.0):
        self.codes, self.units, self.weight = codes, units, weight
        super().__init__(loss, None, smoothing, self.codes.n_outputs)

    def discriminator(self, real, fake):
        """Gradients of the discriminator's mean loss with respect to its outputs for
        real and for generated rows."""
        by_real, by_fake = super().discriminator(real, fake)
        return by_real, by_fake + self._by_codes(fake)

    def generator(self, real, fake):
        """Gradient of the generator's mean loss with respect to the outputs for its
        rows."""
        return super().generator(real, fake) + self._by_codes(fake)

    def _by_codes(self, out):
        slope = self.codes.slope(out[:, 1:], self.units)
        return self.weight / len(out) * np.pad(slope, [(0, 0), (1, 0)])


class InfoGANWatch(GeneratorWatch):
    """Monitor that also records the bound on the mutual information, in nats, in
    ``information``."""

    MEMORY = (*GeneratorWatch.MEMORY, "information")

    def __init__(self, objective, table, held_out, state):
        self.information = []
        super().__init__(objective, table, held_out, state)

    def undo(self):
        del self.information[-1]

    def training_loss(self, state):
        game, units = self.objective, self.latent(len(self.monitored))
        codes = game.generator.codes
        fake = self.drawn(state, self.monitored, self.known)
        units = units[:, units.shape[1] - codes.width :]
        bounds = codes.information(code_outputs(game.nets, state, fake), units)
        self.information.append(float(bounds.mean()))
        return super().training_loss(state)
