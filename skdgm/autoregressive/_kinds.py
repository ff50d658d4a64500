r"""Conditional distributions of columns of one kind, given a net's outputs.

.. math:: \mathrm{Bernoulli}(x; \sigma(z)), \qquad \operatorname{softmax}(z)_x, \qquad
   \sum_k \alpha_k(z) \, \mathcal{N}(x; \mu_k(z), \sigma_k(z))

for bits, for codes of categories and for real numbers. Each kind also defines the
inputs by which its values are reprepared to the columns after it.

Arrays have these shapes: values ``v`` (n_rows, n_columns), ``inputs`` (n_rows,
n_inputs) and outputs ``out`` (n_rows, n_outputs).
"""

import numpy as np

from skdgm.nets import Mixture, class_loss, log_probabilities, mixture_loss
from skdgm.nets import logistic_cross_entropy as bit_loss
from skdgm.utils.math import logit, sigmoid, softplus

# The initial means of a mixture's components span minus this to this.
_SPREAD = 1.5


class Bits:
    """Bernoulli columns: 0, 1 and probabilities of 1.

    Parameters
    ----------
    sizes : ndarray of int, of shape (n_columns,)
        A 1 for each column.
    """

    name = "bernoulli"

    def __init__(self, sizes):
        self.n_inputs = self.n_outputs = np.ones_like(sizes)

    def start(self, share):
        """Initial outputs: the log odds of the means ``share``."""
        return logit(share)

    def inputs(self, v):
        """Inputs that represent values; zeros for missing entries."""
        return zeroed(v)

    def value(self, inputs):
        """Convert inputs, or means of inputs, to values."""
        return inputs.clip(0, 1)

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
        return bit_loss(out, v)

    def log_p(self, out, v):
        """Log probability of each entry, in nats, of shape (n_rows, n_columns)."""
        return v * out - softplus(out)

    def expected(self, out):
        """Expected inputs: the probabilities of 1."""
        return sigmoid(out)

    def mode(self, out):
        """Most probable value of each entry."""
        return (out > 0).astype(out.dtype)

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
        p = sigmoid(out)
        return (rng.uniform(p.shape[1], p.dtype.type) < p).astype(p.dtype)


class Codes:
    """Categorical columns: codes 0, 1, ... of categories.

    Parameters
    ----------
    sizes : ndarray of int, of shape (n_columns,)
        Number of categories of each column.
    """

    name = "categorical"

    def __init__(self, sizes):
        self.n_inputs = self.n_outputs = sizes
        self.starts = np.cumsum(sizes) - sizes

    def start(self, share):
        """Initial outputs: the logs of the frequencies ``share`` of categories."""
        return np.log(share)

    def inputs(self, v):
        """Inputs that represent values: one-hot codes; zeros for missing entries."""
        own = np.arange(self.n_inputs.sum()) - np.repeat(self.starts, self.n_inputs)
        return (np.repeat(v, self.n_inputs, axis=1) == own).astype(v.dtype)

    def value(self, inputs):
        """Code with the largest input in each column."""
        parts = np.split(inputs, self.starts[1:], axis=1)
        codes = [part.argmax(axis=1) for part in parts]
        return np.stack(codes, axis=1).astype(inputs.dtype)

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
        return class_loss(out, v, self.starts)

    def log_p(self, out, v):
        """Log probability of each entry, in nats, of shape (n_rows, n_columns)."""
        places = zeroed(v).astype(np.intp) + self.starts
        return np.take_along_axis(log_probabilities(out, self.starts), places, axis=1)

    def expected(self, out):
        """Expected inputs: the probabilities of all categories."""
        return np.exp(log_probabilities(out, self.starts))

    def mode(self, out):
        """Most probable code of each entry."""
        return self.value(out)

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
        p = np.exp(log_probabilities(out, self.starts))
        parts = np.split(p, self.starts[1:], axis=1)
        uniform = rng.uniform(len(parts), out.dtype.type)
        codes = [
            (np.cumsum(part, axis=1)[:, :-1] <= uniform[:, [j]]).sum(axis=1)
            for j, part in enumerate(parts)
        ]
        return np.stack(codes, axis=1).astype(out.dtype)


class Reals:
    """Real columns, standardised, with mixture densities.

    Parameters
    ----------
    sizes : ndarray of int, of shape (n_columns,)
        A 1 for each column.
    mixture : Mixture
        Form of the conditional densities.
    """

    name = "gaussian"

    def __init__(self, sizes, mixture):
        self.mixture = mixture
        self.n_inputs, self.n_outputs = sizes, 3 * mixture.n_components * sizes

    def start(self, share):
        """Initial outputs: mixtures around 0, for standardised columns."""
        n = self.mixture.n_components
        means = np.linspace(-_SPREAD, _SPREAD, n) if n > 1 else np.zeros(1)
        own = np.concatenate([np.zeros(n), means, np.zeros(n)])
        return np.tile(own, len(self.n_inputs))

    def inputs(self, v):
        """Inputs that represent values; for missing entries zeros, their mean."""
        return zeroed(v)

    def value(self, inputs):
        """Convert inputs, or means of inputs, to values."""
        return inputs

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
        return mixture_loss(out, v, self.mixture)

    def log_p(self, out, v):
        """Log density of each entry, in nats, of shape (n_rows, n_columns)."""
        return self.mixture.log_density(out, v)

    def expected(self, out):
        """Expected inputs: the means of the mixtures."""
        return self.mixture.mean(out)

    def mode(self, out):
        """Centre of the component with the highest peak, for each entry."""
        return self.mixture.mode(out)

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
        n, real = len(self.n_inputs), out.dtype.type
        uniform, other = rng.fold(0).uniform(n, real), rng.fold(1)
        return self.mixture.draw(out, uniform, self.mixture.noise(other, n, real))


def zeroed(v):
    """Values with zeros in place of missing entries."""
    return np.where(np.isnan(v), v.dtype.type(0), v)


def kind_of(name, sizes, mixture):
    """Conditional distributions of the columns of a kind.

    Parameters
    ----------
    name : {"bernoulli", "categorical", "gaussian"}
    sizes : ndarray of int, of shape (n_columns,)
    mixture : Mixture
        For "gaussian".

    Returns
    -------
    kind : Bits, Codes or Reals
    """
    if name == Reals.name:
        return Reals(sizes, mixture)
    return {kind.name: kind for kind in (Bits, Codes)}[name](sizes)


def standard_mixture(n_components, shape, min_variance, rescaled=True):
    """Mixture densities for standardised columns.

    Parameters
    ----------
    n_components : int
    shape : {"gaussian", "laplace"}
    min_variance : float
        The lower limit of scales is the square root of this.
    rescaled : bool, default=True
        Whether gradients by means are multiplied by the scales.

    Returns
    -------
    mixture : Mixture
    """
    return Mixture(n_components, shape, float(np.sqrt(min_variance)), rescaled)
