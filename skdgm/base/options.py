"""Options as learning and answering read them: valid, of plain types, and as they were
when an estimator last learned.

What a user sets are attributes of the estimator, which stay as they were given. At the
beginning of each fit they become ``_asked``, from which all else reads them. So a
fitted model does not change its answers where options are set afterwards, but for
those that say how to answer, which are documented as such and read as they are now.
"""

from numbers import Integral, Real
from types import SimpleNamespace

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import (
    InvalidParameterError,
    validate_parameter_constraints,
)

# Constraints of options that may be True or False, or that are checked elsewhere.
_FREE = {"boolean", "verbose", "random_state", "no_validation"}


class OptionsMixin(BaseEstimator):
    """For an estimator that calls ``_ask`` where it begins to learn."""

    # What options would be that other estimators of a family have.
    _IMPLIED: dict = {}

    def _validate_params(self):
        super()._validate_params()
        for name, value in self.get_params(deep=False).items():
            self._refuse_bool(name, value)

    def _refuse_bool(self, name, value):
        """Raise where True or False is given for a number, which they are in Python."""
        wanted = self._parameter_constraints[name]
        wanted = {wanted} if isinstance(wanted, str) else set(map(str, wanted))
        if isinstance(value, bool | np.bool_) and not wanted & _FREE:
            raise InvalidParameterError(
                f"The {name!r} parameter of {type(self).__name__} must be a number, "
                f"not a bool: got {value}."
            )

    def _ask(self):
        """Take options as they are now, which are valid."""
        self._asked = self._plain_options()

    @property
    def _options(self):
        """Those of the last fit; before the first one, as they are now."""
        asked = vars(self).get("_asked")
        return self._plain_options() if asked is None else asked

    def _plain_options(self):
        options = self._IMPLIED | self.get_params(deep=False)
        return SimpleNamespace(**{name: plain(v) for name, v in options.items()})

    def _now(self, name):
        """An option that says how to answer, as it is now."""
        value = getattr(self, name)
        if not get_config()["skip_parameter_validation"]:
            wanted = {name: self._parameter_constraints[name]}
            validate_parameter_constraints(wanted, {name: value}, type(self).__name__)
            self._refuse_bool(name, value)
        return plain(value)


def plain(value):
    """A number, or numbers in a tuple or list, in Python's own types, which neither
    overflow nor index differently from each other; anything else as it is."""
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
