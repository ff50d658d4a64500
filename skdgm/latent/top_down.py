r"""Layers of latent units that are inferred from the highest down, each given the data.

.. math:: q(z \mid x) = q(z_L \mid x) \prod_{l < L} q(z_l \mid x, z_{>l}), \qquad
   p(x, z) = p(x \mid z_1, \dots, z_L) \, p(z_L) \prod_{l < L} p(z_l \mid z_{>l})

Every encoder receives the row, and every decoder all layers above it, so that no layer
has to pass on information of other layers [1]_ [2]_.

References
----------
.. [1] Tomczak and Welling (2018). VAE with a VampPrior. AISTATS.
.. [2] Sonderby, Raiko, Maaloe, Sonderby and Winther (2016). Ladder variational
   autoencoders. NeurIPS.
"""

from functools import reduce

from skdgm.latent.hierarchy import Hierarchy
from skdgm.nets import join_columns, layers
from skdgm.nets.branches import two_inputs


class TopDown(Hierarchy):
    """:class:`Hierarchy` whose encoders all receive the data, and whose decoders
    receive all layers above. Only the data enter the first hidden layer of each encoder
    but the highest; the layers above enter after it."""

    def _widths(self):
        n = len(self.n_latent)
        above = [sum(self.n_latent[level:]) for level in range(n)]
        return (self.n_inputs[0],) * n, tuple(above)

    def _encoder(self, level, images, sizes, hidden, net):
        n_last = self.units.n_raw(self.n_latent[level])
        if level + 1 == len(self.n_latent):
            encoder = net(sizes, n_last)
            return layers.serial(*images, encoder) if images else encoder
        data_layers = layers.serial(*images, *hidden(sizes[:1]))
        return two_inputs(data_layers, self.n_above[level + 1], net(sizes[1:], n_last))

    def _order(self):
        return reversed(range(len(self.up)))

    def _below(self, x, z, level):
        above = z[level + 1 : len(self.up)]
        return (x, self._above(above)) if above else x

    def _above(self, z):
        return reduce(join_columns, z)

    def _highest(self, net, x):
        return self._stats(net, len(self.up) - 1, x)[0]

    def rebuilt(self, net, x, covariates=None):
        above = self._with_covariates(self._above(self.upwards(net, x)), covariates)
        return self._decode(net, 0, above)[0]
