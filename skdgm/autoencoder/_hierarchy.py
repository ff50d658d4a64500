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
    """Parameters of the nets.

    Parameters
    ----------
    encoders, decoders : tuple
        Parameters of each net, those next to the data first.
    own : ndarray or ()
        Parameters of the distribution of the data that are no outputs of a decoder.
    """

    encoders: tuple
    decoders: tuple
    own: tuple


class Statistics(NamedTuple):
    """State of the nets besides parameters: moments of batch normalisation.

    Parameters
    ----------
    encoders, decoders : tuple
        State of each net, those next to the data first.
    """

    encoders: tuple
    decoders: tuple


class Pass(NamedTuple):
    """Result of a pass through encoders and decoders.

    Parameters
    ----------
    out : ndarray of shape (n_rows * n_draws, n_outputs)
        Outputs of the lowest decoder.
    gap : ndarray of shape (n_rows * n_draws,) or (n_rows,)
        log q(z | x) - log p(z) of each draw; or its expectation, for each row.
    z : tuple of ndarray of shape (n_rows * n_draws, n_units)
        Latent units, lowest layer first.
    statistics : Statistics
        Updated state of the nets.
    """

    out: object
    gap: object
    z: tuple
    statistics: Statistics


class Hierarchy:
    """Architecture of a hierarchical VAE, as functions of its parameters.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Number of inputs of the lowest encoder, and of outputs of the lowest decoder.
    n_latent : tuple of int
        Number of latent units of each layer, the one next to the data first.
    n_hidden : tuple of tuple of int
        Numbers of hidden units of each encoder, upwards; decoders mirror them.
    block : callable
        ``block(n_units)`` returns a hidden layer, as a tuple of nets.
    init : str
        Initialiser of the weights of the nets' last layers.
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
        """Initial parameters and state of the nets; log variances start at zero.

        Parameters
        ----------
        rng : numpy.random.Generator
        out : ndarray of shape (n_outputs,)
            Initial biases of the lowest decoder's outputs. Outputs beyond the number of
            inputs are log variances.
        own : ndarray or ()
            Initial parameters of the data's distribution.
        dtype : type

        Returns
        -------
        params : Params
        statistics : Statistics
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
        return Params(ups, downs, own), Statistics(up_kept, down_kept)

    def through(
        self, params, statistics, x, source, *, exact=False, rng=None, train=False
    ):
        r"""Draw latent units of rows, and decode them.

        .. math:: z_l \sim q(z_l \mid z_{l-1}), \qquad
            \text{gap} = \log q(z \mid x) - \log p(z)

        Parameters
        ----------
        params : Params
        statistics : Statistics
        x : ndarray of shape (n_rows, n_inputs)
        source : callable
            ``source(level, stats)`` returns standard normal noise of shape
            (n_rows * n_draws, n_units).
        exact : bool, default=False
            Whether the highest layer's part of the gap is its expectation, a
            Kullback-Leibler divergence.
        rng : Stream, optional
            For dropout.
        train : bool, default=False
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
            own = params.encoders[level], statistics.encoders[level]
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
            own = params.decoders[level], statistics.decoders[level]
            out, kept = self.down[level].apply(*own, z[level], **how.pop())
            downs.insert(0, kept)
            if level:
                gap = gap - log_normal(z[level - 1], bounded(out))
        return Pass(out, gap, tuple(z), Statistics(tuple(ups), tuple(downs)))

    def noise(self, rng, n_draws):
        """Source of standard normal noise, with a stream for each row.

        Parameters
        ----------
        rng : Stream
            One stream for each row.
        n_draws : int
            Draws for each row.

        Returns
        -------
        source : callable
            As :meth:`through` takes it.
        """

        def source(level, stats):
            n_units = self.n_latent[level]
            flat = rng.fold(level).normal(n_draws * n_units, stats.dtype.type)
            return flat.reshape(-1, n_units)

        return source

    def upwards(self, params, statistics, x):
        """Means of all latent units, each layer given the means below.

        Parameters
        ----------
        params : Params
        statistics : Statistics
        x : ndarray of shape (n_rows, n_inputs)

        Returns
        -------
        means : list of ndarray of shape (n_rows, n_units)
            Lowest layer first.
        """
        means = []
        for level, net in enumerate(self.up):
            own = params.encoders[level], statistics.encoders[level]
            raw, _ = net.apply(*own, means[-1] if means else x)
            means.append(halves(raw)[0])
        return means

    def downwards(self, params, statistics, z, rng=None):
        """Outputs for the data, given the highest latent units.

        Parameters
        ----------
        params : Params
        statistics : Statistics
        z : ndarray of shape (n_rows, n_units)
        rng : Stream, optional
            Draws the layers in between; without it they are at their means.

        Returns
        -------
        out : ndarray of shape (n_rows, n_outputs)
        """
        for level in reversed(range(len(self.down))):
            own = params.decoders[level], statistics.decoders[level]
            z, _ = self.down[level].apply(*own, z)
            if level:
                mean, log_var = halves(bounded(z))
                z = mean
                if rng:
                    noise = rng.fold(level).normal(mean.shape[1], mean.dtype.type)
                    z = mean + np.exp(0.5 * log_var) * noise
        return z
