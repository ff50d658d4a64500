r"""Encoders and decoders between the data and one or several layers of latent units.

.. math:: q(z \mid x) = \prod_l \mathcal{N}(z_l; \mu_l(z_{l-1}), e^{s_l(z_{l-1})}),
   \qquad p(x, z) = p(x \mid z_1) \prod_{l < L} p(z_l \mid z_{l+1}) \;
   \mathcal{N}(z_L; 0, 1), \qquad z_0 = x

where all means and log variances are outputs of nets [1]_ [2]_.

References
----------
.. [1] Kingma and Welling (2014). Auto-encoding variational Bayes. ICLR.
.. [2] Burda, Grosse and Salakhutdinov (2016). Importance weighted autoencoders. ICLR.
"""

from typing import NamedTuple

import numpy as np

from skdgm.nets import (
    bounded,
    divergence,
    draw,
    halves,
    layers,
    log_drawn,
    log_normal,
    log_prior,
)


class Params(NamedTuple):
    """What is learned.

    Parameters
    ----------
    encoders, decoders : tuple
        The nets' parameters, those next to the data first.
    own : ndarray or ()
        Of the data's distribution itself.
    """

    encoders: tuple
    decoders: tuple
    own: tuple


class Memory(NamedTuple):
    """What else the nets remember."""

    encoders: tuple
    decoders: tuple


class Pass(NamedTuple):
    """What came of a pass up and down.

    Parameters
    ----------
    out : ndarray
        The lowest decoder's outputs, one row for each draw.
    gap : ndarray
        log q(z | x) - log p(z) of each draw; or, by row, what is expected of it.
    z : tuple of ndarray
        The draws, lowest first.
    memory : Memory
    """

    out: object
    gap: object
    z: tuple
    memory: Memory


class Ladder:
    """The nets' architecture: functions of their parameters.

    Parameters
    ----------
    n_inputs, n_outputs : int
        What an encoder sees of a row, and what a decoder says of it.
    n_latent : tuple of int
        Numbers of latent units, those next to the data first.
    n_hidden : tuple of tuple of int
        Numbers of hidden units of each encoder, upwards; decoders mirror them.
    block : callable
        ``block(n_units)`` returns a hidden layer, as a tuple of nets.
    init : str
        How the weights of their last layers begin.
    """

    def __init__(self, n_inputs, n_outputs, n_latent, n_hidden, block, init):
        self.n_inputs, self.n_latent = (n_inputs, *n_latent[:-1]), n_latent

        def net(sizes, n_last):
            hidden = [part for n_units in sizes for part in block(n_units)]
            return layers.serial(*hidden, layers.dense(n_last, init=init))

        below = n_outputs, *(2 * n_units for n_units in n_latent[:-1])
        self.up = [net(part, 2 * n) for part, n in zip(n_hidden, n_latent)]
        self.down = [net(part[::-1], n) for part, n in zip(n_hidden, below)]

    def init(self, rng, out, own, dtype):
        """Parameters and memory; log variances begin with zeros.

        Parameters
        ----------
        rng : numpy.random.Generator
        out : ndarray
            The lowest decoder's outputs to begin with; what comes after as many as
            there are inputs are log variances.
        own : ndarray or ()
        dtype : type
        """
        up = zip(self.up, self.n_inputs)
        up = [net.init(rng, n_below, dtype)[1:] for net, n_below in up]
        down = zip(self.down, self.n_latent)
        down = [net.init(rng, n_above, dtype)[1:] for net, n_above in down]
        for (params, _), n_means in zip(up, self.n_latent):
            params[-1].W[:, n_means:] = 0
        for (params, _), n_means in zip(down, self.n_inputs):
            params[-1].W[:, n_means:] = 0
        down[0][0][-1].b[:] = out
        (ups, up_kept), (downs, down_kept) = zip(*up), zip(*down)
        return Params(ups, downs, own), Memory(up_kept, down_kept)

    def through(self, params, memory, x, source, *, exact=False, rng=None, train=False):
        """Draw latent units of rows, and decode them.

        Parameters
        ----------
        params : Params
        memory : Memory
        x : ndarray of shape (n_rows, n_inputs)
        source : callable
            ``source(level, stats)`` returns noise, of so many draws for each row.
        exact : bool
            Whether the highest layer's part of the gap is its expectation.
        rng, train
            As of :mod:`skdgm.nets.layers`.

        Returns
        -------
        found : Pass
        """
        z, gap, ups, downs = [], 0.0, [], []
        how = [
            {"rng": rng.fold(number) if rng else None, "train": train}
            for number in range(2 * len(self.up))
        ]
        for level, net in enumerate(self.up):
            own = params.encoders[level], memory.encoders[level]
            raw, kept = net.apply(*own, z[-1] if z else x, **how.pop())
            stats = bounded(raw)
            noise = source(level, stats)
            expected = exact and level + 1 == len(self.up)
            gap = gap + (divergence(stats) if expected else log_drawn(stats, noise))
            z.append(draw(stats, noise))
            ups.append(kept)
        if not exact:
            gap = gap - log_prior(z[-1])
        for level in reversed(range(len(self.down))):
            own = params.decoders[level], memory.decoders[level]
            out, kept = self.down[level].apply(*own, z[level], **how.pop())
            downs.insert(0, kept)
            if level:
                gap = gap - log_normal(z[level - 1], bounded(out))
        return Pass(out, gap, tuple(z), Memory(tuple(ups), tuple(downs)))

    def noise(self, rng, n_draws):
        """So many draws of noise for each row, which has its own stream."""

        def source(level, stats):
            n_units = self.n_latent[level]
            flat = rng.fold(level).normal(n_draws * n_units, stats.dtype.type)
            return flat.reshape(-1, n_units)

        return source

    def upwards(self, params, memory, x):
        """Means of all latent units, each layer given those below."""
        means = []
        for level, net in enumerate(self.up):
            own = params.encoders[level], memory.encoders[level]
            raw, _ = net.apply(*own, means[-1] if means else x)
            means.append(halves(raw)[0])
        return means

    def downwards(self, params, memory, z, rng=None):
        """Outputs for the data, given the highest latent units: by means, or by draws
        where there are random numbers."""
        for level in reversed(range(len(self.down))):
            own = params.decoders[level], memory.decoders[level]
            z, _ = self.down[level].apply(*own, z)
            if level:
                mean, log_var = halves(bounded(z))
                z = mean
                if rng:
                    noise = rng.fold(level).normal(mean.shape[1], mean.dtype.type)
                    z = mean + np.exp(0.5 * log_var) * noise
        return z
