r"""Mixing diagnostics of an estimator's own Markov chains.

The trace of each chain is the free energy of its even layers, which determine the next
state,

.. math:: F(x_\text{even}) = -\log \sum_{x_\text{odd}} e^{-E(x)},

and which mixes as slowly as any other quantity. For a restricted machine it is
:math:`F(v)`, also with directed layers below. R-hat is also computed for each column.
"""

from numbers import Integral

from sklearn.utils.validation import check_scalar

from skdgm.metrics._chains import MIN_DRAWS, still
from skdgm.metrics._models import check_energy, density_of
from skdgm.metrics.chain_report import ChainDiagnostics
from skdgm.metrics.mcmc import autocorrelation, effective_sample_size, r_hat


def chain_diagnostics(
    estimator,
    *,
    n_chains=20,
    n_draws=200,
    thin=10,
    burn_in=200,
    init="chains",
    random_state=None,
):
    """Run an estimator's Markov chains and compute their mixing diagnostics.

    Parameters
    ----------
    estimator : object
        Fitted estimator with a partition function, which samples by Markov chains.
    n_chains : int, default=20
        Number of chains.
    n_draws : int, default=200
        Number of draws kept of each chain; at least 4.
    thin : int, default=10
        Number of Gibbs steps between draws.
    burn_in : int, default=200
        Number of Gibbs steps before the first draw.
    init : {"chains", "noise"} or array-like of shape (n, n_features), \
            default="chains"
        Starting points, as for the estimator's ``sample``. Dispersed starting points
        ("noise") test best whether the chains converge to the same distribution.
    random_state : int, RandomState instance or None, default=None
        Seed of the chains.

    Returns
    -------
    diagnostics : ChainDiagnostics

    Raises
    ------
    NotFittedError
        The estimator is not fitted.
    TypeError
        The estimator has no chains.
    ValueError
        A number is too low.

    References
    ----------
    Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021). Rank-normalization, folding,
    and localization: an improved R-hat. Bayesian Analysis.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.metrics import chain_diagnostics
    >>> X = load_digits().data / 16
    >>> rbm = BernoulliRBM(16, n_iter=5, random_state=0).fit(X)
    >>> chain_diagnostics(rbm, random_state=0).converged
    True
    """
    check_energy(estimator, "chain_diagnostics")
    for name, value, low in (
        ("n_chains", n_chains, 1),
        ("n_draws", n_draws, MIN_DRAWS),
        ("thin", thin, 1),
    ):
        check_scalar(value, name, Integral, min_val=low)
    steps = {"n_steps": n_draws * thin, "thin": thin, "burn_in": burn_in}
    n_rows, density = n_chains * n_draws, density_of(estimator)
    X, trace = density.trace(n_rows, random_state, init=init, **steps)
    trace = trace.reshape(n_chains, n_draws)
    ess = effective_sample_size(trace)
    return ChainDiagnostics(
        trace=trace,
        ess=ess,
        ess_tail=effective_sample_size(trace, method="tail"),
        r_hat=r_hat(trace),
        r_hat_columns=r_hat(X.reshape(n_chains, n_draws, -1)),
        autocorrelation=_mean_of_moving(autocorrelation(trace), still(trace)),
        time=thin * trace.size / ess,
        swap_rates=getattr(_machine_of(estimator), "swap_rates_", None),
        thin=thin,
    )


def _mean_of_moving(rho, fixed):
    return rho[~fixed].mean(axis=0) if not fixed.all() else rho.mean(axis=0)


def _machine_of(estimator):
    """Machine whose chains are run: the top-level one of a network."""
    network = getattr(estimator, "dbn_", estimator)
    return getattr(network, "layers_", [network])[-1]
