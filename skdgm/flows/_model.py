"""Model of flows: layers with an inverse, made of options."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np

from skdgm.flows._density import FlowDensity
from skdgm.flows._likelihood import FlowNet, FlowObjective, n_given
from skdgm.flows._model_options import FlowOptions
from skdgm.nets import NetModel, layers
from skdgm.nets.autoregression import autoregression
from skdgm.nets.bijections import (
    after,
    coupling,
    permutation,
    splines,
    triangular,
    whitening,
)
from skdgm.nets.dequantisation import Placing, noise_net
from skdgm.utils import addresses
from skdgm.utils.counts import check_layer_sizes, layer_sizes
from skdgm.utils.random import stream

# Splines are the identity beyond this, in standard deviations.
_BOUND = 5.0
_ORDERS = addresses.FLOW_ORDERS
# Most columns of learned matrices, and of whitening ones, by default.
_MOST, _MOST_WHITE = 256, 1024


class FlowModel(NetModel[FlowOptions]):
    """A flow: whitening, splines of columns, couplings and linear layers."""

    def check(self, options):
        """Raise ValueError for options that their constraints do not exclude."""
        check_layer_sizes(options.hidden_layer_sizes, "hidden_layer_sizes")

    def structure(self, facts):
        """Options that the layers depend on."""
        options = facts.options
        return SimpleNamespace(
            layer=options.layer,
            n_layers=options.n_layers,
            n_bins=options.n_bins,
            linear=options.linear,
            activation=options.activation,
            base=options.base,
            autoregressive=options.autoregressive,
            attribute_conditional=options.attribute_conditional,
            dequantization=options.dequantization,
            bounds=options.bounds,
            hidden_layer_sizes=layer_sizes(options.hidden_layer_sizes),
        )

    def density(self, facts, state):
        """Density of the fitted parameters, a :class:`FlowDensity`."""
        return FlowDensity(
            facts.context,
            flow=self._flow(facts),
            placing=self._placing(facts),
            state=state,
            n_draws=facts.now("n_draws"),
            attributes=facts.known.attributes_,
            known=facts.known.known,
        )

    def objective(self, facts, table, before):
        """Log-likelihood of the rows, a :class:`FlowObjective`."""
        return FlowObjective(
            facts.run(table, before),
            facts.context,
            flow=self._flow(facts),
            placing=self._placing(facts),
            base=facts.structure.base,
            attributes=facts.known.attributes_,
            table=table,
        )

    def n_weights(self, facts):
        """Approximate number of weights."""
        structure, n = facts.structure, len(facts.columns.seen)
        half, each = n // 2, 3 * structure.n_bins if structure.layer == "spline" else 2
        first = n_given(facts.known.attributes_)
        sizes = half + first, *structure.hidden_layer_sizes, each * (n - half)
        if structure.autoregressive:
            sizes = n + first, *structure.hidden_layer_sizes, each * n
        nets = structure.n_layers * sum(a * b for a, b in pairwise(sizes))
        cells = getattr(facts.columns, "cells", None)
        if structure.dequantization == "variational" and cells is not None:
            k = int(cells.whole.sum())
            sizes = (
                n + first + k // 2,
                *structure.hidden_layer_sizes,
                each * (k - k // 2),
            )
            nets += 2 * sum(a * b for a, b in pairwise(sizes))
        nets += structure.n_layers * structure.autoregressive * (n + first) * each * n
        full = structure.linear == "lu" or n <= _MOST
        n_full = 1 + 2 * full if full or n <= _MOST_WHITE else 0
        n_full += (
            2 * structure.n_layers if full and structure.linear != "permutation" else 0
        )
        return nets + n_full * n * n

    def _placing(self, facts):
        """Map of rows to the space of the flow, a :class:`Placing`."""
        structure, first = facts.structure, n_given(facts.known.attributes_)
        cells, net = getattr(facts.columns, "cells", None), None
        if cells is not None and structure.dequantization == "variational":
            n_noise, n = int(cells.whole.sum()), first + len(cells.whole)
            if n_noise:
                body, n_bins, bound = self._coupling(structure)
                net = noise_net(n, n_noise, body, n_bins, bound)
        return Placing(cells, first, net)

    def _coupling(self, structure):
        """Net of a coupling, the number of bins of splines, and their bound; 0 of
        gains and shifts."""
        sizes, activation = structure.hidden_layer_sizes, structure.activation
        net = layers.serial(*(layers.dense(m, activation) for m in sizes))
        if structure.layer == "spline":
            return net, structure.n_bins, _BOUND
        return net, 0, 0.0

    def _flow(self, facts):
        """Layers, a :class:`FlowNet`."""
        structure, n = facts.structure, len(facts.columns.seen)
        sizes, first = structure.hidden_layer_sizes, n_given(facts.known.attributes_)
        net, n_bins, bound = self._coupling(structure)
        full = structure.linear == "lu" or n <= _MOST
        white = full or n <= _MOST_WHITE
        mixed = full and structure.linear != "permutation"
        # Inputs for attributes stay unchanged, before the columns.
        product = [after(first, triangular(True)), after(first, triangular())]
        # Couplings and matrices begin at the identity.
        parts = []
        if structure.layer == "spline":
            parts.append(after(first, splines(structure.n_bins, _BOUND)))
        place = len(parts) if white else None
        parts += [whitening()] if white else []
        parts += product if full else []
        changed = coupling(net, n_bins, bound, first)
        if structure.autoregressive:
            activation = structure.activation
            changed = autoregression(n, sizes, activation, n_bins, bound, first)
        place_of = np.arange(n)
        for number in range(structure.n_layers if n > 1 or first else 0):
            order = stream(facts.seed, _ORDERS, number).generator().permutation(n)
            place_of = place_of[order]
            parts += [after(first, permutation(order)), changed]
            parts += product if mixed else []
        # Codes are in the order of columns, as the base is.
        parts.append(after(first, permutation(np.argsort(place_of))))
        width = max((first + n * 3 * structure.n_bins, *sizes, 1))
        return FlowNet(layers.serial(*parts), place, width)
