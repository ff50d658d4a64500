r"""Training objective of models conditional on attributes: the log-likelihood.

.. math:: \ell(x \mid a) = -\log p(x; g(a))
"""

import numpy as np

from skdgm.nets import NetObjective, layers, nll, start_at
from skdgm.nets.images import maps
from skdgm.utils.images import halvings, pixels

_DROP = 1


class AttributeObjective(NetObjective):
    """Log-likelihood of rows given ``attributes``, which ``net`` maps to parameters of
    the distribution ``output``."""

    def __init__(self, run, context, *, net, output, attributes):
        super().__init__(run, context.domain.loss_of_independent(context.columns))
        self.net, self.output, self.attributes = net, output, attributes
        self.share = context.domain.share(context.columns)

    def init(self, rng):
        dtype, output = self.rows.dtype, self.output
        n_inputs = self._inputs(np.arange(1)).shape[1]
        _, params, statistics = self.net.init(rng, n_inputs, dtype)
        start_at(params, output.start(self.share), output.n_inputs.sum())
        return (params, output.initial_parameters(dtype)), statistics

    def _inputs(self, index):
        """Inputs of the net: the encoded attributes of rows."""
        return self.attributes.inputs(
            self.rows.accompanying(index), dtype=self.rows.dtype
        )

    def prepare(self, state, batch, clock):
        v, a = self.rows.take(batch), self._inputs(batch)
        return v, a, state.statistics, self.stream(clock).fold(_DROP)

    def forward(self, params, prepared):
        v, a, statistics, rng = prepared
        out, statistics = self.net.apply(params[0], statistics, a, rng=rng, train=True)
        return nll(out, params[1], v, self.output), statistics

    def losses(self, state, index, rng):
        (params, output_params), v = state.learned, self.rows.take(index)
        out, _ = self.net.apply(params, state.statistics, self._inputs(index))
        return self.output.nll(out, v, output_params).astype(np.float64)


def net_of(structure, output, dropout, init):
    """Build the net from attributes to outputs; raise ValueError if ``architecture``
    needs images and the columns are not pixels."""
    name, stages = structure.activation, []
    for n_units in structure.hidden_layer_sizes:
        # Present at rate 0, too, so that the structure does not depend on the rate.
        stages += layers.dense(n_units, name, init), layers.dropout(dropout)
    linear, n_outputs = init.replace("he", "glorot"), int(output.n_outputs.sum())
    if structure.architecture == "dense":
        return layers.serial(*stages, layers.dense(n_outputs, init=linear))
    *shape, channels = pixels(structure, output.n_outputs)
    n_last = channels * int(output.n_outputs[0])
    shapes = halvings(shape, len(structure.conv_layer_sizes))
    first, *others = structure.conv_layer_sizes
    low, blocks = shapes.pop(), []
    stages.append(layers.dense(low[0] * low[1] * first, name, init))
    grow = maps.unpool if structure.upsampling == "unpool" else maps.upsample
    for n_maps in others:
        blocks += grow(), maps.crop(shapes.pop())
        blocks.append(maps.conv(n_maps, stride=1, activation=name, init=init))
    blocks += grow(), maps.crop(shapes.pop())
    blocks.append(maps.conv(n_last, stride=1, init=linear))
    return layers.serial(*stages, maps.images((*low, first), *blocks))
