"""Log partition functions that are known of fitted parameters."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple


class LogPartition(NamedTuple):
    """Log Z of fitted parameters and its standard error, computed at first use.

    The estimator holds it, and all densities of the same parameters share it.

    Parameters
    ----------
    computed : dict of tuple of float
        Log Z and its standard error, in nats, by the length of a document; or under
        None.
    """

    computed: dict

    def of(self, keys: Iterable, compute: Callable) -> list[tuple[float, float]]:
        """Log Z and standard errors for keys; ``compute(keys)`` returns those of sorted
        keys that are new."""
        keys = list(keys)
        new = sorted(set(keys) - self.computed.keys())
        if new:
            self.computed.update(zip(new, compute(new)))
        return [self.computed[key] for key in keys]

    def bracketed(self, bracket: Callable[[], Any]) -> tuple[float, float]:
        """Log Z and its standard error by a function that returns a
        :class:`~skdgm.partition.Bracket`."""
        if None not in self.computed:
            found = bracket()
            self.computed[None] = found.log_Z, found.se
        return self.computed[None]
