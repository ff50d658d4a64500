r"""Columns whose values may be absent, with a probability of absence.

.. math:: p(x) = \begin{cases} \pi & x \text{ is absent} \\
    (1 - \pi) \, p(x \mid \text{present}) & \text{else} \end{cases}

An entry is a value; NaN if nothing is known about it; ``ABSENT`` (infinity) if it is
known to be absent; or minus infinity if it is known to be present with an unknown
value.
"""

import numpy as np
from scipy.special import log_expit, logit

from skdgm.distributions.roles import Output, repeated
from skdgm.utils.math import sigmoid

ABSENT = np.inf


class GappedOutput(Output):
    """Columns of one type, each with an additional input and output for absence.

    The additional input or output comes first, followed by those of the distribution
    ``base``. If ``whole`` is True, draws and means are conditional on presence.
    """

    kind = "gapped"

    def __init__(self, base, whole=False):
        super().__init__(base.n_inputs + 1)
        self.base, self.whole = base, whole
        self.n_outputs = base.n_outputs + 1
        self._in, self._out = map(_places, (self.n_inputs, self.n_outputs))

    def start(self, share):
        out, (absence, base_inputs) = np.empty(self.n_outputs.sum()), self._in
        out[self._out[0]] = logit(share[absence])
        present = np.repeat(1 - share[absence], self.base.n_inputs)
        out[self._out[1]] = self.base.start(share[base_inputs] / present)
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
        """Values given presence, from inputs or their means; ABSENT where the input
        says that the value is absent with certainty."""
        present = 1 - inputs[:, self._in[0]]
        divisor = np.where(present > 0, present, 1)
        x = inputs[:, self._in[1]] / np.repeat(divisor, self.base.n_inputs, axis=1)
        return np.where(present > 0, self.base.value(x), inputs.dtype.type(ABSENT))

    def nll_grad(self, out, v, weight, dispersion=()):
        (known, absent), grad = _split(v), np.empty_like(out)
        base_out = np.take(out, self._out[1], axis=1)
        grad[:, self._out[1]] = self.base.nll_grad(base_out, known, weight)[0]
        absent = repeated(absent, out)
        residual = np.where(np.isnan(absent), 0, sigmoid(out[:, self._out[0]]) - absent)
        grad[:, self._out[0]] = weight[:, None] * residual
        return grad, ()

    def log_p(self, out, v, dispersion=()):
        known, absent = _split(v)
        base_log_p = self.base.log_p(np.take(out, self._out[1], axis=1), known)
        absent, z = repeated(absent, out), out[:, self._out[0]]
        log_p = log_expit(np.where(absent == 1, z, -z))
        return base_log_p + np.where(np.isnan(absent), 0, log_p).astype(out.dtype)

    def expected(self, out):
        x = np.zeros((len(out), self.n_inputs.sum()), out.dtype)
        x[:, self._in[1]] = self.base.expected(np.take(out, self._out[1], axis=1))
        if self.whole:
            return x
        p = sigmoid(out[:, self._out[0]]).clip(max=1 - np.finfo(out.dtype).eps)
        x[:, self._in[0]] = p
        x[:, self._in[1]] *= np.repeat(1 - p, self.base.n_inputs, axis=1)
        return x

    def expected_grad(self, out, grad):
        by_out, (absence, base_outputs) = np.zeros_like(out), self._out
        base_out, by_base = np.take(out, base_outputs, axis=1), grad[:, self._in[1]]
        if self.whole:
            by_out[:, base_outputs] = self.base.expected_grad(base_out, by_base)
            return by_out
        p, n = sigmoid(out[:, absence]), self.base.n_inputs
        present = np.repeat(1 - p, n, axis=1)
        by_out[:, base_outputs] = self.base.expected_grad(base_out, present * by_base)
        by_absence = by_base * self.base.expected(base_out)
        by_absence = np.add.reduceat(by_absence, np.cumsum(n) - n, axis=1)
        by_out[:, absence] = p * (1 - p) * (grad[:, self._in[0]] - by_absence)
        return by_out

    def mode(self, out):
        """Most probable values given presence."""
        return self.base.mode(np.take(out, self._out[1], axis=1))

    def draw(self, out, rng, dispersion=()):
        v = self.base.draw(np.take(out, self._out[1], axis=1), rng.fold(0))
        if self.whole:
            return v
        uniform = rng.fold(1).uniform(v.shape[1], out.dtype.type)
        absent = uniform < sigmoid(out[:, self._out[0]])
        return np.where(absent, out.dtype.type(ABSENT), v)


def _split(v):
    """Values, NaN if unknown; and whether they are absent: 1, 0, or NaN if unknown."""
    infinite, nan = np.isinf(v), v.dtype.type(np.nan)
    absent = np.where(np.isnan(v), v, v == ABSENT).astype(v.dtype)
    return np.where(infinite, nan, v), absent


def _places(sizes):
    """Positions of the first input, or output, of each column, and of all others."""
    first = np.cumsum(sizes) - sizes
    return first, np.delete(np.arange(sizes.sum()), first)
