r"""Models: the mathematics of a family of estimators, given its options.

.. math:: \text{options, columns} \;\to\; \text{structure} \;\to\;
   \begin{cases} \text{objective} & \text{learns the state} \\
   \text{density} & \text{of a learned state} \end{cases}
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from inspect import get_annotations, getmro
from types import SimpleNamespace
from typing import Generic, NamedTuple, Protocol, get_args

from skdgm.base.attributes import shallow
from skdgm.base.density import Context, Density
from skdgm.training import Objective, Run, Table
from skdgm.training.objective import OptionsT, TrainingOptions
from skdgm.typing import Any


class ModelOptions(TrainingOptions, Protocol):
    """Options that every model may read, at least through its base classes.

    A model declares the options that it reads as a protocol, which extends this one. A
    value in the protocol stands for the option in estimators that do not have it.
    """

    alpha: float | tuple = 0.0
    architecture: str = "dense"
    class_conditional: Any = None
    column_types: Any = None
    early_stopping: bool | str = False
    missing_pattern: str = "ignore"
    n_chains: int | None = None
    n_iter: int | str | None = None
    objective: Any = None
    top: float | None = None


class Facts(NamedTuple, Generic[OptionsT]):
    """Everything that a model depends on: options, and facts about the data.

    Parameters
    ----------
    name : str
        Name of the estimator, for messages.
    options : object
        Options of the fit, as Python's own types. The type parameter declares the
        options that the model reads: ``Facts[FlowOptions]``.
    structure : SimpleNamespace
        Result of :meth:`Model.structure`; for a density, the learned structure.
    read : callable
        ``read(X, dtype=None)`` validates rows and returns
        :class:`~skdgm.utils.rows.Rows`.
    domain : object
        Type of the columns, such as :class:`~skdgm.data.BinaryColumns`.
    columns : tuple
        Statistics of the columns.
    seed : int
        Seed of training and of deterministic methods.
    current_option : callable
        ``current_option(name)`` returns the validated present value of an option of
        inference.
    known : SimpleNamespace
        Fitted attributes that the estimator lists in ``_MODEL_READS``, such as
        ``classes_``, without a leading underscore; None before they are learned.
    """

    name: str
    options: OptionsT
    structure: Any
    read: Callable
    domain: Any
    columns: Any
    seed: Any
    current_option: Callable
    known: SimpleNamespace

    @property
    def context(self) -> Context:
        """First argument of a :class:`~skdgm.base.Density`."""
        return Context(self.name, self.read, self.domain, self.columns, self.seed)

    def run(self, table: Table, epochs_before: int) -> Run[OptionsT]:
        """First argument of an :class:`~skdgm.training.Objective`."""
        return Run(self.options, table.rows, self.seed, epochs_before)


def gather_facts(estimator: Any, structure: SimpleNamespace | None = None) -> Facts:
    """Facts of an estimator for its model, with a learned structure, or the structure
    that its options ask for."""
    learned = vars(estimator)
    facts = Facts(
        name=estimator._name,
        options=estimator._options,
        structure=structure,
        # Later fits do not change how a density reads rows.
        read=shallow(estimator)._rows,
        domain=estimator._domain,
        columns=learned.get("_columns"),
        seed=learned.get("_seed"),
        current_option=estimator._current_option,
        known=known_attributes(estimator),
    )
    if structure is not None:
        return facts
    return facts._replace(structure=estimator._MODEL.structure(facts))


def known_attributes(estimator):
    """Namespace of the fitted attributes that an estimator lists in
    ``_MODEL_READS``."""
    fitted, kind, known = vars(estimator), type(estimator), {}
    for name in estimator._MODEL_READS:
        # Catching an AttributeError would be slow.
        exists = name in fitted or hasattr(kind, name)
        known[name.removeprefix("_")] = getattr(estimator, name) if exists else None
    return SimpleNamespace(**known)


class Model(ABC, Generic[OptionsT]):
    """Mathematics of a family of estimators, as a function of its options.

    A model has no state, and all estimators of the family share it. Its methods take
    the :class:`Facts` of an estimator. A model can be composed of models, as a stack
    is.
    """

    # Fitted attributes with the losses of earlier stages.
    CURVES = ()
    # Options that are the structure, unless a model overrides :meth:`structure`.
    STRUCTURE: tuple[str, ...]

    @abstractmethod
    def check(self, options: OptionsT) -> None:
        """Raise ValueError for invalid options that pass their constraints."""

    def structure(self, facts: Facts[OptionsT]) -> SimpleNamespace:
        """Sizes and types that determine the parameters, and cannot change while
        training continues. By default, the options with the names in ``STRUCTURE``.

        Parameters
        ----------
        facts : Facts
            Facts without a structure.

        Returns
        -------
        structure : SimpleNamespace
            Its fields have the names of options, for messages.
        """
        return SimpleNamespace(**named(facts.options, self.STRUCTURE))

    @abstractmethod
    def density(self, facts: Facts[OptionsT], state: Any) -> Density:
        """Density of rows.

        Parameters
        ----------
        facts : Facts
        state : tuple
            Training state, as returned by :meth:`state`.

        Returns
        -------
        density : Density
        """

    @abstractmethod
    def objective(
        self, facts: Facts[OptionsT], table: Table, epochs_before: int
    ) -> Objective:
        """Objective of a run of training, whose ``start`` creates the initial state.

        Parameters
        ----------
        facts : Facts
        table : Table
            Training rows, of shape (n_rows, n_columns), in the units of the model.
        epochs_before : int
            Number of epochs before the run.

        Returns
        -------
        objective : Objective
        """

    def preceding_stages(
        self, facts: Facts[OptionsT], objective: Any, table: Table, holds_out: bool
    ) -> Iterator:
        """Stages before the epochs of an objective that starts from scratch, a
        generator.

        Parameters
        ----------
        facts : Facts
        objective : Objective
        table : Table
            Training rows.
        holds_out : bool
            Whether the objective will hold out some of the rows.

        Yields
        ------
        stage : Stage

        Returns
        -------
        state : tuple or None
            Initial state of the epochs; None for that of :meth:`Objective.start`.
        """
        yield from ()

    def complaints(self, facts: Facts[OptionsT], state: Any) -> Iterable:
        """Warnings about a training state, as pairs of text and category; by default
        none."""
        return ()

    @abstractmethod
    def attributes(self, facts: Facts[OptionsT], state: Any) -> dict:
        """Fitted attributes of a training state, a dict by name."""

    @abstractmethod
    def state(self, facts: Facts[OptionsT], attributes: dict) -> Any:
        """Training state of fitted attributes, the inverse of :meth:`attributes`."""


def named(options: Any, names: Iterable[str]) -> dict[str, Any]:
    """Values of options by name; AttributeError for other names."""
    return {name: getattr(options, name) for name in names}


def options_read(model: Model) -> set[str]:
    """Names of the options that a model declares by its protocol."""
    kinds = getmro(_protocol_of(type(model)))
    return {name for kind in kinds for name in get_annotations(kind)}


@cache
def values_without_options(cls: type[Model]) -> dict:
    """Values that the protocol of a class of models has for options that an estimator
    may lack, by name."""
    values = {}
    for kind in reversed((*getmro(_protocol_of(cls)), *getmro(ModelOptions))):
        names = get_annotations(kind)
        values |= {name: vars(kind)[name] for name in names if name in vars(kind)}
    return values


def _protocol_of(cls):
    """Protocol of the options that a class of models reads."""
    for kind in cls.__mro__:
        for base in getattr(kind, "__orig_bases__", ()):
            for argument in get_args(base):
                # A generic class declares the bound of its type variable.
                argument = getattr(argument, "__bound__", None) or argument
                if getattr(argument, "_is_protocol", False):
                    return argument
    return ModelOptions
