r"""A game whose generator is to tell by its rows which codes it was given.

.. math:: \min_{D, q} \; \mathbb{E} [\ell_D] - \lambda L_I, \qquad
   \min_g \; \mathbb{E} [\ell_G] - \lambda L_I, \qquad
   L_I = \mathbb{E}_{c, x = g(z, c)} [\log q(c \mid x)] + H(c)

where q shares all hidden units of the discriminator [1]_.

References
----------
.. [1] Chen, Duan, Houthooft, Schulman, Sutskever and Abbeel (2016). InfoGAN:
   interpretable representation learning by information maximizing generative
   adversarial nets. NeurIPS.
"""

import numpy as np

from skdgm.adversarial._games.game import Game
from skdgm.adversarial._games.losses import Verdict
from skdgm.adversarial._nets.codes import Codes
from skdgm.adversarial._nets.wiring import Wiring
from skdgm.implicit import GeneratorWatch
from skdgm.utils.counts import check_layer_sizes, layer_sizes


class Informed(Wiring):
    """Nets of an InfoGAN, and their game; parameters as of :class:`Wiring`."""

    NAMES = (*Wiring.NAMES, "n_codes")

    @property
    def codes(self):
        """Codes among the latent units."""
        learned, variance = self.structure_["code_variance"], self.recipe.code_variance
        given = self.structure_["n_categories"], self.structure_["n_codes"]
        return Codes(*given, "learned" if learned else variance)

    @classmethod
    def structure(cls, asked):
        """Options that the nets depend on, a dict."""
        found = super().structure(asked)
        found["n_categories"] = layer_sizes(asked.n_categories)
        found["code_variance"] = asked.code_variance == "learned"
        # With either the nets are those of Viewed; the name is that of an error.
        found["jitter or n_neighbors"] = bool(asked.jitter or asked.n_neighbors)
        found["n_heads"] = asked.n_heads
        return found

    @staticmethod
    def check(asked):
        """Raise ValueError for options that exclude each other."""
        Wiring.check(asked)
        check_layer_sizes(asked.n_categories, "n_categories")
        if 1 in layer_sizes(asked.n_categories):
            raise ValueError("n_categories must be at least 2 for each code.")
        if not asked.n_codes and not layer_sizes(asked.n_categories):
            raise ValueError(
                "There must be a code: set n_categories, n_codes, or both."
            )
        if asked.n_neighbors and not layer_sizes(asked.n_categories):
            raise ValueError(
                f"n_neighbors={asked.n_neighbors} is for categories, which near rows "
                "share: set n_categories, or n_neighbors=0."
            )

    def game(self, rows, seed, before):
        """Objective of a run after so many epochs."""
        nets = {"generator": self.generator, "discriminator": self.discriminator}
        return InformedGame(self.recipe, rows, seed, before, **nets)

    def hidden(self, state, x, known=None):
        """Distributions of codes: probabilities of categories, and means."""
        net = state.discriminator
        out, _, _ = self.discriminator.judge(net.params, net.statistics, x)
        return self.codes.posterior(out[:, 1:])


class InformedGame(Game):
    """Adversarial training of a generator with codes.

    Parameters
    ----------
    recipe, rows, seed, epochs_before, generator, discriminator
        As of :class:`Game`.
    """

    def verdict(self, turn):
        """Losses of both players by the discriminator's outputs."""
        codes = self.generator.codes
        units = turn.z[:, turn.z.shape[1] - codes.width :]
        given = codes, units, self.recipe.information_weight
        return InformedVerdict(self.loss, given, self.recipe.label_smoothing)

    def told(self, state, x):
        """Outputs that tell the codes of rows."""
        net = state.discriminator
        return self.discriminator.judge(net.params, net.statistics, x)[0][:, 1:]

    def watch(self, table, held_out, state):
        """Distances of generated rows from the data, and the bound, after each
        epoch."""
        return InformedWatch(self, table, held_out, state)


class InformedVerdict(Verdict):
    """Losses of both players, which both gain by information on codes.

    Parameters
    ----------
    loss : Loss
    given : (Codes, ndarray, float)
        Codes, those that rows were generated from, of shape (n_rows, width), and the
        weight of the bound.
    smoothing : float
    """

    def __init__(self, loss, given, smoothing=0.0):
        self.codes, self.units, self.weight = given
        super().__init__(loss, None, smoothing, self.codes.n_outputs)

    def discriminator(self, real, fake):
        """Gradients of the discriminator's mean loss by its outputs.

        Parameters
        ----------
        real, fake : ndarray of shape (n_rows, n_outputs)

        Returns
        -------
        by_real, by_fake : ndarray
        """
        by_real, by_fake = super().discriminator(real, fake)
        return by_real, by_fake + self._by_codes(fake)

    def generator(self, real, fake):
        """Gradient of the generator's mean loss by outputs for its rows, as of
        :meth:`discriminator`."""
        return super().generator(real, fake) + self._by_codes(fake)

    def _by_codes(self, out):
        slope = self.codes.slope(out[:, 1:], self.units)
        return self.weight / len(out) * np.pad(slope, [(0, 0), (1, 0)])


class InformedWatch(GeneratorWatch):
    """Watch that also follows the bound on the mutual information.

    Parameters
    ----------
    objective, table, held_out, state
        As of :class:`~skdgm.implicit.GeneratorWatch`.

    Attributes
    ----------
    information : list of float
        The bound at each call, in nats.
    """

    MEMORY = (*GeneratorWatch.MEMORY, "information")

    def __init__(self, objective, table, held_out, state):
        self.information = []
        super().__init__(objective, table, held_out, state)

    def of_probe(self, state):
        game, units = self.objective, self.latent(len(self.probe))
        codes, fake = game.generator.codes, self.drawn(state, self.probe, self.known)
        units = units[:, units.shape[1] - codes.width :]
        found = codes.information(game.told(state, fake), units)
        self.information.append(float(found.mean()))
        return super().of_probe(state)
