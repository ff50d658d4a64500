r"""Simulated data sets, and their distances from the observed data.

.. math:: \rho(s, s_o) = \lVert (s - s_o) / \sigma \rVert, \qquad
   \sigma = \mathrm{median}_i \, \lvert s_i - \mathrm{median}_j \, s_j \rvert

Simulations from the prior determine the scales of the summaries s. Each simulation has
its own random stream, so results do not depend on the number of processes.
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
from skdgm.utils.progress import ProgressTable

# Distances by name, functions of scaled gaps of shape (n_simulations, n_summaries).
DISTANCES = {
    "euclidean": lambda gaps: np.sqrt((gaps**2).sum(axis=1)),
    "manhattan": lambda gaps: np.abs(gaps).sum(axis=1),
    "chebyshev": lambda gaps: np.abs(gaps).max(axis=1, initial=0),
}
# Number of batches per process.
_PARTS = 4
# Maximum number of summaries named in a warning.
_MOST = 10


class Digest(NamedTuple):
    """Reduction of a data set to its summaries, or to its distance from the observed
    data if the distance is a function."""

    summary: Any
    distance: Any
    observed: Any

    def __call__(self, data):
        """Return the summaries or the distance as a vector."""
        summary = data if self.summary is None else self.summary(data)
        if callable(self.distance):
            distance = self.distance(summary, self.observed)
            return numbers(distance, "distance(simulated, observed)", n=1).ravel()
        sources = "simulator(theta, rng)", "summary(data)"
        summary = numbers(summary, sources[self.summary is not None])
        shape = np.shape(self.observed)
        if summary.shape not in (shape, (np.size(self.observed),)):
            name = "data" if self.summary is None else "summaries"
            raise ValueError(
                f"Simulated {name} are of shape {summary.shape}, those observed of "
                f"shape {shape}: the simulator must return what X is."
            )
        return summary.ravel()


def numbers(value, source, n=None):
    """Result of the user's function ``source`` as an array; ValueError if it is not
    numeric, or has not n numbers."""
    try:
        array, reason = np.asarray(value, dtype=float), None
    except (TypeError, ValueError) as error:
        array, reason = None, error
    if array is None or n not in (None, array.size):
        expected = "numbers" if n is None else "a number"
        raise ValueError(
            f"{source} must be {expected}, but is {reprlib.repr(value)}"
            f"{f' ({reason})' if reason else ''}."
        ) from reason
    return array


def as_data(value):
    """A data set of the simulator as an array; ValueError if it is not numeric."""
    return numbers(value, "simulator(theta, rng)")


def summary_of(summary, X):
    """Summaries of a data set, by the user's function or None."""
    # This function or a distance may change its argument in place, as by sorting.
    X = X.copy()
    return X if summary is None else summary(X)


def observed_summaries(summary, X):
    """Summaries of a data set as an array; ValueError unless they are finite
    numbers."""
    observed = numbers(summary_of(summary, X), "summary(X)")
    if not (observed.size and np.isfinite(observed).all()):
        raise ValueError(f"Summaries of X must be finite, but are {observed}.")
    return observed


