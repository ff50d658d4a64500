r"""Markov chains that alternate corruption and reconstruction.

.. math:: \tilde x_t \sim C(\tilde x \mid x_t), \qquad
   h_{t+1} = f(\tilde x_t, h_t, \epsilon_t), \qquad x_{t+1} \sim p(x \mid h_{t+1})

The state includes hidden layers h that depend on earlier hidden layers. The chain
converges to the distribution of rows if reconstructions are posteriors of rows given
corrupted rows [1]_.

References
----------
.. [1] Bengio, Yao, Alain and Vincent (2013). Generalized denoising auto-encoders as
   generative models. NeurIPS.
"""

from typing import Any, NamedTuple

import numpy as np

from skdgm.nets.tape import getval
from skdgm.utils import addresses
from skdgm.utils.tree import tree_map

_NOISE, _DATA, _HIDDEN = addresses.RECONSTRUCTION_CHAIN


class ChainState(NamedTuple):
    """State of a chain: rows x, the outputs that they were drawn from, None before the
    first step, and hidden layers on which the next state depends."""

    x: np.ndarray
    out: Any = None
    hidden: tuple = ()


class Corrupted(NamedTuple):
    """Inputs from which rows were reconstructed in a step."""

    inputs: np.ndarray


class CorruptionChain:
    """Markov chain of corruption and reconstruction.

    ``advance(x, hidden, rng)`` returns outputs and hidden layers for inputs x and the
    previous hidden layers, () at first. ``corrupt(v, rng)`` returns inputs for rows,
    and ``start(rng)`` initial rows. ``output`` is the distribution of rows given
    outputs, with further parameters ``dispersion``. Chains keep the entries of
    ``clamped`` rows that are not NaN. ``limit`` bounds the magnitude of drawn values in
    each column; without it, nets that amplify their inputs would make chains diverge.
    """

    def __init__(
        self,
        advance,
        corrupt,
        *,
        output,
        dispersion,
        start=None,
        clamped=None,
        limit=None,
    ):
        self.advance, self.corrupt = advance, corrupt
        self.start: Any = start
        self.output, self.dispersion, self.clamped = output, dispersion, clamped
        self.limit = limit

    def init(self, rng):
        """Initial state."""
        return ChainState(self._with_clamped(self.start(rng)))

    def step(self, rng, state):
        """Corrupt rows, and draw rows given their reconstruction; returns the next
        state and the :class:`Corrupted` inputs."""
        return self.onward(rng, state, self.corrupt(state.x, rng.fold(_NOISE)))

    def onward(self, rng, state, x):
        """Draw rows given the reconstruction of inputs x."""
        out, hidden = self.advance(x, state.hidden, rng.fold(_HIDDEN))
        v = self._with_clamped(self.drawn(getval(out), rng.fold(_DATA)))
        return ChainState(v, out, hidden), Corrupted(x)

    def drawn(self, out, rng):
        """Draw rows given outputs."""
        x = self.output.draw(out, rng, tree_map(getval, self.dispersion))
        if self.limit is None:
            return x
        limit = self.limit.astype(x.dtype)
        return np.clip(x, -limit, limit)

    def walk(self, v, x, rng, n_steps):
        """Yield the inputs and outputs of ``n_steps`` steps from rows v, corrupted to
        x. Missing entries stay missing."""
        state = ChainState(v)
        for step in range(n_steps):
            streams = rng.fold(step)
            state, info = self.onward(streams, state, x)
            yield info.inputs, state.out
            state = state._replace(x=np.where(np.isnan(v), v, state.x))
            x = self.corrupt(state.x, streams.fold(_NOISE))

    def expected(self, state):
        """Mean inputs given the outputs that rows were drawn from."""
        return self.output.expected(state.out)

    def _with_clamped(self, x):
        v = self.clamped
        return x if v is None else np.where(np.isnan(v), x, v)
