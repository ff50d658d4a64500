"""Groups of options: objects that hold the details of an option.

A string is equivalent to a group with default details: ``solver="adam"`` is
``solver=Adam()``. A detail of "auto" stands for the default of the estimator, which its
documentation names. Like estimators, groups can be cloned, printed and searched, by
names such as ``solver__schedule``.
"""

from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import (
    InvalidParameterError,
    validate_parameter_constraints,
)

from skdgm.base.keywords import meant_by
from skdgm.base.options import Options, allowed, default_of
from skdgm.data.auto import is_auto
from skdgm.exceptions import OlderFileError
from skdgm.utils.counts import per_layer


class OptionGroup(Options, BaseEstimator):
    """Base class of groups of options, whose details are declared like options."""

    # Value of the option that the group stands for, or the field with this value.
    STANDS_FOR, VALUE = None, None
    _parameter_constraints: ClassVar[dict]
    # Names of fields as models read them, where these differ.
    FLAT_NAMES = {}

    def __setstate__(self, state):
        super().__setstate__(state)
        for name in vars(self).keys() - self._parameter_constraints.keys():
            if not is_auto(value := vars(self).pop(name)):
                raise OlderFileError(
                    f"The {type(self).__name__} is of an earlier version of skdgm, "
                    f"with {name}={value!r}: fit the model again."
                )
        for name in self._parameter_constraints.keys() - vars(self).keys():
            setattr(self, name, default_of(type(self), name))

    @classmethod
    def made_of(cls, value, details):
        """Group that stands for a value of the option, with these details."""
        return cls(**({} if cls.VALUE is None else {cls.VALUE: value}), **details)

    @property
    def stands_for(self):
        """Value of the option that the group stands for."""
        return self.STANDS_FOR if self.VALUE is None else getattr(self, self.VALUE)

    def value_of(self, cls, name):
        """Value of the option ``name`` of a class; its default if the group has
        none."""
        value = self.stands_for
        is_unspecified = self.VALUE is not None and is_auto(value)
        return default_of(cls, name) if is_unspecified else value

    @property
    def details(self):
        """Details other than "auto", by the names that models read."""
        specified = self.fields_asked.items()
        return {self.FLAT_NAMES.get(name, name): value for name, value in specified}

    @classmethod
    def by_field(cls, details):
        """Details that this group has, by the names of its fields."""
        renamed = {flat: name for name, flat in cls.FLAT_NAMES.items()}
        named = {renamed.get(name, name): value for name, value in details.items()}
        known = cls._parameter_constraints
        return {name: value for name, value in named.items() if name in known}

    @property
    def fields_asked(self):
        """Details other than "auto", by the names of the fields."""
        return {
            name: value
            for name, value in self.get_params(deep=False).items()
            if name != self.VALUE and not is_auto(value)
        }


def expanded(cls, options):
    """Options by the names that models read, with the details of their groups as
    separate entries."""
    flat = dict(options)
    for name, value in options.items():
        if isinstance(value, OptionGroup):
            flat |= {name: value.value_of(cls, name)} | value.details
    return flat


def folded(cls, options):
    """Arguments of the constructor of a class, given options by the names that models
    read.

    This is the inverse of :func:`expanded`. Details that differ from the defaults of
    the class are put into groups, where details that are already there take precedence.
    Details that the chosen group lacks are dropped. If an option of a stack is a tuple,
    each entry gets the details of its layer.
    """
    known, details = cls._DETAILS, {}
    arguments = {name: v for name, v in options.items() if name not in known}
    for name in options.keys() & known.keys():
        if not _equal(options[name], known[name].default):
            details.setdefault(known[name].group, {})[name] = options[name]
    for group, named in details.items():
        value = arguments.get(group, default_of(cls, group))
        by_layer = isinstance(value, tuple) and value
        if by_layer and group_for(cls, group, value) is None:
            each = {name: per_layer(name, named[name], len(value)) for name in named}
            arguments[group] = tuple(
                _with_details(cls, group, entry, {n: each[n][place] for n in each})
                for place, entry in enumerate(value)
            )
        else:
            arguments[group] = _with_details(cls, group, value, named)
    return arguments


def _with_details(cls, name, value, details):
    """Value of an option, or a group for it if a group has some of the details."""
    if isinstance(value, OptionGroup):
        kind, details = type(value), details | value.details
        value = value.stands_for
    else:
        kind = group_for(cls, name, value)
    if kind is None:
        return value
    fields = kind.by_field(details)
    return kind.made_of(value, fields) if fields else value


