r"""Classes or attributes of rows, as covariates of a decoder.

.. math:: p(x) = \sum_k p(a_k) \int p(x \mid z, a_k) \, p(z) \, \mathrm{d} z
"""

from typing import NamedTuple

import numpy as np

from skdgm.data.attributes import Attributes, chosen

# Largest number of distinct training attributes that are summed over.
_SUMMED = 32


class DecoderCovariates(NamedTuple):
    """Covariates of the lowest decoder: ``inputs``, (n, n_inputs), one row for each
    class or distinct training attributes; their frequencies ``shares``, (n,); and the
    types of ``attributes``, None for classes."""

    inputs: np.ndarray
    shares: np.ndarray
    attributes: Attributes | None = None

    @classmethod
    def of_classes(cls, shares):
        """One-hot classes with frequencies ``shares``."""
        return cls(np.eye(len(shares)), shares)

    @classmethod
    def of_attributes(cls, attributes, counted):
        """Attributes of training rows, with their weights."""
        inputs = attributes.inputs(counted.numbers, np.float64)
        return cls(inputs, counted.weight / counted.weight.sum(), attributes)

    @property
    def n_inputs(self):
        """Number of inputs of the decoder."""
        return self.inputs.shape[1]

    @property
    def mean(self):
        """Mean inputs, (1, n_inputs)."""
        return self.shares[None] @ self.inputs

    def each(self):
        """Pairs of inputs, (1, n_inputs), and log-frequencies, to sum over; [(None, 0)]
        if there are too many, which are sampled instead."""
        if self.attributes is not None and len(self.shares) > _SUMMED:
            return [(None, 0.0)]
        pairs = zip(self.inputs[:, None], self.shares)
        return [(inputs, np.log(p)) for inputs, p in pairs if p > 0]

    def read(self, values, dtype):
        """Inputs for class codes, (n_rows,), or numeric attributes, (n_rows,
        n_attributes)."""
        if self.attributes is None:
            return self.inputs[values].astype(dtype)
        return self.attributes.inputs(values, dtype)

    def drawn(self, uniform):
        """Draw inputs by their frequencies, with uniform noise, (n_rows, 1)."""
        index = chosen(self.shares, uniform[:, 0])
        return self.inputs[index].astype(uniform.dtype)

    def noise_of(self, inputs):
        """Uniform noise, (n_rows, 1), for which :meth:`drawn` returns ``inputs``."""
        middle = np.cumsum(self.shares) - 0.5 * self.shares
        distance = (self.inputs**2).sum(axis=1) - 2 * inputs @ self.inputs.T
        return middle[distance.argmin(axis=1), None].astype(inputs.dtype)

    def only(self, inputs):
        """Covariates that all rows share, (n_inputs,)."""
        return self._replace(inputs=inputs[None], shares=np.ones(1))
