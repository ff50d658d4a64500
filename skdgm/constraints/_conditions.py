"""Conversion of conditions on a table to conditions on the columns of its model."""

import math
from numbers import Real

import numpy as np

from skdgm.constraints._quantities import encoded, length_of
from skdgm.constraints._sampling import numbering
from skdgm.constraints._steps import Joint, Numbered
from skdgm.constraints.rules import Range
from skdgm.data.conditions import by_name
from skdgm.data.series import brief
from skdgm.exceptions import ConstraintError
from skdgm.utils.wrapped import capabilities_of

# Log size of the cells of real columns; the exact value does not matter, if small.
_FINE = -30.0
# Tolerance of multiples of a step, as a share of the step, and relative rounding error.
_OFF, _ROUNDING = 0.1, 4 * np.finfo(np.float32).eps


def translated(plan, model, conditions, ranges, subject):
    """Split conditions by column name, and ranges, into two dicts: conditions for the
    model, by the model's names, and conditions to enforce by rejection.

    ValueError if a column is unknown or no combination satisfies a condition.
    ``subject`` is the name of the estimator in messages.
    """
    taken, rest, combinations = {}, {}, {}
    conditions = {} if conditions is None else conditions
    for name, condition in by_name(conditions, plan.codec.names, subject).items():
        place = plan.places.get(name)
        if isinstance(place, Numbered):
            raise ValueError(
                f"{subject}: column {name!r} is numbered: drop its condition."
            )
        if not _takes(model, "conditions"):
            rest[name] = condition
        elif isinstance(place, Joint):
            first = place.columns[0]
            match = place.meeting(name, condition, subject) & combinations.get(
                first, True
            )
            if not match.any():
                raise ValueError(
                    f"{subject}: the condition {brief(condition)} on column {name!r} "
                    "has no probability: it meets no combination that occurs."
                )
            combinations[first] = match
        elif place is None:
            taken[_own_name(plan, model, name)] = condition
        else:
            rest[name] = condition
    for name, match in combinations.items():
        if not match.all():
            taken[_own_name(plan, model, name)] = np.flatnonzero(match).tolist()
    for constraint in ranges:
        if is_condition(plan, model, constraint):
            name = _own_name(plan, model, constraint.column)
            taken.setdefault(name, constraint.condition())
    return taken, rest


def is_condition(plan, model, constraint):
    """Return whether a model draws conditional on a range: that of a column of its own
    whose draws have no bounds."""
    name = constraint.column
    is_own = name not in plan.places
    return is_own and _takes(model, "ranges") and _is_open(plan, model, name)


def is_range_kept(plan, model, constraint):
    """Return whether a constraint is a range that the model's draws satisfy, by its
    training range or by a condition."""
    if not isinstance(constraint, Range):
        return False
    step, name = plan.places.get(constraint.column), constraint.column
    if step is not None:
        return isinstance(step, Joint)
    return not _is_open(plan, model, name) or is_condition(plan, model, constraint)


def _is_open(plan, model, name):
    """Return whether a model may draw values outside the training range of a column."""
    column_type = getattr(model, "column_types_", {}).get(_own_name(plan, model, name))
    return column_type is None or column_type.kind == "gaussian"


def cells_of(plan, model, name, column):
    """Return log cell sizes, which convert densities of a column's values to
    probabilities, and a mask of values that the model never draws: unknown levels,
    values out of range, and values off the grid.

    Cells of "numeric" columns are those of their grid, or equally small without a grid.
    Levels and atoms already have probabilities.
    """
    model_name = _own_name(plan, model, name)
    kind = getattr(model, "column_types_", {}).get(model_name)
    log_cell, unseen = np.zeros(len(column)), np.zeros(len(column), bool)
    if kind is None or kind.kind not in ("ordinal", "numeric", "gaussian"):
        return log_cell, unseen
    if kind.kind == "ordinal":
        return log_cell, ~column.isin(kind.values).to_numpy(bool)
    codec = getattr(getattr(model, "_columns", None), "codec", None)
    j = plan.names.index(name)
    fine = _FINE if codec is None else _FINE - np.log(length_of(codec.clocks[j]))
    if kind.kind == "gaussian":
        return log_cell + fine, unseen
    unseen = ((column < kind.low) | (column > kind.high)).to_numpy(bool)
    atoms = column.isin(kind.values).to_numpy(bool)
    if kind.step:
        in_steps = encoded(codec, j, column) if codec else column.to_numpy(float)
        in_steps = in_steps / kind.step
        tolerance = np.maximum(_OFF, _ROUNDING * np.abs(in_steps))
        unseen = unseen | ((np.abs(in_steps - np.rint(in_steps)) > tolerance) & ~atoms)
    return np.where(atoms, 0.0, np.log(kind.step) if kind.step else fine), unseen


def refuse_too_many(plan, model, uniques, n_samples, subject):
    """Raise ConstraintError if a model has fewer than ``n_samples`` distinct values of
    columns whose values must be unique."""
    for constraint in uniques:
        size = _n_distinct(plan, model, constraint.columns)
        if n_samples > size:
            raise ConstraintError(
                f"{subject}: {n_samples} rows cannot satisfy {constraint}, because the "
                f"model draws at most {size} distinct values.{numbering(constraint)} "
                "Or draw fewer rows."
            )


def _n_distinct(plan, model, names):
    """Maximum number of distinct values of columns in draws of a model; infinity if
    unknown, or if missing values are drawn, which are never repeats."""
    if getattr(getattr(model, "_columns", None), "gaps", None) is not None:
        return np.inf
    kinds = getattr(model, "column_types_", {})
    own_names = [_own_name(plan, model, name) for name in names]
    if any(name in plan.places for name in names):
        return np.inf
    return math.prod(_n_values(kinds.get(name)) for name in own_names)


def _n_values(kind):
    """Number of values of a column of a type; infinity if unknown."""
    n = 0 if kind is None or kind.values is None else len(kind.values)
    if kind is None or (kind.kind == "numeric" and not isinstance(kind.low, Real)):
        return np.inf
    if kind.kind == "numeric" and kind.step:
        return round((kind.high - kind.low) / kind.step) + 1 + n
    return n if n and kind.kind in ("ordinal", "categorical") else np.inf


def _takes(model, given):
    return given in capabilities_of(model).get("sample", ())


def _own_name(plan, model, name):
    """Name or number of a column in conditions of a model."""
    named = hasattr(model, "feature_names_in_")
    return name if named else plan.names.index(name)
