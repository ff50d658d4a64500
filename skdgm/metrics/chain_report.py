r"""Mixing diagnostics of Markov chains, and criteria of convergence.

.. math:: \hat R \le 1.01, \qquad \mathrm{ESS} \ge 400

are the limits recommended in [1]_. That of R-hat applies to the chains' free energy and
to all but 1 % of the columns: among many columns some exceed it by chance.

References
----------
.. [1] Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021). Rank-normalization,
   folding, and localization: an improved R-hat. Bayesian Analysis.
"""

from typing import NamedTuple

import numpy as np

_MAX_R_HAT, _MIN_ESS, _MOST = 1.01, 400, 0.99


class ChainDiagnostics(NamedTuple):
    """Mixing diagnostics of an estimator's Markov chains.

    Parameters
    ----------
    trace : ndarray of shape (n_chains, n_draws)
        Free energies, in nats, of the layers that determine a chain's next state.
    ess, ess_tail : float
        Effective sample size of the trace, in the bulk and in the tails.
    r_hat : float
        Potential scale reduction of the trace.
    r_hat_columns : ndarray of shape (n_features,)
        Potential scale reduction of each column; NaN for constant columns.
    autocorrelation : ndarray of shape (n_draws,)
        Autocorrelation of the trace within chains, averaged over the chains that move;
        1 at every lag if none does. Differences between chains affect only ``ess`` and
        ``time``.
    time : float
        Number of Gibbs steps per independent draw. A value near ``thin`` means that
        this many suffice, and perhaps fewer.
    swap_rates : ndarray or None
        Swap rates between the temperatures at which the machine with the chains was
        trained; None if it was not trained by tempering.
    thin : int
        Number of Gibbs steps between draws.

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
    def converged(self):
        """True if the chains move, R-hat of the trace and of 99 % of the columns is at
        most 1.01, and bulk and tail ESS are at least 400."""
        return not self.reasons

    @property
    def reasons(self):
        """Violated criteria of convergence, a list of str; empty if converged."""
        if np.isnan(np.append(self.r_hat_columns, self.r_hat)).all():
            return ["nothing moves"]
        columns = np.nan_to_num(self.r_hat_columns, nan=1.0)
        own = {
            "R-hat": np.nan_to_num(self.r_hat, nan=1.0),
            f"R-hat of {100 * (1 - _MOST):.0f} % of the columns": np.quantile(
                columns, _MOST
            ),
        }
        high = {name: value for name, value in own.items() if value > _MAX_R_HAT}
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
            f"{n_chains} chains of {n_draws} draws, one in {self.thin} Gibbs steps",
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
