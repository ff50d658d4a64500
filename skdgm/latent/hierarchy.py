r"""Encoders and decoders between the data and one or several layers of latent units.

.. math:: q(z \mid x) = \prod_l q(z_l \mid z_{l-1}), \qquad
   p(x, z) = p(x \mid z_1) \, p(z_L) \prod_{l < L} p(z_l \mid z_{l+1}),
   \qquad z_0 = x

The parameters of all distributions but the prior are outputs of nets [1]_ [2]_.

References
----------
.. [1] Kingma and Welling (2014). Auto-encoding variational Bayes. ICLR.
.. [2] Burda, Grosse and Salakhutdinov (2016). Importance weighted autoencoders. ICLR.
"""

from copy import copy
from typing import NamedTuple

import numpy as np

from skdgm.latent.architecture import Architecture
from skdgm.latent.covariates import DecoderCovariates
from skdgm.latent.data_layer import DataLayer, Pass
from skdgm.latent.units import Linked
from skdgm.nets import (
    join_columns,
    layers,
    layers_of,
    lists_if_sparse,
    start_at,
    to_draws,
)
from skdgm.nets.tape import getval
from skdgm.utils import addresses
from skdgm.utils.tree import leaves

_COVARIATES, _TOP, _DOWN = addresses.LATENT_HIERARCHY


class HierarchyParams(NamedTuple):
    """Parameters of the nets, from the data up."""

    encoders: tuple
    decoders: tuple
    # Dispersions of the distributions of the data and of the highest layer.
    dispersion: tuple
    prior: tuple = ()
    # Links within layers, or (): those of each encoder's draws, and those of the
    # columns or layer below each decoder, with the highest layer last.
    links: tuple = ()

    # Names of fields in older files.
    RENAMED = {"own": "dispersion"}


class Statistics(NamedTuple):
    """Moments of batch normalization of the nets, from the data up."""

    encoders: tuple
    decoders: tuple


class Images(NamedTuple):
    """Convolutional nets ``up`` and ``down``, tuples, between the data and the nets of
    the lowest latent layer; ``width`` is their largest number of activations for one
    row."""

    up: tuple
    down: tuple
    width: int


class DataEnd(NamedTuple):
    """Lower end of a hierarchy: numbers of inputs and outputs, ``links`` between
    columns, nets of ``images``, and ``covariates`` of the decoder."""

    n_inputs: int
    n_outputs: int
    links: DataLayer | None = None
    images: Images | None = None
    covariates: DecoderCovariates | None = None


