r"""Columns as differentiable functions of the outputs of a generator.

A generator's output for a column is mapped to inputs of a discriminator:

==============================  ====================================================
"gray", in [0, 1]               :math:`\sigma(o)`
"gaussian", a real number       :math:`o`
"bernoulli", a bit              :math:`[\sigma((o + \ell) / \tau) > \frac12]`
"categorical", "ordinal"        one-hot at :math:`\arg\max_k o_k + g_k`
"numeric", a score with atoms   one-hot among the atoms and "none", as a category, and
                                the score times the input of "none"
==============================  ====================================================

with logistic noise :math:`\ell` or Gumbel noise g. Bits and categories have the
probabilities :math:`\sigma(o)` and :math:`\operatorname{softmax}(o)`. Their gradient is
that of the relaxed draws

.. math:: \sigma((o + \ell) / \tau), \qquad \operatorname{softmax}((o + g) / \tau)

at a temperature :math:`\tau` [1]_ [2]_: a biased, straight-through gradient. Rare
categories may be merged for both nets; the category is then drawn by its frequency.

References
----------
.. [1] Jang, Gu and Poole (2017). Categorical reparameterization with Gumbel-softmax.
   ICLR.
.. [2] Maddison, Mnih and Teh (2017). The concrete distribution: a continuous relaxation
   of discrete random variables. ICLR.
"""

from typing import Any

import numpy as np
from autograd.extend import defvjp

from skdgm.distributions.columns.grouped import GroupedOutput
from skdgm.nets.tape import primitive
from skdgm.utils.math import sigmoid

# Types whose draws are one-hot among several inputs.
_CHOICES = "categorical", "ordinal"
# Smallest uniform number, and distance of the largest from 1, for noise.
_MIN_UNIFORM = 1e-7


