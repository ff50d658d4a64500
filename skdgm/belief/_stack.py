"""Model of a belief network: a stack of restricted Boltzmann machines built from
options."""

from numbers import Integral
from typing import NamedTuple, get_args

import numpy as np
from sklearn.base import is_classifier

from skdgm.base import named
from skdgm.base.groups import asked_value, assign, folded, name_of
from skdgm.base.options import declared_by
from skdgm.base.parts import options_of, set_role
from skdgm.belief._density import BeliefDensity
from skdgm.belief._model_options import BeliefNetworkOptionsT
from skdgm.belief._options import StackOptions
from skdgm.belief._up_down import UpDownObjective
from skdgm.boltzmann import BernoulliRBM, ConvRBM, GaussianRBM, RBMClassifier
from skdgm.boltzmann.machine import Machine
from skdgm.boltzmann.structure.visible import columns_kind, pixels_of
from skdgm.data.auto import is_auto
from skdgm.energies import Params
from skdgm.optim import check_piecewise
from skdgm.stacks import StackModel
from skdgm.stacks.model import derived_seed, lowest_domain
from skdgm.training import AUTO, Budget
from skdgm.utils import addresses
from skdgm.utils.counts import check_sizes, per_layer

# Options with one value for all layers, or a tuple with a value for each layer.
OPTIONS = [
    name
    for name, option in declared_by(StackOptions).items()
    if tuple in get_args(option.hint) and not name.startswith("refine")
]
# Defaults of a labeled machine on real columns.
_REAL = {name: asked_value(GaussianRBM(), name) for name in ("centering", "max_norm")}
# Number of values presented with n_iter="auto"; minimum and maximum number of epochs.
_SHOWN, _MIN_EPOCHS, _MAX_EPOCHS = 20_000_000, 20, 200
# Budget of convolutional layers, which have few parameters.
_OF_MAPS = Budget(6_000, 2, 100)
# Tag of the random stream of refinement.
_REFINE = addresses.REFINEMENT


