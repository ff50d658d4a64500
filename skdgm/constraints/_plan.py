"""Plan of a reparametrization: the step of each constraint, and their order."""

from typing import NamedTuple

import numpy as np

from skdgm.constraints._constraint import Constraint
from skdgm.constraints._steps import Numbered
from skdgm.constraints.rules import Unique
from skdgm.data.filling import completed
from skdgm.data.frames import Codec
from skdgm.exceptions import ConstraintError
from skdgm.utils.domains import is_frame
from skdgm.utils.words import with_article


class Plan(NamedTuple):
    """Steps of a reparametrization, in the order in which they reconstruct columns, and
    the encoding of the table, with its names and types."""

    steps: tuple
    codec: Codec

    @property
    def places(self):
        """Dict from replaced columns to the step that replaces them."""
        return {name: step for step in self.steps for name in step.replaced}

    @property
    def names(self):
        """Names of the columns that the model sees."""
        dropped = {name for step in self.steps for name in step.dropped}
        return [name for name in self.codec.names if name not in dropped]

    def extended(self, step):
        """Plan with an additional step; None if the step replaces a column twice, or if
        steps depend on each other in a cycle."""
        replaced, steps = self.places, [*self.steps, step]
        if any(name in replaced for name in step.replaced):
            return None
        hidden = {s.target for s in steps if isinstance(s, Numbered)}
        if any(hidden.intersection(s.needs) for s in steps):
            return None
        ordered, rest = [], steps
        while rest:
            later = {name for s in rest for name in s.replaced}
            ready = [s for s in rest if not later.intersection(s.needs)]
            if not ready:
                return None
            ordered += ready
            rest = [s for s in rest if all(s is not r for r in ready)]
        return self._replace(steps=tuple(ordered))

    def forward(self, frame):
        """Transform a table to the columns that the model sees."""
        import pandas as pd

        if not self.steps:
            return frame
        table = self.completed({name: frame[name] for name in self.codec.names})
        columns, names = dict(table), self.names
        for step in self.steps:
            columns |= step.forward(table)
        parts = {
            j: columns[name].reset_index(drop=True) for j, name in enumerate(names)
        }
        names = self.codec.columns[[self.codec.names.index(name) for name in names]]
        return pd.DataFrame(parts).set_axis(names, axis=1).set_axis(frame.index, axis=0)

    def completed(self, table):
        """Dict of columns in which missing parts follow from their totals."""
        for step in self.steps:
            table = table | step.completed(table, self.codec)
        return table

    def backward(self, seen, given=None):
        """Reconstruct the table from draws or imputed columns of the model, with the
        known entries of a given table. The last unknown part absorbs the difference to
        a known total."""
        import pandas as pd

        index, drawn = getattr(seen, "index", None), self.columns(seen)
        table = {
            name: values for name, values in drawn.items() if name not in self.places
        }
        for step in self.steps:
            for name, values in step.backward(drawn, table, self.codec).items():
                table[name] = values if given is None else _known(values, given[name])
            if given is not None:
                table |= step.adjusted(table, given, self.codec)
        by_position = {j: table[name] for j, name in enumerate(self.codec.names)}
        frame = pd.DataFrame(by_position).set_axis(self.codec.columns, axis=1)
        return frame if index is None else frame.set_axis(index, axis=0)

    def columns(self, seen):
        """Dict of the columns that the model sees, as Series without labels."""
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
                ids = step.backward(dict(frame.items()), {}, self.codec)[step.target]
                frame[step.target] = ids.set_axis(frame.index)
        return frame


def _known(column, given):
    """Replace values of a column by the known values of another."""
    given = given.reset_index(drop=True).to_frame()
    return completed(given, column.to_frame()).iloc[:, 0]


def valid_rows(constraints, table, drop, subject):
    """Check constraints, and return the mask of rows that satisfy all of them.

    TypeError if the table is not a DataFrame or a constraint is not a Constraint;
    ValueError if a column is unknown; ConstraintError if rows break a constraint and
    ``drop`` is False, or if no row is valid.
    """
    if not is_frame(table):
        raise TypeError(
            f"{subject}: constraints name columns of a DataFrame, and X is "
            f"{with_article(type(table).__name__)}."
        )
    if isinstance(constraints, Constraint):
        raise TypeError(
            f"{subject}: constraints must be a list, also of one: [{constraints!r}]."
        )
    keep = np.ones(len(table), bool)
    for constraint in constraints:
        if not isinstance(constraint, Constraint):
            raise TypeError(
                f"{subject}: constraints has {constraint!r}, which is not a constraint "
                "of skdgm.constraints."
            )
        constraint.check(table)
        valid = constraint.holds(table)
        if isinstance(constraint, Unique):
            valid = constraint.first(table)
        if not drop:
            refuse(constraint, valid, table, ', or drop them by handle_invalid="drop"')
        keep &= valid
    if not keep.any():
        raise ConstraintError(f"{subject}: no row keeps to all constraints.")
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
    """Describe a row of a table by its number and its label."""
    label = table.index[row]
    return f"row {row} (with the label {getattr(label, 'item', lambda: label)()!r})"


def plan_of(constraints, table, schema, *, steps_only=False):
    """Choose steps for constraints that the table satisfies. Return the Plan, pairs of
    a constraint and an object with its ``holds``, and for each constraint whether a
    step enforces it. With ``steps_only``, other constraints have no effect."""
    plan = Plan((), Codec.of(table)._replace(schema=schema))
    checks, has_step = [], []
    for constraint in constraints:
        steps = constraint.steps(table)
        extended = (plan.extended(step) for step in steps)
        new = next((p for p in extended if p is not None), None)
        has_step.append(new is not None)
        if new is None and steps_only:
            continue
        plan = new or plan
        if constraint.learned:
            checks.append((constraint, steps[0]))
        elif not isinstance(constraint, Unique):
            checks.append((constraint, constraint))
    return plan, tuple(checks), has_step
