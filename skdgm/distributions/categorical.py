r"""Categorical distribution of softmax units and of columns of category codes.

.. math:: p(x = k \mid \eta) = \exp(\eta_k - A(\eta)), \quad
   A(\eta) = \log \sum_k e^{\eta_k}, \quad p_k = \partial A / \partial \eta_k

In an energy a value is one-hot, so that values and means have the same shape, and the
sufficient statistic is the value itself. Given a net, a value is a code, and its
representation as input is one-hot.
"""

import numpy as np
from scipy.special import entr, logsumexp, softmax

from skdgm.distributions.roles import Biased, Output, repeated
from skdgm.utils.lists import Lists


def one_hot(codes, n_states, dtype):
    """Encode codes as one-hot Lists of shape (n_rows, sum(n_states)). Codes have shape
    (n_rows,), or (n_rows, n_variables) for several variables side by side."""
    sizes = np.ravel(n_states)
    codes = np.reshape(codes, (len(codes), len(sizes)))
    check_range(codes, sizes)
    x = Lists.empty(len(codes), sizes.sum(), dtype)
    x.index[:, : len(sizes)] = codes + (np.cumsum(sizes) - sizes)
    x.count[:] = len(sizes)
    return x


def check_range(codes, sizes):
    """Raise IndexError unless 0 <= codes < sizes. Kernels use codes as array indices
    without a check."""
    if not ((codes >= 0) & (codes < sizes)).all():
        raise IndexError("Codes of categories are out of range.")


def pick(p, rng, dtype):
    """Draw a state for each row of probabilities, (n_rows, n_states), by inversion of
    the cumulative distribution; return one-hot Lists of ``dtype``. ``rng`` is a Stream
    with the same rows."""
    return one_hot(_codes(p, rng.uniform(1, p.dtype.type)), p.shape[1], dtype)


def _codes(p, uniform):
    return (uniform >= p.cumsum(axis=1)[:, :-1]).sum(axis=1)


class Softmax(Biased):
    """A categorical unit, whose parameters are one bias for each of its states."""

    __slots__ = ()
    listable, form = True, "one"

    def init(self, moments=None, dtype=np.float64):
        """Biases for given probabilities of the unit without neighbors: log
        probabilities, (size,). Zeros if ``moments`` is None."""
        if moments is None:
            return np.zeros(self.size, dtype=dtype)
        return np.log(np.asarray(moments, dtype=np.float64)).astype(dtype)

    def log_partition(self, eta):
        return logsumexp(np.asarray(eta, np.float64), axis=-1)

    def log_evidence(self, eta, x, clamped):
        """Log weight of each row of x given each row of eta, (n_rows, n_fields),
        float64; A(eta) for rows that are not clamped. A row is clamped as a whole or
        not at all."""
        eta, clamp = (np.atleast_2d(np.asarray(eta, np.float64)), clamped.all(axis=1))
        return np.where(clamp[:, None], x @ eta.T, self.log_partition(eta))

    def mean(self, eta):
        return softmax(eta, axis=-1)

    def pull(self, mean, grad):
        """Gradient with respect to the natural parameters from the gradient with
        respect to the means."""
        return mean * (grad - (mean * grad).sum(axis=1, keepdims=True))

    def mode(self, eta):
        """Most probable states as one-hot rows."""
        return np.eye(self.size, dtype=eta.dtype)[eta.argmax(axis=-1)]

    def sample(self, eta, rng):
        mean = np.broadcast_to(self.mean(eta), (len(rng.ids), self.size))
        return pick(mean, rng, mean.dtype), mean

    def draw(self, mean, rng):
        """Draw states with the probabilities in the rows of ``mean``, as Lists."""
        return pick(mean, rng, mean.dtype)

    def log_prob(self, mean, x):
        """Log probability of each row of x given its row of means, float64."""
        with np.errstate(divide="ignore"):
            return np.log((np.asarray(mean, np.float64) * np.asarray(x)).sum(axis=1))

    def entropy(self, params, mean):
        return entr(mean)

    @property
    def n_states(self):
        """Number of states: ``size``, or 1 for an empty block."""
        return max(1, self.size)

    def states(self, codes):
        """States by number as one-hot rows, (n_codes, size), float64."""
        return np.eye(self.size)[codes] if self.size else np.zeros((len(codes), 0))


