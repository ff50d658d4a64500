"""Conditional distributions of all columns of a table, given those before them."""

import numpy as np

from skdgm.distributions import MixedOutput, places_of
from skdgm.nets import nll

__all__ = ["Conditionals", "places_of", "slots"]


class Conditionals(MixedOutput):
    """Conditional distributions of columns of several kinds, given a net's outputs."""

    def start(self, shares):
        """Outputs that reproduce the marginals: ``shares(kind, columns)`` returns those
        of columns of a kind, or None."""
        share = np.zeros(self.n_inputs.sum())
        for block in self.blocks:
            known = shares(block.output.kind, block.columns)
            share[block.inputs] = 0 if known is None else known
        return super().start(share)

    def loss(self, out, v):
        """Negative log-likelihood of each row, differentiable by ``out``."""
        return nll(out, (), v, self)


def slots(sizes):
    """Positions of the inputs, or outputs, of each column, a list of slices."""
    ends = np.cumsum(sizes).tolist()
    return [slice(end - size, end) for end, size in zip(ends, sizes.tolist())]
