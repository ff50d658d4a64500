"""Cache of log partition functions of fitted parameters."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

_ALL = "all"


class LogPartition(NamedTuple):
    """Cache of log Z of fitted parameters and its standard error, shared by the
    estimator and all densities with the same parameters.

    ``computed`` maps the length of a document, or "all" for models without lengths, to
    log Z and its standard error, in nats. Its keys are numbers or text, as skops needs.
    """

    computed: dict

    def of(self, keys: Iterable, compute: Callable) -> list[tuple[float, float]]:
        """Log Z and standard errors for keys; ``compute(keys)`` is called with the
        sorted new keys."""
        keys = list(keys)
        new = sorted(set(keys) - self.computed.keys())
        if new:
            self.computed.update(zip(new, compute(new)))
        return [self.computed[key] for key in keys]

    def bracketed(self, bracket: Callable[[], Any]) -> tuple[float, float]:
        """Log Z and its standard error; ``bracket()`` returns a
        :class:`~skdgm.partition.Bracket` and is called if they are unknown."""
        if _ALL not in self.computed:
            estimate = bracket()
            self.computed[_ALL] = estimate.log_Z, estimate.se
        return self.computed[_ALL]
