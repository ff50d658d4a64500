"""Model of flows: layers with an inverse, made of options."""

from itertools import pairwise
from types import SimpleNamespace
from typing import Protocol

import numpy as np

from skdgm.flows._density import FlowDensity
from skdgm.flows._likelihood import FlowObjective, n_given
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
from skdgm.nets.objective import NetOptions
from skdgm.utils import addresses
from skdgm.utils.counts import check_layer_sizes, layer_sizes
from skdgm.utils.random import stream

# Splines are the identity beyond this, in standard deviations.
_BOUND = 5.0
_ORDERS = addresses.FLOW_ORDERS
# Most columns of matrices for all pairs of them, that are learned or that whiten,
# unless these are asked for.
_MOST, _MOST_WHITE = 256, 1024


class FlowOptions(NetOptions, Protocol):
    """Options that flows read."""

    hidden_layer_sizes: int | tuple
    layer: str
    n_layers: int
    n_bins: int
    linear: str
    activation: str
    base: str
    autoregressive: bool
    attribute_conditional: bool
    dequantization: str | None
    bounds: tuple | dict | None


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
        net, place, width = self._net(facts)
        return FlowDensity(
            facts.context,
            net=net,
            place=place,
            width=width,
            placing=self._placing(facts),
            params=state.learned,
            statistics=state.statistics,
            n_draws=facts.now("n_draws"),
            attributes=facts.known.attributes_,
            known=facts.known.known,
        )

    def objective(self, facts, table, before):
        """Log-likelihood of the rows, a :class:`FlowObjective`."""
        net, place, width = self._net(facts)
        return FlowObjective(
            facts.run(table, before),
            net=net,
            place=place,
            width=width,
            placing=self._placing(facts),
            base=facts.structure.base,
            attributes=facts.known.attributes_,
            table=table,
            domain=facts.domain,
            columns=facts.columns,
        )

    def n_weights(self, facts):
        """Number of weights, about."""
        own, n = facts.structure, len(facts.columns.seen)
        half, each = n // 2, 3 * own.n_bins if own.layer == "spline" else 2
        more = n_given(facts.known.attributes_)
        sizes = half + more, *own.hidden_layer_sizes, each * (n - half)
        if own.autoregressive:
            sizes = n + more, *own.hidden_layer_sizes, each * n
        nets = own.n_layers * sum(a * b for a, b in pairwise(sizes))
        cells = getattr(facts.columns, "cells", None)
        if own.dequantization == "variational" and cells is not None:
            k = int(cells.whole.sum())
            sizes = n + more + k // 2, *own.hidden_layer_sizes, each * (k - k // 2)
            nets += 2 * sum(a * b for a, b in pairwise(sizes))
        nets += own.n_layers * own.autoregressive * (n + more) * each * n
        full = own.linear == "lu" or n <= _MOST
        n_full = 1 + 2 * full if full or n <= _MOST_WHITE else 0
        n_full += 2 * own.n_layers if full and own.linear != "permutation" else 0
        return nets + n_full * n * n

    def _placing(self, facts):
        """How rows are placed in the space of the flow, a :class:`Placing`."""
        own, first = facts.structure, n_given(facts.known.attributes_)
        cells, net = getattr(facts.columns, "cells", None), None
        if cells is not None and own.dequantization == "variational":
            n_noise, n = int(cells.whole.sum()), first + len(cells.whole)
            if n_noise:
                net = noise_net(n, n_noise, *self._changes(own))
        return Placing(cells, first, net)

    def _changes(self, own):
        """Net of a coupling, the number of bins of splines, and their bound; 0 of
        gains and shifts."""
        sizes = own.hidden_layer_sizes
        net = layers.serial(*(layers.dense(m, own.activation) for m in sizes))
        n_bins, bound = (own.n_bins, _BOUND) if own.layer == "spline" else (0, 0.0)
        return net, n_bins, bound

    def _net(self, facts):
        """Layers, the number of the whitening if any, and most numbers for a row."""
        own, n = facts.structure, len(facts.columns.seen)
        is_spline, first = own.layer == "spline", n_given(facts.known.attributes_)
        sizes, (net, n_bins, bound) = own.hidden_layer_sizes, self._changes(own)
        full = own.linear == "lu" or n <= _MOST
        white = full or n <= _MOST_WHITE
        mixed = full and own.linear != "permutation"
        # What is given stays as it is, before the columns.
        product = [after(first, triangular(True)), after(first, triangular())]
        # Couplings and matrices differ from a normal distribution by what they learn.
        found = [after(first, splines(own.n_bins, _BOUND))] if is_spline else []
        place = len(found) if white else None
        found += [whitening()] if white else []
        found += product if full else []
        changed = coupling(net, n_bins, bound, first)
        if own.autoregressive:
            changed = autoregression(n, sizes, own.activation, n_bins, bound, first)
        place_of = np.arange(n)
        for number in range(own.n_layers if n > 1 or first else 0):
            order = stream(facts.seed, _ORDERS, number).generator().permutation(n)
            place_of = place_of[order]
            found += [after(first, permutation(order)), changed]
            found += product if mixed else []
        # Codes are in the order of columns, as the base is.
        found.append(after(first, permutation(np.argsort(place_of))))
        width = max(first + n * 3 * own.n_bins, *own.hidden_layer_sizes, 1)
        return layers.serial(*found), place, width