class Simulations:
    """Simulated data sets, each with its own random stream ``rng.rows``. ``simulator``,
    ``summary`` (or None) and ``distance`` (or a name) are the user's functions, and X
    is the observed data."""

    def __init__(self, simulator, summary, distance, *, n_jobs, rng, X):
        digest = summary_of if callable(distance) else observed_summaries
        observed = digest(summary, X)
        self.simulator, self.digest = simulator, Digest(summary, distance, observed)
        self.rng, self.n_jobs = rng, n_jobs
        self.scale, self.n_done, self.n_failed = None, 0, 0
        self.low, self.high = np.inf, -np.inf

    def __call__(self, theta):
        """Simulate a data set for each row of parameters; see :meth:`measured`."""
        return self.measured(self.run(theta))

    def run(self, theta):
        """Simulate a data set for each row of parameters; return its summaries, or its
        distance by the user's function, (n, n_numbers)."""
        ids = np.arange(self.n_done, self.n_done + len(theta), dtype=np.uint64)
        rng = self.rng.rows(ids)
        raw = simulated(self.simulator, self.digest, theta, rng, n_jobs=self.n_jobs)
        self.n_done += len(theta)
        finite = raw[np.isfinite(raw).all(axis=1)]
        self.low = np.minimum(self.low, finite.min(axis=0, initial=np.inf))
        self.high = np.maximum(self.high, finite.max(axis=0, initial=-np.inf))
        return raw

    def measured(self, raw):
        """Return distances of the results of :meth:`run`, infinite for failed
        simulations, and scaled gaps between summaries, (n, n_summaries), or None for
        the user's distance. The first call determines the scales."""
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
        """Warn of failed simulations, and of observed summaries that are farther from
        the range of all simulations than this range is wide."""
        if not callable(self.digest.distance) and np.isfinite(self.low).all():
            observed, width = self.digest.observed.ravel(), self.high - self.low
            gap = np.maximum(self.low - observed, observed - self.high)
            far = np.flatnonzero((gap > width) & (gap > 0))
            if len(far):
                warnings.warn(
                    f"No simulation resembles X: its summaries {far[:_MOST].tolist()} "
                    f"are far outside the range of all {self.n_done:,} simulations. "
                    "The posterior is meaningless if the simulator or the priors are "
                    "wrong.",
                    SimulationWarning,
                    stacklevel=4,
                )
        if self.n_failed:
            warnings.warn(
                f"{self.n_failed} of {self.n_done} simulations gave NaN or infinity: "
                "they were rejected, as if they were far from X.",
                SimulationWarning,
                stacklevel=4,
            )


def simulated(simulator, digest, theta, rng, *, n_jobs):
    """Simulate a data set for each row of parameters, with the random streams ``rng``;
    return the arrays that ``digest`` makes of them, stacked."""
    n_jobs = min(len(theta), effective_n_jobs(n_jobs))
    n_parts = 1 if n_jobs == 1 else min(len(theta), _PARTS * n_jobs)
    parts = Parallel(n_jobs=n_jobs)(
        delayed(_simulate)(simulator, digest, theta[part], rng.take(part))
        for part in gen_even_slices(len(theta), n_parts)
    )
    return np.concatenate(parts)


def _simulate(simulator, digest, theta, rng):
    """Simulate and digest a data set for each row of parameters."""
    digests = []
    for row, generator in zip(theta, rng.generators()):
        try:
            digests.append(digest(simulator(row.copy(), generator)))
        except Exception as error:
            error.add_note(
                f"This was simulator(theta, rng) with the array of parameters {row}."
            )
            raise
    return np.array(digests)


def _scales(summaries):
    """Median absolute deviations of summaries, or mean absolute deviations where the
    median is 0."""
    summaries = summaries[np.isfinite(summaries).all(axis=1)]
    if not len(summaries):
        return np.ones(summaries.shape[1])
    gaps = np.abs(summaries - np.median(summaries, axis=0))
    scale = np.median(gaps, axis=0)
    scale = np.where(scale > 0, scale, gaps.mean(axis=0))
    return np.where((scale > 0) & np.isfinite(scale), scale, 1.0)


class PopulationTable(ProgressTable):
    """Table with a line for each population, which is printed if ``verbose``."""

    def __init__(self, n_simulations, verbose):
        super().__init__("ABC", "simulations", n_simulations)
        self.verbose = verbose
        self.begin()

    def population(self, n_simulations, n_accepted, distance):
        """Print a population: the number of simulations so far, of accepted
        parameters, and their largest distance."""
        if self.verbose:
            cells = {"accepted": str(n_accepted), "distance": f"{distance:.3g}"}
            self.add(n_simulations, cells)
