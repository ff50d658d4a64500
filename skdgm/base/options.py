"""Options of estimators: validated, of Python's own types, as of the last fit.

Options that a user sets are attributes of the estimator and remain as given. At the
beginning of each fit they are copied to ``_asked``, from which all code reads them. So
the results of a fitted model do not change when options are set afterwards, except for
options of inference, which are documented as such and read at each call.
"""

from numbers import Integral, Real
from types import SimpleNamespace

import numpy as np
from sklearn import get_config
from sklearn.utils._param_validation import (
    InvalidParameterError,
    validate_parameter_constraints,
)

# Constraints of options that may be booleans, or that are checked elsewhere.
_FREE = {"boolean", "verbose", "random_state", "no_validation"}


def asked_of(estimator):
    """Present options of an estimator, of Python's own types, as a namespace."""
    known = vars(estimator)
    # A subclass of a user's may set some of them itself instead of taking them.
    constrained = estimator._parameter_constraints
    fixed = {name: known[name] for name in constrained if name in known}
    options = estimator._IMPLIED | fixed | estimator.get_params(deep=False)
    return SimpleNamespace(**{name: plain(v) for name, v in options.items()})


def current(estimator, name):
    """Validated present value of an option of inference, of one of Python's types."""
    value = getattr(estimator, name)
    if not get_config()["skip_parameter_validation"]:
        wanted = {name: estimator._parameter_constraints[name]}
        who = type(estimator).__name__
        validate_parameter_constraints(wanted, {name: value}, who)
        refuse_bools(estimator, name)
    return plain(value)


def refuse_bools(estimator, *names):
    """Raise an error for booleans in place of numbers: Python's bool is an int.

    Parameters
    ----------
    estimator : estimator
    *names : str
        Options to check; by default all.
    """
    for name in names or estimator.get_params(deep=False):
        value = getattr(estimator, name)
        # A subclass of a user's may have parameters that nobody constrains.
        wanted = estimator._parameter_constraints.get(name, "no_validation")
        wanted = {wanted} if isinstance(wanted, str) else set(map(str, wanted))
        if isinstance(value, bool | np.bool_) and not wanted & _FREE:
            raise InvalidParameterError(
                f"The {name!r} parameter of {type(estimator).__name__} must be a "
                f"number, not a bool: got {value}."
            )


def plain(value):
    """Convert numbers and strings, also in a tuple or list, to Python's own types.

    Python's integers do not overflow. Values of other types are returned unchanged.

    Parameters
    ----------
    value : object

    Returns
    -------
    value : object
    """
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, str):
        return str(value)
    if type(value) in (tuple, list):
        return type(value)(map(plain, value))
    return value
