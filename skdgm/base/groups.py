"""Groups of options: objects with details, which are values of options.

A string is equivalent to a group with default details: ``solver="adam"`` is
``solver=Adam()``. A detail that is "auto" has the default of the estimator, whose
documentation names it. Like estimators, groups can be cloned, printed and searched by
names such as ``solver__schedule``.
"""

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import (
    InvalidParameterError,
    validate_parameter_constraints,
)

from skdgm.base.options import Options, allowed, default_of
from skdgm.data.auto import is_auto
from skdgm.utils.counts import per_layer


class OptionGroup(Options, BaseEstimator):
    """Base class of groups of options, which are declared as those of estimators."""

    # Value of the option that a group stands for, or the field that has this value.
    STANDS_FOR, VALUE = None, None
    # Names that models read, where they differ from those of the group.
    FLAT_NAMES = {}

    @classmethod
    def made_of(cls, value, details):
        """Group that stands for a value of the option, with these details."""
        return cls(**({} if cls.VALUE is None else {cls.VALUE: value}), **details)

    @property
    def stands_for(self):
        """Value of the option that the group is given to."""
        return self.STANDS_FOR if self.VALUE is None else getattr(self, self.VALUE)

    def value_of(self, cls, name):
        """Value of the option of a class; its default if the group does not say it."""
        value = self.stands_for
        unsaid = self.VALUE is not None and is_auto(value)
        return default_of(cls, name) if unsaid else value

    @property
    def details(self):
        """Details that are asked for, by the names that models read."""
        asked = self.fields_asked.items()
        return {self.FLAT_NAMES.get(name, name): value for name, value in asked}

    @classmethod
    def by_field(cls, details):
        """Those details that the group has, by its own names."""
        renamed = {flat: name for name, flat in cls.FLAT_NAMES.items()}
        named = {renamed.get(name, name): value for name, value in details.items()}
        known = cls._parameter_constraints
        return {name: value for name, value in named.items() if name in known}

    @property
    def fields_asked(self):
        """Details that are asked for, by the names of the group."""
        return {
            name: value
            for name, value in self.get_params(deep=False).items()
            if name != self.VALUE and not is_auto(value)
        }


def expanded(cls, options):
    """Options of a class by the names that models read, with the details of groups
    among them."""
    found = dict(options)
    for name, value in options.items():
        if isinstance(value, OptionGroup):
            found |= {name: value.value_of(cls, name)} | value.details
    return found


def folded(cls, options):
    """Arguments of a class's constructor, given options by the names that models read.

    Details that differ from the class's defaults are put into groups. Details in a
    group that is given take precedence; those that the chosen group does not have are
    left out. Where a stack has a tuple of values, details are those of each layer.
    """
    known, details = cls._DETAILS, {}
    arguments = {name: own for name, own in options.items() if name not in known}
    for name in options.keys() & known.keys():
        if not _equal(options[name], known[name].default):
            details.setdefault(known[name].group, {})[name] = options[name]
    for group, own in details.items():
        value = arguments.get(group, default_of(cls, group))
        by_layer = isinstance(value, tuple) and value
        if by_layer and group_for(cls, group, value) is None:
            each = {name: per_layer(name, own[name], len(value)) for name in own}
            arguments[group] = tuple(
                _with_details(cls, group, one, {n: each[n][number] for n in each})
                for number, one in enumerate(value)
            )
        else:
            arguments[group] = _with_details(cls, group, value, own)
    return arguments


def _with_details(cls, name, value, details):
    """Value of an option, in a group if that has some of the details."""
    if isinstance(value, OptionGroup):
        kind, details = type(value), details | value.details
        value = value.stands_for
    else:
        kind = group_for(cls, name, value)
    own = kind.by_field(details) if kind else {}
    return kind.made_of(value, own) if own else value


def _equal(value, default):
    return type(value) is type(default) and np.array_equal(value, default)


