"""Noise of the input rows of a discriminator."""

from skdgm.implicit.kernels import noisy
from skdgm.nets.tape import getval
from skdgm.optim import learning_rate
from skdgm.utils import addresses

_OUTPUT = addresses.GAME_OUTPUT


def blurred(x, options, emission, rng, clock, of_output=False):
    """Rows, which may be traced, with instance noise, which fades as the learning rate
    does, and generated ones (``of_output``) with output noise."""
    size = learning_rate(
        options.instance_noise, options.schedule, clock, options.power_t
    )
    if of_output and options.output_noise:
        drawn, streams = getval(x), rng.fold(_OUTPUT).rows(len(x))
        # It belongs to the generator, and gradients pass it by.
        added = noisy(drawn, emission, options.output_noise, streams) - drawn
        # A generated atom has no score, as one of the data.
        added[:, emission.scores] *= drawn[:, emission.none] > 0
        x = x + added
    if not size:
        return x
    real = getval(x).dtype.type
    return x + real(size) * rng.generator().standard_normal(x.shape, real)
