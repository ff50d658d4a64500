r"""Markov chains that corrupt and reconstruct rows in turn.

.. math:: \tilde x_t \sim C(\tilde x \mid x_t), \qquad
   x_{t+1} \sim p(x \mid \tilde x_t)

A chain has ``init(rng)``, its first state; ``step(rng, state)``, the next one and an
:class:`Info`; and ``expected(state)``, the mean of a row given what it was drawn from:
the form that :func:`skdgm.latent.filling.by_chain` takes, too. Where the
reconstruction is the posterior of rows given corrupted ones, the distribution of the
rows is that which the chain converges to [1]_.

References
----------
.. [1] Bengio, Yao, Alain and Vincent (2013). Generalized denoising auto-encoders as
   generative models. NeurIPS.
"""

from typing import NamedTuple

import numpy as np

_NOISE, _DATA = 110, 111


class ChainState(NamedTuple):
    """State of a chain: values of rows, and outputs that they were drawn from (None
    before the first step)."""

    x: np.ndarray
    out: np.ndarray = None


class Info(NamedTuple):
    """Facts about a step: the inputs from which rows were reconstructed."""

    inputs: np.ndarray


class CorruptionChain:
    """Chain of corruption and reconstruction.

    ``rebuild(x)`` gives outputs for inputs; ``corrupt(v, rng)`` inputs for values;
    ``output`` is the distribution of rows given outputs, and ``own`` its parameters
    that are none; ``start(rng)`` gives the first values. If there are ``clamped`` rows
    v, NaN where free, their known values stay. Drawn ones are within the ``limit`` of
    each column, if there is one: nets that enlarge what they reconstruct would let them
    grow without end.
    """

    def __init__(
        self, rebuild, corrupt, output, own, start=None, clamped=None, limit=None
    ):
        self.rebuild, self.corrupt, self.start = rebuild, corrupt, start
        self.output, self.own, self.clamped = output, own, clamped
        self.limit = limit

    def init(self, rng):
        """State before the first step."""
        return ChainState(self._held(self.start(rng)))

    def step(self, rng, state):
        """Corrupt rows, and draw them given their reconstruction."""
        x = self.corrupt(state.x, rng.fold(_NOISE))
        out = self.rebuild(x)
        return ChainState(self._held(self.drawn(out, rng.fold(_DATA))), out), Info(x)

    def drawn(self, out, rng):
        """Values of rows given outputs."""
        x = self.output.draw(out, rng, self.own)
        if self.limit is None:
            return x
        limit = self.limit.astype(x.dtype)
        return np.clip(x, -limit, limit)

    def expected(self, state):
        """Means of inputs given what rows were drawn from."""
        return self.output.expected(state.out)

    def _held(self, x):
        v = self.clamped
        return x if v is None else np.where(np.isnan(v), x, v)
