"""Conditions on columns of a table as conditions on those of its model."""

import numpy as np

from skdgm.constraints._quantities import encoded, length_of
from skdgm.constraints._steps import Joint, Numbered
from skdgm.constraints.rules import Range
from skdgm.data.conditions import by_name
from skdgm.data.series import brief
from skdgm.utils.wrapped import capabilities_of

# Log size of the cells of real numbers: of no account but that it is small.
_FINE = -30.0
# Share of a step by which values may be off it, and relative rounding errors.
_OFF, _ROUNDING = 0.1, 4 * np.finfo(np.float32).eps


def translated(plan, model, conditions, ranges, who):
    """Divide conditions by name of column, and ranges that are constraints, into those
    of a model, by its names, and those to keep by rejection: two dicts.

    ValueError if there is no such column, or no combination meets the condition;
    ``who`` is the estimator's name for messages.
    """
    taken, rest, combinations = {}, {}, {}
    conditions = {} if conditions is None else conditions
    for name, condition in by_name(conditions, plan.codec.names, who).items():
        place = plan.places.get(name)
        if isinstance(place, Numbered):
            raise ValueError(f"{who}: column {name!r} is numbered: drop its condition.")
        if not _takes(model, "conditions"):
            rest[name] = condition
        elif isinstance(place, Joint):
            first = place.columns[0]
            own = place.meeting(name, condition, who) & combinations.get(first, True)
            if not own.any():
                raise ValueError(
                    f"{who}: the condition {brief(condition)} on column {name!r} has "
                    "no probability: it meets no combination that occurs."
                )
            combinations[first] = own
        elif place is None:
            taken[_own_name(plan, model, name)] = condition
        else:
            rest[name] = condition
    for name, own in combinations.items():
        if not own.all():
            taken[_own_name(plan, model, name)] = np.flatnonzero(own).tolist()
    for constraint in ranges:
        name = constraint.column
        takes = _takes(model, "ranges") and name not in plan.places
        if takes and _is_open(plan, model, name):
            taken.setdefault(_own_name(plan, model, name), constraint.condition())
    return taken, rest


def is_range_kept(plan, model, constraint):
    """Return whether a constraint is a range that draws of the model satisfy: its
    training range, or a condition of the model."""
    if not isinstance(constraint, Range):
        return False
    place, name = plan.places.get(constraint.column), constraint.column
    if place is not None:
        return isinstance(place, Joint)
    return not _is_open(plan, model, name) or _takes(model, "ranges")


def _is_open(plan, model, name):
    """Return whether a model may draw values outside the training range of a column."""
    known = getattr(model, "column_types_", {}).get(_own_name(plan, model, name))
    return known is None or known.kind == "gaussian"


def cells_of(plan, model, name, column):
    """Log sizes by which densities of a column's values become probabilities of cells,
    and a mask of values that the model never draws: other levels, beyond the range,
    and off the grid.

    Cells are those of the grid of "numeric" columns, and as fine as each other where
    there is none; levels and atoms have probabilities already.
    """
    own = _own_name(plan, model, name)
    known = getattr(model, "column_types_", {}).get(own)
    log_cell, unseen = np.zeros(len(column)), np.zeros(len(column), bool)
    if known is None or known.kind not in ("ordinal", "numeric", "gaussian"):
        return log_cell, unseen
    if known.kind == "ordinal":
        return log_cell, ~column.isin(known.values).to_numpy(bool)
    codec = getattr(getattr(model, "_columns", None), "codec", None)
    j = plan.names.index(name)
    fine = _FINE if codec is None else _FINE - np.log(length_of(codec.clocks[j]))
    if known.kind == "gaussian":
        return log_cell + fine, unseen
    unseen = ((column < known.low) | (column > known.high)).to_numpy(bool)
    atoms = column.isin(known.values).to_numpy(bool)
    if known.step:
        place = encoded(codec, j, column) if codec else column.to_numpy(float)
        place = place / known.step
        room = np.maximum(_OFF, _ROUNDING * np.abs(place))
        unseen = unseen | ((np.abs(place - np.rint(place)) > room) & ~atoms)
    return np.where(atoms, 0.0, np.log(known.step) if known.step else fine), unseen


def _takes(model, given):
    return given in capabilities_of(model).get("sample", ())


def _own_name(plan, model, name):
    """Name, or number, of a column in conditions of a model."""
    named = hasattr(model, "feature_names_in_")
    return name if named else plan.names.index(name)
