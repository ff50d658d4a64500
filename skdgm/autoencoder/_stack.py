"""Stacks of autoencoders, and nets initialized by their encoders."""

from functools import partial

import numpy as np

from skdgm.autoencoder._model_options import LayersOptions
from skdgm.autoencoder._stack_density import StackDensity
from skdgm.autoencoder._stack_options import TABLES, StackTraining
from skdgm.autoencoder.autoencoder import Autoencoder
from skdgm.autoencoder.contractive_autoencoder import ContractiveAutoencoder
from skdgm.autoencoder.denoising_autoencoder import DenoisingAutoencoder
from skdgm.base import named
from skdgm.base.groups import asked_value, folded
from skdgm.base.options import declared_by
from skdgm.data import check_pattern
from skdgm.data.auto import AUTO
from skdgm.nets import Layer, dense, layers_of
from skdgm.stacks import StackModel, TunedModel
from skdgm.stacks.model_options import TunedOptions
from skdgm.utils.counts import check_sizes, per_layer

KINDS = {
    "denoising": (DenoisingAutoencoder, ("corruption", "corruption_level")),
    "contractive": (ContractiveAutoencoder, ("contraction",)),
    "plain": (Autoencoder, ()),
}
_CLASSES = tuple(kind for kind, _ in KINDS.values())
_TRAINING = tuple(declared_by(StackTraining))


class AutoencoderStackModel(StackModel[LayersOptions]):
    """Autoencoders, each of which reconstructs the codes of the layer below."""

    def check(self, options):
        check_pattern(options)

    def density(self, facts, state):
        return StackDensity(
            facts.name,
            facts.read,
            seed=facts.seed,
            machines=state.machines,
            current_option=facts.current_option,
        )

    def objective(self, facts, table, epochs_before):
        """Not implemented: each layer has its own objective."""
        raise NotImplementedError

    def attributes(self, facts, state):
        machines = state.machines
        encoders = [layer_of(machine.density_) for machine in machines]
        return {
            "layers_": list(machines),
            "coefs_": [layer.W for layer in encoders],
            "intercepts_": [layer.b for layer in encoders],
            "loss_curves_": [machine.loss_curve_ for machine in machines],
            "n_iter_": sum(machine.n_iter_ for machine in machines),
        }

    def described(self, options):
        """Autoencoders of the layers; options are scalars, or have a value for each
        layer."""
        sizes = check_sizes(options.hidden_layer_sizes)
        kind, layer_options = KINDS[options.layer_type]
        labels = {name: f"layer_type__{name}" for name in layer_options}
        labels |= {name: name for name in ("tied", *_TRAINING)}
        values_of = {
            name: per_layer(labels[name], value, len(sizes))
            for name, value in named(options, labels).items()
        }
        machines = []
        for level, size in enumerate(sizes):
            flat = {name: values[level] for name, values in values_of.items()}
            flat |= {"hidden_layer_sizes": (), "code_activation": options.activation}
            flat["verbose"] = options.verbose
            if not level:
                flat |= named(options, ("column_types", *TABLES))
            else:
                shares = options.activation == "logistic"
                flat["column_types"] = "bernoulli" if shares else "gaussian"
            machines.append(kind(size, **folded(kind, flat)))
        return machines

    def place(self, number, machines):
        """Description of the place ``number``, and the classes that may be there."""
        return "as every layer", _CLASSES

    def check_place(self, name, machine, number):
        """Raise ValueError for options of a machine that do not fit its place."""
        required = {"hidden_layer_sizes": (), "architecture": "dense", "n_active": None}
        for option, value in required.items():
            if asked_value(machine, option, value) not in (value, list(value or ())):
                raise ValueError(
                    f"layers: {name!r} must have {option}={value!r}, as one layer of "
                    f"the stack; got {machine!r}."
                )
        kinds = AUTO, "bernoulli", "gaussian"
        if number and asked_value(machine, "column_types") not in kinds:
            raise ValueError(
                f"layers: {name!r}, above another layer, must have column_types="
                f"'bernoulli' or 'gaussian'; got {machine!r}."
            )

    def kind_above(self, below):
        """Type of the columns of the layer above ``below``."""
        return "bernoulli" if below.code_activation == "logistic" else "gaussian"

    def cloned(self, layers):
        """Clones of explicit layers, checked for their places."""
        machines = super().cloned(layers)
        for below, (name, machine) in zip(machines, layers[1:]):
            bits = asked_value(machine, "column_types") == "bernoulli"
            if bits and below.code_activation != "logistic":
                raise ValueError(
                    f"layers: {name!r} must have column_types='gaussian', as the codes "
                    f"below have code_activation={below.code_activation!r}: only "
                    "'logistic' ones are probabilities."
                )
        return machines


class AutoencoderNetModel(TunedModel[TunedOptions]):
    """Net initialized by the encoders of a stack."""

    def activation(self, stack):
        """Activation function of each hidden layer."""
        kinds = (asked_value(machine, "code_activation") for machine in stack.layers_)
        return tuple(partial(_layer, kind) for kind in kinds)

    def hidden(self, stack, rng, dtype):
        """Initial hidden layers of the net, for inputs that are not standardized."""
        layers = []
        for level, machine in enumerate(stack.layers_):
            density = machine.density_
            (W, b), columns = layer_of(density), density.columns
            if level:
                # The layer above standardized its real inputs.
                W = W / np.reshape(columns.scale, (-1, 1))
                b = b - np.broadcast_to(columns.mean, len(W)) @ W
            layers.append(Layer(W.astype(dtype), b.astype(dtype)))
        return layers


def _layer(kind, x, W, b):
    return dense(x, W, b, kind)


def layer_of(density):
    """Encoder of an autoencoder with a single layer."""
    (layer,) = layers_of(density.net.params.encoder)
    return layer
