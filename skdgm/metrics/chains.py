r"""Mixing diagnostics of an estimator's own Markov chains.

.. math:: F(x_\text{even}) = -\log \sum_{x_\text{odd}} e^{-E(x)}

The trace of a chain is the free energy F of its even layers, which determine the next
state. It usually mixes as slowly as any other quantity. For autoencoders the trace is
the log-likelihood of a row given the outputs from which the row was drawn. Chains have
converged if their R-hat is at most 1.01 and their effective sample size is at least
400. R-hat must also be at most 1.01 for at least 99 % of the columns; in wide tables a
few columns exceed it by chance.
"""

from typing import Literal, NamedTuple

import numpy as np

from skdgm.metrics.mcmc import (
    MIN_DRAWS,
    autocorrelation,
    effective_sample_size,
    r_hat,
    still,
)
from skdgm.metrics.models import check_can
from skdgm.typing import ArrayLike, Seed
from skdgm.utils.counts import count
from skdgm.utils.wrapped import density_of

_MAX_R_HAT, _MIN_ESS, _MOST = 1.01, 400, 0.99


def chain_diagnostics(
    estimator: object,
    *,
    n_chains: int = 20,
    n_draws: int = 200,
    thin: int = 10,
    burn_in: int = 200,
    init: Literal["chains", "noise"] | ArrayLike | None = None,
    random_state: Seed = None,
) -> "ChainDiagnostics":
    """Run an estimator's Markov chains and compute their mixing diagnostics.

    Parameters
    ----------
    estimator : object
        Fitted estimator that samples by Markov chains: a Boltzmann machine, a deep
        belief network, or an autoencoder with chains.
    n_chains : int, default=20
        Number of chains.
    n_draws : int, default=200
        Number of draws of each chain; at least 4.
    thin : int, default=10
        Number of steps between draws.
    burn_in : int, default=200
        Number of burn-in steps before the first draw.
    init : {"chains", "noise"} or array-like of shape (n, n_features), default=None
        Starting points, as in the estimator's ``sample``: by default the training
        chains ("chains"), and for autoencoders "noise". Dispersed starting points
        ("noise") are the best test of convergence to the same distribution.
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
    check_can("trace", estimator, "chain_diagnostics")
    for name, value, low in (
        ("n_chains", n_chains, 1),
        ("n_draws", n_draws, MIN_DRAWS),
        ("thin", thin, 1),
    ):
        count(value, name, low)
    steps = {"n_steps": n_draws * thin, "thin": thin, "burn_in": burn_in}
    n_rows, density = n_chains * n_draws, density_of(estimator)
    if init is not None:
        steps["init"] = init
    X, trace = density.trace(n_rows, random_state, **steps)
    trace = trace.reshape(n_chains, n_draws)
    ess, rho, fixed = (
        effective_sample_size(trace),
        autocorrelation(trace),
        still(trace),
    )
    # Chains run in the top-level machine of a network.
    network = getattr(estimator, "dbn_", estimator)
    machine = getattr(network, "layers_", [network])[-1]
    return ChainDiagnostics(
        trace=trace,
        ess=ess,
        ess_tail=effective_sample_size(trace, method="tail"),
        r_hat=r_hat(trace),
        r_hat_columns=r_hat(X.reshape(n_chains, n_draws, -1)),
        autocorrelation=rho[~fixed | fixed.all()].mean(axis=0),
        time=thin * trace.size / ess,
        swap_rates=getattr(machine, "swap_rates_", None),
        thin=thin,
    )


class ChainDiagnostics(NamedTuple):
    """Mixing diagnostics of an estimator's Markov chains.

    Parameters
    ----------
    trace : ndarray of shape (n_chains, n_draws)
        Free energies, in nats, of the layers that determine a chain's next state; for
        autoencoders log-likelihoods of rows given the outputs of the net.
    ess, ess_tail : float
        Effective sample size of the trace, in the bulk and in the tails.
    r_hat : float
        Potential scale reduction of the trace.
    r_hat_columns : ndarray of shape (n_features,)
        Potential scale reduction of each column; NaN for constant columns.
    autocorrelation : ndarray of shape (n_draws,)
        Autocorrelation of the trace within chains, averaged over the chains that move;
        1 at every lag if no chain moves. Differences between chains affect only ``ess``
        and ``time``.
    time : float
        Number of steps per independent draw. If it is close to ``thin``, draws are
        nearly independent, and a smaller ``thin`` may suffice.
    swap_rates : ndarray or None
        Swap rates between neighboring temperatures during training; None without
        tempering.
    thin : int
        Number of steps between draws.

    See Also
    --------
    ChainDiagnostics.reasons : Reasons for ``converged`` being False.
    """

    trace: np.ndarray
    ess: float
    ess_tail: float
    r_hat: float
    r_hat_columns: np.ndarray
    autocorrelation: np.ndarray
    time: float
    swap_rates: np.ndarray
    thin: int = 1

    @property
    def converged(self) -> bool:
        """True if the chains move, R-hat of the trace and of 99 % of the columns is at
        most 1.01, and bulk and tail ESS are at least 400."""
        return not self.reasons

    @property
    def reasons(self) -> list[str]:
        """Violated criteria of convergence; empty if converged."""
        if np.isnan(np.append(self.r_hat_columns, self.r_hat)).all():
            return ["nothing moves"]
        columns = np.nan_to_num(self.r_hat_columns, nan=1.0)
        r_hats = {
            "R-hat": np.nan_to_num(self.r_hat, nan=1.0),
            f"R-hat of {100 * (1 - _MOST):.0f} % of the columns": np.quantile(
                columns, _MOST
            ),
        }
        high = {name: value for name, value in r_hats.items() if value > _MAX_R_HAT}
        sizes = {"ESS": self.ess, "ESS in the tails": self.ess_tail}
        low = {name: size for name, size in sizes.items() if size < _MIN_ESS}
        return [
            *(f"{name} is {v:.3f}, above {_MAX_R_HAT}" for name, v in high.items()),
            *(f"{name} is {v:.0f}, below {_MIN_ESS}" for name, v in low.items()),
        ]

    def __repr__(self):
        n_chains, n_draws = self.trace.shape
        swaps = self.swap_rates
        lines = [
            f"{n_chains} chains of {n_draws} draws, one in {self.thin} steps",
            f"R-hat {self.r_hat:.3f}, of columns {self._of_columns()}",
            f"ESS {self.ess:.0f}, in the tails {self.ess_tail:.0f}; "
            f"{self.time:.3g} steps for an independent draw",
            *([] if swaps is None else [f"swap rates from {swaps.min():.2f}"]),
            f"converged: {self.converged}",
            *self.reasons,
        ]
        return "ChainDiagnostics(" + "\n                 ".join(lines) + ")"

    def _of_columns(self):
        known = self.r_hat_columns[~np.isnan(self.r_hat_columns)]
        if not len(known):
            return "unknown, as none moves"
        return f"{np.median(known):.3f} at the median and {known.max():.3f} at most"
