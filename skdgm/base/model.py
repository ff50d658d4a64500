r"""Models: the role between the options of an estimator and its mathematics.

.. math:: \text{options, columns} \;\to\; \text{structure} \;\to\;
   \begin{cases} \text{objective} & \text{which learns a state} \\
   \text{density} & \text{of a state that was learned} \end{cases}
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from types import SimpleNamespace
from typing import NamedTuple

from skdgm.base.density import Context, Density
from skdgm.training import Objective, Run, Table


class Facts(NamedTuple):
    """All that a model is made from: what was asked for, and what the data say.

    Parameters
    ----------
    name : str
        Name of the estimator, for messages.
    options : SimpleNamespace
        Options of the fit, of Python's own types.
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
        Attributes that the estimator's ``_KNOWN`` names, such as ``classes_``; without
        a leading underscore; None
        where it has not learned them.
    """

    name: str
    options: SimpleNamespace
    structure: SimpleNamespace
    read: object
    domain: object
    columns: tuple
    seed: int
    now: object
    known: SimpleNamespace

    @property
    def context(self) -> Context:
        """First argument of a :class:`~skdgm.base.Density`."""
        return Context(self.name, self.read, self.domain, self.columns, self.seed)

    def run(self, table: Table, epochs_before: int) -> Run:
        """First argument of an :class:`~skdgm.training.Objective`."""
        return Run(self.options, table.rows, self.seed, epochs_before)


def known_of(estimator):
    """Attributes that an estimator's ``_KNOWN`` names, as :class:`Facts` have them."""
    fitted, kind, known = vars(estimator), type(estimator), {}
    for name in estimator._KNOWN:
        # An AttributeError for one not learned would take longer than all else.
        there = name in fitted or hasattr(kind, name)
        known[name.removeprefix("_")] = getattr(estimator, name) if there else None
    return SimpleNamespace(**known)


class Model(ABC):
    """What the options of a family of estimators mean.

    A model has no state: estimators of the family share one. All that it needs of one
    of them are its :class:`Facts`. A model that is made of models, such as a stack, is
    one itself.
    """

    # Fitted attributes with the losses of earlier stages.
    CURVES = ()

    @abstractmethod
    def check(self, options: SimpleNamespace) -> None:
        """Raise ValueError for options that their constraints do not exclude."""

    @abstractmethod
    def structure(self, facts: Facts) -> SimpleNamespace:
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
    def density(self, facts: Facts, state: tuple) -> Density:
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
    def objective(self, facts: Facts, table: Table, before: int) -> Objective:
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
        self, facts: Facts, objective: Objective, table: Table, held_out: bool
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

    def complaints(self, facts: Facts, state: tuple) -> tuple:
        """Warnings about what was learned: pairs of text and category, by default
        none."""
        return ()

    @abstractmethod
    def attributes(self, facts: Facts, state: tuple) -> dict:
        """Fitted attributes of a training state, a dict by name."""

    @abstractmethod
    def state(self, facts: Facts, attributes: dict) -> tuple:
        """Training state of fitted attributes, the inverse of :meth:`attributes`."""
