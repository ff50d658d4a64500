r"""Latent units whose posterior is a mixture over auxiliary variables.

.. math:: q(z \mid x) = \int q(a \mid x) \, q(z \mid a, x) \, da

This density has no closed form. A reverse net :math:`r(a \mid x, z)` extends the model
to a, and z and a are jointly importance-sampled [1]_ [2]_:

.. math:: p(x) = \mathbb{E}_{q(a, z \mid x)} \frac{p(x, z) \, r(a \mid x, z)}
   {q(a \mid x) \, q(z \mid a, x)}

References
----------
.. [1] Maaloe, Sonderby, Sonderby and Winther (2016). Auxiliary deep generative models.
   ICML.
.. [2] Ranganath, Tran and Blei (2016). Hierarchical variational models. ICML.
"""

import numpy as np

from skdgm.latent.units import Linked, NormalUnits
from skdgm.nets import (
    bounded,
    columns,
    draw,
    join_columns,
    layers,
    layers_of,
    log_drawn,
    log_normal,
    to_draws,
)
from skdgm.nets.tape import getval


class AuxiliaryUnits(NormalUnits):
    r"""Normal units given equally many auxiliary units a, which are normal given the
    row.

    Stats are :class:`~skdgm.latent.units.Linked`: means and log-variances of z and of
    a. Two nets with ``hidden`` layers correct them: one has a and the stats as inputs,
    for :math:`q(z \mid a, x)`, the other z and the stats, for :math:`r(a \mid x, z)`.
    The log-probability of a draw is :math:`\log q(a \mid x) + \log q(z \mid a, x) -
    \log r(a \mid x, z)`, an upper bound, in expectation, on :math:`\log q(z \mid x)`.
    The mean of units is conditional on the mean of a.
    """

    n_stats = 4

    def __init__(self, hidden, top=None):
        super().__init__(top)
        self.hidden, self.closed = hidden, False

    def n_noise(self, n_units):
        return 2 * n_units

    def _net(self, n_units, rule="glorot_uniform"):
        """Net with the inputs a or z and the stats, and its statistics."""
        net = layers.serial(self.hidden, layers.dense(2 * n_units, init=rule))
        return net, net.init(np.random.default_rng(0), 5 * n_units, np.float32)[2]

    def link(self, n_units, rule, rng, dtype):
        net, _ = self._net(n_units, rule)
        forward, reverse = (net.init(rng, 5 * n_units, dtype)[1] for _ in range(2))
        # Initially the mean of z depends on a; without it neither net would learn.
        for params, start in ((forward, n_units), (reverse, 0)):
            *_, last_layer = layers_of(params)
            last_layer.W[:, start:] = 0
        return forward, reverse

    def stats(self, raw, link=()):
        return Linked(raw, link)

    def _added(self, number, stats, value, start):
        """Stats of z given a, or of a given z, for each draw ``value``."""
        n = getval(value).shape[1]
        net, net_statistics = self._net(n)
        raw = to_draws(stats.raw, len(getval(value)))
        out, _ = net.apply(stats.link[number], net_statistics, join_columns(value, raw))
        return bounded(columns(raw, start, start + 2 * n) + out)

    def _units(self, stats, a):
        return self._added(0, stats, a, 0)

    def _reverse(self, stats, z):
        return self._added(1, stats, z, 2 * getval(z).shape[1])

    def _auxiliary(self, stats):
        return bounded(columns(stats.raw, stats.raw.shape[1] // 2, None))

    def draw(self, stats, noise):
        return self.drawn(stats, noise)[0]

    def log_drawn(self, stats, noise, z):
        return self.drawn(stats, noise)[1]

    def drawn(self, stats, noise):
        n, a_stats = noise.shape[1] // 2, self._auxiliary(stats)
        a_noise, z_noise = noise[:, :n], noise[:, n:]
        a = draw(a_stats, a_noise)
        z_stats = self._units(stats, a)
        z = draw(z_stats, z_noise)
        log_q = log_drawn(a_stats, a_noise) + log_drawn(z_stats, z_noise)
        return z, log_q - log_normal(a, self._reverse(stats, z))

    def noise_of(self, z, stats, rng=None):
        """Noise of z and of auxiliary units, which the reverse net draws."""
        a = draw(self._reverse(stats, z), rng.normal(z.shape[1], z.dtype.type))
        a_noise = super().noise_of(a, self._auxiliary(stats))
        z_noise = super().noise_of(z, self._units(stats, a))
        return np.concatenate([a_noise, z_noise], axis=1)

    def log_prob(self, z, stats):
        """Not implemented: it has no closed form."""
        raise NotImplementedError

    def divergence(self, stats, prior):
        """Not implemented: it has no closed form."""
        raise NotImplementedError

    def mean(self, stats):
        return super().mean(self.component(stats))

    def component(self, stats):
        n = stats.raw.shape[1] // self.n_stats
        return self._units(stats, columns(self._auxiliary(stats), 0, n))
