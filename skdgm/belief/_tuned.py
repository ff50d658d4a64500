r"""Belief networks that are fine-tuned as nets of their recognition.

.. math:: h^k = \sigma(c^k + h^{k-1} R^k), \qquad z = h^L W + b

A layer without pre-training starts from random weights, as in an ordinary net.
"""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdgm.belief._network import BeliefNetwork
from skdgm.belief.dbn import DBN
from skdgm.boltzmann.methods import Chained
from skdgm.nets import Layer, init
from skdgm.stacks import TunedModel

# Hidden units of restricted Boltzmann machines are logistic.
ACTIVATION = "logistic"


class BeliefNetModel(TunedModel):
    """Net that begins as the recognition of a network."""

    def activation(self, stack):
        return ACTIVATION

    def hidden(self, stack, rng, dtype):
        machines, hidden = stack.layers_, []
        layers = stack.density_.directed(n_layers=len(machines))
        for machine, layer in zip(machines, layers):
            shape = layer.recognition.couplings[0].shape
            (first,) = init(rng, shape, ACTIVATION, dtype)
            hidden.append(_as_net(layer, dtype) if machine.n_iter_ else first)
        return hidden

    def inputs(self, stack, rows=None):
        """Values themselves; missing entries are inferred in the first layer."""
        # Only these need the density, which takes as long as a small net.
        complete = rows is not None and rows.complete
        return np.asarray if complete else super().inputs(stack)


class TunedBelief(Chained):
    """Role of networks that are fine-tuned: the pre-trained network, beside the net."""

    _MODEL, _KNOWN = BeliefNetModel("dbn_"), ("dbn_", "_outputs")
    _SLOWED = None
    # Network to pre-train, and options of its structure.
    _NETWORK, _STRUCTURE = DBN, ("hidden_layer_sizes", "column_types", "layers")
    # Names of the pre-training parameters in a DBN.
    _PRETRAINING = {
        "pretrain_iter": "n_iter",
        "pretrain_learning_rate": "learning_rate",
        "pretrain_batch_size": "batch_size",
        "pretrain_gradient": "gradient",
        "pretrain_steps": "n_steps",
    }
    _asked_domain = BeliefNetwork._asked_domain

    def __getattr__(self, name):
        # Not properties: see BeliefNetwork.
        if name in ("log_Z_", "log_Z_se_", "density_"):
            check_is_fitted(self)
            return getattr(self.dbn_, name)
        kind = type(self).__name__
        raise AttributeError(f"{kind!r} object has no attribute {name!r}")


def _as_net(layer, dtype):
    """Convert a layer's recognition to a layer of a net.

    The weights of real units apply to their statistics, which are multiples of the
    values.
    """
    (below, above), (W,) = layer.recognition
    ones = np.ones((1, layer.units[0].size), dtype)
    scale = np.asarray(layer.units[0].statistic(below, ones)).reshape(-1, 1)
    if len(scale) != len(W):
        # Filters are the same at all pixels, which share a scale.
        scale = scale[:1]
    return Layer((W * scale).astype(dtype), above.astype(dtype))
