r"""Approximate Bayesian computation.

.. math:: \theta \sim \pi(\theta), \quad x \sim p(x \mid \theta), \quad
   \text{kept if } \rho(s(x), s(x_o)) \le \epsilon
"""

from collections.abc import Callable
from functools import partial
from math import ceil
from numbers import Real
from typing import Annotated, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import validate_data

from skdgm.abc import _rounds
from skdgm.abc._checks import FLOWS, check_options, warn_of_few
from skdgm.abc._methods import PosteriorMethods
from skdgm.abc._particles import SimulationPlan, learn, regressed
from skdgm.abc._simulations import PopulationTable, Simulations
from skdgm.base.attributes import reads_one_fit, rolled_back
from skdgm.base.options import (
    KW_ONLY,
    Auto,
    Count,
    NotNegative,
    Options,
    RandomState,
    Verbose,
)
from skdgm.flows import Flow
from skdgm.typing import Data, Target
from skdgm.utils.random import MAX_SEED, stream

# Purposes of random numbers: data, and parameters.
_SIMULATED, _DRAWN = range(2)
# Default of ``quantile`` for each method.
_SHARES = {"smc": 0.5, "rejection": 0.5, "flow": 0.1, "likelihood": 1.0}
# Minimum number of particles for each summary of a regression by default.
_MIN_PER_SUMMARY = 10
# Largest number of summaries of which the nearest simulations are similar to the data.
_MAX_NEAR_SUMMARIES = 20
# Options of the default flow. A mixture base would retain wide components for distant
# summaries; with more bins or less weight decay, few simulations are overfitted.
_FLOW = {"attribute_conditional": True, "base": "normal", "n_bins": 5, "alpha": 1.0}
_FLOW |= {"dequantization": None}
# Options of both default flows of summaries given parameters, and of each of them.
# Scales are direct functions of parameters in the second. Hidden units with tanh fit
# scales of a wide range worse.
_SUMMARIES = {"autoregressive": True, "activation": "relu"}
_SUMMARIES |= {"hidden_layer_sizes": (50, 50)}
_LAYERS = {"layer_type": "spline"}, {"layer_type": "affine", "n_layers": 5}


