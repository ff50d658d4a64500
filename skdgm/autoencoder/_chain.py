r"""Markov chains that corrupt and reconstruct rows in turn.

.. math:: \tilde x_t \sim C(\tilde x \mid x_t), \qquad
   h_{t+1} = f(\tilde x_t, h_t, \epsilon_t), \qquad x_{t+1} \sim p(x \mid h_{t+1})

where hidden layers h are part of the state if they depend on earlier ones.

A chain has ``init(rng)``, its first state; ``step(rng, state)``, the next one and
:class:`Corrupted` inputs; and ``expected(state)``, the mean of a row given the outputs
that it was drawn from: the form that :func:`skdgm.latent.filling.by_chain` takes, too.
The chain converges to the distribution of the rows if the reconstruction is the
posterior of rows given corrupted ones [1]_.

References
----------
.. [1] Bengio, Yao, Alain and Vincent (2013). Generalized denoising auto-encoders as
   generative models. NeurIPS.
"""

from typing import NamedTuple

import numpy as np

from skdgm.nets.tape import getval
from skdgm.utils import addresses
from skdgm.utils.tree import tree_map

_NOISE, _DATA, _HIDDEN = addresses.RECONSTRUCTION_CHAIN


class ChainState(NamedTuple):
    """State of a chain: values of rows; outputs that they were drawn from (None before
    the first step); and hidden layers, if these determine the next state."""

    x: np.ndarray
    out: np.ndarray = None
    hidden: tuple = ()


class Corrupted(NamedTuple):
    """Inputs from which rows were reconstructed in a step."""

    inputs: np.ndarray


class CorruptionChain:
    """Chain of corruption and reconstruction.

    ``advance(x, hidden, rng)`` gives outputs and the next hidden layers for inputs and
    the last hidden layers, () at first; ``corrupt(v, rng)`` inputs for values;
    ``output`` is the distribution of rows given outputs, and ``dispersion`` its other
    parameters; ``start(rng)`` gives the first values. If there are ``clamped`` rows v,
    NaN where free, their known values stay. Drawn values are within the ``limit`` of
    each column, if there is one: nets that enlarge their inputs would let them grow
    without end.
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
        self.advance, self.corrupt, self.start = advance, corrupt, start
        self.output, self.dispersion, self.clamped = output, dispersion, clamped
        self.limit = limit

    def init(self, rng):
        """State before the first step."""
        return ChainState(self._held(self.start(rng)))

    def step(self, rng, state):
        """Corrupt rows, and draw them given their reconstruction."""
        return self.onward(rng, state, self.corrupt(state.x, rng.fold(_NOISE)))

    def onward(self, rng, state, x):
        """Draw rows given the reconstruction of inputs x."""
        out, hidden = self.advance(x, state.hidden, rng.fold(_HIDDEN))
        v = self._held(self.drawn(getval(out), rng.fold(_DATA)))
        return ChainState(v, out, hidden), Corrupted(x)

    def drawn(self, out, rng):
        """Values of rows given outputs."""
        x = self.output.draw(out, rng, tree_map(getval, self.dispersion))
        if self.limit is None:
            return x
        limit = self.limit.astype(x.dtype)
        return np.clip(x, -limit, limit)

    def walk(self, v, x, rng, n_steps):
        """Yield inputs and outputs of steps from rows v, corrupted to x: missing
        entries stay so, others are drawn."""
        state = ChainState(v)
        for number in range(n_steps):
            streams = rng.fold(number)
            state, info = self.onward(streams, state, x)
            yield info.inputs, state.out
            state = state._replace(x=np.where(np.isnan(v), v, state.x))
            x = self.corrupt(state.x, streams.fold(_NOISE))

    def expected(self, state):
        """Means of inputs given the outputs that rows were drawn from."""
        return self.output.expected(state.out)

    def _held(self, x):
        v = self.clamped
        return x if v is None else np.where(np.isnan(v), x, v)
