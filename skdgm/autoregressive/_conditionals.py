r"""Conditional distributions of all columns of a table.

.. math:: \log p(x) = \sum_t \log p(x_{o_t} \mid x_{o_1}, \dots, x_{o_{t-1}})

for an order o of the columns: each column has some of a net's outputs, which say how
its entries are distributed, and some of its inputs, as which those after see it.
"""

from functools import cached_property

import numpy as np

from skdgm.autoregressive._kinds import Bits, kind_of
from skdgm.nets import logistic_cross_entropy as bit_loss
from skdgm.nets import pick


class Block:
    """Columns of one kind among others.

    Parameters
    ----------
    kind : object
        See :mod:`skdgm.autoregressive._kinds`.
    columns, inputs, outputs : ndarray of int
        Where they are: among columns, inputs and outputs.
    """

    def __init__(self, kind, columns, inputs, outputs):
        self.kind, self.columns = kind, columns
        self.inputs, self.outputs = inputs, outputs


class Conditionals:
    """What inputs and outputs of a net mean.

    Parameters
    ----------
    kinds : ndarray of str, of shape (n_columns,)
    sizes : ndarray of int, of shape (n_columns,)
        How many categories there are, or 1.
    mixture : Mixture
        Of columns of real numbers.
    """

    def __init__(self, kinds, sizes, mixture):
        self.kinds, self.sizes, self.mixture = kinds, sizes, mixture
        self.n_inputs, self.n_outputs = np.empty((2, len(kinds)), int)
        among = {name: np.flatnonzero(kinds == name) for name in dict.fromkeys(kinds)}
        own = {name: kind_of(name, sizes[at], mixture) for name, at in among.items()}
        for name, at in among.items():
            self.n_inputs[at] = own[name].n_inputs
            self.n_outputs[at] = own[name].n_outputs
        self.blocks = [self._block(own[name], at) for name, at in among.items()]

    def _block(self, kind, columns):
        places = places_of(columns, self.n_inputs), places_of(columns, self.n_outputs)
        return Block(kind, columns, *places)

    @cached_property
    def single(self):
        """The conditionals of each column by itself."""
        n_columns = len(self.kinds)
        return [
            Conditionals(self.kinds[[j]], self.sizes[[j]], self.mixture)
            for j in range(n_columns)
        ]

    def start(self, shares):
        """Outputs that say what is known of each column.

        Parameters
        ----------
        shares : callable
            ``shares(name, columns)``, what is known of columns of a kind.
        """
        out = np.zeros(self.n_outputs.sum())
        for block in self.blocks:
            known = shares(block.kind.name, block.columns)
            out[block.outputs] = block.kind.start(known)
        return out

    def inputs(self, v):
        """Rows as a net sees them; what is missing are zeros."""
        if len(self.blocks) == 1:
            return self.blocks[0].kind.inputs(v)
        x = np.empty((len(v), self.n_inputs.sum()), v.dtype)
        for block in self.blocks:
            x[:, block.inputs] = block.kind.inputs(v[:, block.columns])
        return x

    def value(self, inputs):
        """Values that inputs, or means of such, stand for."""
        v = np.empty((len(inputs), len(self.kinds)), inputs.dtype)
        for block in self.blocks:
            v[:, block.columns] = block.kind.value(inputs[:, block.inputs])
        return v

    def loss(self, out, v):
        """Surprise at rows; what is NaN does not count."""
        if len(self.blocks) == 1:
            return self.blocks[0].kind.loss(out, v)
        total = 0.0
        for block in self.blocks:
            own = np.ascontiguousarray(v[:, block.columns])
            total = total + block.kind.loss(pick(out, block.outputs), own)
        return total

    def log_likelihood(self, out, v):
        """Of rows, in float64."""
        if [block.kind.name for block in self.blocks] == [Bits.name]:
            return -bit_loss(out, v, dtype=np.float64)
        return self.log_p(out, v).sum(axis=1)

    def log_p(self, out, v):
        """Log probability of each entry, in float64; 0 of what is missing."""
        found = self._of_entries(out, lambda b, own: b.kind.log_p(own, v[:, b.columns]))
        return np.where(np.isnan(v), 0, found).astype(np.float64)

    def expected(self, out):
        """What is expected of each entry, as a net sees it."""
        x = np.empty((len(out), self.n_inputs.sum()), out.dtype)
        for block in self.blocks:
            x[:, block.inputs] = block.kind.expected(out[:, block.outputs])
        return x

    def mean(self, out):
        """What is expected of each entry; of codes, the most probable one."""
        return self.value(self.expected(out))

    def mode(self, out):
        """What each entry is most likely to be."""
        return self._of_entries(out, lambda b, own: b.kind.mode(own))

    def draw(self, out, rng):
        """Entries at random, with a stream for each row and kind."""
        return self._of_entries(
            out, lambda b, own: b.kind.draw(own, rng.fold(b.columns[0]))
        )

    def _of_entries(self, out, function):
        found = np.empty((len(out), len(self.kinds)), out.dtype)
        for block in self.blocks:
            found[:, block.columns] = function(block, out[:, block.outputs])
        return found


def places_of(columns, sizes):
    """Where the inputs, or outputs, of some columns are, in the order of these."""
    own = sizes[columns]
    first = np.cumsum(sizes)[columns] - np.cumsum(own)
    return np.repeat(first, own) + np.arange(own.sum())


def slots(sizes):
    """Where the inputs, or outputs, of each column are, as slices."""
    ends = np.cumsum(sizes).tolist()
    return [slice(end - size, end) for end, size in zip(ends, sizes.tolist())]
