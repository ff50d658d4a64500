r"""Approximate Bayesian computation.

.. math:: \theta \sim \pi(\theta), \quad x \sim p(x \mid \theta), \quad
   \text{kept if } \rho(s(x), s(x_o)) \le \epsilon
"""

import warnings
from collections.abc import Callable
from math import ceil
from numbers import Real
from typing import Annotated, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, _fit_context, clone
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_is_fitted, validate_data

from skdgm.abc import _neural
from skdgm.abc._particles import SimulationPlan, learn, regressed
from skdgm.abc._priors import Priors
from skdgm.abc._simulations import Simulations
from skdgm.base.attributes import replacing, steady
from skdgm.base.options import (
    KW_ONLY,
    Auto,
    Count,
    NotNegative,
    Options,
    RandomState,
    Verbose,
)
from skdgm.exceptions import FewDrawsWarning
from skdgm.flows import Flow
from skdgm.typing import Data, Seed, Target
from skdgm.utils.counts import count_rows
from skdgm.utils.random import MAX_SEED, stream

# Purposes of random numbers: data, and parameters.
_SIMULATED, _DRAWN = range(2)
# Shares of simulations that are kept at a step, or used by a flow.
_SHARES = {"smc": 0.5, "rejection": 0.5, "flow": 0.1}
# Effective share of the particles below which there is a warning.
_FEW = 0.05