class BeliefNetworkModel(StackModel[BeliefNetworkOptionsT]):
    """Machines that are trained layer by layer, each on the means of the layer below,
    then jointly. With ``labeled=True``, the top-level machine has a label."""

    def __init__(self, labeled=False):
        self.labeled = labeled

    def check(self, options):
        check_piecewise("refine__n_steps", options.refine_steps, Integral, 1)

    def stack(self, machines):
        return BeliefStack(machines)

    def density(self, facts, state):
        return BeliefDensity(
            facts.name,
            facts.read,
            seed=facts.seed,
            machines=state.machines,
            untied=state.untied,
            current_option=facts.current_option,
        )

    def objective(self, facts, table, epochs_before):
        """Objective of refinement: the bound of all layers."""
        known = facts.known
        state = BeliefStack(known.layers_, known.untied, known.losses)
        layers = self.density(facts, state).directed()
        run = facts.run(table, epochs_before)
        run = run._replace(seed=derived_seed(facts.seed, _REFINE))
        return UpDownObjective(run, layers=layers, machines=state.machines)

    def attributes(self, facts, state):
        return attributes_of(state.machines, state.untied, state.losses)

    def state(self, facts, attributes):
        untied, losses = attributes["_untied"], attributes["_losses"]
        return BeliefStack(attributes["layers_"], untied, losses)

    def set_dependent_options(self, machine, number, options):
        if number:
            assign(machine, resample=options.samples)

    def begin(self, machine, below, options, rng):
        if options.init_layers == "transpose":
            set_role(machine, initial=transposed(machine, below, rng))

    def described(self, options):
        sizes, machines = check_sizes(options.hidden_layer_sizes), []
        values_of = {
            name: per_layer(
                name_of(BernoulliRBM, name, options.solver), value, len(sizes)
            )
            for name, value in named(options, OPTIONS).items()
        }
        for number, size in enumerate(sizes):
            real = number == 0 and options.column_types == "gaussian"
            options_of_layer = {
                name: values[number]
                for name, values in values_of.items()
                if not is_auto(values[number])
            }
            if number:
                # Uncentered gradients are poor for units that are on half of the time.
                options_of_layer.setdefault("centering", "data")
            if not real:
                options_of_layer["resample"] = options.resample
            options_of_layer["verbose"] = options.verbose
            if self.labeled and number == len(sizes) - 1:
                kind = "gaussian" if real else "bernoulli"
                defaults = _REAL if real else {}
                defaults = {"column_types": kind, "objective": "generative"} | defaults
                options_of_layer = folded(RBMClassifier, defaults | options_of_layer)
                machines.append(RBMClassifier(size, **options_of_layer))
            else:
                cls = GaussianRBM if real else BernoulliRBM
                machines.append(cls(size, **folded(cls, options_of_layer)))
        return machines

    def place(self, number: int, machines: list) -> tuple[str, tuple]:
        if self.labeled and number == len(machines) - 1:
            return "on top", (RBMClassifier,)
        if number:
            return "above the bottom", (BernoulliRBM,)
        return "at the bottom", (BernoulliRBM, GaussianRBM)

    def check_place(self, name, machine, number):
        if not isinstance(machine, RBMClassifier):
            return
        if asked_value(machine, "objective") != "generative":
            raise ValueError(
                f"layers: {name!r}, on top, must have objective='generative'; got "
                f"{machine!r}."
            )
        if number and asked_value(machine, "column_types") not in (AUTO, "bernoulli"):
            raise ValueError(
                f"layers: {name!r}, above binary units, must have "
                f"column_types='bernoulli'; got {machine!r}."
            )

    def adapt(self, machines, options, table, n_updates):
        """Set ``n_iter="auto"`` of unfitted machines for a table, to at most
        ``n_updates`` updates in small tables without labels."""
        if options.layers is not None:
            return
        n_iters = per_layer("n_iter", options.n_iter, len(machines))
        limit = np.inf if is_classifier(machines[-1]) else n_updates
        for machine, n_iter in zip(machines, n_iters):
            if is_auto(n_iter) and isinstance(machine, ConvRBM):
                machine.n_iter = _OF_MAPS.epochs(AUTO, table, machine.batch_size)
            elif is_auto(n_iter):
                n_values = table.n_draws * table.rows.shape[1]
                n_updates = -(-table.n_draws // machine.batch_size)
                n_epochs = min(_SHOWN // n_values, limit / n_updates)
                n_iter = np.clip(np.ceil(n_epochs), _MIN_EPOCHS, _MAX_EPOCHS)
                machine.n_iter = int(n_iter)


def domain_of(options):
    """Type of the columns of X, given the options of a network."""
    if options.layers is not None:
        return lowest_domain(options, Machine)
    if options.visible_bias is not None:
        return pixels_of(options)
    return columns_kind(options)


# Types of columns for the current options, a property of estimators.
requested_domain = property(lambda estimator: domain_of(options_of(estimator)))


class BeliefStack(NamedTuple):
    """Fitted machines from the bottom up, recognition and generative parameters of
    refined layers, and losses of refinement."""

    machines: list
    untied: tuple = ()
    losses: list | tuple = ()


def attributes_of(machines, untied=(), losses=()):
    """Dict of the fitted attributes of a network, given the fields of its stack."""
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
    r"""Initial parameters of a machine: the transposed parameters of the layer below.

    .. math:: W' = (W^\top, \ast), \qquad b' = c, \qquad c' = (b, 0)

    The visible units of the machine then have the distribution of the hidden units of
    ``below``, up to small random weights of extra hidden units, so the bound starts at
    the current log-likelihood. None if the machine has fewer hidden units than
    ``below`` has columns, or ``below`` is not a BernoulliRBM.
    """
    if not isinstance(below, BernoulliRBM):
        return None
    n_visible = below.n_features_in_
    extra = options_of(machine).n_components - n_visible
    if extra < 0:
        return None
    (b, c), (W,) = below.density_.pair()[1]
    extra_weights = rng.generator().normal(0.0, 0.01, (len(c), extra)).astype(W.dtype)
    W = np.ascontiguousarray(np.concatenate([W.T, extra_weights], axis=1))
    b_extra = np.zeros(extra, b.dtype)
    return Params((c.copy(), np.concatenate([b, b_extra])), (W,))
