r"""What Markov chains tell of their mixing, and whether it is enough.

.. math:: \hat R \le 1.01, \qquad \mathrm{ESS} \ge 400

are the limits of those who made the two figures what they are [1]_. That of R-hat is
for the chains' free energy, and for all but 1 % of the columns, of which among many
some are above it by chance.

References
----------
.. [1] Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021). Rank-normalization,
   folding, and localization: an improved R-hat. Bayesian Analysis.
"""

from typing import NamedTuple

import numpy as np

_MAX_R_HAT, _MIN_ESS, _MOST = 1.01, 400, 0.99


class ChainDiagnostics(NamedTuple):
    """What chains tell of their mixing.

    Parameters
    ----------
    trace : ndarray of shape (n_chains, n_draws)
        Free energies, in nats, of the layers that a chain remembers.
    ess, ess_tail : float
        Their effective sample size, in the bulk and in the tails.
    r_hat : float
        Their potential scale reduction.
    r_hat_columns : ndarray of shape (n_features,)
        That of each column, NaN where nothing moves.
    autocorrelation : ndarray of shape (n_draws,)
        Of the trace within each chain, the mean of those that move; 1 at every lag if
        none does. What chains differ by is in ``ess`` and ``time`` only.
    time : float
        Gibbs steps that are worth one independent draw. About ``thin`` means that so
        many are enough, and perhaps fewer.
    swap_rates : ndarray or None
        Of the temperatures that the machine with the chains was trained at, if it was.
    thin : int
        Gibbs steps between draws.

    See Also
    --------
    ChainDiagnostics.reasons : Why ``converged`` is False.
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
        """If something moves, R-hat is at most 1.01, of the trace and of 99 % of
        the columns, and there are 400 independent draws."""
        return not self.reasons

    @property
    def reasons(self):
        """Why chains do not count as converged: a list of str, empty where they do."""
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
