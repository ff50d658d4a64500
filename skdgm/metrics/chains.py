r"""How well an estimator's own Markov chains mix.

What is followed of each chain is the free energy of all that it remembers,

.. math:: F(x_\text{even}) = -\log \sum_{x_\text{odd}} e^{-E(x)},

which moves as slowly as anything does: of a restricted machine :math:`F(v)`, also
where it has directed layers below. And all chains are to tell the same of each column.
"""

from numbers import Integral

from sklearn.utils.validation import check_scalar

from skdgm.metrics._chains import MIN_DRAWS, still
from skdgm.metrics._models import check_energy
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
    """Run an estimator's chains, and tell how well they mix.

    Parameters
    ----------
    estimator : object
        Fitted, with a partition function: one that samples by Markov chains.
    n_chains, n_draws : int
        Chains, and draws that are kept of each.
    thin : int, default=10
        Gibbs steps between them.
    burn_in : int, default=200
        Gibbs steps before the first.
    init : {"chains", "noise"} or array-like of shape (n, n_features), \
            default="chains"
        Where chains start, as of the estimator's ``sample``. Chains that start far
        apart ("noise") show best whether they meet.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    diagnostics : ChainDiagnostics

    Raises
    ------
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
    X, trace = estimator._trace(n_chains * n_draws, random_state, init=init, **steps)
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
    """The machine that has the chains: of a network with directed layers the last."""
    network = getattr(estimator, "dbn_", estimator)
    return getattr(network, "layers_", [network])[-1]
