r"""Columns of numbers with atoms: a choice among values, and a density of the others.

.. math:: p(x) = \begin{cases} \pi_a & x = a \\
    \pi_0 \, p(z(x)) \, \mathrm{d} z / \mathrm{d} x & \text{else} \end{cases}

for atoms a, which are values that many rows share, such as 0 in a column of amounts,
and a mixture density of the scores z(x) of the others. Values are scores throughout;
the density is that of z.
"""

from functools import cached_property

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.polynomial.laguerre import laggauss
from scipy.special import ndtr

from skdgm.distributions.categorical import CategoricalOutput
from skdgm.distributions.columns.mixture import MixtureOutput
from skdgm.distributions.roles import Output, repeated

_ROOT = float(np.sqrt(2 * np.pi))
# Scale of the narrower components, of which a component is a mixture, in its own; and
# the nodes around which they are, with their shares.
_NARROW = 0.4
_HERMITE, _LAGUERRE = hermegauss(9), laggauss(5)
_NODES = {
    "gaussian": (
        np.sqrt(1 - _NARROW**2) * _HERMITE[0],
        _HERMITE[1] / _HERMITE[1].sum(),
    ),
    # A Laplace number is a narrower one and, with a probability, another like it.
    "laplace": (
        np.concatenate([[0.0], _LAGUERRE[0], -_LAGUERRE[0]]),
        np.concatenate([[_NARROW**2], *[(1 - _NARROW**2) / 2 * _LAGUERRE[1]] * 2]),
    ),
}


