"""Noise of the input rows of a discriminator."""

from skdgm.implicit.kernels import noisy
from skdgm.nets.tape import getval
from skdgm.optim import learning_rate
from skdgm.utils import addresses
from skdgm.utils.random import standard_normal

_OUTPUT = addresses.GAME_OUTPUT


def blurred(x, options, emission, rng, clock, of_output=False):
    """Rows x with instance noise, which decays with the learning rate, and, if
    ``of_output``, generated rows with output noise; differentiable."""
    size = learning_rate(
        options.instance_noise, options.schedule, clock, options.power_t
    )
    if of_output and options.output_noise:
        drawn, streams = getval(x), rng.fold(_OUTPUT).rows(len(x))
        # Output noise is part of the generator, but has no gradient.
        added = noisy(drawn, emission, options.output_noise, streams) - drawn
        # A generated atom has no score, like an atom of the data.
        added[:, emission.scores] *= drawn[:, emission.none] > 0
        x = x + added
    if not size:
        return x
    real = getval(x).dtype.type
    return x + real(size) * standard_normal(rng.generator(), x.shape, real)
