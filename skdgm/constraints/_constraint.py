"""Base class of constraints on the columns of a table."""

from collections.abc import Hashable, Iterable

import numpy as np

from skdgm.typing import DataFrame


class Constraint:
    """Base class of constraints.

    A subclass is a named tuple with ``columns``, the names of its columns, or None for
    all.
    """

    __slots__ = ()

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
        """Reparametrisations that enforce the constraint, in order of preference.

        Parameters
        ----------
        frame : DataFrame

        Returns
        -------
        steps : tuple
        """
        return ()


def judged(checks, table):
    """List of pairs of a constraint and a mask of the rows that satisfy it.

    ``checks`` are pairs of a constraint and an object with its method ``holds``.
    TypeError, which names the constraint, if columns have unsuitable types."""
    found = []
    for constraint, own in checks:
        try:
            found.append((constraint, own.holds(table)))
        except TypeError as error:
            raise TypeError(
                f"{constraint!r}: columns are of other types than when the model was "
                f"fitted ({error})."
            ) from error
    return found


def check_flag(name, value):
    """A flag as a bool; TypeError, which names the option, if it is none."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False; got {value!r}.")
    return bool(value)


def check_names(names, who):
    """Raise TypeError if one of the names of columns is not hashable."""
    for name in names:
        if not isinstance(name, Hashable):
            raise TypeError(f"{who} needs names of columns; {name!r} is none.")


def names_of(names, who, least):
    """Tuple of the names of different columns."""
    if isinstance(names, str) or not isinstance(names, Iterable):
        kind = "the text " if isinstance(names, str) else ""
        raise TypeError(f"{who} needs a sequence of names; got {kind}{names!r}.")
    found = tuple(names)
    check_names(found, who)
    if len(found) < least or len(set(found)) < len(found):
        raise ValueError(
            f"{who} needs {least} or more columns, each once; got {found}."
        )
    return found
