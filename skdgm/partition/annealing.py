r"""Annealing along a path of distributions, with weights and optional resampling.

A path is a family of unnormalized distributions :math:`p^*_\beta` from a base
distribution with known :math:`Z_0` to a model. A chain that moves along the path has
the weight [1]_

.. math:: \log w = \sum_k \bigl[ \log p^*_{\beta_k}(x_{k-1}) -
   \log p^*_{\beta_{k-1}}(x_{k-1}) \bigr], \qquad \mathbb{E}[w] = Z_1 / Z_0 .

With resampling by weights between moves, chains are the particles of a sequential Monte
Carlo sampler [2]_.

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

# Maximum number of temperatures in a kernel call, which Ctrl-C does not interrupt.
_CHUNK = 20


class AnnealingPath(ABC):
    """Abstract base class of annealing paths: unnormalized distributions indexed by
    inverse temperature, and moves that leave each of them invariant.

    The type of the state of chains is specific to the path. A state has a row for each
    chain, and may cache quantities that :meth:`log_p` and :meth:`step` need at any
    temperature.
    """

    # Optional: ``compiled_steps(rngs, state, betas, log_w)`` makes several steps in
    # compiled code, updates ``log_w``, and returns the state.
    compiled_steps: Callable | None = None

    @abstractmethod
    def log_p(self, state: Any, beta: float) -> np.ndarray:
        """Log of the unnormalized probability of each chain's state at an inverse
        temperature, in nats, (n_chains,), up to a constant that is the same at all
        temperatures."""

    @abstractmethod
    def step(self, rng: Any, state: Any, beta: float) -> Any:
        """State after moves that leave the distribution at a temperature invariant."""


def anneal(
    path: AnnealingPath,
    rngs: Iterable,
    state: Any,
    betas: Any,
    log_w: np.ndarray,
    *,
    resample: Callable | None = None,
    trace: list | None = None,
) -> Any:
    """Move chains through inverse temperatures and update their log weights.

    ``rngs`` yields the random stream of each step, which is passed to
    :meth:`AnnealingPath.step`; see :meth:`~skdgm.utils.random.Stream.folds`. ``state``
    is the state of the chains at the first of ``betas``, a monotone sequence.
    ``log_w``, (n_chains,), float64, is updated in place. ``resample(rng, state,
    log_w)``, called before each step, returns the state of chains resampled by their
    weights and updates ``log_w``. The log weights after each step are appended to the
    list ``trace``. Returns the state at the last temperature.
    """
    betas, rngs = np.asarray(betas).tolist(), iter(rngs)
    compiled_steps = path.compiled_steps if resample is None else None
    chunk = _CHUNK if compiled_steps is not None and trace is None else 1
    for first in range(0, len(betas) - 1, chunk):
        chunk_betas = betas[first : first + chunk + 1]
        chunk_rngs = list(islice(rngs, len(chunk_betas) - 1))
        if compiled_steps is not None:
            state = compiled_steps(chunk_rngs, state, chunk_betas, log_w)
        else:
            log_w += path.log_p(state, chunk_betas[1])
            log_w -= path.log_p(state, chunk_betas[0])
            if resample is not None:
                state = resample(chunk_rngs[0], state, log_w)
            state = path.step(chunk_rngs[0], state, chunk_betas[1])
        if trace is not None:
            trace.append(log_w.copy())
    return state
