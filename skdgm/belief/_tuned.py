r"""Belief networks that are fine-tuned as feed-forward nets.

.. math:: h^k = \sigma(c^k + h^{k-1} R^k), \qquad z = h^L W + b

A layer without pre-training starts from random weights, as in an ordinary net.
"""

from typing import Annotated, Literal

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdgm.base.attributes import reads_one_fit
from skdgm.base.common_groups import Pretraining
from skdgm.base.options import KW_ONLY, Options
from skdgm.belief._model_options import TunedBeliefOptions
from skdgm.belief._options import (
    BeliefColumns,
    BeliefPretrainingDetails,
    HiddenSizes,
)
from skdgm.belief._stack import requested_domain
from skdgm.belief.dbn import DBN
from skdgm.boltzmann import methods
from skdgm.nets import Layer, init
from skdgm.stacks import TunedModel

# Hidden units of restricted Boltzmann machines are logistic.
ACTIVATION = "logistic"


# Names of the pre-training parameters in a DBN.
PRETRAINING = {
    "pretrain_iter": "n_iter",
    "pretrain_learning_rate": "learning_rate",
    "pretrain_batch_size": "batch_size",
    "pretrain_gradient": "gradient",
    "pretrain_steps": "n_steps",
}


class BeliefNetModel(TunedModel[TunedBeliefOptions]):
    """Net initialized by the recognition weights of a belief network."""

    def activation(self, stack):
        return ACTIVATION

    def hidden(self, stack, rng, dtype):
        machines, hidden = stack.layers_, []
        layers = stack.density_.directed(n_layers=len(machines))
        for machine, layer in zip(machines, layers):
            shape = layer.recognition.couplings[0].shape
            (random_layer,) = init(rng, shape, ACTIVATION, dtype)
            hidden.append(_as_net(layer, dtype) if machine.n_iter_ else random_layer)
        return hidden

    def inputs(self, stack, rows=None):
        """Values themselves; missing entries are inferred in the first layer."""
        # The density takes as long as a small net, and only incomplete rows need it.
        complete = rows is not None and rows.complete
        return np.asarray if complete else super().inputs(stack)


# Model of nets initialized by a DBN.
NET = BeliefNetModel(
    "dbn_", DBN, ("hidden_layer_sizes", "column_types", "layers"), PRETRAINING
)


@reads_one_fit
class TunedBelief(Options):
    """Options and methods of networks that are fine-tuned after pre-training.

    Parameters
    ----------
    layers : list of (str, machine) or None
        Explicit stack of machines, as in :class:`DBN`, which replaces all parameters
        that describe the layers and their pre-training. Their parameters can be set as
        ``name__parameter``.
    pretrain
        Layerwise training of a :class:`DBN` before fine-tuning. ``n_iter="auto"`` is as
        in :class:`DBN`, but limits a layer to 5,000 updates or 20 epochs, whichever is
        more. A layer with 0 epochs starts from random weights, as in an ordinary net.

    Attributes
    ----------
    dbn_ : DBN
        Pre-trained network, the density model behind :meth:`sample`, :meth:`impute` and
        :meth:`score_samples`.
    log_Z_, log_Z_se_ : float
        Log partition function of the top-level machine of ``dbn_``, and its standard
        error.
    density_kind_ : {"exact", "lower bound", "estimate"}
        Kind of :meth:`score_samples`, as for ``dbn_``.
    """

    hidden_layer_sizes: HiddenSizes = (256, 256)
    _: KW_ONLY
    column_types: BeliefColumns = "auto"
    layers: list | None = None
    pretrain: Annotated[
        Literal["layerwise"] | Pretraining, BeliefPretrainingDetails
    ] = "layerwise"

    _MODEL, _SHORTENS_STEPS = NET, None
    _requested_domain = requested_domain
    sample, impute = methods.sample, methods.impute

    def __getattr__(self, name):
        # Not properties, for the reason given in BeliefNetwork.
        if name in ("log_Z_", "log_Z_se_", "density_"):
            check_is_fitted(self)
            return getattr(self.dbn_, name)
        kind = type(self).__name__
        raise AttributeError(f"{kind!r} object has no attribute {name!r}")


def _as_net(layer, dtype):
    """Convert the recognition parameters of a layer to a layer of a net.

    Weights of real units apply to their statistics, which are multiples of the values.
    """
    (below, above), (W,) = layer.recognition
    ones = np.ones((1, layer.units[0].size), dtype)
    scale = np.asarray(layer.units[0].statistic(below, ones)).reshape(-1, 1)
    if len(scale) != len(W):
        # All pixels share the filters, and hence one scale.
        scale = scale[:1]
    return Layer((W * scale).astype(dtype), above.astype(dtype))
