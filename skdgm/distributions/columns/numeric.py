r"""Columns of numbers with atoms, which have probabilities, and a density elsewhere.

.. math:: p(x) = \begin{cases} \pi_a & x = a \\
    \pi_0 \, p(z(x)) \, \mathrm{d} z / \mathrm{d} x & \text{else} \end{cases}

Atoms a are values that many rows share, such as 0 in a column of amounts. All other
values have a mixture density of their scores z(x). In this module values are scores,
and densities are those of z.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.polynomial.laguerre import laggauss
from scipy.special import ndtr

from skdgm.distributions.categorical import CategoricalOutput
from skdgm.distributions.columns.mixture import MixtureOutput
from skdgm.distributions.roles import Output, repeated

_ROOT = float(np.sqrt(2 * np.pi))
# A component is represented as a mixture of narrower components: their scale relative
# to the component, and the nodes at which they are centered, with their weights.
_NARROW = 0.4
_HERMITE, _LAGUERRE = hermegauss(9), laggauss(5)
_NODES = {
    "gaussian": (
        np.sqrt(1 - _NARROW**2) * _HERMITE[0],
        _HERMITE[1] / _HERMITE[1].sum(),
    ),
    # A Laplace number is a narrower one, plus another narrower one with a probability.
    "laplace": (
        np.concatenate([[0.0], _LAGUERRE[0], -_LAGUERRE[0]]),
        np.concatenate([[_NARROW**2], *[(1 - _NARROW**2) / 2 * _LAGUERRE[1]] * 2]),
    ),
}


class NumericOutput(Output):
    """Columns of scores with atoms, given logits and mixture parameters for each.

    A column has as inputs an indicator of each atom, the score (0 at an atom), the
    value in standard units, and cosines and sines of its phases, such as the time of
    the year. The mean of the value in standard units determines the mean of the value.
    Values outside the training range are clipped to it in inputs. The outputs of a
    column are logits of its atoms and of all other values, if there are atoms, followed
    by those of :class:`~skdgm.distributions.columns.mixture.MixtureOutput`.

    Each column has its Scores: ``forward`` and ``backward`` convert values to scores
    and back, ``standard`` and ``value`` convert values to standard units and back, and
    ``phases`` are those of values in ``waves``. ``atoms`` have the scores ``marks``,
    which are recognized within ``tolerance``. The knots ``x`` and ``z`` limit the range
    of draws, and ``ends`` that of the scores in inputs.
    """

    kind = "numeric"

    def __init__(self, scales, mixture):
        n_atoms = np.array([len(scale.atoms) for scale in scales], int)
        self.n_waves = np.array([len(scale.waves) for scale in scales], int)
        super().__init__(n_atoms + 2 + 2 * self.n_waves)
        self.scales, self.n_atoms = tuple(scales), n_atoms
        self.atomic = np.flatnonzero(n_atoms)
        self.codes = CategoricalOutput(n_atoms[self.atomic] + 1)
        self.values = MixtureOutput(np.ones(len(scales), int), mixture)
        n_logits = np.where(n_atoms > 0, n_atoms + 1, 0)
        self.n_outputs = n_logits + self.values.n_outputs
        starts = np.cumsum(self.n_outputs) - self.n_outputs
        self._logits, self._parts = (
            _ranges(starts, n_logits),
            _ranges(starts + n_logits, self.values.n_outputs),
        )
        self._first = np.cumsum(self.n_inputs) - self.n_inputs
        # Column of each atom, rank of this column among those with atoms, and number.
        self._owner = np.repeat(np.arange(len(scales)), n_atoms)
        self._slot = np.repeat(np.arange(len(self.atomic)), n_atoms[self.atomic])
        self._number = np.concatenate([*map(np.arange, n_atoms), np.zeros(0, int)])

    @cached_property
    def _marks(self):
        """Scores of the atoms of each column, float64."""
        return [scale.marks for scale in self.scales]

    @cached_property
    def _ends(self):
        """Minimum and maximum score of each column in inputs, (2, n_columns)."""
        return np.array([scale.ends for scale in self.scales]).reshape(-1, 2).T

    @cached_property
    def _all_marks(self):
        """Scores of the atoms of all columns, float64."""
        return np.concatenate([*self._marks, np.zeros(0)])

    def start(self, share):
        out = np.empty(self.n_outputs.sum())
        out[self._parts] = self.values.start(None)
        atom_shares = [self._atoms(share[None], j)[0] for j in self.atomic]
        all_shares = [np.append(p, max(1 - p.sum(), 1e-6)) for p in atom_shares]
        out[self._logits] = np.log(np.concatenate([*all_shares, np.zeros(0)]))
        return out

    def inputs(self, v, share=None):
        x = np.zeros((len(v), self.n_inputs.sum()), v.dtype)
        rows, atoms = self._hits(v)
        owner = self._owner[atoms]
        low, high = self._ends.astype(v.dtype)
        scores = np.where(np.isnan(v), 0, v).clip(low, high)
        scores[rows, owner] = 0
        score_places = self._first + self.n_atoms
        x[:, score_places] = scores
        for j, scale in enumerate(self.scales):
            value = np.interp(v[:, j], scale.z, scale.x)
            x[:, score_places[j] + 1] = scale.standard(value)
            if self.n_waves[j]:
                x[:, self._phases(j)] = scale.phases(value)
        x[rows, self._first[owner] + self._number[atoms]] = 1
        missing = np.repeat(np.isnan(v), self.n_inputs, axis=1)
        x[missing] = 0 if share is None else np.broadcast_to(share, x.shape)[missing]
        return x

    def value(self, inputs):
        """Scores from the inputs in standard units."""
        units = inputs[:, self._first + self.n_atoms + 1].astype(np.float64)
        columns = [
            scale.forward(scale.value(x)) for scale, x in zip(self.scales, units.T)
        ]
        return np.stack(columns, axis=1).astype(inputs.dtype)

    def nll_grad(self, out, v, weight, dispersion=()):
        codes, scores = self._split(repeated(v, out))
        grad = np.empty_like(out)
        out_part = np.take(out, self._parts, axis=1)
        grad[:, self._parts] = self.values.nll_grad(out_part, scores, weight)[0]
        if len(self.atomic):
            out_part = np.take(out, self._logits, axis=1)
            grad[:, self._logits] = self.codes.nll_grad(out_part, codes, weight)[0]
        return grad, ()

    def log_p(self, out, v, dispersion=()):
        codes, scores = self._split(repeated(v, out))
        log_p = self.values.log_p(np.take(out, self._parts, axis=1), scores)
        if len(self.atomic):
            logits = np.take(out, self._logits, axis=1)
            log_p[:, self.atomic] += self.codes.log_p(logits, codes)
        return log_p

    def expected(self, out):
        x = np.zeros((len(out), self.n_inputs.sum()), out.dtype)
        p_rest, parts = self._rest(out, x), self._facts(out)
        for j, scale in enumerate(self.scales):
            place = self._first[j] + self.n_atoms[j]
            shape, column_parts = self.values.mixture.shape, parts.column(j)
            means = expectations(shape, _functions(scale), column_parts)
            x[:, place] = p_rest[:, j] * means[0]
            from_atoms = self._atoms(x, j) @ scale.standard(scale.atoms)
            x[:, place + 1] = p_rest[:, j] * means[1] + from_atoms
            if self.n_waves[j]:
                mean = _phases(shape, scale, column_parts)
                from_atoms = self._atoms(x, j) @ scale.phases(scale.atoms)
                x[:, self._phases(j)] = p_rest[:, [j]] * mean[0] + from_atoms
        return x

    def expected_grad(self, out, grad):
        by_out, x = np.zeros_like(out), np.zeros(grad.shape, out.dtype)
        p_rest, parts = self._rest(out, x), self._facts(out)
        by_parts, by_p = [np.empty_like(a) for a in parts], []
        shape = self.values.mixture.shape
        for j, scale in enumerate(self.scales):
            place, column_parts = self._first[j] + self.n_atoms[j], parts.column(j)
            slopes, functions = (grad[:, place], grad[:, place + 1]), _functions(scale)
            means = expectations(shape, functions, column_parts)
            weights = [p_rest[:, j] * slope for slope in slopes]
            by_mixture = expectations_grad(shape, functions, column_parts, weights)
            for by, part in zip(by_parts, by_mixture):
                by[:, j] = part
            if self.n_waves[j]:
                by_waves = grad[:, self._phases(j)]
                weighted = p_rest[:, [j]] * by_waves
                mean, by_mixture = _phases(shape, scale, column_parts, weighted)
                for by, part in zip(by_parts, by_mixture):
                    by[:, j] += part
            if self.n_atoms[j]:
                by_atoms = self._atoms(grad, j)
                by_atoms = by_atoms + slopes[1][:, None] * scale.standard(scale.atoms)
                by_rest = sum(s * m for s, m in zip(slopes, means))
                if self.n_waves[j]:
                    by_atoms = by_atoms + by_waves @ scale.phases(scale.atoms).T
                    by_rest = by_rest + (by_waves * mean).sum(axis=1)
                by_p += [by_atoms, by_rest[:, None]]
        part = np.take(out, self._parts, axis=1)
        by_out[:, self._parts] = self.values.mixture.pulled(part, by_parts)
        if by_p:
            part, by = (
                np.take(out, self._logits, axis=1),
                np.concatenate(by_p, axis=1),
            )
            by = by.astype(out.dtype)
            by_out[:, self._logits] = self.codes.expected_grad(part, by)
        return by_out

    def _facts(self, out):
        """Log weights, means and log scales of the mixtures, float64."""
        parts = self.values.mixture.parts(np.take(out, self._parts, axis=1))
        return MixtureParts._make(a.astype(np.float64) for a in parts)

    def mode(self, out):
        """The most probable atom, if it is more probable than all other values
        together; else the center of the component with the highest peak."""
        scores = self.values.mode(np.take(out, self._parts, axis=1))
        codes = np.zeros((len(out), 0))
        if len(self.atomic):
            codes = self.codes.mode(np.take(out, self._logits, axis=1))
        return self._with_atoms(scores, codes)

    def draw(self, out, rng, dispersion=()):
        scores = self.values.draw(np.take(out, self._parts, axis=1), rng.fold(0))
        codes = np.zeros((len(out), 0))
        if len(self.atomic):
            codes = self.codes.draw(np.take(out, self._logits, axis=1), rng.fold(1))
        return self._with_atoms(scores, codes)

    def _with_atoms(self, scores, codes):
        """Scores clipped to the range, or those of atoms where ``codes`` are atoms."""
        ends = np.array([scale.z[[0, -1]] for scale in self.scales], scores.dtype).T
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
        """Probabilities of values other than atoms; writes those of atoms into x."""
        p_rest = np.ones((len(out), len(self.scales)), out.dtype)
        if len(self.atomic):
            p = self.codes.expected(np.take(out, self._logits, axis=1))
            for j, p_column in zip(self.atomic, self.codes.columns(p)):
                self._atoms(x, j)[:] = p_column[:, :-1]
                p_rest[:, j] = p_column[:, -1]
        return p_rest

    def _split(self, v):
        """Codes of the columns with atoms, whose last code is for all other values, and
        scores, NaN at an atom. Both are NaN where missing."""
        rows, atoms = self._hits(v)
        scores, codes = v.copy(), v[:, self.atomic]
        np.copyto(codes, self.n_atoms[self.atomic], "same_kind", where=codes == codes)
        codes[rows, self._slot[atoms]] = self._number[atoms]
        scores[rows, self._owner[atoms]] = np.nan
        return codes, scores

    def _hits(self, v):
        """Row of each score that equals an atom, and the number of the atom."""
        marks = self._all_marks
        gaps = np.abs(v[:, self._owner] - marks)
        return (gaps <= self.scales[0].tolerance(marks, v.dtype)).nonzero()


def _ranges(first, size):
    """Indices of ranges, each given by its first index and its size, concatenated."""
    range_starts = np.repeat(np.cumsum(size) - size, size)
    return np.repeat(first, size) + np.arange(size.sum()) - range_starts


class MixtureParts(NamedTuple):
    """Log weights, means and log scales of the components of mixtures, each (n_rows,
    n_columns, n_components), or of one column."""

    log_weight: np.ndarray
    mean: np.ndarray
    log_scale: np.ndarray

    def column(self, j):
        """Mixture of column j."""
        return self._make(part[:, j] for part in self)


def expectations(shape, functions, parts):
    r"""Means, (n_rows,), of functions of a score with a mixture density.

    .. math:: \mathbb{E}[f(z)] = f_0 + \sum_i \frac{f_{i+1} - f_i}{z_{i+1} - z_i}
        \bigl(h(z_i) - h(z_{i+1})\bigr), \qquad h(a) = \mathbb{E}[(z - a)_+]

    Each function is given by its values at knots, linear between knots and constant
    outside. The parameters of the mixture have shape (n_rows, n_components).
    """
    expected, weight = [], np.exp(parts.log_weight)
    for z, f in functions:
        excess, _, scale = _beyond(shape, z, parts)
        means = f[0] - np.diff(scale * excess, axis=-1) @ (np.diff(f) / np.diff(z))
        expected.append((weight * means).sum(axis=-1))
    return expected


def expectations_grad(shape, functions, parts, grads):
    """Gradients with respect to logits of weights, means and log scales, from the
    gradients with respect to :func:`expectations`."""
    weight, gradients = np.exp(parts.log_weight), np.zeros((3, *parts.mean.shape))
    for (z, f), grad in zip(functions, grads):
        excess, above, scale = _beyond(shape, z, parts)
        t, slope = (z - parts.mean[..., None]) / scale, np.diff(f) / np.diff(z)
        means = f[0] - np.diff(scale * excess, axis=-1) @ slope
        total = (weight * means).sum(axis=-1, keepdims=True)
        by = means - total, -np.diff(above, axis=-1) @ slope
        by = *by, -np.diff(scale * (excess + t * above), axis=-1) @ slope
        gradients += grad[:, None] * weight * np.stack(by)
    return gradients


def _beyond(shape, z, parts):
    """Mean excess over knots in units of scales, tail probability, and scales."""
    scale = np.exp(parts.log_scale)[..., None]
    t = (z - parts.mean[..., None]) / scale
    if shape == "gaussian":
        above = ndtr(-t)
        return np.exp(-0.5 * t**2) / _ROOT - t * above, above, scale
    half = 0.5 * np.exp(-np.abs(t))
    return half + np.maximum(-t, 0), np.where(t > 0, half, 1 - half), scale


def _functions(column_scale):
    """Knots and values at knots of two functions of a score: itself within its range,
    and the value in standard units."""
    ends = column_scale.z[[0, -1]]
    return (ends, ends), (column_scale.z, column_scale.standard(column_scale.x))


def _phases(shape, column_scale, parts, grad=None):
    r"""Mean cosines and sines of phases, (n_rows, 2 * n_waves), and a gradient.

    .. math:: \mathbb{E}[e^{i \omega x(z)}] \approx \sum_k \pi_k \sum_m w_m \,
        e^{i \omega x(z_{km})} \, \varphi(\omega x'(z_{km}) \rho s_k), \qquad
        z_{km} = \mu_k + s_k t_m

    Each component is a mixture of narrower components of scale :math:`\rho s_k` at a
    few nodes, and the value x(z) is treated as linear within each of them;
    :math:`\varphi` is their characteristic function. If ``grad`` is given, the second
    result is the gradients of :func:`expectations_grad`; else it is None.
    """
    log_weight, mean, log_scale = parts
    (nodes, share), omega = _NODES[shape], 2 * np.pi / column_scale.waves
    scale = np.exp(log_scale)[..., None]
    z = mean[..., None] + scale * nodes
    segment = (
        np.searchsorted(column_scale.z, z, side="right").clip(
            1, len(column_scale.z) - 1
        )
        - 1
    )
    inside = (z > column_scale.z[0]) & (z < column_scale.z[-1])
    slope = np.where(
        inside, (np.diff(column_scale.x) / np.diff(column_scale.z))[segment], 0.0
    )
    t = (slope * (_NARROW * scale))[..., None] * omega
    angle = np.interp(z, column_scale.z, column_scale.x)[..., None] * omega
    size = np.exp(-0.5 * t**2) if shape == "gaussian" else 1 / (1 + t**2)
    waves = np.stack([size * np.cos(angle), size * np.sin(angle)], axis=-2)
    each = (share[:, None, None] * waves).sum(axis=2)
    weight = np.exp(log_weight)[..., None, None]
    total = (weight * each).sum(axis=1)
    if grad is None:
        return total.reshape(len(total), -1), None
    grad = grad.reshape(len(total), 1, 2, -1)
    by_logits = (grad * (each - total[:, None])).sum(axis=(2, 3))
    a, b = grad[:, :, None, 0], grad[:, :, None, 1]
    by_z = slope * ((b * waves[..., 0, :] - a * waves[..., 1, :]) * omega).sum(axis=-1)
    # Derivative of the log of the characteristic function by that of the scale.
    log_slope = -(t**2) if shape == "gaussian" else -2 * t**2 * size
    by_size = (a * waves[..., 0, :] + b * waves[..., 1, :]) * log_slope
    by_scale = by_size.sum(axis=-1) + by_z * nodes * scale
    parts = (by_logits, (share * by_z).sum(axis=-1), (share * by_scale).sum(axis=-1))
    return total.reshape(len(total), -1), [weight[..., 0, 0] * part for part in parts]
