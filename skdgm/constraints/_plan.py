"""Plan of a reparametrisation: the step of each constraint, and their order."""

from typing import NamedTuple

import numpy as np

from skdgm.constraints._constraint import Constraint
from skdgm.constraints._steps import Numbered, Total
from skdgm.constraints.rules import FixedCombinations, Unique
from skdgm.data.filling import completed
from skdgm.data.frames import Codec
from skdgm.exceptions import ConstraintError
from skdgm.utils.domains import is_frame
from skdgm.utils.words import with_article


class Plan(NamedTuple):
    """Steps of a reparametrisation, in an order in which columns are made again, and
    the encoding of the table, with its names and types."""

    steps: tuple
    codec: Codec

    @property
    def places(self):
        """Step that replaces a column, by name."""
        return {name: step for step in self.steps for name in step.replaced}

    @property
    def names(self):
        """Names of the columns that the model sees, as a list."""
        dropped = {name for step in self.steps for name in step.dropped}
        return [name for name in self.codec.names if name not in dropped]

    def extended(self, step):
        """Plan with one more step, or None if it replaces what another one has
        replaced, or needs what it makes."""
        taken, steps = self.places, [*self.steps, step]
        if any(name in taken for name in step.replaced):
            return None
        hidden = {own.target for own in steps if isinstance(own, Numbered)}
        if any(hidden.intersection(own.needs) for own in steps):
            return None
        ordered, rest = [], steps
        while rest:
            to_come = {name for own in rest for name in own.replaced}
            ready = [own for own in rest if not to_come.intersection(own.needs)]
            if not ready:
                return None
            ordered += ready
            rest = [own for own in rest if all(own is not part for part in ready)]
        return self._replace(steps=tuple(ordered))

    def forward(self, frame):
        """Table that the model sees."""
        import pandas as pd

        if not self.steps:
            return frame
        table = self.completed({name: frame[name] for name in self.codec.names})
        found, names = dict(table), self.names
        for step in self.steps:
            found |= step.forward(table)
        parts = {j: found[name].reset_index(drop=True) for j, name in enumerate(names)}
        names = self.codec.columns[[self.codec.names.index(name) for name in names]]
        return pd.DataFrame(parts).set_axis(names, axis=1).set_axis(frame.index, axis=0)

    def completed(self, table):
        """Dict of columns with parts that follow from totals."""
        for step in self.steps:
            if isinstance(step, Total):
                table = table | step.completed(table, self.codec)
        return table

    def backward(self, seen, given=None):
        """Table reconstructed from draws or imputed entries of the model, with the
        known entries of a given table.

        A total that is known is kept to by the last of the parts that are not.
        """
        import pandas as pd

        index, found = getattr(seen, "index", None), self.columns(seen)
        table = {name: own for name, own in found.items() if name not in self.places}
        for step in self.steps:
            for name, own in step.backward(found, table, self.codec).items():
                table[name] = own if given is None else _known(own, given[name])
            if isinstance(step, Total) and given is not None:
                table |= step.adjusted(table, given, self.codec)
        parts = {j: table[name] for j, name in enumerate(self.codec.names)}
        frame = pd.DataFrame(parts).set_axis(self.codec.columns, axis=1)
        return frame if index is None else frame.set_axis(index, axis=0)

    def columns(self, seen):
        """Dict of the columns that the model sees, by position."""
        import pandas as pd

        if is_frame(seen):
            return {n: seen[n].reset_index(drop=True) for n in seen.columns.tolist()}
        places, names = self.places, self.codec.names
        return {
            name: pd.Series(values)
            if name in places
            else self.codec.column(names.index(name), values)
            for name, values in zip(self.names, np.asarray(seen, np.float64).T)
        }

    def renumbered(self, frame):
        """Table with new identifiers."""
        for step in self.steps:
            if isinstance(step, Numbered):
                frame = frame.copy()
                own = step.backward(dict(frame.items()), {}, self.codec)[step.target]
                frame[step.target] = own.set_axis(frame.index)
        return frame


def _known(column, given):
    """Column with the values of another one, where this has any."""
    given = given.reset_index(drop=True).to_frame()
    return completed(given, column.to_frame()).iloc[:, 0]


def valid_rows(constraints, table, drop, who):
    """Mask of the rows that keep to all constraints, which are checked.

    TypeError if the table is no DataFrame, or a constraint is none; ValueError if one
    names no column; ConstraintError if rows break one, unless these are to be dropped,
    or if all do.
    """
    if not is_frame(table):
        raise TypeError(
            f"{who}: constraints name columns of a DataFrame, and X is "
            f"{with_article(type(table).__name__)}."
        )
    if isinstance(constraints, Constraint):
        raise TypeError(
            f"{who}: constraints must be a list, also of one: [{constraints!r}]."
        )
    keep = np.ones(len(table), bool)
    for constraint in constraints:
        if not isinstance(constraint, Constraint):
            raise TypeError(
                f"{who}: constraints has {constraint!r}, which is not a constraint of "
                "skdgm.constraints."
            )
        constraint.check(table)
        own = constraint.holds(table)
        if isinstance(constraint, Unique):
            own = constraint.first(table)
        if not drop:
            refuse(constraint, own, table, ', or drop them by handle_invalid="drop"')
        keep &= own
    if not keep.any():
        raise ConstraintError(f"{who}: no row keeps to all constraints.")
    return keep


def refuse(constraint, keep, table, remedy=""):
    """Raise ConstraintError if rows of a table break a constraint."""
    broken = np.flatnonzero(~keep)
    if broken.size:
        raise ConstraintError(
            f"{broken.size} of {len(table)} rows break {constraint}, the first of them "
            f"{label_of(table, broken[0])}: correct them{remedy}."
        )


def label_of(table, row):
    """Words for a row of a table, by its number."""
    return f"row {row} (with the label {table.index[row]!r})"


def plan_of(constraints, table, schema):
    """Steps for constraints, which the rows of a table keep to: a Plan; pairs of a
    constraint and what has a method ``holds`` for it; and for each constraint whether
    it has a step."""
    plan = Plan((), Codec.of(table)._replace(schema=schema))
    checks, kept = [], []
    for constraint in constraints:
        steps = constraint.steps(table)
        extended = (plan.extended(step) for step in steps)
        new = next((own for own in extended if own is not None), None)
        kept.append(new is not None)
        plan = new or plan
        if isinstance(constraint, FixedCombinations):
            checks.append((constraint, steps[0]))
        elif not isinstance(constraint, Unique):
            checks.append((constraint, constraint))
    return plan, tuple(checks), kept
