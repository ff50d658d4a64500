"""Role of a distribution above a net: columns of one kind, given the net's outputs."""

from abc import ABC, abstractmethod

import numpy as np

from skdgm.utils.math import softplus


class Output(ABC):
    r"""Distributions of the columns of a table, given outputs of a net.

    .. math:: p(x \mid z) = \prod_j p(x_j; z_j)

    for a decoder, whose outputs z depend on latent variables, and for an autoregressive
    net, whose :math:`z_j` depend on the columns before j.

    Values ``v`` have shape (n_rows, n_columns), NaN where missing; their representation
    as ``inputs`` of a net (n_rows, n_inputs_in_all); ``out`` (n_rows, n_outputs_in_all)
    and, in losses and log probabilities, (n_rows * n_each, n_outputs_in_all), with
    ``n_each`` consecutive rows for a row of values. ``own`` is an array of parameters
    that no net puts out, or (). ``share`` are the marginal means of inputs, of shape
    (n_inputs_in_all,), or None for standardised columns. Results have the dtype of
    ``out`` unless another is named, and probabilities are in nats.

    Parameters
    ----------
    sizes : ndarray of int, of shape (n_columns,)
        Number of categories of each column; 1 where there are none.

    Attributes
    ----------
    kind : str
        "bernoulli", "categorical" or "gaussian", or None for several.
    n_inputs, n_outputs : ndarray of int, of shape (n_columns,)
        Number of inputs that represent, and of outputs that describe, each column.
    """

    kind = None

    def __init__(self, sizes):
        self.n_inputs = self.n_outputs = sizes

    def start(self, share):
        """Outputs that reproduce the marginals, (n_outputs_in_all,), float64: zeros for
        standardised columns."""
        return np.zeros(self.n_outputs.sum())

    def own(self, dtype):
        """Initial parameters of the distribution itself: none."""
        return ()

    def inputs(self, v, share=None):
        """Inputs that represent values; ``share`` or zeros for missing entries."""
        return np.where(np.isnan(v), v.dtype.type(0), v)

    def value(self, inputs):
        """Convert inputs, or means of inputs, to values."""
        return inputs

    def nll(self, out, v, own=()):
        """Negative log-likelihood of rows, of shape (n_rows * n_each,); missing entries
        do not count."""
        return -self.log_p(out, v, own).sum(axis=1)

    @abstractmethod
    def nll_grad(self, out, v, weight, own=()):
        """Gradient of a weighted sum of :meth:`nll`.

        Parameters
        ----------
        out, v, own
        weight : ndarray of shape (n_rows * n_each,)

        Returns
        -------
        by_out : ndarray of the shape of ``out``
        by_own : ndarray of the shape of ``own``, or ()
        """

    @abstractmethod
    def log_p(self, out, v, own=()):
        """Log probability of each entry, (n_rows * n_each, n_columns); 0 if missing."""

    def log_likelihood(self, out, v):
        """Log-likelihood of each row, of shape (n_rows,), summed in float64."""
        return self.log_p(out, v).astype(np.float64).sum(axis=1)

    @abstractmethod
    def expected(self, out):
        """Means of inputs, of shape (n_rows, n_inputs_in_all)."""

    def mean(self, out):
        """Mean of each entry (of categories, the most probable), as values."""
        return self.value(self.expected(out))

    def mode(self, out):
        """Most probable value of each entry: the mean, unless overridden."""
        return self.mean(out)

    def resampled(self, v, rng):
        """Replace grey values of bits by draws; others are left as they are."""
        return v

    @abstractmethod
    def draw(self, out, rng, own=()):
        """Draw values, of shape (n_rows, n_columns), with a stream for each row."""


def repeated(v, out):
    """Rows of values, each repeated for its consecutive rows of outputs."""
    n_each = len(out) // len(v) if len(v) else 1
    return v if n_each == 1 else np.repeat(v, n_each, axis=0)


def floored(raw, floor):
    """Logs of ``floor`` + exp(raw), of variances or scales; ``raw`` without a floor."""
    if not floor:
        return raw
    limit = raw.dtype.type(np.log(floor))
    return limit + softplus(raw - limit)