def name_of(cls, name, chosen=None):
    """Name by which ``set_params`` takes an option of a class, or a detail, perhaps of
    the group that stands for a value."""
    detail = cls._DETAILS.get(name)
    if detail is None:
        return name
    kinds = groups_of(cls, detail.group)
    kinds = [kind for kind in kinds if chosen in (None, kind.STANDS_FOR)]
    renamed = {flat: own for kind in kinds for own, flat in kind.FLAT_NAMES.items()}
    return f"{detail.group}__{renamed.get(name, name)}"


def assign(estimator, **options):
    """Set options of an estimator by the names that models read; the estimator."""
    known, asked = estimator._DETAILS, estimator.get_params(deep=False)
    groups = {detail.group for name, detail in known.items() if name in options}
    groups |= {detail.group for detail in known.values() if detail.group in options}
    before = {name: asked[name] for name in groups & asked.keys()}
    cls = type(estimator)
    return estimator.set_params(**folded(cls, expanded(cls, before) | options))


def group_for(cls, name, value):
    """Class of the groups that a value of an option stands for, None if it has no
    details."""
    kinds = groups_of(cls, name)
    return next((kind for kind in kinds if kind.STANDS_FOR in (None, value)), None)


def groups_of(cls, name):
    """Classes of groups that an option takes, none if the class has no such option."""
    constraints = cls._parameter_constraints.get(name, ())
    return [kind for kind in constraints if _is_group(kind)]


def _is_group(kind):
    return isinstance(kind, type) and issubclass(kind, OptionGroup)


def check_groups(estimator, *names):
    """Raise InvalidParameterError for details, of some options or all, that are wrong
    or that an estimator does not have."""
    known, who = estimator._DETAILS, type(estimator).__name__
    for name in names or estimator.get_params(deep=False):
        group = getattr(estimator, name)
        if not isinstance(group, OptionGroup):
            continue
        wanted = {name: estimator._parameter_constraints[name]}
        value = group.value_of(type(estimator), name)
        validate_parameter_constraints(wanted, {name: value}, who)
        kind = type(group).__name__
        asker = f"{kind} of {who}"
        for field, value in group.fields_asked.items():
            detail = known.get(group.FLAT_NAMES.get(field, field))
            if detail is None or detail.group != name:
                raise InvalidParameterError(
                    f"The {field!r} parameter of {kind} does not apply to {who}: leave "
                    f"it at 'auto'; got {value!r}."
                )
            wanted = {field: allowed(detail.hint)}
            validate_parameter_constraints(wanted, {field: value}, asker)
        own = group.get_params(deep=False)
        validate_parameter_constraints(group._parameter_constraints, own, asker)


def set_params(self: Any, **params: object) -> Self:
    """Set options, and details of options by names such as ``solver__schedule``, also
    where a text stands for them.

    Parameters
    ----------
    **params : dict
        Options by name.

    Returns
    -------
    self : estimator
    """
    return BaseEstimator.set_params(self, **with_groups(self, params))


def with_groups(estimator, params):
    """Replace texts by the groups that they stand for, where parameters name details of
    them, such as ``solver__schedule``."""
    for key in params:
        name, _, detail = key.partition("__")
        value = params.get(name, getattr(estimator, name, None))
        if not detail or hasattr(value, "get_params"):
            continue
        if not (kinds := groups_of(type(estimator), name)):
            continue
        kind = group_for(type(estimator), name, value)
        if kind is None:
            names = " or ".join(f"{kind.__name__}(...)" for kind in kinds)
            raise ValueError(
                f"{name}={value!r} has no detail {detail!r} in "
                f"{type(estimator).__name__}: set {name} to {names} first."
            )
        setattr(estimator, name, kind.made_of(value, {}))
        params = {key: own for key, own in params.items() if key != name}
    return params


def asked_value(estimator, name, *default):
    """Present value of an option or a detail, by the name that models read; as of
    ``getattr``."""
    if name not in estimator._DETAILS:
        value = getattr(estimator, name, *default)
        group = isinstance(value, OptionGroup)
        return value.value_of(type(estimator), name) if group else value
    detail = estimator._DETAILS[name]
    group = getattr(estimator, detail.group)
    asked = group.details if isinstance(group, OptionGroup) else {}
    return asked.get(name, detail.default)