@steady
class ABC(Options, BaseEstimator):
    r"""Parameters of a simulator given data, by approximate Bayesian computation.

    .. math:: p(\theta \mid \rho(s(x), s(x_o)) \le \epsilon) \propto \pi(\theta)
        \int p(x \mid \theta) \, [\rho(s(x), s(x_o)) \le \epsilon] \, dx

    This is simulation-based inference, without a likelihood: parameters
    :math:`\theta` are drawn, data are simulated with them, and the parameters are kept
    whose simulations are nearest to the observed data, in distances :math:`\rho`
    between summary statistics s [1]_. Their distribution is the posterior given the
    data if :math:`\epsilon = 0` and the summaries are sufficient; else it is usually
    wider.

    Sequential Monte Carlo [2]_ [3]_ draws parameters from the prior first, then near
    kept ones, with importance weights: as many simulations come nearer to the data than
    by rejection. Or a flow learns the density of parameters given summaries, from
    simulations with parameters from the prior [5]_ and with summaries near the observed
    ones.

    Parameters
    ----------
    simulator : callable
        ``simulator(theta, rng)`` returns a data set drawn with the parameters
        ``theta``, an array of shape (n_parameters,). All its random numbers must be
        from ``rng``, a NumPy Generator.
    priors : distribution, list or dict
        Prior of each parameter: frozen distributions of ``scipy.stats``, or objects
        with ``rvs(size, random_state)`` and ``logpdf``, by the parameters' names if in
        a dict. A multivariate one is for several parameters; discrete ones are for
        ``method="rejection"``.
    summary : callable
        ``summary(data)`` returns the numbers that are compared, of X and of simulated
        data. If None, the data are compared entry by entry.
    distance : {"euclidean", "manhattan", "chebyshev"} or callable
        Distance between summaries, each in units of its median absolute deviation in
        simulations from the prior; or ``distance(simulated, observed)`` between results
        of ``summary``, which are not scaled.
    method
        Sequential Monte Carlo; rejection, with all parameters from the prior; or a
        flow, which learns the density of parameters given summaries, read as real
        numbers, without a tolerance. Its draws have a prior density, and simulations
        near them gave numbers.
    n_particles
        Least number of parameters that are kept; with a flow, the number of draws in
        ``particles_``, which ``n_simulations`` does not bound.
    n_simulations
        Most simulations.
    quantile
        Share of old and new particles that sequential Monte Carlo keeps at each step,
        "auto": a half. A flow learns from this share of the simulations, the nearest,
        but from 1,000 at least; "auto": a tenth. With 1 the flow serves summaries of
        any data.
    tolerance
        Distance within which all parameters are kept, and at which sequential Monte
        Carlo ends. With 0, the default, distances become as small as the number of
        simulations allows. Not for a flow.
    adjustment
        "linear": parameters are moved along a regression on the summaries to those of
        the data, with lower weights of distant ones [4]_. They may leave the range of
        the prior. Not for a flow.
    estimator : Flow
        The flow, for ``method="flow"``. If None, ``Flow(attribute_conditional=True,
        base="normal")``.
    n_jobs : int or None
        Number of processes that simulate; -1: all cores. Results do not depend on it.
    verbose
        Print a line after each population, or after the simulations of a flow.
    random_state : int, RandomState instance or None
        Source of parameters and simulations.

    Attributes
    ----------
    particles_ : ndarray of shape (n_kept, n_parameters)
        Parameters that were kept.
    weights_ : ndarray of shape (n_kept,)
        Their probabilities, which sum to 1.
    distances_ : ndarray of shape (n_kept,)
        Distances of their simulations from the data; none of a flow's draws.
    tolerances_ : ndarray of shape (n_populations,)
        Largest distance that was kept at each step; none of a flow's draws.
    estimator_ : Flow
        With ``method="flow"``, the flow: parameters given summaries of any data.
    n_simulations_ : int
        Number of simulations done.
    n_effective_ : float
        Effective number of particles, 1 over the sum of the squared weights.
    parameter_names_ : list of str
        Names of the parameters.
    n_features_in_ : int
        Number of columns of the data.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if X has any that are all strings.

    References
    ----------
    .. [1] Rubin (1984). Bayesianly justifiable and relevant frequency calculations for
       the applied statistician. Annals of Statistics.
    .. [2] Toni, Welch, Strelkowa, Ipsen and Stumpf (2009). Approximate Bayesian
       computation scheme for parameter inference and model selection in dynamical
       systems. Journal of the Royal Society Interface.
    .. [3] Lenormand, Jabot and Deffuant (2013). Adaptive approximate Bayesian
       computation for complex models. Computational Statistics.
    .. [4] Beaumont, Zhang and Balding (2002). Approximate Bayesian computation in
       population genetics. Genetics.
    .. [5] Papamakarios and Murray (2016). Fast epsilon-free inference of simulation
       models with Bayesian conditional density estimation. NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.stats import norm
    >>> from skdgm import ABC
    >>> def simulate(theta, rng):
    ...     return rng.normal(theta[0], 1, size=(20, 1))
    >>> X = simulate([2.0], np.random.default_rng(0))
    >>> abc = ABC(simulate, norm(0, 10), np.mean, n_particles=200, n_simulations=4000)
    >>> abc = abc.set_params(random_state=0).fit(X)
    >>> draws = abc.sample(1000, random_state=0)
    >>> bool(abs(draws.mean() - X.mean()) < 0.1), bool(0.2 < draws.std() < 0.3)
    (True, True)
    """

    simulator: Callable | None = None
    priors: Annotated[object, HasMethods(["rvs"])] | list | tuple | dict | None = None
    summary: Callable | None = None
    _: KW_ONLY
    distance: Literal["euclidean", "manhattan", "chebyshev"] | Callable = "euclidean"
    method: Literal["smc", "rejection", "flow"] = "smc"
    n_particles: Count = 1000
    n_simulations: Count = 20_000
    quantile: Auto | Annotated[float, Interval(Real, 0, 1, closed="right")] = "auto"
    tolerance: NotNegative = 0.0
    adjustment: Literal["linear"] | None = None
    estimator: Annotated[object, HasMethods(["fit", "sample"])] | None = None
    n_jobs: int | None = None
    verbose: Verbose = 0
    random_state: RandomState = None

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Data, y: Target = None) -> Self:
        """Draw parameters from the approximate posterior given the data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            One data set, as the simulator returns it.
        y : None
            Ignored.

        Returns
        -------
        self : ABC

        Raises
        ------
        ValueError
            There is no simulator, or no priors; a prior without density with
            ``method="smc"``; data or summaries of simulations have another shape than
            those of X; all simulations are equally far from X, or all fail; there is a
            tolerance or an adjustment for a flow.
        Exception
            As raised by the simulator, the summary and the distance; a note has the
            parameters.

        Warns
        -----
        SimulationWarning
            Simulations gave NaN or infinity. They are rejected.
        FewDrawsWarning
            Fewer than ``n_particles`` simulations gave numbers, the weights are so
            unequal that few particles count, or the simulations were spent at distances
            above ``tolerance``, if this is not 0.
        """
        # Learned parameters are kept if a warning is turned into an error.
        with replacing(self, Warning) as new:
            new._learn(X)
        return self

    def _learn(self, X):
        X = validate_data(
            self, X, dtype=[np.float64, np.float32], ensure_all_finite=False
        )
        if not np.isfinite(X).all():
            raise ValueError(
                f"Input X contains NaN or infinity, in {(~np.isfinite(X)).sum()} "
                "entries: simulations have distances from complete data alone. Leave "
                "these rows or columns out, in the simulator too."
            )
        if self.simulator is None or self.priors is None:
            raise ValueError("ABC(simulator, priors) needs both of them.")
        priors, is_flow = Priors(self.priors), self.method == "flow"
        if self.method != "rejection":
            priors.check_density()
        if self.n_simulations < self.n_particles and not is_flow:
            raise ValueError(
                f"n_simulations={self.n_simulations} must be at least n_particles="
                f"{self.n_particles}."
            )
        if is_flow and (self.tolerance or self.adjustment):
            name = "adjustment" if self.adjustment else "tolerance"
            raise ValueError(
                f'method="flow" has no {name}, and {name}={getattr(self, name)!r}: '
                "leave it at its default."
            )
        if self.method == "smc" and self.quantile == 1:
            raise ValueError('quantile=1 is for method="flow": take a smaller share.')
        if callable(self.distance) and (self.adjustment or is_flow):
            what = 'method="flow"' if is_flow else 'adjustment="linear"'
            raise ValueError(f"{what} needs summaries, and a distance by name.")
        rng = stream(check_random_state(self.random_state).randint(MAX_SEED))
        simulations = Simulations(
            self.simulator,
            self.summary,
            self.distance,
            n_jobs=self.n_jobs,
            rng=rng.fold(_SIMULATED),
            X=X,
        )
        for name in ("distances_", "tolerances_", "estimator_", "_posterior"):
            vars(self).pop(name, None)
        draw = self._draw_by_flow if is_flow else self._draw_near
        draw(simulations, priors, rng.fold(_DRAWN))
        self.n_simulations_ = simulations.n_done
        self.n_effective_ = float(1 / (self.weights_**2).sum())
        self.parameter_names_ = priors.names
        simulations.report()
        self._report()

    def _draw_near(self, simulations, priors, rng):
        """Parameters whose simulations are near the data."""
        plan = self._plan()
        if self.method == "smc":
            first = min(self.n_simulations, ceil(self.n_particles / plan.quantile))
            plan = plan._replace(first=first)
        particles, tolerances = learn(simulations, priors, rng, plan, self._print)
        self.particles_, self.weights_ = particles.theta, particles.balanced()
        if self.adjustment:
            self.particles_, self.weights_ = regressed(
                particles, self.weights_, tolerances[-1]
            )
        self.distances_, self.tolerances_ = particles.distance, np.array(tolerances)

    def _draw_by_flow(self, simulations, priors, rng):
        """Parameters drawn from a flow."""
        # A mixture would keep wide components, of distant summaries.
        model = Flow(attribute_conditional=True, base="normal")
        model = model if self.estimator is None else clone(self.estimator)
        self.particles_, self._posterior = _neural.learn(
            simulations,
            priors,
            rng,
            self._plan(),
            estimator=model,
            report=self._print,
        )
        self.estimator_ = self._posterior.estimator
        self.weights_ = np.full(self.n_particles, 1 / self.n_particles)

    def _plan(self):
        """Numbers of simulations and of kept parameters, by options."""
        quantile = self.quantile
        return SimulationPlan(
            n=self.n_particles,
            first=self.n_simulations,
            last=self.n_simulations,
            quantile=_SHARES[self.method] if quantile == "auto" else quantile,
            tolerance=self.tolerance,
        )

    def _print(self, text, n_simulations, distance):
        """Print a line, by option."""
        if self.verbose:
            print(
                f"[ABC] {text}, simulations = {n_simulations}, largest distance = "
                f"{distance:.3g}"
            )

    def _report(self):
        """Warn of particles that are few, or far from the data."""
        message, n = None, len(self.weights_)
        tolerances = getattr(self, "tolerances_", [0])
        if n < self.n_particles:
            message = (
                f"Only {n} of n_particles={self.n_particles} have simulations that gave"
                " numbers: raise n_simulations, or take priors of possible parameters."
            )
        elif self.n_effective_ < _FEW * n:
            message = (
                f"{self.n_effective_:.1f} of {n} particles count, as their weights are "
                "so unequal: raise n_particles and n_simulations, or take a narrower "
                "prior."
            )
        elif 0 < self.tolerance < tolerances[-1]:
            message = (
                f"Distances of {n} particles are up to {tolerances[-1]:.3g}, "
                f"above the tolerance of {self.tolerance:.3g}: raise n_simulations, or "
                "lower n_particles."
            )
        if message:
            warnings.warn(message, FewDrawsWarning, stacklevel=4)

    def sample(self, n_samples: int = 1, random_state: Seed = None) -> np.ndarray:
        r"""Draw parameters from the posterior distribution.

        .. math:: \theta \sim \sum_i W_i \, \delta_{\theta_i} \qquad \text{or} \qquad
            \theta \sim q_\phi(\theta \mid s(x_o)) \, [\pi(\theta) > 0]

        Parameters
        ----------
        n_samples : int, default=1
            Number of draws from ``particles_``, with replacement; with
            ``method="flow"`` new draws from the flow, unless ``priors`` was set to
            None.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator: other draws at each call.

        Returns
        -------
        theta : ndarray of shape (n_samples, n_parameters)

        Raises
        ------
        ValueError
            Hardly any of the flow's draws are possible under the priors.
        """
        check_is_fitted(self)
        n_samples = count_rows(n_samples, self.particles_.shape[1])
        rng, n = check_random_state(random_state), len(self.particles_)
        if hasattr(self, "_posterior") and self.priors is not None:
            return self._posterior.draw(Priors(self.priors), n_samples, rng)
        return self.particles_[rng.choice(n, n_samples, p=self.weights_)]
