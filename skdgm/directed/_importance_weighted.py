"""Training methods with weighted draws from the inference net.

Weights are computed by :mod:`skdgm.gradients.stochastic.reweighted` and
:mod:`skdgm.gradients.stochastic.vimco`.
"""

from abc import abstractmethod

import numpy as np

from skdgm.directed._method import SamplingMethod
from skdgm.gradients.stochastic.draws import DrawWeights
from skdgm.gradients.stochastic.reweighted import plain, wake
from skdgm.gradients.stochastic.vimco import vimco

# Weight of the wake phase in the objective of the inference net.
_WAKE_WEIGHTS = {"wake": 1.0, "both": 0.5, "sleep": 0.0}
# Default number of weighted draws for each row.
_SEVERAL = 5


class WeightedMethod(SamplingMethod):
    """Surrogate objective: log probabilities multiplied by weights."""

    @abstractmethod
    def weights(self, log_p: np.ndarray, log_q: np.ndarray) -> DrawWeights:
        """Weights of draws, given log p, (n_rows, n_draws, n_layers + 1), and log q,
        (n_rows, n_draws, n_layers)."""

    def of_draws(self, params, batch, draws):
        log_p, log_q = draws.values()
        return draws.weighed(self.weights(log_p, log_q)), ()


class WakeSleep(WeightedMethod):
    """Wake-sleep: draws have equal weights, and q is trained only on dreams."""

    sleep_weight = 1.0

    def weights(self, log_p, log_q):
        return plain(log_p, log_q)


class Reweighted(WeightedMethod):
    """Reweighted wake-sleep: draws have importance weights."""

    n_draws = _SEVERAL

    def __init__(self, net, options):
        super().__init__(net, options)
        self.wake_weight = _WAKE_WEIGHTS[options.recognition_phase]
        self.sleep_weight = 1 - self.wake_weight

    def weights(self, log_p, log_q):
        return wake(log_p, log_q, self.wake_weight)


class Compared(WeightedMethod):
    """VIMCO: the importance weighted bound with leave-one-out baselines."""

    n_draws = _SEVERAL

    @classmethod
    def check(cls, options):
        """Raise ValueError for a single draw."""
        if options.n_importance == 1:
            raise ValueError(
                'objective="vimco" compares draws: objective__n_importance must be at '
                "least 2."
            )

    def weights(self, log_p, log_q):
        return vimco(log_p, log_q)
