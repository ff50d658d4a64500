"""Methods of a fitted posterior of simulator parameters."""

from copy import copy
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_array, check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from skdgm.abc._calibration import Calibration, ranks
from skdgm.abc._checks import FLOWS, check_functions
from skdgm.abc._likelihood import LikelihoodPosterior
from skdgm.abc._neural import FlowPosterior
from skdgm.abc._priors import Priors
from skdgm.abc._simulations import (
    as_data,
    numbers,
    observed_summaries,
    simulated,
    summary_of,
)
from skdgm.typing import Data, Seed, Self, Target
from skdgm.utils.counts import count_rows
from skdgm.utils.random import MAX_SEED, stream

# Purposes of random numbers of a calibration: data, and parameters.
_SIMULATED, _TRUE = range(2)


def _has_density(abc):
    if abc.method not in FLOWS:
        raise AttributeError(
            f"method={abc.method!r} draws parameters without a density: take "
            'method="flow" or "likelihood".'
        )
    return True


class PosteriorMethods:
    """Draws, densities, simulated data and calibration of :class:`skdgm.ABC`."""

    if TYPE_CHECKING:
        # Options and attributes of the estimator.
        simulator: Any
        priors: Any
        summary: Any
        distance: Any
        method: str
        quantile: Any
        n_rounds: int
        n_jobs: int | None
        n_features_in_: int
        particles_: np.ndarray
        weights_: np.ndarray
        parameter_names_: list
        _posterior: FlowPosterior | LikelihoodPosterior

        def fit(self, X: Data, y: Target = None) -> Self: ...

    def sample(self, n_samples: int = 1, random_state: Seed = None) -> np.ndarray:
        r"""Draw parameters from the posterior distribution.

        .. math:: \theta \sim \sum_i W_i \, \delta_{\theta_i} \qquad \text{or} \qquad
            \theta \sim q_\phi(\theta \mid s(x_o)) \, [\pi(\theta) > 0]
            \qquad \text{or} \qquad
            \theta \sim \pi(\theta) \, q_\phi(s(x_o) \mid \theta)

        Parameters
        ----------
        n_samples : int, default=1
            Number of draws from ``particles_`` with replacement. With flows, new draws,
            unless ``priors`` has been set to None: from a "flow" of parameters itself;
            given a "likelihood", by a sequential Monte Carlo sampler, whose draws may
            be equal.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator, so that each call returns new draws.

        Returns
        -------
        theta : ndarray of shape (n_samples, n_parameters)

        Raises
        ------
        ValueError
            Too few draws of the flow are possible under the priors.
        """
        check_is_fitted(self)
        n_samples = count_rows(n_samples, self.particles_.shape[1])
        rng, n = check_random_state(random_state), len(self.particles_)
        if hasattr(self, "_posterior") and self.priors is not None:
            return self._posterior.draw(Priors(self.priors), n_samples, rng)
        return self.particles_[rng.choice(n, n_samples, p=self.weights_)]

    @available_if(_has_density)
    def log_prob(self, theta: Data) -> np.ndarray:
        r"""Log density of the posterior of ``method="flow"`` or "likelihood", in nats.

        .. math:: \log q_\phi(\theta \mid s(x_o)) - \log \int_{\pi(\theta) > 0}
            q_\phi(\theta \mid s(x_o)) \, d\theta \qquad \text{or} \qquad
            \log \pi(\theta) + \log q_\phi(s(x_o) \mid \theta)
            - \log \int \pi(\theta) \, q_\phi(s(x_o) \mid \theta) \, d\theta

        The draws for ``particles_`` estimate the integrals: the first is the share of
        the flow's draws that are possible, the second the product of mean weights of
        the sequential Monte Carlo sampler.

        Parameters
        ----------
        theta : array-like of shape (n_samples, n_parameters)
            Parameters.

        Returns
        -------
        log_prob : ndarray of shape (n_samples,)
            Minus infinity for parameters that are impossible under the priors, or close
            to which simulations failed.

        Raises
        ------
        ValueError
            ``theta`` has another number of parameters, or ``priors`` is None.
        """
        check_is_fitted(self, "estimator_")
        rows = check_array(theta, dtype=np.float64, input_name="theta")
        n_parameters = self.particles_.shape[1]
        if rows.shape[1] != n_parameters:
            raise ValueError(
                f"theta has {rows.shape[1]} columns, but there are {n_parameters} "
                f"parameters: {', '.join(self.parameter_names_)}."
            )
        check_functions(self, "log_prob", "priors")
        return self._posterior.log_prob(Priors(self.priors), rows)

    @available_if(_has_density)
    def condition(self, X: Data, random_state: Seed = None) -> Self:
        r"""Posterior given another data set, by the same flow.

        .. math:: q_\phi(\theta \mid s(x)) \quad \text{in place of} \quad
            q_\phi(\theta \mid s(x_o))

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            A data set, as the simulator returns it.
        random_state : int, RandomState instance or None, default=None
            Source of ``particles_``; by default NumPy's global generator.

        Returns
        -------
        posterior : ABC
            A copy, whose methods are conditional on X.

        Raises
        ------
        ValueError
            The flow learned only from simulations close to the data of ``fit``: it
            needs ``n_rounds=1`` and, with ``method="flow"``, ``quantile=1``, at most
            3,000 simulations or more than 20 summaries. Summaries of X are NaN or
            infinite. ``priors`` is None.
        """
        check_is_fitted(self, "estimator_")
        check_functions(self, "condition", "priors")
        if not self._posterior.is_amortized:
            options = f"n_rounds={self.n_rounds} and quantile={self.quantile!r}"
            raise ValueError(
                f"A flow with {options} learned only from simulations close to the data"
                " of fit: fit again with n_rounds=1 and quantile=1."
            )
        other = copy(self)
        X = validate_data(other, X, reset=False, dtype=[np.float64, np.float32])
        posterior = self._posterior.given(observed_summaries(self.summary, X))
        source = check_random_state(random_state)
        n, priors = len(self.particles_), Priors(self.priors)
        particles, posterior = posterior.normalized(priors, n, source)
        vars(other).update(particles_=particles, _posterior=posterior)
        return other

    def sample_data(self, n_samples: int = 1, random_state: Seed = None) -> np.ndarray:
        r"""Draw data sets from the posterior predictive distribution.

        .. math:: \theta \sim q(\theta \mid x_o), \qquad x \sim p(x \mid \theta)

        If the observed data, or summaries of them, are extreme among these data sets,
        the simulator is wrong, or the posterior is.

        Parameters
        ----------
        n_samples : int, default=1
            Number of data sets, each with its own parameters.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator, so that each call returns new data.

        Returns
        -------
        data : ndarray of shape (n_samples, n_rows, n_features)
            Outputs of the simulator, or (n_samples, n_numbers) if it returns vectors.

        Raises
        ------
        ValueError
            ``simulator`` is None, or its outputs differ in shape.
        """
        check_is_fitted(self)
        check_functions(self, "sample_data", "simulator")
        source = check_random_state(random_state)
        theta = self.sample(n_samples, source)
        rng = stream(source.randint(MAX_SEED)).rows(n_samples)
        return simulated(self.simulator, as_data, theta, rng, n_jobs=self.n_jobs)

    def calibration(
        self, n_data_sets: int = 100, n_draws: int = 99, random_state: Seed = None
    ) -> Calibration:
        r"""Ranks of known parameters among draws from their posteriors.

        Parameters are drawn from the prior, a data set is simulated with each of them,
        and the posterior is computed from this data set. If the method is accurate, the
        ranks of the parameters among the draws are uniform, and intervals contain them
        as often as they should [1]_.

        A flow of all simulations of one round, as with ``quantile=1``, is conditioned
        on each data set, which takes milliseconds, or tenths of a second with a
        "likelihood". Otherwise a clone is fitted to each of them, with new simulations.
        Data sets with NaN or infinity, in their summaries too, are left out.

        Parameters
        ----------
        n_data_sets : int, default=100
            Number of simulated data sets.
        n_draws : int, default=99
            Number of draws from each posterior.
        random_state : int, RandomState instance or None, default=None
            Source of parameters, data sets and draws; by default NumPy's global
            generator.

        Returns
        -------
        calibration : Calibration
            ``ranks`` of shape (n_data_sets, n_parameters), and the methods
            ``coverage(level)`` and ``p_values()``.

        Raises
        ------
        ValueError
            ``simulator`` or ``priors`` is None, or all data sets have NaN or infinity.

        References
        ----------
        .. [1] Talts, Betancourt, Simpson, Vehtari and Gelman (2018). Validating
           Bayesian inference algorithms with simulation-based calibration.
           arXiv:1804.06788.
        """
        check_is_fitted(self)
        check_functions(self, "calibration", "simulator", "priors")
        n_data_sets = count_rows(n_data_sets, self.particles_.shape[1])
        source = check_random_state(random_state)
        rng = stream(source.randint(MAX_SEED))
        theta = Priors(self.priors).draw(n_data_sets, rng.fold(_TRUE).generator())
        data = simulated(
            self.simulator,
            as_data,
            theta,
            rng.fold(_SIMULATED).rows(n_data_sets),
            n_jobs=self.n_jobs,
        )
        data = data.reshape(n_data_sets, -1, self.n_features_in_)
        found = [
            ranks(truth, self._draw_given(X, n_draws, source))
            for truth, X in zip(theta, data)
            if self._is_finite(X)
        ]
        if not found:
            raise ValueError(
                f"All {n_data_sets} simulated data sets contain NaN or infinity."
            )
        return Calibration(np.array(found), list(self.parameter_names_))

    def _is_finite(self, X):
        """Return whether a data set and its summaries have no NaN or infinity."""
        if not np.isfinite(X).all() or callable(self.distance):
            return np.isfinite(X).all()
        return np.isfinite(numbers(summary_of(self.summary, X), "summary(data)")).all()

    def _draw_given(self, X, n_draws, source):
        """Draw parameters from the posterior given other data."""
        if hasattr(self, "_posterior") and self._posterior.is_amortized:
            posterior = self._posterior.given(summary_of(self.summary, X))
            return posterior.draw(Priors(self.priors), n_draws, source, minimum=1)
        other = clone(self).set_params(random_state=source.randint(MAX_SEED))
        return other.fit(X).sample(n_draws, source)
