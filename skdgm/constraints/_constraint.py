"""Base class of constraints on the columns of a table."""

from collections.abc import Hashable, Iterable

import numpy as np

from skdgm.typing import DataFrame


class Constraint:
    """Base class of constraints.

    A subclass is a named tuple with ``columns``, the names of its columns, or None for
    all columns. ``learned`` is True if the first step, which learns from the training
    table, also checks other rows.
    """

    __slots__ = ()
    learned = False

    @property
    def columns(self) -> tuple | None:
        """Names of the columns of the constraint; None for all."""

    def check(self, frame: DataFrame) -> None:
        """Raise an error unless the columns exist and have suitable types.

        Parameters
        ----------
        frame : DataFrame

        Raises
        ------
        ValueError
            A column is missing.
        TypeError
            A column has another type.
        """
        known = frame.columns.tolist()
        for name in self.columns or ():
            # The NA of pandas is neither equal to others nor not.
            if not isinstance(name, Hashable) or name not in set(known):
                raise ValueError(
                    f"{self!r} names the column {name!r}, but the columns are {known}."
                )

    def holds(self, frame: DataFrame) -> np.ndarray:
        """Mask of the rows that satisfy the constraint; True for missing values.

        Parameters
        ----------
        frame : DataFrame

        Returns
        -------
        holds : ndarray of bool, of shape (n_rows,)
        """
        return np.ones(len(frame), bool)

    def steps(self, frame: DataFrame) -> tuple:
        """Reparametrizations that enforce the constraint, in order of preference.

        Parameters
        ----------
        frame : DataFrame
            Training table.

        Returns
        -------
        steps : tuple of Step
            Empty if the constraint can only be enforced by rejection.
        """
        return ()


def evaluated(checks, table):
    """Return pairs of a constraint and the mask of rows that satisfy it.

    ``checks`` are pairs of a constraint and an object whose ``holds`` evaluates it.
    TypeError, which names the constraint, if columns have unsuitable types.
    """
    masks = []
    for constraint, checker in checks:
        try:
            masks.append((constraint, checker.holds(table)))
        except TypeError as error:
            raise TypeError(
                f"{constraint!r}: columns are of other types than when the model was "
                f"fitted ({error})."
            ) from error
    return masks


def check_flag(name, value):
    """Return a flag as a bool; TypeError, which names the option, if it is not a
    bool."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False; got {value!r}.")
    return bool(value)


def check_names(names, subject):
    """Raise TypeError if a column name is not hashable."""
    for name in names:
        if not isinstance(name, Hashable):
            raise TypeError(f"{subject} needs names of columns; {name!r} is none.")


def names_of(names, subject, min_names):
    """Validate distinct column names, at least ``min_names``, and return them as a
    tuple."""
    if isinstance(names, str) or not isinstance(names, Iterable):
        kind = "the text " if isinstance(names, str) else ""
        raise TypeError(f"{subject} needs a sequence of names; got {kind}{names!r}.")
    result = tuple(names)
    check_names(result, subject)
    if len(result) < min_names or len(set(result)) < len(result):
        raise ValueError(
            f"{subject} needs {min_names} or more columns, each once; got {result}."
        )
    return result