def _equal(value, default):
    return type(value) is type(default) and np.array_equal(value, default)


def name_of(cls, name, chosen=None):
    """Name of an option or detail for ``set_params`` of a class; ``chosen`` selects the
    group by the value that it stands for."""
    detail = cls._DETAILS.get(name)
    if detail is None:
        return name
    kinds = groups_of(cls, detail.group)
    kinds = [kind for kind in kinds if chosen in (None, kind.STANDS_FOR)]
    renamed = {flat: field for kind in kinds for field, flat in kind.FLAT_NAMES.items()}
    return f"{detail.group}__{renamed.get(name, name)}"


def assign(estimator, **options):
    """Set options of an estimator by the names that models read; return the
    estimator."""
    known, present = estimator._DETAILS, estimator.get_params(deep=False)
    groups = {detail.group for name, detail in known.items() if name in options}
    groups |= {detail.group for detail in known.values() if detail.group in options}
    before = {name: present[name] for name in groups & present.keys()}
    cls = type(estimator)
    return estimator.set_params(**folded(cls, expanded(cls, before) | options))


def group_for(cls, name, value):
    """Class of groups that stand for a value of an option; None if there is none."""
    kinds = groups_of(cls, name)
    return next((kind for kind in kinds if kind.STANDS_FOR in (None, value)), None)


def groups_of(cls, name):
    """Classes of groups that an option of a class accepts."""
    constraints = cls._parameter_constraints.get(name, ())
    return [kind for kind in constraints if _is_group(kind)]


def _is_group(kind):
    return isinstance(kind, type) and issubclass(kind, OptionGroup)


def check_groups(estimator, *names):
    """Raise InvalidParameterError for details (of the options ``names``, by default
    all) that are invalid or that an estimator does not have."""
    known, subject = estimator._DETAILS, type(estimator).__name__
    for name in names or estimator.get_params(deep=False):
        group = getattr(estimator, name)
        if not isinstance(group, OptionGroup):
            continue
        constraints = {name: estimator._parameter_constraints[name]}
        value = group.value_of(type(estimator), name)
        validate_parameter_constraints(constraints, {name: value}, subject)
        kind = type(group).__name__
        owner = f"{kind} of {subject}"
        for field, value in group.fields_asked.items():
            detail = known.get(group.FLAT_NAMES.get(field, field))
            if detail is None or detail.group != name:
                raise InvalidParameterError(
                    f"The {field!r} parameter of {kind} does not apply to {subject}: "
                    f"leave it at 'auto'; got {value!r}."
                )
            constraints = {field: allowed(detail.hint)}
            validate_parameter_constraints(constraints, {field: value}, owner)
        present = group.get_params(deep=False)
        validate_parameter_constraints(group._parameter_constraints, present, owner)


def set_params(self: Any, **params: object) -> Any:
    """Set options, and details of options by names such as ``solver__schedule``.

    The present value of the option may be a group or a string that stands for it.

    Parameters
    ----------
    **params : dict
        Options by name.

    Returns
    -------
    self : estimator

    Raises
    ------
    ValueError
        A name is unknown, or a value is invalid.
    """
    try:
        return BaseEstimator.set_params(self, **with_groups(self, params))
    except ValueError as error:
        unknown = {key.partition("__")[0] for key in params} - {*self.get_params()}
        hints = [
            name + hint for name in unknown if (hint := meant_by(type(self), name))
        ]
        if not hints:
            raise
        raise ValueError(f"{error} {hints[0]}") from error


def with_groups(estimator, params):
    """Replace strings by the groups that they stand for, if parameters name details of
    these groups, such as ``solver__schedule``."""
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
        params = {key: v for key, v in params.items() if key != name}
    return params


def asked_value(estimator, name, default=None):
    """Present value of an option or detail, by the name that models read; the default
    if the estimator does not have it."""
    if name not in estimator._DETAILS:
        value: Any = getattr(estimator, name, default)
        group = isinstance(value, OptionGroup)
        return value.value_of(type(estimator), name) if group else value
    detail = estimator._DETAILS[name]
    group = getattr(estimator, detail.group)
    details = group.details if isinstance(group, OptionGroup) else {}
    return details.get(name, detail.default)
