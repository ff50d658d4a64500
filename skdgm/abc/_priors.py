r"""Independent priors, given as frozen SciPy distributions.

.. math:: \pi(\theta) = \prod_k \pi_k(\theta_k)
"""

import numpy as np

# Number of draws that test a prior.
_TRIALS = 23


class Priors:
    """Priors of all parameters.

    ``priors`` is a distribution with ``rvs(size, random_state)`` and perhaps
    ``logpdf``, a sequence of them, or a dict by name. Each distribution is for one or
    several parameters.
    """

    def __init__(self, priors):
        if isinstance(priors, dict):
            given_names, self.parts = list(map(str, priors)), list(priors.values())
        else:
            given_names = None
            self.parts = list(priors) if isinstance(priors, list | tuple) else [priors]
        lacking = [part for part in self.parts if not hasattr(part, "rvs")]
        if lacking or not self.parts:
            raise ValueError(
                "priors must be a distribution with rvs, such as scipy.stats.norm(), "
                f"or a list or dict of such; got {priors!r}."
            )
        trials = [*map(_trial, self.parts)]
        sizes = [trial.shape[1] if trial.ndim == 2 else None for trial in trials]
        self._places, self.names, start = [], [], 0
        for number, size in enumerate(sizes):
            stop = start + (1 if size is None else size)
            self._places.append(start if size is None else slice(start, stop))
            if given_names is None:
                self.names += [f"theta{place}" for place in range(start, stop)]
            elif size is None:
                self.names.append(given_names[number])
            else:
                self.names += [f"{given_names[number]}{place}" for place in range(size)]
            start = stop

    def check_density(self):
        """Raise ValueError if a prior lacks a log density for each row of
        parameters."""
        if self.without_density:
            raise ValueError(
                f"The priors of {', '.join(self.without_density)} have no logpdf, as "
                'those of discrete parameters: take method="rejection".'
            )
        for part in self.parts:
            trial = _trial(part)
            # Unequal numbers of rows and columns reveal a transposed result.
            rows = trial[: len(trial) - (trial.shape[-1] == len(trial))]
            try:
                np.reshape(part.logpdf(rows), len(rows))
            except (TypeError, ValueError) as error:
                raise ValueError(
                    f"The prior {_called(part)} does not have a log density of each "
                    'row that rvs draws, in logpdf: take method="rejection", or another'
                    " prior."
                ) from error

    @property
    def without_density(self):
        """Names of the parameters whose prior has no ``logpdf``."""
        pairs = zip(self._places, self.parts)
        lacking = [place for place, part in pairs if not hasattr(part, "logpdf")]
        names = np.array(self.names, dtype=object)
        return [name for place in lacking for name in np.atleast_1d(names[place])]

    def draw(self, n, rng):
        """Draw parameters from the prior, (n, n_parameters)."""
        draws = [part.rvs(size=n, random_state=rng) for part in self.parts]
        return np.hstack([np.asarray(part, float).reshape(n, -1) for part in draws])

    def log_prob(self, theta):
        """Log density of each row of parameters; minus infinity outside the support."""
        total = np.zeros(len(theta))
        for part, place in zip(self.parts, self._places):
            # SciPy returns a number for a single row.
            log_p = np.reshape(part.logpdf(theta[:, place]), len(theta))
            total += np.where(np.isnan(log_p), -np.inf, log_p)
        return total


def _trial(part):
    """Draw from a prior, (n,) or (n, n_parameters); ValueError if it is not a
    distribution."""
    message = f"The prior {_called(part)} must draw a number, or a vector, by "
    rng = np.random.default_rng(0)
    try:
        trial = np.asarray(part.rvs(size=_TRIALS, random_state=rng), dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{message}rvs(size, random_state); several parameters have a list of "
            "distributions, or a multivariate one."
        ) from error
    if trial.ndim not in (1, 2) or len(trial) != _TRIALS:
        raise ValueError(
            f"{message}rvs; {_TRIALS} draws have the shape {trial.shape} of an array."
        )
    return trial


def _called(part):
    """Name of a distribution."""
    return getattr(getattr(part, "dist", part), "name", type(part).__name__)
