"""What a discriminator sees of rows: with noise, without missing entries, in packs."""

import numpy as np

from skdgm.implicit.kernels import noisy
from skdgm.nets import beside
from skdgm.nets.tape import getval
from skdgm.optim import learning_rate

_OUTPUT = 100


class View:
    """Rows as a discriminator sees them.

    Parameters
    ----------
    recipe : object
        Options of a GAN.
    emission : Emission
    discriminator : Discriminator
    dtype : type
    """

    def __init__(self, recipe, emission, discriminator, dtype):
        self.recipe, self.emission, self.dtype = recipe, emission, dtype
        self.discriminator = discriminator

    def __call__(self, x, known, rng, clock, *, of_output=False, given=None):
        """Packs of rows: missing entries of a row are missing in its generated
        counterpart.

        Parameters
        ----------
        x : ndarray of shape (n_rows, n_inputs)
            May be traced.
        known : ndarray of shape (n_rows, n_inputs), or None
            1 where a value is known, 0 where not.
        rng : Stream
        clock : Clock
        of_output : bool, default=False
            Whether these are generated rows.
        given : ndarray of shape (n_rows, n_given), optional
            Columns that the discriminator sees beside, without noise.

        Returns
        -------
        seen : ndarray of shape (n_packs, packing * n_columns)
        """
        x = self.blurred(x, rng, clock, of_output)
        x = x if known is None else x * known
        x = x if given is None else beside(x, given)
        return self.discriminator.packed(x)

    def blurred(self, x, rng, clock, of_output=False):
        """Rows with instance noise, which fades as the learning rate does, and
        generated ones with output noise."""
        recipe = self.recipe
        size = learning_rate(
            recipe.instance_noise, recipe.schedule, clock, recipe.power_t
        )
        if of_output and recipe.output_noise:
            x = x + self._of_output(getval(x), rng.fold(_OUTPUT).rows(len(x)))
        if not size:
            return x
        noise = rng.generator().standard_normal(x.shape, self.dtype)
        return x + np.asarray(size, self.dtype) * noise

    def _of_output(self, x, rng):
        """Noise that belongs to the generator, which gradients pass by."""
        emission = self.emission
        added = noisy(x, emission, self.recipe.output_noise, rng) - x
        # A generated atom has no score, as one of the data.
        added[:, emission.scores] *= x[:, emission.none] > 0
        return added