class CategoricalOutput(Output):
    """Columns of category codes 0, 1, ..., given the logits of all categories."""

    kind = "categorical"

    def __init__(self, sizes):
        super().__init__(sizes)
        self.starts = np.cumsum(sizes) - sizes

    def start(self, share):
        return np.log(share)

    def inputs(self, v, share=None):
        states = np.arange(self.n_inputs.sum()) - np.repeat(self.starts, self.n_inputs)
        codes = np.repeat(v, self.n_inputs, axis=1)
        x = (codes == states).astype(v.dtype)
        return (
            x if share is None else np.where(np.isnan(codes), share.astype(v.dtype), x)
        )

    def value(self, inputs):
        """Code with the largest input in each column."""
        codes = [part.argmax(axis=1) for part in self.columns(inputs)]
        return np.stack(codes, axis=1).astype(inputs.dtype)

    def nll_grad(self, out, v, weight, dispersion=()):
        v, grad = repeated(v, out), np.exp(self.log_probabilities(out), order="C")
        grad.reshape(-1)[self._places(v)] -= 1
        weight = weight[:, None] * ~np.isnan(v)
        return np.repeat(weight, self.n_outputs, axis=1) * grad, ()

    def log_p(self, out, v, dispersion=()):
        v, log_p = repeated(v, out), self.log_probabilities(out)
        chosen = log_p.reshape(-1)[self._places(v)]
        return np.where(np.isnan(v), out.dtype.type(0), chosen)

    def log_probabilities(self, logits):
        """Log probabilities of all categories, by a softmax within each column."""
        max_logit = np.maximum.reduceat(logits, self.starts, axis=1)
        shifted = logits - np.repeat(max_logit, self.n_outputs, axis=1)
        total = np.log(np.add.reduceat(np.exp(shifted), self.starts, axis=1))
        return shifted - np.repeat(total, self.n_outputs, axis=1)

    def expected(self, out):
        return np.exp(self.log_probabilities(out))

    def expected_grad(self, out, grad):
        p = self.expected(out)
        weighted = p * grad
        total = np.add.reduceat(weighted, self.starts, axis=1)
        return weighted - p * np.repeat(total, self.n_outputs, axis=1)

    def mode(self, out):
        return self.value(out)

    def draw(self, out, rng, dispersion=()):
        parts = self.columns(self.expected(out))
        uniform = rng.uniform(len(parts), out.dtype.type)
        codes = [_codes(part, uniform[:, [j]]) for j, part in enumerate(parts)]
        return np.stack(codes, axis=1).astype(out.dtype)

    def of_codes(self, log_p):
        """Log probabilities of the codes of a single column from its outputs'."""
        return log_p

    def columns(self, x):
        """Split an array of all outputs into those of each column."""
        return np.split(x, self.starts[1:], axis=1)

    def _places(self, v):
        """Flat indices of codes in the array of outputs."""
        codes = np.where(np.isnan(v), 0, v).astype(np.intp)
        row_starts = np.arange(len(v)) * int(self.n_outputs.sum())
        return codes + row_starts[:, None] + self.starts


class OrdinalOutput(CategoricalOutput):
    """Columns of codes of numbers, the increasing ``values`` of each column's Levels.

    A mean is a fractional code, interpolated so that it represents the expected number.
    """

    kind = "ordinal"

    def __init__(self, levels):
        super().__init__(np.array([len(column.values) for column in levels], int))
        self.levels = [column.values for column in levels]

    def inputs(self, v, share=None):
        return super().inputs(np.rint(v), share)

    def value(self, inputs):
        """Fractional codes of the expected numbers, from inputs or their means."""
        codes = [
            np.interp(part @ values, values, np.arange(len(values)))
            for part, values in zip(
                self.columns(inputs.astype(np.float64)), self.levels
            )
        ]
        return np.stack(codes, axis=1).astype(inputs.dtype)

    def mode(self, out):
        return super().value(out)