class NumericOutput(Output):
    """Columns of scores with atoms, given logits and the parts of a mixture for each.

    A column is represented by an input for each atom, its score (0 at an atom), the
    value in standard units, whose mean is that of the value, and cosines and sines of
    its phases in the waves of its scale, such as the year of a date. Values beyond the
    range are read as its ends, as a net has learned nothing of others. Its outputs are,
    if there are atoms, the logits of these and of all other values; then those of
    :class:`~skdgm.distributions.columns.mixture.MixtureOutput`.

    Each column has its Scores: ``forward`` and ``backward``, between values and scores,
    ``standard`` and ``value``, between values and standard units; ``phases`` of values
    in ``waves``; ``atoms``, their
    scores ``marks``, and the ``tolerance`` of these; knots ``x`` and ``z``, which end
    the range of draws; and the ``ends`` of scores that are read.
    """

    kind = "numeric"

    def __init__(self, scales, mixture):
        n_atoms = np.array([len(own.atoms) for own in scales], int)
        self.n_waves = np.array([len(own.waves) for own in scales], int)
        super().__init__(n_atoms + 2 + 2 * self.n_waves)
        self.scales, self.n_atoms = tuple(scales), n_atoms
        self.atomic = np.flatnonzero(n_atoms)
        self.codes = CategoricalOutput(n_atoms[self.atomic] + 1)
        self.values = MixtureOutput(np.ones(len(scales), int), mixture)
        n_logits = np.where(n_atoms > 0, n_atoms + 1, 0)
        self.n_outputs = n_logits + self.values.n_outputs
        first = np.cumsum(self.n_outputs) - self.n_outputs
        self._logits, self._parts = (
            _ranges(first, n_logits),
            _ranges(first + n_logits, self.values.n_outputs),
        )
        self._first = np.cumsum(self.n_inputs) - self.n_inputs
        # Each atom's column, its number, and the column's place among those with atoms.
        self._owner = np.repeat(np.arange(len(scales)), n_atoms)
        self._slot = np.repeat(np.arange(len(self.atomic)), n_atoms[self.atomic])
        self._number = np.concatenate([*map(np.arange, n_atoms), np.zeros(0, int)])

    @cached_property
    def _marks(self):
        """Scores of the atoms of each column, float64."""
        return [own.marks for own in self.scales]

    @cached_property
    def _ends(self):
        """Least and largest score of each column that is read, (2, n_columns)."""
        return np.array([own.ends for own in self.scales]).reshape(-1, 2).T

    @cached_property
    def _all_marks(self):
        """Scores of the atoms of all columns, float64."""
        return np.concatenate([*self._marks, np.zeros(0)])

    def start(self, share):
        out = np.empty(self.n_outputs.sum())
        out[self._parts] = self.values.start(None)
        rest = [self._atoms(share[None], j)[0] for j in self.atomic]
        shares = [np.append(own, max(1 - own.sum(), 1e-6)) for own in rest]
        out[self._logits] = np.log(np.concatenate([*shares, np.zeros(0)]))
        return out

    def inputs(self, v, share=None):
        x = np.zeros((len(v), self.n_inputs.sum()), v.dtype)
        rows, atoms = self._hits(v)
        owner = self._owner[atoms]
        low, high = self._ends.astype(v.dtype)
        scores = np.where(np.isnan(v), 0, v).clip(low, high)
        scores[rows, owner] = 0
        at = self._first + self.n_atoms
        x[:, at] = scores
        for j, own in enumerate(self.scales):
            value = np.interp(v[:, j], own.z, own.x)
            x[:, at[j] + 1] = own.standard(value)
            if self.n_waves[j]:
                x[:, self._phases(j)] = own.phases(value)
        x[rows, self._first[owner] + self._number[atoms]] = 1
        missing = np.repeat(np.isnan(v), self.n_inputs, axis=1)
        x[missing] = 0 if share is None else np.broadcast_to(share, x.shape)[missing]
        return x

    def value(self, inputs):
        """Scores of the values that inputs of each column in standard units give."""
        last = inputs[:, self._first + self.n_atoms + 1].astype(np.float64)
        parts = [own.forward(own.value(x)) for own, x in zip(self.scales, last.T)]
        return np.stack(parts, axis=1).astype(inputs.dtype)

    def nll_grad(self, out, v, weight, own=()):
        codes, scores = self._split(repeated(v, out))
        grad = np.empty_like(out)
        part = np.take(out, self._parts, axis=1)
        grad[:, self._parts] = self.values.nll_grad(part, scores, weight)[0]
        if len(self.atomic):
            part = np.take(out, self._logits, axis=1)
            grad[:, self._logits] = self.codes.nll_grad(part, codes, weight)[0]
        return grad, ()

    def log_p(self, out, v, own=()):
        codes, scores = self._split(repeated(v, out))
        log_p = self.values.log_p(np.take(out, self._parts, axis=1), scores)
        if len(self.atomic):
            part = np.take(out, self._logits, axis=1)
            log_p[:, self.atomic] += self.codes.log_p(part, codes)
        return log_p

    def expected(self, out):
        x = np.zeros((len(out), self.n_inputs.sum()), out.dtype)
        rest, parts = self._rest(out, x), self._facts(out)
        for j, own in enumerate(self.scales):
            at = self._first[j] + self.n_atoms[j]
            facts = *_functions(own), *(a[:, j] for a in parts)
            found = expectations(self.values.mixture.shape, *facts)
            x[:, at] = rest[:, j] * found[0]
            atoms = self._atoms(x, j) @ own.standard(own.atoms)
            x[:, at + 1] = rest[:, j] * found[1] + atoms
            if self.n_waves[j]:
                mean = _phases(
                    self.values.mixture.shape, own, *(a[:, j] for a in parts)
                )
                atoms = self._atoms(x, j) @ own.phases(own.atoms)
                x[:, self._phases(j)] = rest[:, [j]] * mean[0] + atoms
        return x

    def expected_grad(self, out, grad):
        found, x = np.zeros_like(out), np.zeros(grad.shape, out.dtype)
        rest, parts = self._rest(out, x), self._facts(out)
        by_parts, by_p = [np.empty_like(a) for a in parts], []
        for j, own in enumerate(self.scales):
            at, facts = self._first[j] + self.n_atoms[j], [a[:, j] for a in parts]
            slopes = grad[:, at], grad[:, at + 1]
            given = self.values.mixture.shape, *_functions(own)
            means = expectations(*given, *facts)
            weights = [rest[:, j] * slope for slope in slopes]
            for by, part in zip(by_parts, expectations_grad(*given, *facts, weights)):
                by[:, j] = part
            if self.n_waves[j]:
                by_waves = grad[:, self._phases(j)]
                shape, weighed = given[0], rest[:, [j]] * by_waves
                mean, pull = _phases(shape, own, *facts, weighed)
                for by, part in zip(by_parts, pull):
                    by[:, j] += part
            if self.n_atoms[j]:
                by_atoms = self._atoms(grad, j)
                by_atoms = by_atoms + slopes[1][:, None] * own.standard(own.atoms)
                by_rest = sum(s * m for s, m in zip(slopes, means))
                if self.n_waves[j]:
                    by_atoms = by_atoms + by_waves @ own.phases(own.atoms).T
                    by_rest = by_rest + (by_waves * mean).sum(axis=1)
                by_p += [by_atoms, by_rest[:, None]]
        part = np.take(out, self._parts, axis=1)
        found[:, self._parts] = self.values.mixture.pulled(part, *by_parts)
        if by_p:
            part, by = np.take(out, self._logits, axis=1), np.concatenate(by_p, axis=1)
            by = by.astype(out.dtype)
            found[:, self._logits] = self.codes.expected_grad(part, by)
        return found

    def _facts(self, out):
        """Parts of the mixtures, in float64."""
        parts = self.values.mixture.parts(np.take(out, self._parts, axis=1))
        return [a.astype(np.float64) for a in parts]

    def mode(self, out):
        """The most probable atom if no other value is as probable as that; else the
        centre of the highest component of the density."""
        scores = self.values.mode(np.take(out, self._parts, axis=1))
        codes = np.zeros((len(out), 0))
        if len(self.atomic):
            codes = self.codes.mode(np.take(out, self._logits, axis=1))
        return self._with_atoms(scores, codes)

    def draw(self, out, rng, own=()):
        scores = self.values.draw(np.take(out, self._parts, axis=1), rng.fold(0))
        codes = np.zeros((len(out), 0))
        if len(self.atomic):
            codes = self.codes.draw(np.take(out, self._logits, axis=1), rng.fold(1))
        return self._with_atoms(scores, codes)

    def _with_atoms(self, scores, codes):
        """Scores within the range, and of atoms where codes are these."""
        ends = np.array([own.z[[0, -1]] for own in self.scales], scores.dtype).T
        scores = scores.clip(ends[0], ends[1])
        for j, code in zip(self.atomic, codes.T):
            rows = np.flatnonzero(code < self.n_atoms[j])
            scores[rows, j] = self._marks[j][code[rows].astype(np.intp)]
        return scores

    def _atoms(self, x, j):
        """Inputs of the atoms of column j."""
        return x[:, self._first[j] : self._first[j] + self.n_atoms[j]]

    def _phases(self, j):
        """Inputs of the phases of column j, a slice."""
        first = self._first[j] + self.n_atoms[j] + 2
        return slice(first, first + 2 * self.n_waves[j])

    def _rest(self, out, x):
        """Probabilities of values that are no atoms; those of atoms are put into x."""
        rest = np.ones((len(out), len(self.scales)), out.dtype)
        if len(self.atomic):
            p = self.codes.expected(np.take(out, self._logits, axis=1))
            for j, own in zip(self.atomic, self.codes._parts(p)):
                self._atoms(x, j)[:] = own[:, :-1]
                rest[:, j] = own[:, -1]
        return rest

    def _split(self, v):
        """Codes of the columns with atoms, the last of all other values; and scores,
        NaN at an atom. Both are NaN where missing."""
        rows, atoms = self._hits(v)
        scores, codes = v.copy(), v[:, self.atomic]
        np.copyto(codes, self.n_atoms[self.atomic], "same_kind", where=codes == codes)
        codes[rows, self._slot[atoms]] = self._number[atoms]
        scores[rows, self._owner[atoms]] = np.nan
        return codes, scores

    def _hits(self, v):
        """Rows in which a score is an atom's, and numbers of these among all atoms."""
        marks = self._all_marks
        gaps = np.abs(v[:, self._owner] - marks)
        return (gaps <= self.scales[0].tolerance(marks, v.dtype)).nonzero()


