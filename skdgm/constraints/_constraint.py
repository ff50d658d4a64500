"""Base class of constraints on the columns of a table."""

import numpy as np

from skdgm.typing import DataFrame


class Constraint:
    """Base class of constraints.

    A subclass is a named tuple with ``columns``, the names of the columns that it is
    about, or None for all.
    """

    __slots__ = ()

    @property
    def columns(self) -> tuple | None:
        """Names of the columns that the constraint is about; None for all."""

    def check(self, frame: DataFrame) -> None:
        """Raise an error unless the columns are there and of types that suit.

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
        for name in self.columns or ():
            if name not in frame.columns:
                raise ValueError(
                    f"{self!r} names the column {name!r}, but the columns are "
                    f"{frame.columns.tolist()}."
                )

    def holds(self, frame: DataFrame) -> np.ndarray:
        """Whether each row keeps to the constraint; True where values are missing.

        Parameters
        ----------
        frame : DataFrame

        Returns
        -------
        holds : ndarray of bool, of shape (n_rows,)
        """
        return np.ones(len(frame), bool)

    def steps(self, frame: DataFrame) -> tuple:
        """Ways to learn a table such that draws keep to the constraint, best first.

        Parameters
        ----------
        frame : DataFrame

        Returns
        -------
        steps : tuple
        """
        return ()


def names_of(names, who, least):
    """Tuple of the names of different columns."""
    if isinstance(names, str):
        raise TypeError(f"{who} needs a sequence of names; got the text {names!r}.")
    found = tuple(names)
    if len(found) < least or len(set(found)) < len(found):
        raise ValueError(
            f"{who} needs {least} or more columns, each once; got {found}."
        )
    return found
