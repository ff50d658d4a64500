"""What errors end is undone; what is taken over is taken over at once."""

from contextlib import contextmanager
from functools import wraps

from sklearn.base import BaseEstimator

from skdgm.exceptions import DivergenceError

# After these what was learned is of use. A warning that is an error comes of it, too.
KEPT = DivergenceError, KeyboardInterrupt, Warning


@contextmanager
def undoing(estimator, kept=KEPT):
    """Give an estimator, and those that it is made of, back what they knew, where an
    error ends what is done to them; but for errors after which it is kept. Yields what
    they knew, which may be cleared when there is nothing to be undone any more."""
    before = [(part, dict(vars(part))) for part in _parts(estimator)]
    try:
        yield before
    except kept:
        raise
    except BaseException:
        for part, known in before:
            now = vars(part)
            # What scikit-learn keeps of callbacks is its own to clear up.
            theirs = {name: now[name] for name in now if "callback" in name}
            part.__dict__ = known | theirs
        raise


def undone_by_errors(method):
    """A method after errors of which the estimator knows what it knew before."""

    @wraps(method)
    def careful(self, *arguments, **options):
        with undoing(self):
            return method(self, *arguments, **options)

    return careful


@contextmanager
def replacing(estimator):
    """Yield another estimator with the same attributes, those of which, however they
    are changed, become the estimator's at the end, all at once."""
    other = object.__new__(type(estimator))
    other.__dict__ = dict(vars(estimator))
    yield other
    estimator.__dict__ = vars(other)


def _parts(estimator):
    """An estimator and all that are among its attributes."""
    yield estimator
    for value in vars(estimator).values():
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, BaseEstimator):
                yield from _parts(part)
