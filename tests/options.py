"""Estimators made of options by the names that models read, wherever they belong."""

from skdgm.base.groups import OptionGroup, asked_value, assign, folded, group_for


def grouped(cls, *positional, **options):
    """Object of a class, with details of options in their groups."""
    if hasattr(cls, "_DETAILS"):
        options = folded(cls, options)
    return cls(*positional, **options)


def details_of(estimator):
    """Options and fields of the details that an estimator's present values have, by the
    names that models read."""
    found, cls, values = {}, type(estimator), estimator.get_params(deep=False)
    for name, (_, _, option) in getattr(cls, "_DETAILS", {}).items():
        if option not in values:
            continue
        value = values[option]
        chosen = isinstance(value, OptionGroup)
        kind = type(value) if chosen else group_for(cls, option, value)
        field = list(kind.by_field({name: None})) if kind else []
        found |= dict.fromkeys([name] * len(field), (option, *field))
    return found


__all__ = ["asked_value", "assign", "details_of", "grouped"]
