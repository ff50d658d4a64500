r"""Encoders and decoders between the data and one or several layers of latent units.

.. math:: q(z \mid x) = \prod_l q(z_l \mid z_{l-1}), \qquad
   p(x, z) = p(x \mid z_1) \, p(z_L) \prod_{l < L} p(z_l \mid z_{l+1}),
   \qquad z_0 = x

where the parameters of all distributions but the last are outputs of nets [1]_ [2]_.

References
----------
.. [1] Kingma and Welling (2014). Auto-encoding variational Bayes. ICLR.
.. [2] Burda, Grosse and Salakhutdinov (2016). Importance weighted autoencoders. ICLR.
"""

from copy import copy
from typing import NamedTuple

import numpy as np

from skdgm.latent.architecture import Architecture
from skdgm.latent.data_layer import Pass
from skdgm.latent.units import Linked
from skdgm.nets import beside, layers, layers_of, listed, start_at, to_draws
from skdgm.nets.tape import getval
from skdgm.utils.tree import leaves

_TOLD, _TOP, _DOWN = 105, 107, 108


class Params(NamedTuple):
    """Parameters of the nets, those next to the data first."""

    encoders: tuple
    decoders: tuple
    # Parameters of the data's distribution and the highest layer that are no outputs of
    # nets; or ().
    own: tuple
    prior: tuple = ()
    # Links within layers, if there are any: of the draws of each encoder, and of
    # what is below each decoder, with the highest layer last.
    links: tuple = ()


class Statistics(NamedTuple):
    """State of the nets besides parameters, moments of batch normalisation, with those
    next to the data first."""

    encoders: tuple
    decoders: tuple


class Images(NamedTuple):
    """Nets of images between the data and the nets of the lowest latent layer: ``up``
    and ``down`` are tuples of them, ``width`` is the most numbers of a row there."""

    up: tuple
    down: tuple
    width: int


