"""Pre-training of a net as a stack, which is a stage of the fit of a tuned network."""

import re

import numpy as np

from skdgm.base import KEPT, Component
from skdgm.base.attributes import shallow
from skdgm.base.groups import folded
from skdgm.base.parts import attributes_of, model_of, options_of
from skdgm.data.auto import reading_in
from skdgm.exceptions import DivergenceError
from skdgm.nets import Layer, NetState, Tuner
from skdgm.stacks.training import Training
from skdgm.utils.counts import per_layer
from skdgm.utils.random import stream
from skdgm.utils.threading.threads import Held

# Beginning of an error about a machine's option.
_OF_LAYER = re.compile(
    r".* layer (\d+): The '(\w+)' parameter of [\w ]+ (must .*)", re.S
)


def unfitted(network):
    """Stack that the valid options of a tuned network ask for, with valid machines."""
    asked, model = options_of(network), model_of(network)
    names, kind, values = model.pretraining_options, model.network, vars(asked)
    if asked.layers is None:
        depth = network._depth(asked)
        for name, theirs in names.items():
            per_layer(f"pretrain__{theirs}", values[name], depth)
    options = {theirs: values[name] for name, theirs in names.items()}
    options |= {name: values[name] for name in model.stack_options}
    options = network._resolved(options)
    options |= {"feature_layer": -1, "verbose": network.verbose}
    stack = kind(**folded(kind, options))
    stack._begins_a_net = True
    if reading := reading_in(asked):
        stack._reading = reading
    # The start of tuning need not be learned for longer than tuning takes itself.
    stack._UPDATES = network._BUDGET.n_updates
    stack._title = f"{type(network).__name__} pre-training"
    try:
        stack._machines()
    except ValueError as error:
        raise _reworded(network, error) from error
    return stack


def _reworded(network, error):
    """Error about a machine's option by the name of the network's own, if it is that
    which gives it."""
    found = _OF_LAYER.fullmatch(str(error))
    names = model_of(network).pretraining_options
    names = {theirs: own for own, theirs in names.items()}
    if options_of(network).layers is not None or not found:
        return error
    number, option, rest = found.groups()
    if option not in names:
        return error
    who = type(network).__name__
    return ValueError(
        f"The {option!r} parameter of Pretraining of {who}, of layer {number}, {rest}"
    )


class PreTraining(Component):
    """Stage in which the stack is trained with which a net begins.

    ``stack`` is unfitted, and ``table`` has all rows, without targets. A function
    ``train()`` may fit the stack in place of its own ``fit`` to the table.
    """

    key = task = "pre-training"

    def __init__(self, network, stack, table, train=None):
        self.network, self.stack, self.table = network, stack, table
        self.train, self.before = train, []

    def begin(self, fit):
        self.before = fit.before
        # The seed may be that of an earlier run.
        return self.stack.set_params(random_state=fit.estimator._seed)

    def fit(self, component):
        network, failure = self.network, None
        try:
            if hasattr(network, "feature_names_in_"):
                component._names = network.feature_names_in_
            component.fit(self.table) if self.train is None else self.train()
        except DivergenceError as error:
            name = type(network).__name__
            asked = options_of(network)
            raise DivergenceError(
                f"{error.what}, and {name} is unchanged. {error.far}Lower "
                f"pretrain__learning_rate (now {asked.pretrain_learning_rate}) or "
                f"raise pretrain__batch_size (now {asked.pretrain_batch_size})."
            ) from error
        except KEPT as error:
            if self.train is not None or not hasattr(component, "layers_"):
                raise
            failure = error
        finished = len(component.layers_) == len(component._machines())
        finished = finished and component.layers_[-1]._ended != "interrupted"
        with Held():
            if self.train is None:
                Training(component, self.table).complete()
            if hasattr(network, "feature_names_in_"):
                for part in component, component.layers_[0]:
                    part.feature_names_in_ = network.feature_names_in_
            vars(network).update(self.attributes(component))
            self.before.clear()
        if failure:
            raise failure
        return finished

    def attributes(self, component):
        """Fitted attributes before fine-tuning, given the pre-trained stack."""
        new, name = shallow(self.network), model_of(self.network).part
        setattr(new, name, component)
        return {name: component, **attributes_of(new, NetState(_initial_net(new)))}

    def component_of(self, source):
        return source._part


def _initial_net(network):
    """Layers of a net before fine-tuning; its output layer is zero."""
    part, dtype, n_outputs = network._part, network._dtype, network.n_outputs_
    rng = stream(network._seed, Tuner.INIT).generator()
    hidden = model_of(network).hidden(part, rng, dtype)
    W = np.zeros((part.density_.widths[-1], n_outputs), dtype)
    return (*hidden, Layer(W, np.zeros(n_outputs, dtype)))
