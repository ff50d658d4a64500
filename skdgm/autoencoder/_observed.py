"""Distributions of the data given a decoder's outputs, by kind of column."""

import numpy as np

from skdgm.data import BinaryColumns, CodeColumns, RealColumns
from skdgm.distributions import (
    BernoulliOutput,
    CategoricalOutput,
    NormalOutput,
    draw_bits,
)
from skdgm.nets import nll


class Observed:
    """Output of columns with given statistics, ``output(columns)``, and their marginal
    means, ``share(columns)``, of which all else follows; see
    :class:`~skdgm.distributions.Output`."""

    def sizes(self, columns):
        """Number of an encoder's inputs and of a decoder's outputs."""
        output = self.output(columns)
        return output.n_inputs.sum(), output.n_outputs.sum()

    def start(self, columns, dtype):
        """Initial outputs, and initial parameters of the distribution itself."""
        output = self.output(columns)
        return output.start(self.share(columns)).astype(dtype), output.own(dtype)

    def inputs(self, columns, v):
        """Encoder inputs for rows; marginal means for missing entries."""
        return self.output(columns).inputs(v, self.share(columns))

    def loss(self, columns, out, own, v):
        """Negative log-likelihood of rows, differentiable by ``out`` and ``own``."""
        return nll(out, own, v, self.output(columns))

    def mean(self, columns, out):
        """Means that can be averaged over draws."""
        return self.output(columns).expected(out)

    def value(self, columns, mean):
        """Convert averaged means to values."""
        return self.output(columns).value(mean)

    def draw(self, columns, out, own, rng):
        """Draw values, of shape (n_rows, n_columns), with a stream for each row."""
        return self.output(columns).draw(out, rng, own)

    def resampled(self, v, rng):
        """Return values unchanged: there are no grey ones."""
        return v


class Bits(Observed, BinaryColumns):
    """Bernoulli columns, given their log odds."""

    def output(self, columns):
        """Distribution of the columns."""
        return BernoulliOutput(np.ones(len(columns.seen), int))

    def resampled(self, v, rng):
        """Replace grey values by draws of bits."""
        return np.where(np.isnan(v), v, draw_bits(v, rng))


class Reals(Observed, RealColumns):
    """Normal columns, given their means and possibly their variances.

    Parameters
    ----------
    variance : {"feature", "sample"} or float, default="feature"
        Learned for each column, an output of the decoder, or fixed.
    floor : float, default=0.01
        Lower limit of learned variances, of standardised columns; 0 for none.
    """

    def __init__(self, variance="feature", floor=0.01):
        self.variance, self.floor = variance, floor

    def output(self, columns):
        """Distribution of the columns."""
        sizes = np.ones(len(columns.seen), int)
        return NormalOutput(sizes, self.variance, self.floor)


class Categories(Observed, CodeColumns):
    """Categorical columns, given the log odds of each column's categories."""

    def output(self, columns):
        """Distribution of the columns."""
        return CategoricalOutput(columns.sizes)
