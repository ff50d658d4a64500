"""Rollback of estimators on errors, and atomic replacement of their attributes."""

from contextlib import contextmanager
from functools import partial, wraps

from sklearn.base import BaseEstimator

from skdgm.exceptions import DivergenceError

# Learned parameters are kept after these: a warning may be turned into an error.
KEPT = DivergenceError, KeyboardInterrupt, Warning


@contextmanager
def rollback(estimator, kept=KEPT):
    """Context that restores an estimator and its component estimators after an error.

    Parameters
    ----------
    estimator : estimator
    kept : tuple of type, default=KEPT
        Errors without rollback.

    Yields
    ------
    before : list of (estimator, dict)
        Former attributes; after the list is cleared, there is no rollback.
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


def rolled_back(method=None, *, kept=KEPT):
    """Decorate a method such that errors roll the estimator back.

    Parameters
    ----------
    method : callable
    kept : tuple of type, default=KEPT
        Errors without rollback.

    Returns
    -------
    careful : callable
    """
    if method is None:
        return partial(rolled_back, kept=kept)

    @wraps(method)
    def careful(self, *arguments, **options):
        with rollback(self, kept):
            return method(self, *arguments, **options)

    return careful


@contextmanager
def replacing(estimator):
    """Context that replaces all attributes of an estimator at once, at its end.

    Parameters
    ----------
    estimator : estimator

    Yields
    ------
    other : estimator
        Shallow copy, whose attributes become those of ``estimator`` unless an error is
        raised.
    """
    other = shallow(estimator)
    yield other
    estimator.__dict__ = vars(other)


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
