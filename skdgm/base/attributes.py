"""Attributes of an estimator, which a fit replaces at once.

A fit works on a copy: threads that read the estimator meanwhile have what was learned
before, and after an error there is nothing to undo. A method that reads works on a
view, in which no attribute is of another fit than the others.
"""

from collections.abc import Callable
from contextlib import contextmanager
from functools import wraps
from types import FunctionType
from typing import TypeVar

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils.validation import check_scalar

from skdgm.exceptions import DivergenceError
from skdgm.utils.threading.threads import Held

# Learned parameters are kept after these: a warning may be turned into an error.
KEPT = DivergenceError, KeyboardInterrupt, Warning
Method = TypeVar("Method", bound=Callable)
Class = TypeVar("Class", bound=type)
# Beginnings of the names of methods that do not read what was learned alone.
_CHANGING = "_", "fit", "partial_fit", "set_", "get_"


@contextmanager
def rollback(estimator, kept=KEPT):
    """Context that restores an estimator and its component estimators after an error,
    but for those of the types ``kept``.

    Yields the former attributes, a list of pairs (estimator, dict); after the list is
    cleared, there is no rollback.
    """
    before = [(part, dict(vars(part))) for part in _parts(estimator)]
    try:
        yield before
    except kept:
        raise
    except BaseException:
        for part, known in before:
            now = vars(part)
            # Attributes of scikit-learn's callbacks are cleared by scikit-learn.
            theirs = {name: now[name] for name in now if "callback" in name}
            part.__dict__ = known | theirs
        raise


def rolled_back(method: Method) -> Method:
    """Decorate a ``fit`` such that it changes the estimator at once, or not at all.

    The method runs on a copy, whose attributes become those of the estimator at its
    end, or after an error of ``KEPT``; the estimator is returned.
    """
    method = _fit_context(prefer_skip_nested_validation=True)(method)

    @wraps(method)
    def careful(self, *arguments, **options):
        with replacing(self, KEPT) as new:
            method(new, *arguments, **options)
        return self

    return careful


@contextmanager
def replacing(estimator, kept=()):
    """Context that replaces all attributes of an estimator at once, at its end, and
    after errors of the types ``kept``.

    Yields a shallow copy, whose attributes become those of the estimator.
    """
    other = shallow(estimator)
    with Held() as held:
        try:
            with held.lifted():
                yield other
        except kept:
            estimator.__dict__ = vars(other)
            raise
        estimator.__dict__ = vars(other)


def shared(function: Method) -> Callable[[Callable], Method]:
    """Decorator that puts a function, which several classes share, in the place of a
    method. Type checkers take one that is only assigned for that of the base class."""
    return lambda method: function


def steady(cls: Class) -> Class:
    """Class decorator that lets each public method of a class read a single fit.

    A method runs on a view of the estimator as it is when the method is called. So what
    it reads of attributes, one after the other, is of one fit, also where another
    thread ends the next one meanwhile. Methods that fit or set do not.
    """
    # Methods of users' own classes may do anything, such as to fit.
    ours = cls.__module__.startswith("skdgm.")
    for name, found in list(vars(cls).items()) if ours else ():
        if name.startswith(_CHANGING):
            continue
        if isinstance(found, FunctionType):
            setattr(cls, name, _on_view(found))
        elif hasattr(found, "fn"):  # scikit-learn's available_if.
            found.fn = _on_view(found.fn)
    return cls


def _on_view(method):
    defaults = (method.__kwdefaults__ or {}).items()
    flags = {name for name, default in defaults if isinstance(default, bool)}

    @wraps(method)
    def read(self, *arguments, **options):
        for name in options.keys() & flags:
            check_scalar(options[name], name, (bool, np.bool_))
        return method(view(self), *arguments, **options)

    return read


def view(estimator):
    """The attributes of an estimator as they are now, and stay where others replace
    them. What is set of one is set of the other until then."""
    other = object.__new__(type(estimator))
    other.__dict__ = vars(estimator)
    return other


def shallow(estimator):
    """Copy of an estimator with the same attributes, which may then be set apart."""
    other = object.__new__(type(estimator))
    other.__dict__ = dict(vars(estimator))
    return other


def _parts(estimator):
    """Iterate, recursively, over an estimator and those among its attributes."""
    yield estimator
    for value in vars(estimator).values():
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, BaseEstimator):
                yield from _parts(part)
