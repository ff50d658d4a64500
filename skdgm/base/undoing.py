"""What errors end is undone."""

from contextlib import contextmanager
from functools import wraps

from sklearn.base import BaseEstimator

from skdgm.exceptions import DivergenceError

# After these what was learned is of use.
_KEPT = DivergenceError, KeyboardInterrupt


@contextmanager
def undoing(estimator, kept=_KEPT):
    """Give an estimator, and those that it is made of, back what they knew, where an
    error ends what is done to them; but for errors after which it is kept."""
    before = [(part, dict(vars(part))) for part in _parts(estimator)]
    try:
        yield
    except kept:
        raise
    except BaseException:
        for part, known in before:
            now = vars(part)
            # What scikit-learn keeps of callbacks is its own to clear up.
            theirs = {name: now[name] for name in now if "callback" in name}
            now.clear()
            now.update(known | theirs)
        raise


def undone_by_errors(method):
    """A method after errors of which the estimator knows what it knew before."""

    @wraps(method)
    def careful(self, *arguments, **options):
        with undoing(self):
            return method(self, *arguments, **options)

    return careful


def _parts(estimator):
    """An estimator and all that are among its attributes."""
    yield estimator
    for value in vars(estimator).values():
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, BaseEstimator):
                yield from _parts(part)
