r"""Models: the role between the options of an estimator and its mathematics.

.. math:: \text{options, columns} \;\to\; \text{structure} \;\to\;
   \begin{cases} \text{objective} & \text{which learns a state} \\
   \text{density} & \text{of a state that was learned} \end{cases}
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from inspect import get_annotations
from types import SimpleNamespace
from typing import Generic, NamedTuple, get_args

from skdgm.base.attributes import shallow
from skdgm.base.density import Context, Density
from skdgm.training import Objective, Run, Table
from skdgm.training.objective import OptionsT
from skdgm.typing import Any


class Facts(NamedTuple, Generic[OptionsT]):
    """All that a model is made from: what was asked for, and what the data say.

    Parameters
    ----------
    name : str
        Name of the estimator, for messages.
    options : object
        Options of the fit, of Python's own types: the names that the model declares,
        ``Facts[FlowOptions]``, and others.
    structure : SimpleNamespace
        As of :meth:`Model.structure`; of a density, that which was learned.
    read : callable
        ``read(X, dtype=None)`` validates rows and returns
        :class:`~skdgm.utils.rows.Rows`.
    domain : object
        Kind of the columns, such as :class:`~skdgm.data.BinaryColumns`.
    columns : tuple
        Statistics of the columns.
    seed : int
    now : callable
        ``now(name)`` is the validated present value of an option of inference.
    known : SimpleNamespace
        Attributes that the estimator's ``_KNOWN`` names, such as ``classes_``, without
        a leading underscore; None if not learned.
    """

    name: str
    options: OptionsT
    structure: Any
    read: Callable
    domain: Any
    columns: Any
    seed: Any
    now: Callable
    known: SimpleNamespace

    @property
    def context(self) -> Context:
        """First argument of a :class:`~skdgm.base.Density`."""
        return Context(self.name, self.read, self.domain, self.columns, self.seed)

    def run(self, table: Table, epochs_before: int) -> Run[OptionsT]:
        """First argument of an :class:`~skdgm.training.Objective`."""
        return Run(self.options, table.rows, self.seed, epochs_before)


def gather_facts(estimator: Any, structure: SimpleNamespace | None = None) -> Facts:
    """Facts that an estimator has for its model, with a structure that was learned, or
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
        now=estimator._now,
        known=known_of(estimator),
    )
    if structure is not None:
        return facts
    return facts._replace(structure=estimator._MODEL.structure(facts))


def known_of(estimator):
    """Attributes that an estimator's ``_KNOWN`` names, as :class:`Facts` have them."""
    fitted, kind, known = vars(estimator), type(estimator), {}
    for name in estimator._KNOWN:
        # An AttributeError for one not learned would take longer than all else.
        there = name in fitted or hasattr(kind, name)
        known[name.removeprefix("_")] = getattr(estimator, name) if there else None
    return SimpleNamespace(**known)


class Model(ABC, Generic[OptionsT]):
    """What the options of a family of estimators mean.

    A model has no state: estimators of the family share one. All that it needs of one
    of them are its :class:`Facts`. A model that is made of models, such as a stack, is
    one itself.
    """

    # Fitted attributes with the losses of earlier stages.
    CURVES = ()

    @abstractmethod
    def check(self, options: OptionsT) -> None:
        """Raise ValueError for options that their constraints do not exclude."""

    @abstractmethod
    def structure(self, facts: Facts[OptionsT]) -> SimpleNamespace:
        """Sizes and kinds that the parameters depend on, and that cannot change while
        training continues.

        Parameters
        ----------
        facts : Facts
            Without a structure.

        Returns
        -------
        structure : SimpleNamespace
            Its fields have the names of options, for messages.
        """

    @abstractmethod
    def density(self, facts: Facts[OptionsT], state: Any) -> Density:
        """Density of rows.

        Parameters
        ----------
        facts : Facts
        state : tuple
            Of training, as :meth:`state` returns it.

        Returns
        -------
        density : Density
        """

    @abstractmethod
    def objective(self, facts: Facts[OptionsT], table: Table, before: int) -> Objective:
        """Objective of a run, whose ``start`` makes the initial state.

        Parameters
        ----------
        facts : Facts
        table : Table
            Of (n_rows, n_columns) in the units of the model.
        before : int
            Number of epochs before the run.

        Returns
        -------
        objective : Objective
        """

    def earlier(
        self, facts: Facts[OptionsT], objective: Any, table: Table, held_out: bool
    ) -> Iterator:
        """Stages before the epochs of an objective that begins anew, a generator.

        Parameters
        ----------
        facts : Facts
        objective : Objective
        table : Table
            Training rows.
        held_out : bool
            Whether the objective is to hold some of them out.

        Yields
        ------
        stage : Stage

        Returns
        -------
        state : tuple or None
            With which the epochs begin; None for that of :meth:`Objective.start`.
        """
        yield from ()

    def complaints(self, facts: Facts[OptionsT], state: Any) -> tuple:
        """Warnings about what was learned: pairs of text and category, by default
        none."""
        return ()

    @abstractmethod
    def attributes(self, facts: Facts[OptionsT], state: Any) -> dict:
        """Fitted attributes of a training state, a dict by name."""

    @abstractmethod
    def state(self, facts: Facts[OptionsT], attributes: dict) -> Any:
        """Training state of fitted attributes, the inverse of :meth:`attributes`."""


def options_read(model: Model) -> set[str]:
    """Names of the options that a model declares, by the protocol of its class; none of
    one that declares no protocol."""
    for kind in type(model).__mro__:
        for base in getattr(kind, "__orig_bases__", ()):
            for argument in get_args(base):
                if getattr(argument, "_is_protocol", False):
                    kinds = argument.__mro__
                    return {name for own in kinds for name in get_annotations(own)}
    return set()
