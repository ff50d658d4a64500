"""Conditions on columns of a table as conditions on those of its model."""

import numpy as np

from skdgm.constraints._steps import Joint, Numbered
from skdgm.constraints.rules import Range
from skdgm.data.conditions import by_name
from skdgm.data.series import brief
from skdgm.utils.wrapped import capabilities_of


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
    """Whether a constraint is a range that draws keep to: as the model draws within the
    range seen, or by a condition of the model."""
    if not isinstance(constraint, Range):
        return False
    place, name = plan.places.get(constraint.column), constraint.column
    if place is not None:
        return isinstance(place, Joint)
    return not _is_open(plan, model, name) or _takes(model, "ranges")


def _is_open(plan, model, name):
    """Whether a model may draw values of a column beyond the range seen."""
    known = getattr(model, "column_types_", {}).get(_own_name(plan, model, name))
    return known is None or known.kind == "gaussian"


def is_unseen(plan, model, name, column):
    """Mask of values that a model never draws: other levels, and beyond the range."""
    known = getattr(model, "column_types_", {}).get(_own_name(plan, model, name))
    if known is None or known.kind not in ("ordinal", "numeric"):
        return np.zeros(len(column), bool)
    if known.kind == "ordinal":
        return ~column.isin(known.values).to_numpy(bool)
    return ((column < known.low) | (column > known.high)).to_numpy(bool)


def _takes(model, given):
    return given in capabilities_of(model).get("sample", ())


def _own_name(plan, model, name):
    """Name, or number, of a column in conditions of a model."""
    named = hasattr(model, "feature_names_in_")
    return name if named else plan.names.index(name)
