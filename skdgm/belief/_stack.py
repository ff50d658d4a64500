"""Stack of restricted Boltzmann machines: as options specify it, and as fitted."""

from inspect import get_annotations
from typing import NamedTuple, get_args

import numpy as np
from sklearn.base import clone, is_classifier

from skdgm.belief._options import StackOptions
from skdgm.boltzmann import BernoulliRBM, ConvRBM, GaussianRBM, RBMClassifier
from skdgm.boltzmann._machine import Machine
from skdgm.boltzmann._structure.visible import BINARY, REAL, pixels_of
from skdgm.energies import Params
from skdgm.training import AUTO, Budget
from skdgm.utils.counts import check_sizes, per_layer

# Options with one value for all layers, or a tuple of one for each.
OPTIONS = [
    name
    for name, hint in get_annotations(StackOptions).items()
    if tuple in get_args(hint) and not name.startswith("refine")
]
# Default options of a machine with a label on real columns.
_REAL = {name: GaussianRBM().get_params()[name] for name in ("centering", "max_norm")}
# Values presented with n_iter="auto"; fewest and most epochs.
_SHOWN, _EPOCHS = 20_000_000, (20, 200)
# The same of layers of maps, of which one has few parameters.
_OF_MAPS = Budget(6_000, 2, 100)


def domain_of(options):
    """Kind of the columns of X, given the options of a network."""
    if options.layers is None and hasattr(options, "visible_bias"):
        return pixels_of(options)
    if options.layers is None:
        return REAL if options.column_types == "gaussian" else BINARY
    try:
        bottom = options.layers[0][1]
    except (TypeError, IndexError):
        return BINARY
    # A clone, as a fitted machine has the domain of the data that it learned.
    return clone(bottom)._domain if isinstance(bottom, Machine) else BINARY


def requested(network):
    """Unfitted machines that the options of a network ask for.

    Parameters
    ----------
    network : BeliefNetwork

    Returns
    -------
    machines : list of estimators
        From the bottom up, with validated parameters.

    Raises
    ------
    ValueError
        A parameter is invalid, or a machine in ``layers`` does not fit its place.
    """
    options = network._options
    own = network._specified if options.layers is None else network._cloned
    machines = own()
    for number, machine in enumerate(machines):
        machine._title = f"{network._name} layer {number}"
        if number:
            machine.set_params(resample=options.samples)
        try:
            machine._validate_params()
            machine._check_options()
        except ValueError as error:
            raise ValueError(f"{machine._title}: {error}") from error
    return machines


def specified(network):
    """Machines whose options have one value, or a value for each layer."""
    options = network._options
    sizes, machines = check_sizes(options.hidden_layer_sizes), []
    for number, size in enumerate(sizes):
        real = number == 0 and options.column_types == "gaussian"
        own = {
            name: per_layer(name, getattr(options, name), len(sizes))[number]
            for name in OPTIONS
        }
        own = {name: value for name, value in own.items() if not is_auto(value)}
        if number:
            # Hidden units are on about half of the time, where uncentred gradients do
            # badly.
            own.setdefault("centering", "data")
        if not real:
            own["resample"] = options.resample
        own["verbose"] = network.verbose
        if network._LABELLED and number == len(sizes) - 1:
            visible, defaults = ("gaussian", _REAL) if real else ("bernoulli", {})
            own = {
                "column_types": visible,
                "objective": "generative",
                **defaults,
                **own,
            }
            machines.append(RBMClassifier(size, **own))
        else:
            machines.append((GaussianRBM if real else BernoulliRBM)(size, **own))
    return machines


def cloned(network, place):
    """Clones of machines given explicitly.

    Parameters
    ----------
    network : BeliefNetwork
    place : callable
        ``place(number, machines)`` returns the name of a place among machines, and the
        classes of machines that may be there.

    Returns
    -------
    machines : list of estimators
    """
    layers = network._options.layers
    pairs = [pair for pair in layers if isinstance(pair, tuple) and len(pair) == 2]
    if not layers or [type(pair[0]) for pair in pairs] != [str] * len(layers):
        raise ValueError(
            "layers must be a list of pairs (name, machine) with a text as name, at "
            "least one; got "
            f"{layers!r}."
        )
    network._validate_names([name for name, _ in layers])
    machines = [machine for _, machine in layers]
    for number, (name, machine) in enumerate(layers):
        where, kinds = place(number, machines)
        if not isinstance(machine, kinds):
            known = " or a ".join(kind.__name__ for kind in kinds)
            raise ValueError(
                f"layers: {name!r}, {where}, must be a {known}; got {machine!r}."
            )
    return list(map(clone, machines))


