r"""Distributions of the data, given a decoder's outputs.

.. math:: p(x \mid z) = \prod_j \mathrm{Bernoulli}(x_j; \sigma(o_j)), \quad
   \prod_j \mathcal{N}(x_j; o_j, v_j), \quad
   \prod_j \operatorname{softmax}(o_j)_{x_j}

Each kind also converts data to what the model computes with, and back.
"""

import numpy as np

from skdgm.data import BinaryColumns, CodeColumns, RealColumns
from skdgm.nets import at_least, class_loss, log_probabilities, normal_loss
from skdgm.nets import columns as columns_of
from skdgm.nets import logistic_cross_entropy as bit_loss
from skdgm.utils.math import logit, sigmoid


class Bits(BinaryColumns):
    """Bernoulli columns, given their log odds."""

    def sizes(self, columns):
        """Number of an encoder's inputs and of a decoder's outputs.

        Parameters
        ----------
        columns : tuple
            Statistics of the columns, as in all methods below.

        Returns
        -------
        n_inputs, n_outputs : int
        """
        return (len(columns.seen),) * 2

    def start(self, columns, dtype):
        """Initial outputs, and initial parameters of the distribution itself.

        Returns
        -------
        out : ndarray of shape (n_outputs,)
        own : ndarray or ()
        """
        return logit(self.moments(columns)).astype(dtype), ()

    def inputs(self, columns, v):
        """Encoder inputs for rows; smoothed column means for missing entries."""
        missing = np.isnan(v)
        if not missing.any():
            return v
        return np.where(missing, self.fill(columns).astype(v.dtype), v)

    def loss(self, columns, out, own, v):
        """Negative log-likelihood of rows, in nats; NaN entries do not count.

        Parameters
        ----------
        columns : tuple
        out : ndarray of shape (n_rows * n_draws, n_outputs)
            Each row of ``v`` belongs to ``n_draws`` neighbouring rows of outputs.
        own : ndarray or ()
        v : ndarray of shape (n_rows, n_columns)

        Returns
        -------
        loss : ndarray of shape (n_rows * n_draws,)
        """
        return bit_loss(out, v)

    def mean(self, columns, out):
        """Means that can be averaged over draws: probabilities of 1."""
        return sigmoid(out)

    def value(self, columns, mean):
        """Convert averaged means to values."""
        return mean

    def draw(self, columns, out, own, rng):
        """Draw values, of shape (n_rows, n_columns), with a stream for each row."""
        return _bits(sigmoid(out), rng)

    def resampled(self, v, rng):
        """Replace grey values by draws of bits."""
        return np.where(np.isnan(v), v, _bits(v, rng))


class Reals(RealColumns):
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

    def sizes(self, columns):
        """Number of an encoder's inputs and of a decoder's outputs.

        Parameters
        ----------
        columns : tuple
            Statistics of the columns, as in all methods below.

        Returns
        -------
        n_inputs, n_outputs : int
        """
        n = len(columns.scale)
        return n, (2 * n if self.variance == "sample" else n)

    def start(self, columns, dtype):
        """Initial outputs, and initial parameters of the distribution itself.

        Returns
        -------
        out : ndarray of shape (n_outputs,)
        own : ndarray or ()
        """
        n, n_outputs = self.sizes(columns)
        own = np.zeros(n, dtype) if self.variance == "feature" else ()
        return np.zeros(n_outputs, dtype), own

    def inputs(self, columns, v):
        """Encoder inputs for rows; zeros, their mean, for missing entries."""
        return np.where(np.isnan(v), v.dtype.type(0), v)

    def loss(self, columns, out, own, v):
        """Negative log-likelihood of rows, in nats; NaN entries do not count.

        Parameters
        ----------
        columns : tuple
        out : ndarray of shape (n_rows * n_draws, n_outputs)
            Each row of ``v`` belongs to ``n_draws`` neighbouring rows of outputs.
        own : ndarray or ()
        v : ndarray of shape (n_rows, n_columns)

        Returns
        -------
        loss : ndarray of shape (n_rows * n_draws,)
        """
        mean, log_var = self._parts(columns, out, own)
        return normal_loss(mean, log_var, v)

    def mean(self, columns, out):
        """Means that can be averaged over draws, of shape (n_rows, n_columns)."""
        return out[:, : len(columns.scale)]

    def value(self, columns, mean):
        """Convert averaged means to values."""
        return mean

    def draw(self, columns, out, own, rng):
        """Draw values, of shape (n_rows, n_columns), with a stream for each row."""
        mean, log_var = self._parts(columns, out, own)
        return mean + np.exp(0.5 * log_var) * rng.normal(mean.shape[1], mean.dtype.type)

    def resampled(self, v, rng):
        """Return values unchanged: there are no grey ones."""
        return v

    def _parts(self, columns, out, own):
        """Means and log variances."""
        n = len(columns.scale)
        if self.variance == "sample":
            return columns_of(out, 0, n), self._floored(columns_of(out, n, 2 * n))
        if self.variance == "feature":
            return out, self._floored(own)
        return out, np.full(n, np.log(self.variance), out.dtype)

    def _floored(self, raw):
        return at_least(raw, np.log(self.floor)) if self.floor else raw


