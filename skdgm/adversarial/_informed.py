r"""A game whose generator is to tell by its rows which codes it was given.

.. math:: \min_{D, q} \; \mathbb{E} [\ell_D] - \lambda L_I, \qquad
   \min_g \; \mathbb{E} [\ell_G] - \lambda L_I, \qquad
   L_I = \mathbb{E}_{c, x = g(z, c)} [\log q(c \mid x)] + H(c)

where q shares all hidden units of the discriminator [1]_. If images are deformed, by
random maps T, q tells codes by :math:`T g(z, c)`, and the discriminator also lowers
:math:`-\lambda` times the mutual information of the categories of two views of a real
row [2]_,

.. math:: I(c_1; c_2), \qquad
   p(c_1, c_2) = \mathbb{E}_{x, T_1, T_2} [q(c_1 \mid T_1 x) \, q(c_2 \mid T_2 x)]

References
----------
.. [1] Chen, Duan, Houthooft, Schulman, Sutskever and Abbeel (2016). InfoGAN:
   interpretable representation learning by information maximizing generative
   adversarial nets. NeurIPS.
.. [2] Ji, Henriques and Vedaldi (2019). Invariant information clustering for
   unsupervised image classification and segmentation. ICCV.
"""

import numpy as np

from skdgm.adversarial._codes import Codes
from skdgm.adversarial._game import DEFORM, DISCRIMINATE, Game
from skdgm.adversarial._verdict import Verdict
from skdgm.adversarial._wiring import Wiring
from skdgm.implicit import GeneratorWatch
from skdgm.nets.packs import stacked
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

    def game(self, rows, seed, before):
        """Objective of a run after so many epochs."""
        nets = {"generator": self.generator, "discriminator": self.discriminator}
        nets["deform"] = self.deformation()
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
    deform : callable, optional
        A :class:`~skdgm.nets.deform.Deformation` of rows whose codes are told.
    """

    def __init__(self, *given, deform=None, **nets):
        super().__init__(*given, **nets)
        self.deform = deform

    def pair(self, params, statistics, turn):
        """Real and generated rows; if there are deformations, two views of the real
        ones after them, to the discriminator, and one of the generated ones."""
        real, fake, after = super().pair(params, statistics, turn)
        if self.deform is None:
            return real, fake, after
        rng = turn.rng.fold(DEFORM)
        fake = stacked(fake, self.deform(fake, rng))
        if turn.which == DISCRIMINATE and self.generator.codes.categories:
            views = [self.deform(real, rng.fold(side)) for side in (1, 2)]
            real = np.concatenate([real, *views])
        return real, fake, after

    def penalised(self, real, fake):
        """Rows as they are, without views."""
        n = len(fake) if self.deform is None else len(fake) // 2
        return real[:n], fake[:n]

    def verdict(self, turn):
        """Losses of both players by the discriminator's outputs."""
        codes = self.generator.codes
        units = turn.z[:, turn.z.shape[1] - codes.width :]
        given = codes, units, self.recipe.information_weight
        return InformedVerdict(self.loss, given, self.recipe.label_smoothing)

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
        real : ndarray of shape (n_rows, n_outputs), or (3 * n_rows, n_outputs)
            Of rows, and of two views of them.
        fake : ndarray of shape (n_rows, n_outputs), or (2 * n_rows, n_outputs)
            Of rows, and of those that codes are told by, if these are others.

        Returns
        -------
        by_real, by_fake : ndarray
        """
        n, by_real, by_fake = len(self.units), np.zeros_like(real), self._by_codes(fake)
        own = super().discriminator(real[:n], fake[:n])
        by_real[:n] += own[0]
        by_fake[:n] += own[1]
        if len(real) > n:
            views = real[n : 2 * n, 1:], real[2 * n :, 1:]
            slopes = np.concatenate(self.codes.shared(*views)[1])
            by_real[n:, 1:] = -self.weight * slopes
        return by_real, by_fake

    def generator(self, real, fake):
        """Gradient of the generator's mean loss by outputs for its rows, as of
        :meth:`discriminator`."""
        n, back = len(self.units), self._by_codes(fake)
        back[:n] += super().generator(real, fake[:n])
        return back

    def _by_codes(self, out):
        n, back = len(self.units), np.zeros_like(out)
        slope = self.codes.slope(out[-n:, 1:], self.units)
        back[-n:, 1:] = self.weight / n * slope
        return back


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
        objective, net = self.objective, state.discriminator
        codes, z = objective.generator.codes, self.latent(len(self.probe))
        fake = self.drawn(state, self.probe, self.known)
        judge = objective.discriminator.judge
        out, _, _ = judge(net.params, net.statistics, fake)
        found = codes.information(out[:, 1:], z[:, z.shape[1] - codes.width :])
        self.information.append(float(found.mean()))
        return super().of_probe(state)