def _ranges(first, size):
    """Positions of as many entries as ``size`` says from each first one on."""
    before = np.repeat(np.cumsum(size) - size, size)
    return np.repeat(first, size) + np.arange(size.sum()) - before


def expectations(shape, knots, values, log_weight, mean, log_scale):
    r"""Means, (n_rows,), of functions of a score that has a mixture density.

    .. math:: \mathbb{E}[f(z)] = f_0 + \sum_i \frac{f_{i+1} - f_i}{z_{i+1} - z_i}
        \bigl(h(z_i) - h(z_{i+1})\bigr), \qquad h(a) = \mathbb{E}[(z - a)_+]

    for functions that are linear between knots, where they have values, and constant
    beyond. Parts of the mixture have shape (n_rows, n_components).
    """
    found, weight = [], np.exp(log_weight)
    for z, f in zip(knots, values):
        over, _, scale = _beyond(shape, z, mean, log_scale)
        means = f[0] - np.diff(scale * over, axis=-1) @ (np.diff(f) / np.diff(z))
        found.append((weight * means).sum(axis=-1))
    return found


def expectations_grad(shape, knots, values, log_weight, mean, log_scale, grads):
    """Gradients by logits of weights, means and log scales, given those by each of
    :func:`expectations`."""
    weight, found = np.exp(log_weight), np.zeros((3, *mean.shape))
    for z, f, grad in zip(knots, values, grads):
        over, above, scale = _beyond(shape, z, mean, log_scale)
        t, slope = (z - mean[..., None]) / scale, np.diff(f) / np.diff(z)
        means = f[0] - np.diff(scale * over, axis=-1) @ slope
        total = (weight * means).sum(axis=-1, keepdims=True)
        by = means - total, -np.diff(above, axis=-1) @ slope
        by = *by, -np.diff(scale * (over + t * above), axis=-1) @ slope
        found += grad[:, None] * weight * np.stack(by)
    return found


