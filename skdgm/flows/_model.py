"""Layers, density and objective of flows, built from options."""

from itertools import pairwise

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
from skdgm.nets.dequantization import Dequantization, noise_net
from skdgm.utils import addresses
from skdgm.utils.counts import check_layer_sizes, layer_sizes
from skdgm.utils.random import stream

# Splines are the identity beyond this number of standard deviations.
_BOUND = 5.0
_ORDERS = addresses.FLOW_ORDERS
# Largest numbers of columns with learned matrices, and with whitening, by default.
_MAX_MATRIX_COLUMNS, _MAX_WHITENED_COLUMNS = 256, 1024


class FlowModel(NetModel[FlowOptions]):
    """Layers of a flow: splines of single columns, whitening, couplings and triangular
    matrices."""

    STRUCTURE = (
        "layer_type",
        "n_layers",
        "n_bins",
        "linear",
        "activation",
        "base",
        "autoregressive",
        "attribute_conditional",
        "dequantization",
        "bounds",
        "hidden_layer_sizes",
    )

    def check(self, options):
        check_layer_sizes(options.hidden_layer_sizes, "hidden_layer_sizes")

    def structure(self, facts):
        structure = super().structure(facts)
        structure.hidden_layer_sizes = layer_sizes(structure.hidden_layer_sizes)
        return structure

    def density(self, facts, state):
        return FlowDensity(
            facts.context,
            flow=self._flow(facts),
            dequantization=self._dequantization(facts),
            state=state,
            n_draws=facts.current_option("n_draws"),
            attributes=facts.known.attributes_,
            known=facts.known.known,
        )

    def objective(self, facts, table, epochs_before):
        return FlowObjective(
            facts.run(table, epochs_before),
            facts.context,
            flow=self._flow(facts),
            dequantization=self._dequantization(facts),
            base=facts.structure.base,
            attributes=facts.known.attributes_,
            table=table,
        )

    def n_weights(self, facts):
        """Approximate number of weights."""
        structure, n = facts.structure, len(facts.columns.seen)
        n_conditioned = n // 2
        n_parameters = 3 * structure.n_bins if structure.layer_type == "spline" else 2
        n_attributes = n_given(facts.known.attributes_)
        sizes = (
            n_conditioned + n_attributes,
            *structure.hidden_layer_sizes,
            n_parameters * (n - n_conditioned),
        )
        if structure.autoregressive:
            sizes = n + n_attributes, *structure.hidden_layer_sizes, n_parameters * n
        nets = structure.n_layers * sum(a * b for a, b in pairwise(sizes))
        cells = getattr(facts.columns, "cells", None)
        if structure.dequantization == "variational" and cells is not None:
            n_noise = int(cells.whole.sum())
            sizes = (
                n + n_attributes + n_noise // 2,
                *structure.hidden_layer_sizes,
                n_parameters * (n_noise - n_noise // 2),
            )
            nets += 2 * sum(a * b for a, b in pairwise(sizes))
        nets += (
            structure.n_layers
            * structure.autoregressive
            * (n + n_attributes)
            * n_parameters
            * n
        )
        has_matrices = structure.linear == "lu" or n <= _MAX_MATRIX_COLUMNS
        n_matrices = (
            1 + 2 * has_matrices if has_matrices or n <= _MAX_WHITENED_COLUMNS else 0
        )
        n_matrices += (
            2 * structure.n_layers
            if has_matrices and structure.linear != "permutation"
            else 0
        )
        return nets + n_matrices * n * n

    def _dequantization(self, facts):
        """Map from rows to the space of the flow, a :class:`Dequantization`."""
        structure, n_attributes = facts.structure, n_given(facts.known.attributes_)
        cells, net = getattr(facts.columns, "cells", None), None
        if cells is not None and structure.dequantization == "variational":
            n_noise, n = int(cells.whole.sum()), n_attributes + len(cells.whole)
            if n_noise:
                body, n_bins, bound = self._coupling(structure)
                net = noise_net(n, n_noise, body, n_bins, bound)
        return Dequantization(cells, n_attributes, net)

    def _coupling(self, structure):
        """Hidden layers of the net of a coupling, number of bins, and bound of its
        splines; the last two are 0 for affine couplings."""
        sizes, activation = structure.hidden_layer_sizes, structure.activation
        net = layers.serial(*(layers.dense(m, activation) for m in sizes))
        if structure.layer_type == "spline":
            return net, structure.n_bins, _BOUND
        return net, 0, 0.0

    def _flow(self, facts):
        """:class:`FlowNet` of the options."""
        structure, n = facts.structure, len(facts.columns.seen)
        sizes = structure.hidden_layer_sizes
        n_attributes = n_given(facts.known.attributes_)
        net, n_bins, bound = self._coupling(structure)
        has_matrices = structure.linear == "lu" or n <= _MAX_MATRIX_COLUMNS
        has_whitening = has_matrices or n <= _MAX_WHITENED_COLUMNS
        mixes_columns = has_matrices and structure.linear != "permutation"
        # The first columns are inputs for attributes, which stay unchanged.
        product = [
            after(n_attributes, triangular(True)),
            after(n_attributes, triangular()),
        ]
        # Couplings and matrices are initially the identity.
        flow_layers = []
        if structure.layer_type == "spline":
            flow_layers.append(after(n_attributes, splines(structure.n_bins, _BOUND)))
        whitening_index = len(flow_layers) if has_whitening else None
        flow_layers += [whitening()] if has_whitening else []
        flow_layers += product if has_matrices else []
        coupling_layer = coupling(net, n_bins, bound, n_attributes)
        if structure.autoregressive:
            activation = structure.activation
            coupling_layer = autoregression(
                n, sizes, activation, n_bins, bound, n_attributes
            )
        place_of = np.arange(n)
        for layer_number in range(structure.n_layers if n > 1 or n_attributes else 0):
            order = stream(facts.seed, _ORDERS, layer_number).generator().permutation(n)
            place_of = place_of[order]
            flow_layers += [after(n_attributes, permutation(order)), coupling_layer]
            flow_layers += product if mixes_columns else []
        # Codes are in the order of the columns.
        flow_layers.append(after(n_attributes, permutation(np.argsort(place_of))))
        width = max((n_attributes + n * 3 * structure.n_bins, *sizes, 1))
        return FlowNet(layers.serial(*flow_layers), whitening_index, width)
