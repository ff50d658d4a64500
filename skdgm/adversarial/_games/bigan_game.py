r"""The BiGAN game: rows and their codes against generated rows and their latent units.

.. math:: \min_{g, e} \max_d \; \mathbb{E}_{x} \log d(x, e(x)) +
   \mathbb{E}_{z} \log (1 - d(g(z), z))

Encoder e and generator g minimize the discriminator's loss with real and generated
pairs exchanged, which has the same solution: e and g are inverse to each other [1]_
[2]_. They may also minimize the weighted squared reconstruction error,
:math:`\lambda \, \mathbb{E}_x \lVert x - g(e(x)) \rVert^2`, so that each row has its
own code [3]_.

References
----------
.. [1] Donahue, Krähenbühl and Darrell (2017). Adversarial feature learning. ICLR.
.. [2] Dumoulin, Belghazi, Poole, Lamb, Arjovsky, Mastropietro and Courville (2017).
   Adversarially learned inference. ICLR.
.. [3] Li, Liu, Chen, Pu, Chen, Henao and Carin (2017). ALICE: towards understanding
   adversarial learning for joint distribution matching. NeurIPS.
"""

from skdgm.adversarial._games.game import Game
from skdgm.nets.reconstruction import squared_slope
from skdgm.nets.tape import pulled_back, traced_leaves

_ENCODE, _REBUILD = 10, 11


class BiGANGame(Game):
    """Adversarial training of a generator and an encoder."""

    both_sides = True

    @property
    def n_seen(self):
        """Number of columns of a pair."""
        return super().n_seen + self.generator.n_latent

    def sides(self, fake, after, params, statistics, update):
        """Rows with their codes, and generated rows with their latent units."""
        code, state = self._encoded(params, statistics, update)
        real = self.seen(update.x, update, columns=code)
        return real, self.seen(fake, update, 1, columns=update.z), (state, after[1])

    def extra_gradient(self, state, update):
        """Gradient of the weighted reconstruction error with respect to parameters."""
        before, rng = state.generator, update.rng.fold(_REBUILD)
        weight = 2 * self.options.reconstruction_weight / len(update.x)
        if not weight:
            return None
        noise = self.emission.noise(rng, len(update.x), self.rows.dtype)

        params = traced_leaves(before.params)
        code, _ = self._encoded(params, before.statistics, update)
        out, _ = self.generator.draw(
            params, before.statistics, code, noise, rng, train=True
        )

        def slopes(out):
            return weight * squared_slope(out, update.x, update.known)

        return pulled_back(out, params, slopes)

    def _encoded(self, params, statistics, update):
        """Codes of real rows in training, and updated statistics of the encoder."""
        rng = update.rng.fold(_ENCODE)
        return self.nets.encoder.apply(
            params[0], statistics[0], update.x, rng=rng, train=True
        )
