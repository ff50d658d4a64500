r"""Conditional distributions of all columns of a table.

.. math:: \log p(x) = \sum_t \log p(x_{o_t} \mid x_{o_1}, \dots, x_{o_{t-1}})

for an order o of the columns. Each column owns some of a net's outputs, the parameters
of its conditional distribution, and some of its inputs, which represent its value to
the columns after it.
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
    kind : Bits, Codes or Reals
        See :mod:`skdgm.autoregressive._kinds`.
    columns, inputs, outputs : ndarray of int
        Their positions among columns, inputs and outputs.
    """

    def __init__(self, kind, columns, inputs, outputs):
        self.kind, self.columns = kind, columns
        self.inputs, self.outputs = inputs, outputs


class Conditionals:
    """Conditional distributions of columns of several kinds, given a net's outputs.

    Parameters
    ----------
    kinds : ndarray of str, of shape (n_columns,)
        "bernoulli", "categorical" or "gaussian".
    sizes : ndarray of int, of shape (n_columns,)
        Number of categories of each column, or 1.
    mixture : Mixture
        Density of real columns.
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
        """Conditionals of each column by itself, a list."""
        n_columns = len(self.kinds)
        return [
            Conditionals(self.kinds[[j]], self.sizes[[j]], self.mixture)
            for j in range(n_columns)
        ]

    def start(self, shares):
        """Initial outputs, which reproduce the marginal distribution of each column.

        Parameters
        ----------
        shares : callable
            ``shares(name, columns)`` returns the frequencies of values in the columns
            of a kind.

        Returns
        -------
        out : ndarray of shape (n_outputs,), float64
        """
        out = np.zeros(self.n_outputs.sum())
        for block in self.blocks:
            known = shares(block.kind.name, block.columns)
            out[block.outputs] = block.kind.start(known)
        return out

    def inputs(self, v):
        """Inputs of a net for given rows; zeros for missing entries.

        Parameters
        ----------
        v : ndarray of shape (n_rows, n_columns)

        Returns
        -------
        x : ndarray of shape (n_rows, n_inputs)
        """
        if len(self.blocks) == 1:
            return self.blocks[0].kind.inputs(v)
        x = np.empty((len(v), self.n_inputs.sum()), v.dtype)
        for block in self.blocks:
            x[:, block.inputs] = block.kind.inputs(v[:, block.columns])
        return x

    def value(self, inputs):
        """Convert inputs, or means of inputs, to values of columns.

        Parameters
        ----------
        inputs : ndarray of shape (n_rows, n_inputs)

        Returns
        -------
        v : ndarray of shape (n_rows, n_columns)
        """
        v = np.empty((len(inputs), len(self.kinds)), inputs.dtype)
        for block in self.blocks:
            v[:, block.columns] = block.kind.value(inputs[:, block.inputs])
        return v

    def loss(self, out, v):
        """Negative log-likelihood of each row, in nats; NaN entries do not count.

        Parameters
        ----------
        out : ndarray of shape (n_rows, n_outputs)
        v : ndarray of shape (n_rows, n_columns)

        Returns
        -------
        loss : ndarray of shape (n_rows,)
        """
        if len(self.blocks) == 1:
            return self.blocks[0].kind.loss(out, v)
        total = 0.0
        for block in self.blocks:
            own = np.ascontiguousarray(v[:, block.columns])
            total = total + block.kind.loss(pick(out, block.outputs), own)
        return total

    def log_likelihood(self, out, v):
        """Log-likelihood of each row, in nats, of shape (n_rows,), float64."""
        if [block.kind.name for block in self.blocks] == [Bits.name]:
            return -bit_loss(out, v, dtype=np.float64)
        return self.log_p(out, v).sum(axis=1)

    def log_p(self, out, v):
        """Log probability of each entry, in nats; 0 for missing entries.

        Returns
        -------
        log_p : ndarray of shape (n_rows, n_columns), float64
        """
        found = self._of_entries(out, lambda b, own: b.kind.log_p(own, v[:, b.columns]))
        return np.where(np.isnan(v), 0, found).astype(np.float64)

    def expected(self, out):
        """Expected inputs of each column, of shape (n_rows, n_inputs)."""
        x = np.empty((len(out), self.n_inputs.sum()), out.dtype)
        for block in self.blocks:
            x[:, block.inputs] = block.kind.expected(out[:, block.outputs])
        return x

    def mean(self, out):
        """Mean of each entry; of codes, the most probable one."""
        return self.value(self.expected(out))

    def mode(self, out):
        """Most probable value of each entry."""
        return self._of_entries(out, lambda b, own: b.kind.mode(own))

    def draw(self, out, rng):
        """Draw each entry from its conditional distribution.

        Parameters
        ----------
        out : ndarray of shape (n_rows, n_outputs)
        rng : Stream
            One stream for each row.

        Returns
        -------
        v : ndarray of shape (n_rows, n_columns)
        """
        return self._of_entries(
            out, lambda b, own: b.kind.draw(own, rng.fold(b.columns[0]))
        )

    def _of_entries(self, out, function):
        found = np.empty((len(out), len(self.kinds)), out.dtype)
        for block in self.blocks:
            found[:, block.columns] = function(block, out[:, block.outputs])
        return found


def places_of(columns, sizes):
    """Positions of the inputs, or outputs, of some columns, in the order of these.

    Parameters
    ----------
    columns : ndarray of int
    sizes : ndarray of int, of shape (n_columns,)
        Number of inputs, or outputs, of every column.

    Returns
    -------
    places : ndarray of int
    """
    own = sizes[columns]
    first = np.cumsum(sizes)[columns] - np.cumsum(own)
    return np.repeat(first, own) + np.arange(own.sum())


def slots(sizes):
    """Positions of the inputs, or outputs, of each column, a list of slices."""
    ends = np.cumsum(sizes).tolist()
    return [slice(end - size, end) for end, size in zip(ends, sizes.tolist())]