def _beyond(shape, z, mean, log_scale):
    """Means of what exceeds knots, over scales, probabilities to exceed them, and these
    scales."""
    scale = np.exp(log_scale)[..., None]
    t = (z - mean[..., None]) / scale
    if shape == "gaussian":
        above = ndtr(-t)
        return np.exp(-0.5 * t**2) / _ROOT - t * above, above, scale
    half = 0.5 * np.exp(-np.abs(t))
    return half + np.maximum(-t, 0), np.where(t > 0, half, 1 - half), scale


def _functions(own):
    """Knots, and values there, of a score within its range and in standard units."""
    ends = own.z[[0, -1]]
    return (ends, own.z), (ends, own.standard(own.x))


def _phases(shape, own, log_weight, mean, log_scale, grad=None):
    r"""Means of the cosines and sines of a score's phases, (n_rows, 2 * n_waves).

    .. math:: \mathbb{E}[e^{i \omega x(z)}] \approx \sum_k \pi_k \sum_m w_m \,
        e^{i \omega x(z_{km})} \, \varphi(\omega x'(z_{km}) \rho s_k), \qquad
        z_{km} = \mu_k + s_k t_m

    Each component is a mixture of narrower ones, of scale :math:`\rho s_k`, around few
    nodes, and the value x(z) is linear in each of these; :math:`\varphi` is their
    characteristic function. Also gradients by logits of weights, means and log scales,
    as of :func:`expectations_grad`, given that by these.
    """
    (nodes, share), omega = _NODES[shape], 2 * np.pi / own.waves
    scale = np.exp(log_scale)[..., None]
    z = mean[..., None] + scale * nodes
    place = np.searchsorted(own.z, z, side="right").clip(1, len(own.z) - 1) - 1
    inside = (z > own.z[0]) & (z < own.z[-1])
    slope = np.where(inside, (np.diff(own.x) / np.diff(own.z))[place], 0.0)
    t = (slope * (_NARROW * scale))[..., None] * omega
    angle = np.interp(z, own.z, own.x)[..., None] * omega
    size = np.exp(-0.5 * t**2) if shape == "gaussian" else 1 / (1 + t**2)
    found = np.stack([size * np.cos(angle), size * np.sin(angle)], axis=-2)
    each = (share[:, None, None] * found).sum(axis=2)
    weight = np.exp(log_weight)[..., None, None]
    total = (weight * each).sum(axis=1)
    if grad is None:
        return total.reshape(len(total), -1), None
    grad = grad.reshape(len(total), 1, 2, -1)
    off = (grad * (each - total[:, None])).sum(axis=(2, 3))
    a, b = grad[:, :, None, 0], grad[:, :, None, 1]
    turn = slope * ((b * found[..., 0, :] - a * found[..., 1, :]) * omega).sum(axis=-1)
    # Derivative of the log of the characteristic function by that of the scale.
    log_slope = -(t**2) if shape == "gaussian" else -2 * t**2 * size
    damp = (a * found[..., 0, :] + b * found[..., 1, :]) * log_slope
    by_scale = damp.sum(axis=-1) + turn * nodes * scale
    parts = off, (share * turn).sum(axis=-1), (share * by_scale).sum(axis=-1)
    return total.reshape(len(total), -1), [weight[..., 0, 0] * part for part in parts]
