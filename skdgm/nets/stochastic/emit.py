"""Draws of a generator's columns, with straight-through gradients.

Values are those of the table of :mod:`skdgm.nets.stochastic.emission`; the gradient of
bits and categories is that of relaxed draws.
"""

import numpy as np
from autograd.extend import defvjp
from scipy.special import expit

from skdgm.nets.tape import primitive


@primitive
def emit(out, noise, emission, temperature):
    """Draw what a discriminator sees, (n_rows, n_inputs), given a generator's outputs
    and noise of :meth:`Emission.noise`. The gradient is that of relaxed draws at a
    temperature, which values do not depend on."""
    x = out.copy()
    x[:, emission.grey] = expit(out[:, emission.grey])
    if emission.is_random:
        bits, chosen = emission.relaxed(out, noise, out.dtype.type(temperature))
        x[:, emission.bits] = bits > 0.5
        x[:, emission.chosen] = emission.hard(chosen) if chosen.size else chosen
        x[:, emission.scores] *= x[:, emission.none]
    return x


def _emit_back(x, out, noise, emission, temperature):
    def backward(grad):
        back, scores, none = grad.copy(), emission.scores, emission.none
        grey = x[:, emission.grey]
        back[:, emission.grey] *= grey * (1 - grey)
        if not emission.is_random:
            return back
        tau = out.dtype.type(temperature)
        back[:, none] += grad[:, scores] * out[:, scores]
        back[:, scores] *= x[:, none]
        bits, p = emission.relaxed(out, noise, tau)
        back[:, emission.bits] *= bits * (1 - bits) / tau
        if len(emission.chosen):
            own = back[:, emission.chosen]
            mean = np.add.reduceat(own * p, emission.starts, axis=1)
            gap = own - np.repeat(mean, emission.sizes, axis=1)
            back[:, emission.chosen] = p * gap / tau
        return back

    return backward


defvjp(emit, _emit_back, None, None, None)