class Hierarchy(Architecture):
    """Architecture of a model with layers of latent units. ``n_latent`` are the numbers
    of units of each layer, from the data up. ``n_hidden`` has a tuple of the sizes of
    hidden layers for each encoder; decoders have the reverse sizes. ``block(n_units)``
    returns the nets of a hidden layer, and ``init`` initializes output layers.
    ``units``, :class:`LatentUnits`, is the distribution of the encoders' draws, and
    ``generative`` the distribution in the model, by default the same."""

    def __init__(self, end, n_latent, *, n_hidden, block, init, units, generative=None):
        self.n_inputs, self.n_latent = (end.n_inputs, *n_latent[:-1]), n_latent
        self.n_below, self.n_above = self._widths()
        self.units, self.rule, self.data = units, init, end.links
        self.images, self.covariates = end.images, end.covariates
        self.generative = units if generative is None else generative

        def hidden(sizes):
            return [net_ for n_units in sizes for net_ in block(n_units)]

        def net(sizes, n_last):
            return layers.serial(*hidden(sizes), layers.dense(n_last, init=init))

        images = end.images.up if end.images else ()
        extra = end.links.link.n_extra if end.links else 0
        below = [self.generative.n_raw(n) for n in n_latent[:-1]]
        below.insert(0, end.n_outputs + extra)
        self.up = [
            self._encoder(level, images, sizes, hidden, net)
            for level, sizes in enumerate(n_hidden)
        ]
        self.down = [net(sizes[::-1], n) for sizes, n in zip(n_hidden, below)]
        if end.images:
            lowest = hidden(n_hidden[0][::-1])
            self.down[0] = layers.serial(*lowest, *end.images.down)

    def _widths(self):
        """Numbers of inputs of encoders, and of decoders without covariates."""
        return self.n_inputs, self.n_latent

    def _encoder(self, level, images, sizes, hidden, net):
        """Net of an encoder, with hidden layers of ``sizes`` after the nets
        ``images``."""
        encoder = net(sizes, self.units.n_raw(self.n_latent[level]))
        return layers.serial(*images, encoder) if images and not level else encoder

    def init(self, rng, out, dispersion, dtype):
        """Initial parameters and statistics of the nets; log-variances are initially
        zero. ``out`` are initial biases of the lowest decoder, means followed by
        log-variances, and ``dispersion`` further initial parameters of the distribution
        of the data, or ()."""
        up = [net.init(rng, n, dtype)[1:] for net, n in zip(self.up, self.n_below)]
        n_covariates = 0 if self.covariates is None else self.covariates.n_inputs
        down = zip(self.down, (self.n_above[0] + n_covariates, *self.n_above[1:]))
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
        (up_params, up_kept), (down_params, down_kept) = zip(*up), zip(*down)
        prior = self.generative.prior(self.n_latent[-1], rng, dtype)
        data_link = self.data.link.init(self.rule, rng, dtype) if self.data else ()
        encoder_links, decoder_links = (
            tuple(units.link(n, self.rule, rng, dtype) for n in self.n_latent)
            for units in (self.units, self.generative)
        )
        links = encoder_links, (data_link, *decoder_links)
        params = HierarchyParams(
            up_params, down_params, dispersion, prior, links if leaves(links) else ()
        )
        return params, Statistics(up_kept, down_kept)

    def _link(self, params, side, level):
        """Parameters of the link of a layer; ``side`` is 0 for encoders, 1 for
        decoders."""
        return params.links[side][level] if params.links else ()

    def _prior(self, net):
        """Parameters of the prior of the highest layer."""
        prior = net.params.prior
        if self.generative.inferred:
            return self.units.component(self._highest(net, prior))
        link = self._link(net.params, 1, -1)
        return Linked(prior, link) if len(link) else prior

    def constrain(self, params):
        self.generative.constrain(params.prior)

    def width(self, params):
        """Largest number of activations of a layer for one row."""
        top = getattr(self.generative, "top", None)
        widest = self.images.width if self.images else 1
        return max(super().width(params), top.width if top else 1, widest)

    def batch(self, x):
        """Inputs of a minibatch; images stay arrays."""
        return x if self.images else super().batch(x)

    def through(
        self,
        net,
        x,
        source,
        *,
        exact=False,
        entries=None,
        training=None,
        covariates=None,
    ):
        r"""Draw latent units of rows x, (n_rows, n_inputs), and decode them: a
        :class:`Pass`.

        .. math:: z_l \sim q(z_l \mid z_{l-1}), \qquad
            \text{gap} = \log q(z \mid x) - \log p(z)

        ``source(level, stats)`` returns noise, (n_rows * n_draws, n_units). With
        ``exact``, the gap of the highest layer is replaced by its expectation, a
        Kullback-Leibler divergence, if it has a closed form. ``entries``,
        :class:`~skdgm.latent.data_layer.Entries`, are needed if columns depend on each
        other and entries are missing. ``training`` is the random stream of dropout,
        None after training. ``covariates`` of the lowest decoder are drawn by default.
        """
        exact = exact and not net.params.links and self.generative.closed
        inferred = self.infer(net, x, source, exact=exact, training=training)
        n_levels, z, units = len(self.up), inferred.z, self.generative
        if self.covariates is not None and covariates is None:
            covariates = self.covariates.drawn(source(n_levels, inferred.stats[0]))
            z = *z, covariates
        log_p, down_statistics = [], []
        if not exact:
            log_p.append(units.log_prior(z[n_levels - 1], self._prior(net)))
        for level in reversed(range(len(self.down))):
            above = self._above(z[level:n_levels])
            above = above if level else self._with_covariates(above, covariates)
            out, level_statistics = self._decode(net, level, above, training)
            down_statistics.insert(0, level_statistics)
            if level:
                stats = units.stats(out, self._link(net.params, 1, level))
                log_p.insert(0, units.log_prob(z[level - 1], stats))
        statistics = Statistics(inferred.statistics.encoders, tuple(down_statistics))
        decoded = inferred._replace(
            out=out, log_p=tuple(log_p), z=z, statistics=statistics
        )
        if self.data is None:
            return decoded
        return self.data.complete(decoded, net.params, x, entries, training is not None)

    def infer(self, net, x, source, *, exact=False, training=None):
        """Draw latent units of rows x: a :class:`Pass` without outputs and log p;
        arguments as in :meth:`through`."""
        units, n = self.units, len(self.up)
        z, log_q, all_stats, up_statistics = ([None] * n for _ in range(4))
        for level in self._order():
            inputs = self._below(x, z, level)
            rng = training.fold(2 * n - 1 - level) if training else None
            stats, up_statistics[level] = self._stats(net, level, inputs, rng)
            noise, all_stats[level] = source(level, stats), stats
            if exact and level + 1 == n:
                z[level] = units.draw(stats, noise)
                gap = units.divergence(stats, net.params.prior)
                # The gaps of other layers differ between draws.
                log_q[level] = to_draws(gap, len(noise)) if n > 1 else gap
            else:
                z[level], log_q[level] = units.drawn(stats, noise)
        statistics = Statistics(tuple(up_statistics), ())
        return Pass(None, tuple(log_q), (), tuple(z), tuple(all_stats), statistics)

    def top(self, net, rng):
        """Draw the highest latent units from the prior, (n_rows, n_units), with a
        random stream for each row."""
        dtype = next(layers_of(net.params)).b.dtype.type
        return self.generative.draw_prior(
            self._prior(net), rng, self.n_latent[-1], dtype
        )

    def upwards(self, net, x):
        """Means of all latent units of rows x, each layer given the means below, the
        lowest first: a list of arrays."""
        return [*map(self.units.mean, self._climb(net, x))]

    def _with_covariates(self, z, covariates, rng=None):
        """Inputs of the lowest decoder: latent units and covariates, if there are any.
        With ``rng``, missing covariates are drawn, and otherwise replaced by their
        mean."""
        if self.covariates is None:
            return z
        dtype = getval(z).dtype.type
        if covariates is None and rng is not None:
            uniform = rng.fold(_COVARIATES).uniform(1, dtype)
            covariates = self.covariates.drawn(uniform)
        elif covariates is None:
            covariates = self.covariates.mean
        covariates = covariates.astype(dtype, copy=False)
        if len(covariates) == 1:
            covariates = np.repeat(covariates, len(getval(z)), axis=0)
        return join_columns(z, to_draws(covariates, len(getval(z))))

    def conditional_on(self, covariates):
        """Hierarchy for rows that share the same covariates, (n_inputs,)."""
        conditional = copy(self)
        conditional.covariates = self.covariates.only(covariates)
        return conditional

    def noise(self, rng, n_draws):
        units, n_levels = super().noise(rng, n_draws), len(self.n_latent)

        def source(level, stats):
            if level < n_levels:
                return units(level, stats)
            return rng.fold(level).uniform(n_draws, stats.dtype.type).reshape(-1, 1)

        return source

    def dream(self, net, rng):
        top = self.top(net, rng.fold(_TOP))
        z, _ = zip(*self.descent(net, top, rng.fold(_DOWN)))
        if self.covariates is None:
            return z[::-1]
        uniform = rng.fold(_COVARIATES).uniform(1, top.dtype.type)
        return *z[::-1], self.covariates.drawn(uniform)

    def noise_of(self, z, rng=None):
        units = super().noise_of(z, rng)

        def source(level, stats):
            if level < len(self.n_latent):
                return units(level, stats)
            return self.covariates.noise_of(z[level])

        return source

    def _order(self):
        """Indices of layers in the order of inference."""
        return range(len(self.up))

    def _below(self, x, z, level):
        """Inputs of an encoder: rows x, or latent layers z."""
        return lists_if_sparse(z[level - 1]) if level else x

    def _above(self, z):
        """Inputs of a decoder, from the layers z above it, the lowest first."""
        return z[0]

    def _stats(self, net, level, inputs, rng=None):
        """Distribution of a layer given its encoder's inputs, and updated statistics of
        the net; ``rng`` is the random stream of dropout in training."""
        raw, net_statistics = self.up[level].apply(
            net.params.encoders[level],
            net.statistics.encoders[level],
            inputs,
            rng=rng,
            train=rng is not None,
        )
        return self.units.stats(raw, self._link(net.params, 0, level)), net_statistics

    def _decode(self, net, level, above, training=None):
        """Outputs of a decoder, and updated statistics of the net."""
        return self.down[level].apply(
            net.params.decoders[level],
            net.statistics.decoders[level],
            lists_if_sparse(above),
            rng=training.fold(level) if training else None,
            train=training is not None,
        )

    def _climb(self, net, x):
        """Distributions of all layers given rows x and the means of previous layers."""
        stats, z = [None] * len(self.up), [None] * len(self.up)
        for level in self._order():
            stats[level], _ = self._stats(net, level, self._below(x, z, level))
            z[level] = self.units.mean(stats[level])
        return stats

    def _highest(self, net, x):
        """Distribution of the highest layer given rows x."""
        return self._climb(net, x)[-1]

    def downwards(self, net, z, rng=None, level=-1, covariates=None):
        """Outputs, (n_rows, n_outputs), given the latent units z of the layer
        ``level``: 0 next to the data, -1 at the top. Layers in between, and covariates
        unless given, are drawn with ``rng``, or at their means without it."""
        *_, (_, out) = self.descent(net, z, rng, level, covariates)
        return out

    def rebuilt(self, net, x, covariates=None):
        """Outputs given the means of all latent units of rows x."""
        top = self.upwards(net, x)[-1]
        return self.downwards(net, top, covariates=covariates)

    def lowest(self, H, layers):
        """Latent units of the lowest of the ``layers`` that are concatenated in H,
        (n_rows, n_features), and its index."""
        level = min(layers)
        start = sum(self.n_latent[above] for above in layers[: layers.index(level)])
        return H[:, start : start + self.n_latent[level]], level

    def descent(self, net, z, rng=None, highest=-1, covariates=None):
        """Yield each layer, the highest first, and the outputs of the decoder below it;
        arguments as in :meth:`downwards`."""
        units, layers_above = self.generative, []
        for level in range(highest % len(self.down), -1, -1):
            layers_above.insert(0, z)
            above = self._above(layers_above)
            above = above if level else self._with_covariates(above, covariates, rng)
            out, _ = self._decode(net, level, above)
            yield z, out
            if level:
                stats = units.stats(out, self._link(net.params, 1, level))
                if not rng:
                    z = units.mean(stats)
                    continue
                n = self.n_latent[level - 1]
                noise = units.noise(rng.fold(level), n, out.dtype.type)
                z = units.draw(stats, noise)


def _last(params):
    """Last layer of the parameters of a net."""
    *_, last_layer = layers_of(params)
    return last_layer
