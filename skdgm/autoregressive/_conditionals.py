"""Conditional distributions of all columns of a table, given those before them."""

import numpy as np

from skdgm.distributions import MixedOutput, places_of
from skdgm.nets import nll

__all__ = ["Conditionals", "places_of", "slots"]


class Conditionals(MixedOutput):
    """Conditional distributions of columns of several kinds, given a net's outputs."""

    def loss(self, out, v):
        """Negative log-likelihood of each row, differentiable by ``out``."""
        return nll(out, (), v, self)


def slots(sizes):
    """Positions of the inputs, or outputs, of each column, a list of slices."""
    ends = np.cumsum(sizes).tolist()
    return [slice(end - size, end) for end, size in zip(ends, sizes.tolist())]
