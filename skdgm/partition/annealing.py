r"""Annealing along a path of distributions: importance weights, with resampling or not.

A path has unnormalised distributions :math:`p^*_\beta` between a base, whose constant
:math:`Z_0` is known, and a model. A chain that goes along it has the weight [1]_

.. math:: \log w = \sum_k \log p^*_{\beta_k}(x_{k-1}) - \log p^*_{\beta_{k-1}}(x_{k-1}),
   \qquad \mathbb{E}[w] = Z_1 / Z_0 .

Chains that are resampled by their weights on the way are the particles of a sequential
Monte Carlo sampler [2]_.

References
----------
.. [1] Neal (2001). Annealed importance sampling. Statistics and Computing.
.. [2] Del Moral, Doucet and Jasra (2006). Sequential Monte Carlo samplers. Journal of
   the Royal Statistical Society, Series B.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import numpy as np

# Most temperatures of one kernel call, which Ctrl-C does not interrupt.
_CHUNK = 20


class AnnealingPath(ABC):
    """Role: unnormalised distributions by inverse temperature, and moves that leave
    each of them invariant.

    The state of chains is a path's own. It has a row for each chain, and may keep what
    :meth:`log_p` and :meth:`step` need at any temperature. A path with compiled moves
    has :meth:`leap`.
    """

    leap: Callable | None = None

    @abstractmethod
    def log_p(self, state: Any, beta: float) -> np.ndarray:
        """Log of the unnormalised probability of each chain's state at an inverse
        temperature, in nats, up to a term that is the same at all: (n_chains,)."""

    @abstractmethod
    def step(self, rng: Any, state: Any, beta: float) -> Any:
        """State after moves that leave the distribution at an inverse temperature
        invariant."""


def anneal(
    path: AnnealingPath,
    rngs: Iterable,
    state: Any,
    betas: Iterable,
    log_w: np.ndarray,
    *,
    resample: Callable | None = None,
    trace: list | None = None,
) -> Any:
    """Take chains through inverse temperatures, and add to their log weights.

    Parameters
    ----------
    path : AnnealingPath
    rngs : iterable
        Random numbers of each step, as :meth:`AnnealingPath.step` takes them; see
        :meth:`~skdgm.utils.random.Stream.folds`.
    state : object
        That of the chains, at the first temperature.
    betas : array-like
        Inverse temperatures in turn, upwards or downwards.
    log_w : ndarray of shape (n_chains,), float64
        Log weights, which change in place.
    resample : callable, optional
        ``resample(rng, state, log_w)`` returns the state of chains that are resampled
        by their weights, and sets these in place; called before each step.
    trace : list, optional
        Gets the log weights after each step.

    Returns
    -------
    state : object
        That of the chains at the last temperature.
    """
    betas, rngs = np.asarray(betas).tolist(), iter(rngs)
    leaps = path.leap is not None and resample is None
    at_once = _CHUNK if leaps and trace is None else 1
    for first in range(0, len(betas) - 1, at_once):
        part = betas[first : first + at_once + 1]
        own = list(islice(rngs, len(part) - 1))
        if leaps:
            state = path.leap(own, state, part, log_w)
        else:
            log_w += path.log_p(state, part[1])
            log_w -= path.log_p(state, part[0])
            if resample is not None:
                state = resample(own[0], state, log_w)
            state = path.step(own[0], state, part[1])
        if trace is not None:
            trace.append(log_w.copy())
    return state