@reads_one_fit
class ABC(PosteriorMethods, Options, BaseEstimator):
    r"""Posterior of simulator parameters, by approximate Bayesian computation.

    .. math:: p(\theta \mid \rho(s(x), s(x_o)) \le \epsilon) \propto \pi(\theta)
        \int p(x \mid \theta) \, [\rho(s(x), s(x_o)) \le \epsilon] \, dx

    This is simulation-based inference without a likelihood. Parameters :math:`\theta`
    are drawn from the prior, data are simulated with them, and parameters are accepted
    if their simulations are close to the observed data, measured by a distance
    :math:`\rho` between summary statistics s [1]_. With :math:`\epsilon = 0` and
    sufficient summaries, accepted parameters are draws from the posterior; otherwise,
    their distribution is usually wider.

    Sequential Monte Carlo [2]_ [3]_ draws parameters first from the prior, then close
    to accepted parameters, with importance weights. It gets closer to the data than
    rejection with the same number of simulations. Alternatively, a flow learns the
    density of parameters given summaries [5]_, from simulations of the prior whose
    summaries are close to the observed summaries, or the density of summaries given
    parameters [6]_. Simulations of later rounds are adapted to the observed summaries.

    Parameters
    ----------
    simulator : callable
        ``simulator(theta, rng)`` returns a data set simulated with the parameters
        ``theta``, an array of shape (n_parameters,). All its random numbers must come
        from ``rng``, a NumPy Generator.
    priors : distribution, list or dict
        Prior of each parameter: frozen distributions of ``scipy.stats``, or objects
        with ``rvs(size, random_state)`` and ``logpdf``. The keys of a dict name the
        parameters. A multivariate distribution is a prior of several parameters.
        Discrete distributions need ``method="rejection"``.
    summary : callable
        ``summary(data)`` returns the summary statistics of X or of simulated data. If
        None, the summaries are the entries of the data.
    distance : {"euclidean", "manhattan", "chebyshev"} or callable
        Distance between summaries, which are divided by their median absolute deviation
        under the prior; or a function ``distance(simulated, observed)`` of unscaled
        summaries.
    method
        "smc": sequential Monte Carlo. "rejection": all parameters are drawn from the
        prior. "flow": a flow learns the density of parameters given real-valued
        summaries, without a tolerance. Draws of the flow are rejected if their prior
        density is 0 or simulations close to them failed. "likelihood": a flow learns
        the density of summaries given parameters,
        :math:`p(\theta \mid s_o) \propto \pi(\theta) \, q_\phi(s_o \mid \theta)`, and
        sequential Monte Carlo draws parameters. It is often more accurate with few
        simulations and up to about twenty summaries, which must have a density given
        the parameters: no summary is a function of the others.
    n_particles
        Minimum number of accepted parameters. With a flow, the number of draws in
        ``particles_``, which may exceed ``n_simulations``.
    n_simulations
        Maximum number of simulations, in all rounds together.
    quantile
        Share of old and new particles that sequential Monte Carlo keeps in each step;
        "auto": 0.5. Rejection ignores it. A flow learns from this share of the nearest
        simulations, at least 1,000; "auto": a tenth, but at least 3,000 simulations,
        and all simulations with more than 20 summaries, whose distances are all
        similar. If the flow learns from all simulations of one round, it is valid for
        any data. A "likelihood" always uses all simulations.
    tolerance
        Distance :math:`\epsilon` within which all parameters are accepted, and at which
        sequential Monte Carlo ends. With 0, distances become as small as the number of
        simulations permits. Not for a flow.
    adjustment
        "linear": parameters are corrected by a linear regression on the summaries, with
        lower weights for distant simulations [4]_. Corrected parameters may be outside
        the support of the prior. "auto": the same, except for parameters that would
        leave the support. There is no such correction for a flow, with a positive
        ``tolerance``, a function as ``distance`` or priors without ``logpdf``, with
        less than ten particles for each summary, or if half of the particles are
        equally far. None: no correction.
    n_rounds
        Number of rounds of equally many simulations, for flows; 3 to 5 are usual. The
        first has parameters from the prior. With "flow", parameters of later rounds are
        drawn from the prior, truncated to the region with all but :math:`10^{-4}` of
        the mass of each former posterior [7]_. The flow learns from simulations within
        the last region, or the share ``quantile`` of them. With "likelihood",
        parameters are drawn from the former posterior, and the flow learns from all
        simulations. With more than one round, the flow is valid only for the data of
        ``fit``.
    estimator : Flow
        The flow, conditional on attributes; ignored without a flow. If None,
        ``Flow(attribute_conditional=True, base="normal", n_bins=5, alpha=1.0,
        dequantization=None)``. For a "likelihood", a flow that has in addition
        ``autoregressive=True, activation="relu", hidden_layer_sizes=(50, 50)`` and two
        layers of splines or five of ``layer_type="affine"``, whichever has the lower
        held-out loss.
    n_jobs : int or None
        Number of processes for simulations; -1: all cores. Results do not depend on it.
    verbose
        Whether to print a table with a line for each population or round: simulations,
        accepted parameters, their largest distance, and times.
    random_state : int, RandomState instance or None
        Source of parameters and simulations.

    Attributes
    ----------
    particles_ : ndarray of shape (n_kept, n_parameters)
        Accepted parameters, or draws from the flow.
    weights_ : ndarray of shape (n_kept,)
        Normalized weights of the particles.
    distances_ : ndarray of shape (n_kept,)
        Distances of their simulations from the data; absent for a flow.
    tolerances_ : ndarray of shape (n_populations,)
        Largest accepted distance in each step; absent for a flow.
    estimator_ : Flow
        The fitted flow, of parameters given summaries with ``method="flow"``, of
        summaries given parameters with "likelihood". In the last round, if there are
        several.
    n_simulations_ : int
        Number of simulations.
    n_effective_ : float
        Effective sample size: 1 over the sum of squared weights.
    parameter_names_ : list of str
        Names of the parameters.
    n_features_in_ : int
        Number of columns of the data.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if X has any that are all strings.

    See Also
    --------
    Flow : Density of parameters conditional on data.
    skdgm.metrics.maximum_mean_discrepancy : Distance between samples.

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
    .. [6] Papamakarios, Sterratt and Murray (2019). Sequential neural likelihood: fast
       likelihood-free inference with autoregressive flows. AISTATS.
    .. [7] Deistler, Goncalves and Macke (2022). Truncated proposals for scalable and
       hassle-free simulation-based inference. NeurIPS.

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
    method: Literal["smc", "rejection", "flow", "likelihood"] = "smc"
    n_particles: Count = 1000
    n_simulations: Count = 20_000
    quantile: Auto | Annotated[float, Interval(Real, 0, 1, closed="right")] = "auto"
    tolerance: NotNegative = 0.0
    adjustment: Literal["auto", "linear"] | None = "auto"
    n_rounds: Count = 1
    estimator: Annotated[object, HasMethods(["fit", "sample"])] | None = None
    n_jobs: int | None = None
    verbose: Verbose = 0
    random_state: RandomState = None

    # The fit is kept if a warning is turned into an error.
    @partial(rolled_back, kept=Warning)
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
            The simulator or the priors are missing, or a prior has no density and
            ``method`` is not "rejection". Simulated data or summaries differ in shape
            from those of X. All simulations fail or are equally far from X.
            ``tolerance`` or ``adjustment`` is set for a flow, ``n_rounds`` for another
            method, or ``quantile`` for a likelihood. ``estimator`` is not conditional.
        Exception
            Any error of the simulator, the summary or the distance, with a note of the
            parameters.

        Warns
        -----
        SimulationWarning
            Simulations returned NaN or infinity, and are rejected. Or summaries of X
            are farther from the range of all simulations than this range is wide.
        FewDrawsWarning
            Fewer than ``n_particles`` simulations succeeded, the effective sample size
            is small, or no more simulations were left before the distances reached a
            positive ``tolerance``.
        """
        X = validate_data(
            self, X, dtype=[np.float64, np.float32], ensure_all_finite=False
        )
        if not np.isfinite(X).all():
            raise ValueError(
                f"Input X contains NaN or infinity, in {(~np.isfinite(X)).sum()} "
                "entries: simulations have distances from complete data alone. Leave "
                "these rows or columns out, in the simulator too."
            )
        priors = check_options(self)
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
        draw = self._draw_by_flow if self.method in FLOWS else self._draw_near
        table = PopulationTable(self.n_simulations, self.verbose)
        draw(simulations, priors, rng.fold(_DRAWN), table.population)
        table.finish()
        self.n_simulations_ = simulations.n_done
        self.n_effective_ = float(1 / (self.weights_**2).sum())
        self.parameter_names_ = priors.names
        simulations.report()
        warn_of_few(self)
        return self

    def _draw_near(self, simulations, priors, rng, report):
        """Accept parameters whose simulations are close to the data."""
        plan = self._plan(simulations)
        if self.method == "smc":
            first = min(self.n_simulations, ceil(self.n_particles / plan.quantile))
            plan = plan._replace(first=first)
        particles, tolerances = learn(simulations, priors, rng, plan, report)
        theta, weight = particles.theta, particles.balanced()
        is_auto = self.adjustment == "auto"
        near = particles.distance < tolerances[-1]
        is_adjusted = self.adjustment == "linear" or (
            is_auto and self._is_adjusted(priors, near.sum(), particles.gaps)
        )
        if is_adjusted:
            theta, weight = regressed(particles, weight, tolerances[-1])
            if is_auto:
                possible = priors.log_prob(theta)[:, None] > -np.inf
                theta = np.where(possible, theta, particles.theta)
        self.particles_, self.weights_ = theta, weight
        self.distances_, self.tolerances_ = particles.distance, np.array(tolerances)

    def _is_adjusted(self, priors, n_weighted, gaps):
        """Return whether parameters are corrected by default, given the number of
        particles with a weight in the regression."""
        if self.tolerance or callable(self.distance):
            return False
        try:
            priors.check_density()
        except ValueError:
            return False
        return n_weighted >= max(_MIN_PER_SUMMARY * gaps.shape[1], len(gaps) / 2)

    def _draw_by_flow(self, simulations, priors, rng, report):
        """Fit a flow and draw parameters from it."""
        self.particles_, self._posterior = _rounds.learn(
            simulations,
            priors,
            rng,
            self._plan(simulations),
            is_likelihood=self.method == "likelihood",
            models=self._flows(),
            report=report,
        )
        self.estimator_ = self._posterior.estimator
        self.weights_ = np.full(self.n_particles, 1 / self.n_particles)

    def _flows(self):
        """Flows of which the best is chosen after fits to simulations."""
        if self.estimator is not None:
            return [self.estimator]
        if self.method == "flow":
            return [Flow(**_FLOW)]
        return [Flow(**_FLOW, **_SUMMARIES, **layers) for layers in _LAYERS]

    def _plan(self, simulations):
        """Numbers of simulations and of parameters to keep."""
        quantile = self.quantile
        if quantile == "auto":
            quantile = _SHARES[self.method]
            if self.method == "flow":
                least = min(1.0, _rounds.DEFAULT_LEAST / self.n_simulations)
                has_many = simulations.digest.observed.size > _MAX_NEAR_SUMMARIES
                quantile = 1.0 if has_many else max(quantile, least)
        return SimulationPlan(
            n=self.n_particles,
            first=self.n_simulations,
            last=self.n_simulations,
            quantile=quantile,
            tolerance=self.tolerance,
            n_rounds=self.n_rounds,
        )
