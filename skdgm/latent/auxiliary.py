r"""Latent units whose posterior is a mixture over auxiliary variables.

.. math:: q(z \mid x) = \int q(a \mid x) \, q(z \mid a, x) \, da

Its density has no closed form. A reverse net :math:`r(a \mid x, z)` extends the model
by a, so that weights of joint draws are those of importance sampling in z and a
together [1]_ [2]_:

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
    beside,
    bounded,
    columns,
    draw,
    layers,
    layers_of,
    log_drawn,
    log_normal,
    to_draws,
)
from skdgm.nets.tape import getval


class AuxiliaryUnits(NormalUnits):
    r"""Normal units given as many auxiliary ones, which are normal given the rows.

    Stats are :class:`~skdgm.latent.units.Linked`: means and log variances of units, and
    of auxiliary ones. Outputs of two nets, with ``hidden`` layers, are added to them:
    one has a and stats as inputs, the other z and stats, for
    :math:`r(a \mid x, z)`. The log probability of a draw is
    :math:`\log q(a \mid x) + \log q(z \mid a, x) - \log r(a \mid x, z)`, whose mean is
    at least :math:`\log q(z \mid x)`. The mean of units is that given the mean of a.
    """

    n_stats = 4

    def __init__(self, hidden, top=None):
        super().__init__(top)
        self.hidden, self.closed = hidden, False

    def n_noise(self, n_units):
        return 2 * n_units

    def _net(self, n_units, rule="glorot_uniform"):
        """Net of a or z and stats, and its statistics."""
        net = layers.serial(self.hidden, layers.dense(2 * n_units, init=rule))
        return net, net.init(np.random.default_rng(0), 5 * n_units, np.float32)[2]

    def link(self, n_units, rule, rng, dtype):
        net, _ = self._net(n_units, rule)
        onward, back = (net.init(rng, 5 * n_units, dtype)[1] for _ in range(2))
        # At first z depends on a by its mean. Without that neither net would learn.
        for params, start in ((onward, n_units), (back, 0)):
            *_, last = layers_of(params)
            last.W[:, start:] = 0
        return onward, back

    def stats(self, raw, link=()):
        return Linked(raw, link)

    def _added(self, number, stats, value, start):
        """Stats of units given a, or of a given units, as of draws."""
        n = getval(value).shape[1]
        net, kept = self._net(n)
        raw = to_draws(stats.raw, len(getval(value)))
        out, _ = net.apply(stats.link[number], kept, beside(value, raw))
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
        n, of_a = noise.shape[1] // 2, self._auxiliary(stats)
        first, second = noise[:, :n], noise[:, n:]
        a = draw(of_a, first)
        of_z = self._units(stats, a)
        z = draw(of_z, second)
        log_q = log_drawn(of_a, first) + log_drawn(of_z, second)
        return z, log_q - log_normal(a, self._reverse(stats, z))

    def noise_of(self, z, stats, rng=None):
        """Noise of given values and of auxiliary ones, drawn by r with a stream for
        each row."""
        a = draw(self._reverse(stats, z), rng.normal(z.shape[1], z.dtype.type))
        of_a = super().noise_of(a, self._auxiliary(stats))
        of_z = super().noise_of(z, self._units(stats, a))
        return np.concatenate([of_a, of_z], axis=1)

    def log_prob(self, z, stats):
        """There is no closed form."""
        raise NotImplementedError

    def divergence(self, stats, prior):
        """There is no closed form: :meth:`Hierarchy.through` does not ask for it."""
        raise NotImplementedError

    def mean(self, stats):
        return super().mean(self.component(stats))

    def component(self, stats):
        n = stats.raw.shape[1] // self.n_stats
        return self._units(stats, columns(self._auxiliary(stats), 0, n))
