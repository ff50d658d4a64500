r"""Categorical distribution, of softmax units and of columns of codes.

.. math:: p(x = k \mid \eta) = \exp(\eta_k - A(\eta)), \quad
   A(\eta) = \log \sum_k e^{\eta_k}, \quad p_k = \partial A / \partial \eta_k

In an energy a value is one-hot, a row with a 1 in the column of its state, so that
values and means have the same shape, and the sufficient statistic is the value itself.
Above a net a value is the number of a state, and its representation is one-hot.
"""

import numpy as np
from scipy.special import entr, logsumexp, softmax

from skdgm.distributions.roles import Biased, Output, repeated
from skdgm.utils.lists import Lists


def one_hot(codes, n_states, dtype):
    """One-hot rows of state numbers, Lists of shape (n_rows, sum(n_states)): of one
    variable, (n_rows,), or of several side by side, (n_rows, n_variables)."""
    sizes = np.ravel(n_states)
    codes = np.reshape(codes, (len(codes), len(sizes)))
    check_range(codes, sizes)
    x = Lists.empty(len(codes), sizes.sum(), dtype)
    x.index[:, : len(sizes)] = codes + (np.cumsum(sizes) - sizes)
    x.count[:] = len(sizes)
    return x


def check_range(codes, sizes):
    """Raise IndexError unless codes are from 0 to below ``sizes``: kernels, which take
    them for places in arrays, do not look."""
    if not ((codes >= 0) & (codes < sizes)).all():
        raise IndexError("Codes of categories are out of range.")


def pick(p, rng, dtype):
    """Draw a state for each row of probabilities, (n_rows, n_states), by inverting the
    cumulative distribution, as Lists of ``dtype``; ``rng`` has a row for each."""
    return one_hot(_codes(p, rng.uniform(1, p.dtype.type)), p.shape[1], dtype)


def _codes(p, uniform):
    return (uniform >= p.cumsum(axis=1)[:, :-1]).sum(axis=1)


class Softmax(Biased):
    """A categorical unit, whose parameters are one bias for each of its states."""

    __slots__ = ()
    listable, form = True, "one"

    def init(self, moments=None, dtype=np.float64):
        """Log probabilities, (size,): biases with which the unit without neighbours has
        the given probabilities; zeros without them."""
        if moments is None:
            return np.zeros(self.size, dtype=dtype)
        return np.log(np.asarray(moments, dtype=np.float64)).astype(dtype)

    def log_partition(self, eta):
        return logsumexp(np.asarray(eta, np.float64), axis=-1)

    def log_evidence(self, eta, x, clamped):
        """Log weight of each row of x under each row of eta, (n_rows, n_fields) in
        float64; A(eta) for rows that are not clamped, which a row is as a whole."""
        eta, whole = np.atleast_2d(np.asarray(eta, np.float64)), clamped.all(axis=1)
        return np.where(whole[:, None], x @ eta.T, self.log_partition(eta))

    def mean(self, eta):
        return softmax(eta, axis=-1)

    def pull(self, mean, grad):
        """Derivative by the natural parameters, given that by the means."""
        return mean * (grad - (mean * grad).sum(axis=1, keepdims=True))

    def mode(self, eta):
        """One-hot rows of the most probable state."""
        return np.eye(self.size, dtype=eta.dtype)[eta.argmax(axis=-1)]

    def sample(self, eta, rng):
        mean = np.broadcast_to(self.mean(eta), (len(rng.ids), self.size))
        return pick(mean, rng, mean.dtype), mean

    def draw(self, mean, rng):
        """Draw states with the probabilities of the rows of ``mean``, as Lists."""
        return pick(mean, rng, mean.dtype)

    def log_prob(self, mean, x):
        """Log probability of each row of x under its row of means, in float64."""
        with np.errstate(divide="ignore"):
            return np.log((np.asarray(mean, np.float64) * np.asarray(x)).sum(axis=1))

    def entropy(self, own, mean):
        return entr(mean)

    @property
    def n_states(self):
        """Number of states: ``size``, or 1 if that is zero."""
        return max(1, self.size)

    def states(self, codes):
        """States by number as one-hot rows, float64 of shape (n_codes, size)."""
        return np.eye(self.size)[codes] if self.size else np.zeros((len(codes), 0))


