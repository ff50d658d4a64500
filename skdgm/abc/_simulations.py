r"""Simulated data, and their distances from those observed.

.. math:: \rho(s, s_o) = \lVert (s - s_o) / \sigma \rVert, \qquad
   \sigma = \mathrm{median}_i \, \lvert s_i - \mathrm{median}_j \, s_j \rvert

The scales of the summaries s are those of simulations from the prior. Each simulation
has its own random stream, so that results do not depend on the number of processes.
"""

import reprlib
import warnings
from typing import NamedTuple

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils import gen_even_slices
from sklearn.utils.parallel import Parallel, delayed

from skdgm.exceptions import SimulationWarning
from skdgm.typing import Any

# Distances of scaled gaps, (n_simulations, n_summaries), by their names.
DISTANCES = {
    "euclidean": lambda gaps: np.sqrt((gaps**2).sum(axis=1)),
    "manhattan": lambda gaps: np.abs(gaps).sum(axis=1),
    "chebyshev": lambda gaps: np.abs(gaps).max(axis=1, initial=0),
}
# Parts of the simulations for each process.
_PARTS = 4


class Digest(NamedTuple):
    """Numbers kept of a data set: its summaries, or, by a function of the user's, its
    distance from the observed data."""

    summary: Any
    distance: Any
    observed: Any

    def __call__(self, data):
        """The numbers, a vector."""
        summary = data if self.summary is None else self.summary(data)
        if callable(self.distance):
            distance = self.distance(summary, self.observed)
            return _numbers(distance, "distance(simulated, observed)", n=1).ravel()
        sources = "simulator(theta, rng)", "summary(data)"
        summary = _numbers(summary, sources[self.summary is not None])
        shape = np.shape(self.observed)
        if summary.shape not in (shape, (np.size(self.observed),)):
            name = "data" if self.summary is None else "summaries"
            raise ValueError(
                f"Simulated {name} are of shape {summary.shape}, those observed of "
                f"shape {shape}: the simulator must return what X is."
            )
        return summary.ravel()


def _numbers(value, source, n=None):
    """Array of the result of a user's function, its ``source``, of n numbers or of any;
    or a ValueError."""
    try:
        numbers, reason = np.asarray(value, dtype=float), None
    except (TypeError, ValueError) as error:
        numbers, reason = None, error
    if numbers is None or n not in (None, numbers.size):
        must = "numbers" if n is None else "a number"
        raise ValueError(
            f"{source} must be {must}, but is {reprlib.repr(value)}"
            f"{f' ({reason})' if reason else ''}."
        ) from reason
    return numbers


class Simulations:
    """Simulated data sets, each with its own random stream.

    Parameters
    ----------
    simulator, summary : callable
        The user's; ``summary`` may be None.
    distance : str or callable
    n_jobs : int or None
    rng : Stream
    X : ndarray
        Data observed.
    """

    def __init__(self, simulator, summary, distance, *, n_jobs, rng, X):
        # A summary may change its argument, such as by sorting it.
        observed = X if summary is None else summary(X.copy())
        if not callable(distance):
            observed = _numbers(observed, "summary(X)")
            if not (observed.size and np.isfinite(observed).all()):
                raise ValueError(f"Summaries of X must be finite, but are {observed}.")
        self.simulator, self.digest = simulator, Digest(summary, distance, observed)
        self.rng, self.n_jobs = rng, n_jobs
        self.scale, self.n_done, self.n_failed = None, 0, 0

    def __call__(self, theta):
        """Simulate a data set for each row of parameters; see :meth:`measured`."""
        return self.measured(self.run(theta))

    def run(self, theta):
        """Simulate a data set for each row of parameters: its summaries, or its
        distance by the user's function, (n, n_numbers)."""
        ids = np.arange(self.n_done, self.n_done + len(theta), dtype=np.uint64)
        rng, n_jobs = self.rng.rows(ids), min(len(theta), effective_n_jobs(self.n_jobs))
        n_parts = 1 if n_jobs == 1 else min(len(theta), _PARTS * n_jobs)
        parts = Parallel(n_jobs=n_jobs)(
            delayed(_simulate)(self.simulator, self.digest, theta[part], rng.take(part))
            for part in gen_even_slices(len(theta), n_parts)
        )
        self.n_done += len(theta)
        return np.concatenate(parts)

    def measured(self, raw):
        """Distances of the results of :meth:`run`, infinite where they are no numbers,
        and scaled gaps between summaries, (n, n_summaries), None with a distance of the
        user's. Scales are those of the first call."""
        gaps = None
        with np.errstate(invalid="ignore", over="ignore"):
            if callable(self.digest.distance):
                distance = raw[:, 0]
            else:
                if self.scale is None:
                    self.scale = _scales(raw)
                gaps = (raw - self.digest.observed.ravel()) / self.scale
                distance = DISTANCES[self.digest.distance](gaps)
        failed = ~np.isfinite(distance)
        self.n_failed += failed.sum()
        return np.where(failed, np.inf, distance), gaps

    def report(self):
        """Warn of simulations that failed."""
        if self.n_failed:
            warnings.warn(
                f"{self.n_failed} of {self.n_done} simulations gave NaN or infinity: "
                "they were rejected, as if they were far from X.",
                SimulationWarning,
                stacklevel=4,
            )


def _simulate(simulator, digest, theta, rng):
    """Digests of simulations, a row for each row of parameters."""
    digests = []
    for row, generator in zip(theta, rng.generators()):
        try:
            digests.append(digest(simulator(row.copy(), generator)))
        except Exception as error:
            error.add_note(f"This was a simulation with the parameters {row}.")
            raise
    return np.array(digests)


def _scales(summaries):
    """Median absolute deviations of summaries, or mean ones where most are equal."""
    summaries = summaries[np.isfinite(summaries).all(axis=1)]
    if not len(summaries):
        return np.ones(summaries.shape[1])
    gaps = np.abs(summaries - np.median(summaries, axis=0))
    scale = np.median(gaps, axis=0)
    scale = np.where(scale > 0, scale, gaps.mean(axis=0))
    return np.where((scale > 0) & np.isfinite(scale), scale, 1.0)