class Emission:
    """Columns of a table as functions of the outputs of a generator.

    ``kinds`` are those of the table above, and ``sizes`` the numbers of categories or
    levels. ``scales`` has :class:`~skdgm.data.scales.Scores` for "numeric" columns,
    with scores of atoms ``marks``, their ``tolerance``, and sorted scores ``z`` whose
    ends are the range. For "categorical" columns with rare categories, it has
    :class:`~skdgm.data.rare.Groups`. ``share`` are the means of "gray" and "bernoulli"
    columns, which are the initial means of a generator. ``n_outputs`` and ``n_inputs``
    count the outputs of the generator and the inputs of the discriminator.
    """

    def __init__(self, kinds, sizes, scales=None, share=None):
        self.kinds = np.asarray(kinds)
        self.scales: tuple[Any, ...] = scales or (None,) * len(self.kinds)
        atoms = [
            len(scale.marks) if kind == "numeric" else 0
            for kind, scale in zip(self.kinds, self.scales)
        ]
        self.atoms = np.array(atoms, int)
        self.rare = np.flatnonzero([hasattr(scale, "units") for scale in self.scales])
        groups = [self.scales[j] for j in self.rare]
        self.grouped, sizes = GroupedOutput(groups), np.array(sizes)
        sizes[self.rare] = [group.size for group in groups]
        chosen = np.isin(self.kinds, _CHOICES)
        # Number of choices of each column, or 0.
        self.choice = np.where(chosen, sizes, np.where(self.atoms, self.atoms + 1, 0))
        self.width = self.choice + ~chosen
        self.first = np.cumsum(self.width) - self.width
        self.n_outputs = self.n_inputs = int(self.width.sum())
        self.share = share
        single = self.first + self.choice
        self.gray, self.bits = (
            single[self.kinds == kind] for kind in ("gray", "bernoulli")
        )
        # Inputs of the scores of columns with atoms, and of "none".
        self.scores = single[self.atoms > 0]
        self.none = self.scores - 1
        columns_of_choice, ends = np.flatnonzero(self.choice), self.first + self.choice
        # Inputs of the choices of each column.
        self.places = [slice(a, b) for a, b in zip(self.first.tolist(), ends.tolist())]
        self.sizes = self.choice[columns_of_choice]
        self.starts = np.cumsum(self.sizes) - self.sizes
        self.chosen = np.r_[
            tuple(self.places[j] for j in columns_of_choice) or np.zeros(0, int)
        ]

    @property
    def continuous(self):
        """Mask of the inputs that are real numbers, (n_inputs,)."""
        real = ~np.isin(self.kinds, ("bernoulli", *_CHOICES))
        last = self.first + self.choice
        return np.isin(np.arange(self.n_inputs), last[real])

    @property
    def is_random(self):
        """True if draws depend on noise in addition to the outputs."""
        return bool(len(self.bits) or len(self.chosen))

    def start(self, dtype):
        """Initial outputs: log odds of the means of bits, and 0."""
        out = np.zeros(self.n_outputs, dtype)
        if self.share is not None:
            which = np.isin(self.kinds, ("gray", "bernoulli"))
            p = np.clip(self.share[which], 1e-3, 1 - 1e-3)
            out[self.first[which]] = np.log(p / (1 - p))
        return out

    def noise(self, rng, n_rows, dtype):
        """Noise for :func:`emit`, (n_rows, n_bits + n_choices), by one stream for each
        row, or by one stream for all rows."""
        n_bits, n = len(self.bits), len(self.bits) + len(self.chosen)
        by_row = len(rng.ids) == n_rows
        uniform = rng.uniform(n) if by_row else rng.generator().random((n_rows, n))
        uniform = np.clip(uniform, _MIN_UNIFORM, 1 - _MIN_UNIFORM)
        noise = -np.log(-np.log(uniform))
        logistic = uniform[:, :n_bits]
        noise[:, :n_bits] = np.log(logistic) - np.log1p(-logistic)
        return noise.astype(dtype)

    def silence(self, n_rows, dtype):
        """Noise of zero, with which :func:`emit` returns the most probable values."""
        return np.zeros((n_rows, len(self.bits) + len(self.chosen)), dtype)

    def inputs(self, v):
        """Inputs of a discriminator, x, for values in units of the model, NaN if
        missing. Returns x, (n_rows, n_inputs), zero where missing, and ``known``, of
        the same shape, 1 for known and 0 for missing values, or None if all are
        known."""
        missing = np.isnan(v)
        v = np.where(missing, 0, v)
        if len(self.rare):
            v[:, self.rare] = self.grouped.units(v[:, self.rare])
        x = np.zeros((len(v), self.n_inputs), v.dtype)
        plain = self.choice == 0
        x[:, self.first[plain]] = v[:, plain]
        for j in np.flatnonzero(self.choice):
            span = self.places[j]
            if self.atoms[j]:
                code = self._atom(j, v[:, j])
                x[:, span.stop] = np.where(code == self.atoms[j], v[:, j], 0)
            else:
                code = np.rint(v[:, j]).astype(int)
            x[np.arange(len(v)), span.start + code] = 1
        if not missing.any():
            return x, None
        known = np.repeat(~missing, self.width, axis=1).astype(v.dtype)
        return x * known, known

    def _atom(self, j, v):
        """Index of the atom that equals each score, or the number of atoms."""
        marks = np.asarray(self.scales[j].marks)
        is_near = abs(v[:, None] - marks) <= self.scales[j].tolerance(marks, v.dtype)
        return np.where(is_near.any(axis=1), is_near.argmax(axis=1), len(marks))

    def values(self, x, rng=None):
        """Values in units of the model, (n_rows, n_columns), given the results of
        :func:`emit`. Rare categories are drawn by one stream for each row, or are the
        most probable without ``rng``."""
        v = np.empty((len(x), len(self.kinds)), x.dtype)
        plain = self.choice == 0
        v[:, plain] = x[:, self.first[plain]]
        for j in np.flatnonzero(self.choice):
            span = self.places[j]
            v[:, j] = code = x[:, span].argmax(axis=1)
            if self.atoms[j]:
                marks = np.append(self.scales[j].marks, 0).astype(x.dtype)
                free = code == self.atoms[j]
                v[:, j] = np.where(free, x[:, span.stop], marks[code])
        if rng is not None and len(self.rare):
            v[:, self.rare] = self.grouped.within(v[:, self.rare], rng)
        elif len(self.rare):
            places = np.concatenate([np.r_[self.places[j]] for j in self.rare])
            v[:, self.rare] = self.grouped.value(x[:, places])
        share = np.isin(self.kinds, ("gray", "bernoulli"))
        v[:, share] = v[:, share].clip(0, 1)
        for j in np.flatnonzero(self.kinds == "numeric"):
            low, high = self.scales[j].z[[0, -1]]
            v[:, j] = v[:, j].clip(low, high)
        return v

    def log_shares(self, v):
        """Log probability of rare categories given their groups, (n_rows,)."""
        if not len(self.rare):
            return np.zeros(len(v))
        return self.grouped.log_share(v[:, self.rare]).sum(axis=1)

    def softmax(self, z):
        """Softmax over the choices of each column, (n_rows, n_choices)."""
        high = np.maximum.reduceat(z, self.starts, axis=1)
        p = np.exp(z - np.repeat(high, self.sizes, axis=1))
        return p / np.repeat(np.add.reduceat(p, self.starts, axis=1), self.sizes, 1)

    def relaxed(self, out, noise, temperature):
        """Relaxed bits, and relaxed choices, which gradients pass through."""
        n_bits, z = len(self.bits), temperature
        bits = sigmoid((out[:, self.bits] + noise[:, :n_bits]) / z)
        if not len(self.chosen):
            return bits, np.zeros((len(out), 0), out.dtype)
        return bits, self.softmax((out[:, self.chosen] + noise[:, n_bits:]) / z)

    def hard(self, p):
        """One-hot vectors at the largest entry of each column's choices."""
        high = np.repeat(np.maximum.reduceat(p, self.starts, axis=1), self.sizes, 1)
        top = p >= high
        # Ties, which float32 may have, go to the first.
        rank = np.cumsum(top, axis=1)
        offset = np.repeat(rank[:, self.starts] - top[:, self.starts], self.sizes, 1)
        return (top & (rank - offset == 1)).astype(p.dtype)


