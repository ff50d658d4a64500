r"""Layers of latent units inferred from the highest down, each given the data.

.. math:: q(z \mid x) = q(z_L \mid x) \prod_{l < L} q(z_l \mid x, z_{>l}), \qquad
   p(x, z) = p(x \mid z_1, \dots, z_L) \, p(z_L) \prod_{l < L} p(z_l \mid z_{>l})

Every encoder sees the rows, and every decoder all layers above it, so that no layer
need hand on what another one tells of the rows [1]_ [2]_.

References
----------
.. [1] Tomczak and Welling (2018). VAE with a VampPrior. AISTATS.
.. [2] Sonderby, Raiko, Maaloe, Sonderby and Winther (2016). Ladder variational
   autoencoders. NeurIPS.
"""

from functools import reduce

from skdgm.latent.hierarchy import Hierarchy
from skdgm.nets import beside, layers, listed
from skdgm.nets.branches import meeting


class TopDown(Hierarchy):
    """Hierarchy whose encoders all see the data, and whose decoders see all layers
    above; see :class:`Hierarchy` for parameters.

    Of each encoder but the highest the first hidden layer, of which there must be one,
    is for the data, and the others are for its units beside the layers above.
    """

    def _widths(self):
        n = len(self.n_latent)
        above = [sum(self.n_latent[level:]) for level in range(n)]
        return (self.n_inputs[0],) * n, tuple(above)

    def _encoder(self, level, images, sizes, n_raw, hidden, net):
        n_last = n_raw(self.n_latent[level])
        if level + 1 == len(self.n_latent):
            found = net(sizes, n_last)
            return layers.serial(*images, found) if images else found
        first = layers.serial(*images, *hidden(sizes[:1]))
        return meeting(first, self.n_above[level + 1], net(sizes[1:], n_last))

    def _order(self):
        return reversed(range(len(self.up)))

    def _below(self, x, z, level):
        above = z[level + 1 : len(self.up)]
        return (x, self._above(above)) if above else x

    def _above(self, z):
        return reduce(beside, z)

    def _highest(self, params, statistics, x):
        return self._stats(params, statistics, len(self.up) - 1, x)[0]

    def rebuilt(self, params, statistics, x, told=None):
        above = self._beside(self._above(self.upwards(params, statistics, x)), told)
        own = params.decoders[0], statistics.decoders[0]
        return self.down[0].apply(*own, listed(above))[0]
