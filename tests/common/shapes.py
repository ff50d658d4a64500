"""What common tests ask of estimators of different shapes: of one layer or of several.

A machine has ``n_components``, ``n_iter``, ``components_`` and ``loss_curve_``; a stack
``hidden_layer_sizes``, ``coefs_`` and ``loss_curves_``, or machines as parameters; a
classifier may have its machine as a parameter.
"""

import numpy as np

from skdgm import ConvRBM, GatedRBM, NeuralAutoregressive
from skdgm.base.groups import asked_value, assign
from skdgm.base.parts import model_of
from skdgm.stacks import TunedNetwork
from skdgm.utils.counts import layer_sizes, per_layer
from tests.options import details_of


def machine(estimator):
    """Whose options describe the machine: the estimator itself, or its ``dbm``."""
    return getattr(estimator, "dbm", estimator)


def parts(estimator):
    """An estimator, and the machines that it is made of."""
    inner = estimator.get_params().values()
    return [estimator, *(part for part in inner if hasattr(part, "fit"))]


def options(estimator, name):
    """An option's full names: of the estimator and of machines that it is made of."""
    values = estimator.get_params()
    owners = {full: values.get(full.rpartition("__")[0], estimator) for full in values}
    named = [full for full in values if full.rsplit("__")[-1] == name]
    return [full for full in named if hasattr(owners[full], "fit")]


def having_option(estimator, name):
    """Those parts of an estimator that have an option, or a detail of one."""
    return [
        part
        for part in parts(estimator)
        if name in part.get_params(deep=False) or name in details_of(part)
    ]


def having(estimator, **values):
    """Set options, wherever there are such; a stack's refinement has as many epochs."""
    n_units = values.get("n_components")
    # Of maps a few are as many units.
    few = min(n_units, 8) if isinstance(n_units, int) else n_units
    if n_units is not None and hasattr(machine(estimator), "hidden_layer_sizes"):
        depth = len(layer_sizes(machine(estimator).hidden_layer_sizes))
        values["hidden_layer_sizes"] = (n_units,) * depth
        depth = len(
            layer_sizes(asked_value(machine(estimator), "conv_layer_sizes", ()))
        )
        values["conv_layer_sizes"] = (few,) * depth
    if n_units is not None and isinstance(estimator, ConvRBM):
        values["n_components"] = few
    if isinstance(n_units, int) and isinstance(estimator, NeuralAutoregressive):
        # Each column has so many.
        values["n_components"] = min(n_units, 1)
    if n_units is not None and isinstance(getattr(estimator, "n_components", 0), tuple):
        values["n_components"] = (n_units,) * len(estimator.n_components)
    if "batch_size" in values:
        values["pretrain_batch_size"] = values["batch_size"]
    if "n_iter" in values:
        values["refine_iter"] = values["n_iter"]
    if "learning_rate" in values:
        for stage in "pretrain", "refine":
            values[f"{stage}_learning_rate"] = values["learning_rate"]
    for name, value in values.items():
        for part in having_option(estimator, name):
            assign(part, **{name: value})
    return estimator


def brief(estimator, most=2):
    """Let an estimator, and all that it is made of, learn for a few epochs only."""
    for name in "n_iter", "pretrain_iter", "refine_iter":
        for part in having_option(estimator, name):
            n_iter = asked_value(part, name)
            if isinstance(n_iter, tuple):
                n_iter = tuple(min(n, most) for n in n_iter)
            elif isinstance(n_iter, int):
                n_iter = min(n_iter, most)
            assign(part, **{name: n_iter})
    return estimator


def learned(estimator):
    """All fitted arrays, by name."""
    found = {}
    for name, value in vars(estimator).items():
        if not name.endswith("_") or name.startswith("_"):
            continue
        for number, part in enumerate(value if isinstance(value, list) else [value]):
            if hasattr(part, "get_params"):
                inner = learned(part)
            else:
                inner = {"": np.asarray(part)}
            found |= {f"{name}{number}{key}": array for key, array in inner.items()}
    return found


def weights(estimator):
    """The weights nearest to the data."""
    if isinstance(estimator, GatedRBM):
        return estimator.factors_[0]
    for name in "components_", "coupling_":
        if hasattr(estimator, name):
            return getattr(estimator, name)
    return estimator.coefs_[0]


def losses(estimator):
    """The losses of all epochs, one after the other."""
    curves = getattr(estimator, "loss_curves_", None)
    return estimator.loss_curve_ if curves is None else np.concatenate(curves)


def n_lines(estimator):
    """How many lines a fit prints if it is to be verbose."""
    if isinstance(estimator, TunedNetwork):
        stack = getattr(estimator, model_of(estimator).part)
        return stack.n_iter_ + estimator.n_iter_
    n_lines = estimator.n_iter_ + len(getattr(estimator, "net_loss_curve_", ()))
    described = machine(estimator)
    if getattr(described, "pretrain", None) is None:
        return n_lines
    names = "conv_layer_sizes", "hidden_layer_sizes"
    (sizes,) = (getattr(described, name) for name in names if hasattr(described, name))
    pairs = per_layer(
        "pretrain_iter", asked_value(described, "pretrain_iter"), len(sizes)
    )
    return n_lines + sum(pairs)


def passes(estimator):
    """Arguments of the partial fits that do what a fit does, without refinement."""
    depth = n_layers(estimator)
    if depth is None:
        return [{}] * machine(estimator).n_iter
    n_iter = [m.n_iter for _, m in estimator.layers or ()]
    n_iter = n_iter or [estimator.n_iter] * depth
    return [{"layer": number} for number, n in enumerate(n_iter) for _ in range(n)]


def n_layers(estimator):
    """The number of layers that are learned one by one, if there are such."""
    if not hasattr(estimator, "layers") or isinstance(estimator, TunedNetwork):
        return None
    maps = layer_sizes(getattr(estimator, "conv_layer_sizes", ()))
    return len(estimator.layers or (*maps, *estimator.hidden_layer_sizes))


def n_heard(estimator):
    """How many times a callback of the estimator's own hears of its progress."""
    if getattr(estimator, "refine", None):
        return asked_value(estimator, "refine_iter")
    return n_layers(estimator) or len(passes(estimator))
