"""Pre-training of a stack, as a stage in the fit of a tuned network."""

import re

import numpy as np

from skdgm.base import KEPT, Component
from skdgm.base.attributes import shallow
from skdgm.base.groups import folded
from skdgm.base.parts import (
    attributes_of,
    budget_of,
    dtype_of,
    model_of,
    options_of,
    seed_of,
    set_role,
    was_interrupted,
)
from skdgm.data.auto import reading_in
from skdgm.exceptions import DivergenceError
from skdgm.nets import Layer, NetState, Tuner
from skdgm.stacks.model import unfitted_machines
from skdgm.stacks.training import Training
from skdgm.utils.counts import per_layer
from skdgm.utils.random import stream
from skdgm.utils.threading.threads import DeferredInterrupt

# Error about an option of a machine.
_OF_LAYER = re.compile(
    r".* layer (\d+): The '(\w+)' parameter of [\w ]+ (must .*)", re.S
)


def unfitted(network):
    """Unfitted stack that the options of a tuned network ask for, with valid
    machines."""
    network_options, model = options_of(network), model_of(network)
    names, kind = model.pretraining_options, model.network
    values = vars(network_options)
    if network_options.layers is None:
        depth = model.depth(network_options)
        for name, stack_name in names.items():
            per_layer(f"pretrain__{stack_name}", values[name], depth)
    options = {stack_name: values[name] for name, stack_name in names.items()}
    options |= {name: values[name] for name in model.stack_options}
    options = model.resolved(options, network_options)
    options |= {"feature_layer": -1, "verbose": network.verbose}
    stack = kind(**folded(kind, options))
    title = f"{type(network).__name__} pre-training"
    reading = reading_in(network_options)
    set_role(stack, title=title, reading=reading, begins_a_net=True)
    # Pre-training need not take longer than fine-tuning.
    set_role(stack, n_updates=budget_of(network).n_updates)
    try:
        unfitted_machines(stack)
    except ValueError as error:
        raise _reworded(network, error) from error
    return stack


def _reworded(network, error):
    """Error about a machine's option, by the name of the network's own option if this
    determines it."""
    match = _OF_LAYER.fullmatch(str(error))
    names = model_of(network).pretraining_options
    names = {stack_name: net_name for net_name, stack_name in names.items()}
    if options_of(network).layers is not None or not match:
        return error
    number, option, rest = match.groups()
    if option not in names:
        return error
    subject = type(network).__name__
    return ValueError(
        f"The {option!r} parameter of Pretraining of {subject}, of layer {number}, "
        f"{rest}"
    )


class PreTraining(Component):
    """Stage in which a stack is trained that initializes a net.

    ``stack`` is unfitted, and ``table`` has all rows, without targets. A function
    ``train()`` may replace the fit of the stack to the table.
    """

    key = task = "pre-training"

    def __init__(self, network, stack, table, train=None):
        self.network, self.stack, self.table = network, stack, table
        self.train, self.before = train, []

    def begin(self, fit):
        self.before = fit.former
        # The seed of an earlier run may have replaced the estimator's seed.
        return self.stack.set_params(random_state=seed_of(fit.estimator))

    def fit(self, component):
        network, failure = self.network, None
        try:
            if hasattr(network, "feature_names_in_"):
                set_role(component, names=network.feature_names_in_)
            component.fit(self.table) if self.train is None else self.train()
        except DivergenceError as error:
            name = type(network).__name__
            options = options_of(network)
            raise DivergenceError(
                f"{error.what}, and {name} is unchanged. {error.far}Lower "
                f"pretrain__learning_rate (now {options.pretrain_learning_rate}) or "
                f"raise pretrain__batch_size (now {options.pretrain_batch_size})."
            ) from error
        except KEPT as error:
            if self.train is not None or not hasattr(component, "layers_"):
                raise
            failure = error
        finished = len(component.layers_) == len(unfitted_machines(component))
        finished = finished and not was_interrupted(component.layers_[-1])
        with DeferredInterrupt():
            if self.train is None:
                Training(component, self.table).complete()
            if hasattr(network, "feature_names_in_"):
                for part in component, component.layers_[0]:
                    part.feature_names_in_ = network.feature_names_in_
            network.__dict__.update(self.attributes(component))
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
        return part_of(source)


def part_of(network):
    """Pre-trained stack of a tuned network."""
    return vars(network)[model_of(network).part]


def _initial_net(network):
    """Layers of a net before fine-tuning; its output layer is zero."""
    part, n_outputs = part_of(network), network.n_outputs_
    dtype = dtype_of(part)
    rng = stream(seed_of(network), Tuner.INIT).generator()
    hidden = model_of(network).hidden(part, rng, dtype)
    W = np.zeros((part.density_.widths[-1], n_outputs), dtype)
    return (*hidden, Layer(W, np.zeros(n_outputs, dtype)))