class Hierarchy(Architecture):
    """Architecture of a model with layers of latent units, as functions of parameters.

    There are ``n_inputs`` of the lowest encoder and ``n_outputs`` of the lowest
    decoder; ``n_latent`` units of each layer, the one next to the data first; and
    ``n_hidden`` units of each encoder, a tuple upwards, which decoders mirror.
    ``block(n_units)`` returns a hidden layer, as a tuple of nets; ``init`` is the
    initialiser of the last layers. ``units``, :class:`LatentUnits`, are those of the
    encoders' draws, ``generative`` those of the model, by default the same; ``data``, a
    :class:`DataLayer`, links columns; ``images``, :class:`Images`, are at the lower
    ends; ``told``, :class:`~skdgm.latent.told.Told`, are classes or attributes on which
    the data depend, besides the lowest latent units.
    """

    def __init__(
        self,
        n_inputs,
        n_outputs,
        n_latent,
        n_hidden,
        block,
        init,
        units,
        generative=None,
        data=None,
        images=None,
        told=None,
    ):
        self.n_inputs, self.n_latent = (n_inputs, *n_latent[:-1]), n_latent
        self.n_below, self.n_above = self._widths()
        self.units, self.rule, self.data = units, init, data
        self.generative = units if generative is None else generative

        def hidden(sizes):
            return [part for n_units in sizes for part in block(n_units)]

        def net(sizes, n_last):
            return layers.serial(*hidden(sizes), layers.dense(n_last, init=init))

        def encoder(level):
            own = images.up if images else (), n_hidden[level], units.n_raw
            return self._encoder(level, *own, hidden, net)

        extra = data.link.n_extra if data else 0
        below = [self.generative.n_raw(n) for n in n_latent[:-1]]
        below.insert(0, n_outputs + extra)
        self.up = [encoder(level) for level in range(len(n_latent))]
        self.down = [net(part[::-1], n) for part, n in zip(n_hidden, below)]
        self.images, self.told = images, told
        if images:
            self.down[0] = layers.serial(*hidden(n_hidden[0][::-1]), *images.down)

    def _widths(self):
        """Numbers of inputs of encoders, and of decoders beside what they are told."""
        return self.n_inputs, self.n_latent

    def _encoder(self, level, images, sizes, n_raw, hidden, net):
        """Net of an encoder with hidden layers of some sizes, after those of
        ``images``, a tuple of nets."""
        found = net(sizes, n_raw(self.n_latent[level]))
        return layers.serial(*images, found) if images and not level else found

    def init(self, rng, out, own, dtype):
        """Initial parameters and state of the nets; log variances start at zero.

        ``out`` are initial biases of the lowest decoder's outputs, of which those
        beyond the number of inputs are log variances; ``own`` are initial parameters of
        the data's distribution, or ().
        """
        up = [net.init(rng, n, dtype)[1:] for net, n in zip(self.up, self.n_below)]
        n_told = 0 if self.told is None else self.told.n_inputs
        down = zip(self.down, (self.n_above[0] + n_told, *self.n_above[1:]))
        down = [net.init(rng, n_above, dtype)[1:] for net, n_above in down]
        for nets, sizes in (up, self.n_latent), (down, self.n_inputs):
            for (params, _), n_means in zip(nets, sizes):
                _last(params).W[:, n_means:] = 0
        for nets, units in (up, self.units), (down[1:], self.generative):
            for (params, _), n_units in zip(nets, self.n_latent):
                _last(params).b[:n_units] = units.start(n_units)
        if self.images:
            start_at(down[0][0], out, len(out))
        else:
            _last(down[0][0]).b[: len(out)] = out
        (ups, up_kept), (downs, down_kept) = zip(*up), zip(*down)
        prior = self.generative.prior(self.n_latent[-1], rng, dtype)
        how = self.rule, rng, dtype
        of_data = self.data.link.init(*how) if self.data else ()
        of_q = tuple(self.units.link(n, *how) for n in self.n_latent)
        of_p = of_data, *(self.generative.link(n, *how) for n in self.n_latent)
        links = (of_q, of_p) if leaves((of_q, of_p)) else ()
        kept = Statistics(up_kept, down_kept)
        return Params(ups, downs, own, prior, links), kept

    def _link(self, params, side, level):
        """Parameters of the link of a layer, upwards or downwards."""
        return params.links[side][level] if params.links else ()

    def _prior(self, params, statistics):
        """Parameters of the highest layer."""
        if self.generative.inferred:
            stats = self._highest(params, statistics, params.prior)
            return self.units.component(stats)
        own = self._link(params, 1, -1)
        return Linked(params.prior, own) if len(own) else params.prior

    def constrain(self, params):
        """Project parameters onto their limits, in place, after an update."""
        self.generative.constrain(params.prior)

    def width(self, params):
        """How many numbers of a row there are at once."""
        top = getattr(self.generative, "top", None)
        widest = self.images.width if self.images else 1
        return max(super().width(params), top.width if top else 1, widest)

    def batch(self, x):
        """A batch of inputs, of which images are arrays."""
        return x if self.images else super().batch(x)

    def through(
        self,
        params,
        statistics,
        x,
        source,
        *,
        exact=False,
        given=None,
        rng=None,
        train=False,
        decoded=True,
        told=None,
    ):
        r"""Draw latent units of rows x, (n_rows, n_inputs), and decode them: a
        :class:`Pass`.

        .. math:: z_l \sim q(z_l \mid z_{l-1}), \qquad
            \text{gap} = \log q(z \mid x) - \log p(z)

        ``source(level, stats)`` returns noise, (n_rows * n_draws, n_units). If
        ``exact``, the highest layer's part of the gap is its expectation, a
        Kullback-Leibler divergence, where that has a closed form. ``given`` are values
        of the rows, NaN where missing, and a stream for each row, with which links
        between columns draw missing ones. ``told`` are inputs of the lowest decoder
        beside latent units, by default drawn. Unless ``decoded``, there are no outputs,
        nor log p.
        """
        exact = exact and not params.links and self.generative.closed
        units, n = self.units, len(self.up)
        z, log_q, all_stats, ups = ([None] * n for _ in range(4))
        for level in self._order():
            number = 2 * n - 1 - level
            how = {"rng": rng.fold(number) if rng else None, "train": train}
            inputs = self._below(x, z, level)
            stats, ups[level] = self._stats(params, statistics, level, inputs, **how)
            noise, all_stats[level] = source(level, stats), stats
            if exact and level + 1 == n:
                z[level] = units.draw(stats, noise)
                own = units.divergence(stats, params.prior)
                # Beside other layers, of which each draw has values of its own.
                log_q[level] = to_draws(own, len(noise)) if n > 1 else own
            else:
                z[level], log_q[level] = units.drawn(stats, noise)
        if self.told is not None and told is None:
            told = self.told.drawn(source(n, stats))
            z.append(told)
        z, log_q, all_stats, ups = map(tuple, (z, log_q, all_stats, ups))
        if not decoded:
            return Pass(None, log_q, (), z, all_stats, Statistics(ups, ()))
        units, log_p, downs = self.generative, [], []
        if not exact:
            own = self._prior(params, statistics)
            log_p.append(units.log_prior(z[n - 1], own))
        for level in reversed(range(len(self.down))):
            own = params.decoders[level], statistics.decoders[level]
            how = {"rng": rng.fold(level) if rng else None, "train": train}
            above = self._above(z[level:n])
            above = above if level else self._beside(above, told)
            out, kept = self.down[level].apply(*own, listed(above), **how)
            downs.insert(0, kept)
            if level:
                stats_p = units.stats(out, self._link(params, 1, level))
                log_p.insert(0, units.log_prob(z[level - 1], stats_p))
        kept = Statistics(ups, tuple(downs))
        found = Pass(out, log_q, tuple(log_p), z, all_stats, kept)
        if self.data is None:
            return found
        return self.data.complete(found, params, x, given, train)

    def top(self, params, rng, statistics=None):
        """Draw the highest latent units, of shape (n_rows, n_units); one stream for
        each row."""
        dtype = next(layers_of(params)).b.dtype.type
        own = self._prior(params, statistics), rng, self.n_latent[-1], dtype
        return self.generative.draw_prior(*own)

    def upwards(self, params, statistics, x):
        """Means of all latent units of rows x, each layer given the means below, the
        lowest first: a list of arrays."""
        return [*map(self.units.mean, self._climb(params, statistics, x))]

    def _beside(self, z, told, rng=None):
        """Latent units beside what else the lowest decoder is told, if anything."""
        if self.told is None:
            return z
        dtype = getval(z).dtype.type
        if told is None and rng is not None:
            told = self.told.drawn(rng.fold(_TOLD).uniform(1, dtype))
        elif told is None:
            told = self.told.mean
        told = told.astype(dtype, copy=False)
        if len(told) == 1:
            told = np.repeat(told, len(getval(z)), axis=0)
        return beside(z, to_draws(told, len(getval(z))))

    def told_only(self, inputs):
        """The same of rows of which one thing is told, (n_inputs,)."""
        found = copy(self)
        found.told = self.told.only(inputs)
        return found

    def noise(self, rng, n_draws):
        units, n_levels = super().noise(rng, n_draws), len(self.n_latent)

        def source(level, stats):
            if level < n_levels:
                return units(level, stats)
            return rng.fold(level).uniform(n_draws, stats.dtype.type).reshape(-1, 1)

        return source

    def dream(self, params, statistics, rng):
        top = self.top(params, rng.fold(_TOP), statistics)
        z, _ = zip(*self.descent(params, statistics, top, rng.fold(_DOWN)))
        if self.told is None:
            return z[::-1]
        return *z[::-1], self.told.drawn(rng.fold(_TOLD).uniform(1, top.dtype.type))

    def noise_of(self, z, rng=None):
        units = super().noise_of(z, rng)

        def source(level, stats):
            if level < len(self.n_latent):
                return units(level, stats)
            return self.told.noise_of(z[level])

        return source

    def _order(self):
        """Numbers of layers in the order in which encoders infer them."""
        return range(len(self.up))

    def _below(self, x, z, level):
        """What an encoder sees of rows x and of layers z that were inferred before."""
        return listed(z[level - 1]) if level else x

    def _above(self, z):
        """What a decoder sees of the layers above it, the lowest first."""
        return z[0]

    def _stats(self, params, statistics, level, inputs, **how):
        """Distribution of a layer given what its encoder sees, and the updated state
        of the net."""
        own = params.encoders[level], statistics.encoders[level]
        raw, kept = self.up[level].apply(*own, inputs, **how)
        return self.units.stats(raw, self._link(params, 0, level)), kept

    def _climb(self, params, statistics, x):
        """Distributions of all layers given rows, those inferred before at their
        means."""
        found, z = [None] * len(self.up), [None] * len(self.up)
        for level in self._order():
            inputs = self._below(x, z, level)
            found[level], _ = self._stats(params, statistics, level, inputs)
            z[level] = self.units.mean(found[level])
        return found

    def _highest(self, params, statistics, x):
        """Distribution of the highest layer given rows."""
        return self._climb(params, statistics, x)[-1]

    def downwards(self, params, statistics, z, rng=None, level=-1, told=None):
        """Outputs for the data, (n_rows, n_outputs), given the latent units of a layer,
        by number from 0 next to the data, or -1, the highest. ``rng`` draws the layers
        in between; without it they are at their means. ``told`` are inputs of the
        lowest decoder beside; without them, they are drawn, or at their means, too."""
        *_, (_, out) = self.descent(params, statistics, z, rng, level, told)
        return out

    def rebuilt(self, params, statistics, x, told=None):
        """Outputs for the data given the means of all latent units of rows x."""
        top = self.upwards(params, statistics, x)[-1]
        return self.downwards(params, statistics, top, told=told)

    def lowest(self, H, layers):
        """Latent units of the lowest of some layers, of which H, (n_rows, n_features),
        are side by side; and its number."""
        level = min(layers)
        start = sum(self.n_latent[number] for number in layers[: layers.index(level)])
        return H[:, start : start + self.n_latent[level]], level

    def descent(self, params, statistics, z, rng=None, highest=-1, told=None):
        """Yield each layer, the highest first, and the outputs of the decoder below;
        see :meth:`downwards`."""
        units, found = self.generative, []
        for level in range(highest % len(self.down), -1, -1):
            own = params.decoders[level], statistics.decoders[level]
            found.insert(0, z)
            above = self._above(found)
            above = above if level else self._beside(above, told, rng)
            out, _ = self.down[level].apply(*own, listed(above))
            yield z, out
            if level:
                stats = units.stats(out, self._link(params, 1, level))
                if not rng:
                    z = units.mean(stats)
                    continue
                n = self.n_latent[level - 1]
                noise = units.noise(rng.fold(level), n, out.dtype.type)
                z = units.draw(stats, noise)


def _last(params):
    """Last layer of a net's parameters."""
    *_, last = layers_of(params)
    return last