@primitive
def emit(out, noise, emission, temperature):
    """Draw inputs of a discriminator, (n_rows, n_inputs), given outputs of a generator
    and noise of :meth:`Emission.noise`. The gradient, but not the values, is that of
    relaxed draws at a temperature."""
    x = out.copy()
    x[:, emission.gray] = sigmoid(out[:, emission.gray])
    if emission.is_random:
        bits, chosen = emission.relaxed(out, noise, out.dtype.type(temperature))
        x[:, emission.bits] = bits > 0.5
        x[:, emission.chosen] = emission.hard(chosen) if chosen.size else chosen
        x[:, emission.scores] *= x[:, emission.none]
    return x


def _emit_back(x, out, noise, emission, temperature):
    def backward(grad):
        back, scores, none = grad.copy(), emission.scores, emission.none
        gray = x[:, emission.gray]
        back[:, emission.gray] *= gray * (1 - gray)
        if not emission.is_random:
            return back
        tau = out.dtype.type(temperature)
        back[:, none] += grad[:, scores] * out[:, scores]
        back[:, scores] *= x[:, none]
        bits, p = emission.relaxed(out, noise, tau)
        back[:, emission.bits] *= bits * (1 - bits) / tau
        if len(emission.chosen):
            by_chosen = back[:, emission.chosen]
            mean = np.add.reduceat(by_chosen * p, emission.starts, axis=1)
            gap = by_chosen - np.repeat(mean, emission.sizes, axis=1)
            back[:, emission.chosen] = p * gap / tau
        return back

    return backward


defvjp(emit, _emit_back, None, None, None)