class Categories(CodeColumns):
    """Categorical columns, given the log odds of each column's categories."""

    def sizes(self, columns):
        """Number of an encoder's inputs and of a decoder's outputs.

        Parameters
        ----------
        columns : tuple
            Statistics of the columns, as in all methods below.

        Returns
        -------
        n_inputs, n_outputs : int
        """
        return (len(columns.counts),) * 2

    def start(self, columns, dtype):
        """Initial outputs, and initial parameters of the distribution itself.

        Returns
        -------
        out : ndarray of shape (n_outputs,)
        own : ndarray or ()
        """
        return np.log(self.frequencies(columns)).astype(dtype), ()

    def inputs(self, columns, v):
        """Encoder inputs for rows: one-hot codes; frequencies for missing entries."""
        frequencies = self.frequencies(columns).astype(v.dtype)
        known = np.repeat(~np.isnan(v), columns.sizes, axis=1)
        codes = np.repeat(v, columns.sizes, axis=1)
        own = np.arange(len(columns.counts)) - np.repeat(columns.starts, columns.sizes)
        return np.where(known, (codes == own).astype(v.dtype), frequencies)

    def loss(self, columns, out, own, v):
        """Negative log-likelihood of rows, in nats; NaN entries do not count.

        Parameters
        ----------
        columns : tuple
        out : ndarray of shape (n_rows * n_draws, n_outputs)
            Each row of ``v`` belongs to ``n_draws`` neighbouring rows of outputs.
        own : ndarray or ()
        v : ndarray of shape (n_rows, n_columns)

        Returns
        -------
        loss : ndarray of shape (n_rows * n_draws,)
        """
        return class_loss(out, v, columns.starts)

    def mean(self, columns, out):
        """Means that can be averaged over draws: probabilities of categories."""
        return np.exp(log_probabilities(out, columns.starts))

    def value(self, columns, mean):
        """Convert averaged means to values: the most probable codes."""
        parts = np.split(mean, columns.starts[1:], axis=1)
        codes = [part.argmax(axis=1) for part in parts]
        return np.stack(codes, axis=1).astype(mean.dtype)

    def draw(self, columns, out, own, rng):
        """Draw values, of shape (n_rows, n_columns), with a stream for each row."""
        parts = np.split(self.mean(columns, out), columns.starts[1:], axis=1)
        numbers = rng.uniform(len(parts), out.dtype.type)
        codes = [
            (np.cumsum(part, axis=1)[:, :-1] <= numbers[:, [j]]).sum(axis=1)
            for j, part in enumerate(parts)
        ]
        return np.stack(codes, axis=1).astype(out.dtype)

    def resampled(self, v, rng):
        """Return values unchanged: there are no grey ones."""
        return v


def _bits(p, rng):
    """Draws of bits with probabilities ``p``."""
    return (rng.uniform(p.shape[1], p.dtype.type) < p).astype(p.dtype)
