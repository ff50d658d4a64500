r"""Columns whose values may be absent, each with a probability for that.

.. math:: p(x) = \begin{cases} \pi & x \text{ is absent} \\
    (1 - \pi) \, p(x \mid \text{present}) & \text{else} \end{cases}

Besides its values and NaN, of which nothing is known, an entry may be infinite:
``ABSENT`` is known to have no value, minus that to have one, which is not known.
"""

import numpy as np
from scipy.special import expit, log_expit, logit

from skdgm.distributions.roles import Output, repeated

ABSENT = np.inf


class GappedOutput(Output):
    """Columns of one kind with one more input and output for each: whether it is absent
    comes first, then those of the column itself, of the distribution ``base``. If
    ``whole``, what is drawn, and means, are values that are present."""

    kind = "gapped"

    def __init__(self, base, whole=False):
        super().__init__(base.n_inputs + 1)
        self.base, self.whole = base, whole
        self.n_outputs = base.n_outputs + 1
        self._in, self._out = map(_places, (self.n_inputs, self.n_outputs))

    def start(self, share):
        out, (bits, rest) = np.empty(self.n_outputs.sum()), self._in
        out[self._out[0]] = logit(share[bits])
        present = np.repeat(1 - share[bits], self.base.n_inputs)
        out[self._out[1]] = self.base.start(share[rest] / present)
        return out

    def inputs(self, v, share=None):
        known, absent = _split(v)
        x = np.empty((len(v), self.n_inputs.sum()), v.dtype)
        x[:, self._in[0]] = np.where(np.isnan(absent), v.dtype.type(0), absent)
        x[:, self._in[1]] = self.base.inputs(known)
        if share is None:
            return x
        missing = np.repeat(np.isnan(v), self.n_inputs, axis=1)
        return np.where(missing, share.astype(v.dtype), x)

    def value(self, inputs):
        """Values that are present, by inputs or their means; ABSENT if none is."""
        present = 1 - inputs[:, self._in[0]]
        some = np.where(present > 0, present, 1)
        x = inputs[:, self._in[1]] / np.repeat(some, self.base.n_inputs, axis=1)
        return np.where(present > 0, self.base.value(x), inputs.dtype.type(ABSENT))

    def nll_grad(self, out, v, weight, own=()):
        (known, absent), grad = _split(v), np.empty_like(out)
        part = np.take(out, self._out[1], axis=1)
        grad[:, self._out[1]] = self.base.nll_grad(part, known, weight)[0]
        absent = repeated(absent, out)
        off = np.where(np.isnan(absent), 0, expit(out[:, self._out[0]]) - absent)
        grad[:, self._out[0]] = weight[:, None] * off
        return grad, ()

    def log_p(self, out, v, own=()):
        known, absent = _split(v)
        found = self.base.log_p(np.take(out, self._out[1], axis=1), known)
        absent, z = repeated(absent, out), out[:, self._out[0]]
        own = log_expit(np.where(absent == 1, z, -z))
        return found + np.where(np.isnan(absent), 0, own).astype(out.dtype)

    def expected(self, out):
        x = np.zeros((len(out), self.n_inputs.sum()), out.dtype)
        x[:, self._in[1]] = self.base.expected(np.take(out, self._out[1], axis=1))
        if self.whole:
            return x
        p = expit(out[:, self._out[0]]).clip(max=1 - np.finfo(out.dtype).eps)
        x[:, self._in[0]] = p
        x[:, self._in[1]] *= np.repeat(1 - p, self.base.n_inputs, axis=1)
        return x

    def expected_grad(self, out, grad):
        found, (bits, rest) = np.zeros_like(out), self._out
        part, by_rest = np.take(out, rest, axis=1), grad[:, self._in[1]]
        if self.whole:
            found[:, rest] = self.base.expected_grad(part, by_rest)
            return found
        p, n = expit(out[:, bits]), self.base.n_inputs
        present = np.repeat(1 - p, n, axis=1)
        found[:, rest] = self.base.expected_grad(part, present * by_rest)
        lost = by_rest * self.base.expected(part)
        lost = np.add.reduceat(lost, np.cumsum(n) - n, axis=1)
        found[:, bits] = p * (1 - p) * (grad[:, self._in[0]] - lost)
        return found

    def mode(self, out):
        """Most probable values that are present."""
        return self.base.mode(np.take(out, self._out[1], axis=1))

    def draw(self, out, rng, own=()):
        v = self.base.draw(np.take(out, self._out[1], axis=1), rng.fold(0))
        if self.whole:
            return v
        uniform = rng.fold(1).uniform(v.shape[1], out.dtype.type)
        absent = uniform < expit(out[:, self._out[0]])
        return np.where(absent, out.dtype.type(ABSENT), v)


def _split(v):
    """Values, NaN where they are absent or not known; and 1 where absent, 0 where
    present, NaN where nothing is known."""
    infinite, nan = np.isinf(v), v.dtype.type(np.nan)
    absent = np.where(np.isnan(v), v, v == ABSENT).astype(v.dtype)
    return np.where(infinite, nan, v), absent


def _places(sizes):
    """Positions of the first input, or output, of each column, and of all others."""
    first = np.cumsum(sizes) - sizes
    return first, np.delete(np.arange(sizes.sum()), first)