class CategoricalOutput(Output):
    """Columns of codes 0, 1, ... of categories, given the logits of all categories."""

    kind = "categorical"

    def __init__(self, sizes):
        super().__init__(sizes)
        self.starts = np.cumsum(sizes) - sizes

    def start(self, share):
        return np.log(share)

    def inputs(self, v, share=None):
        own = np.arange(self.n_inputs.sum()) - np.repeat(self.starts, self.n_inputs)
        codes = np.repeat(v, self.n_inputs, axis=1)
        x = (codes == own).astype(v.dtype)
        return (
            x if share is None else np.where(np.isnan(codes), share.astype(v.dtype), x)
        )

    def value(self, inputs):
        """Code with the largest input in each column."""
        codes = [part.argmax(axis=1) for part in self._parts(inputs)]
        return np.stack(codes, axis=1).astype(inputs.dtype)

    def nll_grad(self, out, v, weight, own=()):
        v, grad = repeated(v, out), np.exp(self.log_probabilities(out), order="C")
        grad.reshape(-1)[self._places(v)] -= 1
        weight = weight[:, None] * ~np.isnan(v)
        return np.repeat(weight, self.n_outputs, axis=1) * grad, ()

    def log_p(self, out, v, own=()):
        v, log_p = repeated(v, out), self.log_probabilities(out)
        chosen = log_p.reshape(-1)[self._places(v)]
        return np.where(np.isnan(v), out.dtype.type(0), chosen)

    def log_probabilities(self, logits):
        """Log probabilities of all categories, by a softmax over each column's."""
        high = np.maximum.reduceat(logits, self.starts, axis=1)
        shifted = logits - np.repeat(high, self.n_outputs, axis=1)
        total = np.log(np.add.reduceat(np.exp(shifted), self.starts, axis=1))
        return shifted - np.repeat(total, self.n_outputs, axis=1)

    def expected(self, out):
        return np.exp(self.log_probabilities(out))

    def expected_grad(self, out, grad):
        p = self.expected(out)
        found = p * grad
        total = np.add.reduceat(found, self.starts, axis=1)
        return found - p * np.repeat(total, self.n_outputs, axis=1)

    def mode(self, out):
        return self.value(out)

    def draw(self, out, rng, own=()):
        parts = self._parts(self.expected(out))
        uniform = rng.uniform(len(parts), out.dtype.type)
        codes = [_codes(part, uniform[:, [j]]) for j, part in enumerate(parts)]
        return np.stack(codes, axis=1).astype(out.dtype)

    def of_codes(self, log_p):
        """Log probabilities of the codes of a single column, given those of outputs."""
        return log_p

    def _parts(self, x):
        return np.split(x, self.starts[1:], axis=1)

    def _places(self, v):
        """Places of codes among the entries of all rows of outputs."""
        codes = np.where(np.isnan(v), 0, v).astype(np.intp)
        first = np.arange(len(v)) * int(self.n_outputs.sum())
        return codes + first[:, None] + self.starts


class OrdinalOutput(CategoricalOutput):
    """Columns of codes that stand for numbers, the increasing ``values`` of each
    column's Levels, which have means: a fraction of the way from a code to the next,
    such that it stands for the expected number."""

    kind = "ordinal"

    def __init__(self, levels):
        super().__init__(np.array([len(own.values) for own in levels], int))
        self.levels = [own.values for own in levels]

    def inputs(self, v, share=None):
        return super().inputs(np.rint(v), share)

    def value(self, inputs):
        """Codes, with fractions, of the numbers expected by inputs or their means."""
        codes = [
            np.interp(part @ own, own, np.arange(len(own)))
            for part, own in zip(self._parts(inputs.astype(np.float64)), self.levels)
        ]
        return np.stack(codes, axis=1).astype(inputs.dtype)

    def mode(self, out):
        """Most probable codes."""
        return super().value(out)