def given(network):
    """Clones of machines given explicitly, of which the top has a label if the network
    has one."""
    layers, labelled = network._options.layers, network._LABELLED

    def place(number, machines):
        if labelled and number == len(machines) - 1:
            return "on top", (RBMClassifier,)
        if number:
            return "above the bottom", (BernoulliRBM,)
        return "at the bottom", (BernoulliRBM, GaussianRBM)

    machines = cloned(network, place)
    name, top = layers[-1]
    if labelled and top.objective != "generative":
        raise ValueError(
            f"layers: {name!r}, on top, must have objective='generative'; got {top!r}."
        )
    if labelled and len(layers) > 1 and top.column_types != "bernoulli":
        raise ValueError(
            f"layers: {name!r}, above binary units, must have "
            f"column_types='bernoulli'; got {top!r}."
        )
    return machines


def set_epochs(machines, options, table, n_updates):
    """Set the number of epochs of machines with ``n_iter="auto"``, which make no more
    than ``n_updates`` in small tables, unless there is a label beside."""
    if options.layers is None:
        each = per_layer("n_iter", options.n_iter, len(machines))
        enough = np.inf if is_classifier(machines[-1]) else n_updates
        for machine, n_iter in zip(machines, each):
            if is_auto(n_iter) and isinstance(machine, ConvRBM):
                machine.n_iter = _OF_MAPS.epochs(AUTO, table, machine.batch_size)
            elif is_auto(n_iter):
                n_values = table.n_draws * table.rows.shape[1]
                n_updates = -(-table.n_draws // machine.batch_size)
                n_epochs = min(_SHOWN // n_values, enough / n_updates)
                machine.n_iter = int(np.clip(np.ceil(n_epochs), *_EPOCHS))


def check_same(fitted, machines):
    """Raise ValueError if fitted machines do not fit the requested ones."""
    hint = "Keep the layers, or fit with warm_start=False."
    for number, (old, new) in enumerate(zip(fitted, machines)):
        if type(old) is not type(new):
            raise ValueError(
                f"Layer {number} was a {type(old).__name__} before. {hint}"
            )
        n_units = len(old.components_)
        if n_units != new._options.n_components:
            raise ValueError(
                f"Layer {number} is to have {new._options.n_components} units, but "
                f"{n_units} were learned before. {hint}"
            )
    if len(fitted) > len(machines):
        raise ValueError(f"There are {len(fitted)} layers, not {len(machines)}. {hint}")


class Stack(NamedTuple):
    """What a network has learned.

    Parameters
    ----------
    machines : list of estimators
        Fitted, from the bottom up.
    untied : sequence of (Params, Params)
        Recognition and generative parameters of the refined layers below the top.
    losses : sequence of float
        Losses of refinement.
    """

    machines: list
    untied: tuple = ()
    losses: list = ()


def attributes_of(machines, untied=(), losses=()):
    """Fitted attributes of a network, a dict, given the parts of a :class:`Stack`."""
    pairs = list(untied)
    for machine in machines[len(untied) :]:
        pairs.append((machine.density_.pair()[1],) * 2)
    recognition, generative = zip(*pairs)
    curves = [machine.loss_curve_ for machine in machines]
    return {
        "layers_": list(machines),
        "coefs_": [params.couplings[0] for params in recognition],
        "intercepts_": [params.units[1] for params in recognition],
        "generative_coefs_": [params.couplings[0].T for params in generative],
        "generative_intercepts_": [
            machine.density_.energy.units[0].bias_of(params.units[0])
            for machine, params in zip(machines, generative)
        ],
        "loss_curves_": [*curves, list(losses)] if losses else curves,
        "n_iter_": sum(machine.n_iter_ for machine in machines) + len(losses),
        "_untied": tuple(untied),
        "_losses": list(losses),
    }


def transposed(machine, below, rng):
    r"""Initial parameters of a machine: those of the layer below, transposed.

    .. math:: W' = (W^\top, \ast), \qquad b' = c, \qquad c' = (b, 0)

    Its visible units then have the distribution of the hidden units below, but for the
    small random weights of extra hidden units: so the bound on the log-likelihood
    starts no lower than the log-likelihood was.

    Parameters
    ----------
    machine : estimator
        Unfitted machine.
    below : estimator
        Fitted machine of the layer below.
    rng : Stream

    Returns
    -------
    params : Params or None
        None if ``machine`` has fewer hidden units than ``below`` has columns, or
        ``below`` is not a BernoulliRBM.
    """
    if not isinstance(below, BernoulliRBM):
        return None
    n_visible = below.n_features_in_
    if machine._options.n_components < n_visible:
        return None
    (b, c), (W,) = below.density_.pair()[1]
    extra = machine._options.n_components - n_visible
    more = rng.generator().normal(0.0, 0.01, (len(c), extra)).astype(W.dtype)
    W = np.ascontiguousarray(np.concatenate([W.T, more], axis=1))
    b_extra = np.zeros(extra, b.dtype)
    return Params((c.copy(), np.concatenate([b, b_extra])), (W,))


def is_auto(value):
    """Whether a value is "auto", which arrays are not."""
    return isinstance(value, str) and value == AUTO
