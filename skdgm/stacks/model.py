"""Models of stacks: estimators that learn from the features of the estimator below."""

from abc import abstractmethod
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, NamedTuple

from sklearn.base import clone

from skdgm.base import Model
from skdgm.base.groups import asked_value, assign
from skdgm.base.parts import (
    check_parameters,
    domain_of,
    facts_of,
    model_of,
    name_of,
    options_of,
    set_role,
)
from skdgm.base.reading import readable_kinds
from skdgm.data import BinaryColumns
from skdgm.data.auto import AUTO, is_auto, reading_in
from skdgm.stacks.model_options import StackModelOptionsT
from skdgm.utils.bits import kinds_allowed
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.words import with_article


class Stack(NamedTuple):
    """State of a stack: fitted machines from the bottom up."""

    machines: list


class StackModel(Model[StackModelOptionsT]):
    """Model of a stack of estimators, called machines, that learn one after the other.

    A machine has an option ``n_components`` and can be fitted to a
    :class:`~skdgm.training.Table`. Its density has a method ``features_of(rows,
    index)``.
    """

    # Whether the top machine has a label.
    labeled = False

    def check(self, options):
        """Raise ValueError for invalid options that pass their constraints."""

    def structure(self, facts):
        """Type and number of hidden units of each layer, from the bottom up."""
        return structure_of(self.unfitted(facts))

    def stack(self, machines):
        """State of fitted machines that have learned one by one."""
        return Stack(machines)

    def state(self, facts, attributes):
        """State of fitted attributes."""
        return self.stack(attributes["layers_"])

    def machines(self, facts):
        """Unfitted machines that the options ask for, from the bottom up; ValueError
        for a machine with invalid parameters or in an invalid place."""
        machines = self.unfitted(facts)
        set_role(machines[0], reading=reading_in(facts.options))
        for number, machine in enumerate(machines):
            set_role(machine, title=f"{facts.name} layer {number}")
            self.set_dependent_options(machine, number, facts.options)
            try:
                check_parameters(machine)
            except ValueError as error:
                raise ValueError(f"{name_of(machine)}: {error}") from error
        return machines

    def unfitted(self, facts):
        """Machines that the options list or describe."""
        layers = facts.options.layers
        return self.described(facts.options) if layers is None else self.cloned(layers)

    @abstractmethod
    def described(self, options: Any) -> list:
        """Machines whose options have one value, or one value for each layer."""

    def cloned(self, layers):
        """Clones of listed machines, after checking their places."""
        pairs = [pair for pair in layers if isinstance(pair, tuple) and len(pair) == 2]
        if not layers or [type(pair[0]) for pair in pairs] != [str] * len(layers):
            raise ValueError(
                "layers must be a list of pairs (name, machine) with a text as name, "
                f"at least one; got {layers!r}."
            )
        machines = [machine for _, machine in layers]
        for number, (name, machine) in enumerate(layers):
            where, kinds = self.place(number, machines)
            if not isinstance(machine, kinds):
                names = " or ".join(with_article(kind.__name__) for kind in kinds)
                raise ValueError(
                    f"layers: {name!r}, {where}, must be {names}; got {machine!r}."
                )
            self.check_place(name, machine, number)
        clones = list(map(clone, machines))
        for below, machine in pairwise(clones):
            if asked_value(machine, "column_types", None) == AUTO:
                assign(machine, column_types=self.kind_above(below))
        return clones

    def kind_above(self, below):
        """Type of the columns of a machine above another machine."""
        return "bernoulli"

    @abstractmethod
    def place(self, number: int, machines: list) -> tuple[str, tuple]:
        """Name of a place in the stack, and the classes of machines that it accepts."""

    def check_place(self, name, machine, number):
        """Raise ValueError for options of a machine that do not suit its place."""

    def set_dependent_options(self, machine, number, options):
        """Set options of an unfitted machine that depend on options of the stack."""

    def adapt(self, machines, options, table, n_updates):
        """Set options of unfitted machines that depend on a table; automatic numbers of
        epochs amount to at most ``n_updates`` updates of each machine."""

    def begin(self, machine, below, options, rng):
        """Initialize an unfitted machine above the fitted machine ``below``."""


def lowest_kinds(network, options):
    """Set of the types of columns that a network, or the lowest of its listed machines,
    can read; see :func:`~skdgm.base.reading.readable_kinds`."""
    if options.layers is None:
        return readable_kinds(network, options)
    bottom = lowest_of(options.layers)
    kinds = getattr(bottom, "column_types", None)
    return kinds_allowed(bottom) if is_auto(kinds) else set()


def structure_of(machines):
    """Type and number of hidden units of each machine, a namespace with ``layers``."""
    kinds = ((type(m).__name__, options_of(m).n_components) for m in machines)
    return SimpleNamespace(layers=tuple(kinds))


def check_same(fitted, machines):
    """Raise ValueError if fitted machines do not match the requested machines."""
    hint = "Keep the layers, or fit with warm_start=False."
    old, new = (structure_of(part).layers for part in (fitted, machines))
    for number, ((kind, size), (other, new_size)) in enumerate(zip(old, new)):
        if kind != other:
            raise ValueError(f"Layer {number} was {with_article(kind)} before. {hint}")
        if size != new_size:
            raise ValueError(
                f"Layer {number} is to have {new_size} units, but {size} were learned "
                f"before. {hint}"
            )
    if len(old) > len(new):
        raise ValueError(f"There are {len(old)} layers, not {len(new)}. {hint}")


def lowest_of(layers):
    """Unfitted clone of the lowest of listed machines; None if the list is invalid,
    which raises an error later."""
    try:
        # Cloned, because a fitted machine has the domain of its training data.
        return clone(layers[0][1])
    except (TypeError, IndexError):
        return None


def lowest_domain(options, kind):
    """Type of the columns of X for listed machines, the lowest of which must have the
    class ``kind``; binary if it has not, which raises an error later."""
    bottom = lowest_of(options.layers)
    if not isinstance(bottom, kind):
        return BinaryColumns()
    set_role(bottom, reading=reading_in(options))
    return domain_of(bottom)


def derived_seed(seed, *tags):
    """Seed of a component, derived from a seed and tags."""
    return stream(seed, *tags).root % MAX_SEED


def unfitted_machines(network):
    """Unfitted machines that the options of a stacked network ask for, with valid
    parameters."""
    machines = model_of(network).machines(facts_of(network, SimpleNamespace()))
    if options_of(network).layers is not None:
        network._validate_names([name for name, _ in options_of(network).layers])
    return machines
