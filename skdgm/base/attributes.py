"""Attributes of an estimator, which a fit replaces all at once.

A fit works on a copy of the estimator. Until it ends, other threads read the previous
fit, and an error leaves the estimator unchanged. Public methods that do not fit read a
view of the estimator, whose attributes all belong to one fit.
"""

import re
from collections.abc import Callable
from contextlib import contextmanager
from functools import wraps
from inspect import cleandoc, signature
from types import FunctionType
from typing import TypeVar, cast

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils.validation import check_scalar

from skdgm.exceptions import DivergenceError
from skdgm.utils.threading.threads import DeferredInterrupt

# Errors after which learned parameters are kept. Filters can turn warnings into errors.
KEPT = DivergenceError, KeyboardInterrupt, Warning
Method = TypeVar("Method", bound=Callable)
Class = TypeVar("Class", bound=type)
# Prefixes of methods that are private, or do not only read fitted attributes.
_CHANGING = "_", "fit", "partial_fit", "set_", "get_"


@contextmanager
def rollback(estimator, kept=KEPT):
    """Context that restores an estimator and its component estimators after an error,
    except for errors of the types ``kept``.

    Yields a list of pairs (estimator, dict of former attributes). Clearing the list
    cancels the rollback.
    """
    before = [(component, dict(vars(component))) for component in _parts(estimator)]
    try:
        yield before
    except kept:
        raise
    except BaseException:
        for component, former in before:
            present = vars(component)
            # scikit-learn itself clears the attributes of its callbacks.
            callbacks = {name: present[name] for name in present if "callback" in name}
            component.__dict__ = former | callbacks
        raise


def rolled_back(method: Method, kept: type | tuple[type, ...] = KEPT) -> Method:
    """Decorate a ``fit`` so that it replaces all attributes at once, or none.

    The method runs on a copy of the estimator. The estimator takes over the attributes
    of the copy when the method returns or raises an error of the types ``kept``. The
    decorated method returns the estimator.
    """
    parameters = signature(method)
    method = _fit_context(prefer_skip_nested_validation=True)(method)

    @wraps(method)
    def careful(self, *arguments, **options):
        try:
            parameters.bind(self, *arguments, **options)
        except TypeError as error:  # Python would name the class that defines it.
            name = f"{type(self).__name__}.{method.__name__}()"
            raise TypeError(f"{name}: {error}") from None
        with replacing(self, kept) as new:
            method(new, *arguments, **options)
        return self

    return cast(Method, careful)


@contextmanager
def replacing(estimator, kept=()):
    """Context that replaces all attributes of an estimator at once when it ends, or
    after an error of the types ``kept``.

    Yields a shallow copy, whose attributes become those of the estimator.
    """
    other = shallow(estimator)
    with DeferredInterrupt() as held:
        try:
            with held.lifted():
                yield other
        except kept:
            estimator.__dict__ = vars(other)
            raise
        estimator.__dict__ = vars(other)


def shared(function: Method) -> Callable[[Callable], Method]:
    """Decorator that replaces a method by a function that several classes share. Type
    checkers would take a mere assignment for the method of the base class."""
    return lambda method: function


def documented_as(base: Callable, parameters: str) -> Callable[[Method], Method]:
    """Decorator that gives a method the docstring of the method ``base``, with further
    entries of the section "Parameters", in the order of the signature."""

    def document(method):
        heading = "Parameters\n----------\n"
        head, _, text = cleandoc(base.__doc__ or "").partition(heading)
        section, blank, rest = text.partition("\n\n")
        entries = re.split(r"\n(?=\S)", f"{section}\n{cleandoc(parameters)}")
        by_name = {entry.partition(" :")[0]: entry for entry in entries}
        names = filter(by_name.__contains__, signature(method).parameters)
        section = "\n".join(map(by_name.__getitem__, names))
        method.__doc__ = head + heading + section + blank + rest
        return method

    return document


def reads_one_fit(cls: Class) -> Class:
    """Class decorator that makes each public method of a class read a single fit.

    A method runs on a view of the attributes at the time of the call. If another thread
    fits the estimator meanwhile, the method still reads the earlier fit. Methods that
    fit, set or get parameters are not decorated.
    """
    # Methods of users' subclasses may fit.
    is_internal = cls.__module__.startswith("skdgm.")
    for name, attribute in list(vars(cls).items()) if is_internal else ():
        if name.startswith(_CHANGING):
            continue
        if isinstance(attribute, FunctionType):
            setattr(cls, name, _on_view(attribute))
        elif hasattr(attribute, "fn"):  # scikit-learn's available_if.
            attribute.fn = _on_view(attribute.fn)
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
    """View of an estimator with its present attributes, which a later fit does not
    replace. The view and the estimator share attributes that are set before then."""
    other = object.__new__(type(estimator))
    other.__dict__ = vars(estimator)
    return other


def shallow(estimator):
    """Shallow copy of an estimator: setting attributes of the copy leaves the original
    unchanged."""
    other = object.__new__(type(estimator))
    other.__dict__ = dict(vars(estimator))
    return other


def _parts(estimator):
    """Yield an estimator and, recursively, the estimators among its attributes."""
    yield estimator
    for value in vars(estimator).values():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, BaseEstimator):
                yield from _parts(item)
