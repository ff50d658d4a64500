r"""Columns that are mixed with noise, and columns that are masked.

A masked column has no value until it is drawn [1]_. At time t, :math:`k = \lceil t n
\rceil` of the n columns of a row are masked, with any k equally likely, and are
predicted from the others:

.. math:: -\log p(x) \le \frac1n \sum_{k=1}^n \mathbb{E} \left[ \frac{n}{k}
   \sum_{j \text{ masked}} -\log p_j(x_j \mid x_\text{seen}, y) \right]

It is equal if the distributions are exact and columns are drawn one by one [2]_. Real
columns y have the noise of time (k - 1) / n, at which one of k masked columns is drawn,
and their own bound, conditional on columns that are not masked: the sum of both bounds
the log-likelihood of a row. As k is at least 1 while there is noise, half of the
training rows have the noise of an independent time, at which none may be masked: real
columns may then be drawn conditional on all masked ones.

References
----------
.. [1] Austin, Johnson, Ho, Tarlow and van den Berg (2021). Structured denoising
   diffusion models in discrete state-spaces. NeurIPS.
.. [2] Hoogeboom, Gritsenko, Bastings, Poole, van den Berg and Salimans (2022).
   Autoregressive diffusion models. ICLR.
"""

from copy import copy
from typing import NamedTuple

import numpy as np

from skdgm.autoregressive.splits import hide
from skdgm.distributions import (
    MixedOutput,
    draw_within,
    places_of,
    slots,
    standard_mixture,
)

# Components of the densities of masked columns of numbers, and of columns with phases,
# such as dates, whose seasons are a mode in each year; their least variance.
_COMPONENTS, _OF_WAVES, _FLOOR = 5, 30, 1e-4
# Steps of a column of numbers from which on it has noise.
_STEPS = 200


class ColumnLayout(NamedTuple):
    """Numbers of the columns that are mixed with noise and of masked columns, and
    distributions of masked columns and of all, each a MixedOutput, or None if no column
    is masked. With ``flips`` bits are flipped instead of masked."""

    noisy: np.ndarray
    masked: np.ndarray
    output: MixedOutput = None
    whole: MixedOutput = None
    flips: bool = False

    @classmethod
    def of(cls, columns, column_types, flips=False):
        """Layout of columns, whose kinds they have, or ``column_types`` of options."""
        n = len(columns.seen)
        if column_types == "gaussian":
            return cls(np.arange(n), np.arange(0))
        kinds = getattr(columns, "kinds", np.full(n, column_types))
        scales, gaps = (getattr(columns, name, None) for name in ("scales", "gaps"))
        gaps = np.zeros(n, bool) if gaps is None else gaps
        fine = [kinds[j] == "numeric" and _is_fine(scales[j]) for j in range(n)]
        noisy = ((kinds == "gaussian") | fine) & ~gaps
        if noisy.all():
            return cls(np.arange(n), np.arange(0))
        whole = MixedOutput(
            kinds,
            np.asarray(columns.sizes),
            standard_mixture(_COMPONENTS, "gaussian", _FLOOR),
            scales=scales or None,
            gapped=gaps,
            of_waves=standard_mixture(_OF_WAVES, "gaussian", _FLOOR),
        )
        masked = np.flatnonzero(~noisy)
        return cls(np.flatnonzero(noisy), masked, whole.take(masked), whole, flips)

    @property
    def timed(self):
        """True if the net sees the time, which the number of masks shows otherwise."""
        return self.flips or len(self.noisy) > 0

    @property
    def n_outputs(self):
        """Number of outputs of a net: velocities of columns with noise, and parameters
        of the distributions of masked ones."""
        return len(self.noisy) + (self.output.n_outputs.sum() if self.output else 0)

    @property
    def n_value_inputs(self):
        """Number of inputs of a net that represent the values of masked columns."""
        return self.output.n_inputs.sum() if self.output else 0

    @property
    def n_masked_inputs(self):
        """Number of inputs of a net that represent masked columns: their values, and
        which of them have one."""
        return self.n_value_inputs + len(self.masked)

    def start(self, share):
        """Outputs at which training begins, given the means of inputs of all columns:
        they reproduce the frequencies of values of masked columns."""
        start = np.zeros(self.n_outputs)
        if self.output:
            places = places_of(self.masked, self.whole.n_outputs)
            start[len(self.noisy) :] = self.whole.start(share)[places]
        return start

    def split(self, v):
        """Columns with noise, and masked columns, of rows."""
        if not self.output:
            return v, v[:, :0]
        return v[:, self.noisy], v[:, self.masked]

    def joined(self, real, coded):
        """Rows of all columns."""
        if not self.output:
            return real
        v = np.empty((len(real), real.shape[1] + coded.shape[1]), real.dtype)
        v[:, self.noisy], v[:, self.masked] = real, coded
        return v

    def extra_inputs(self, coded, covariates=None):
        """Inputs that represent masked columns, NaN where masked, then the covariates;
        None if there are neither."""
        if not self.output:
            return covariates
        seen = (~np.isnan(coded)).astype(coded.dtype)
        parts = [self.output.inputs(coded), seen]
        parts += [] if covariates is None else [covariates]
        return np.concatenate(parts, axis=1)


def _is_fine(scale):
    """Return whether a column of numbers has so many values that they may be mixed with
    noise, and no phases, as dates have, which noise would hide."""
    if len(scale.atoms) or len(scale.waves):
        return False
    return not scale.step or scale.high - scale.low >= _STEPS * scale.step


class Turns:
    """Order in which the columns of rows, NaN where masked, get their values: columns
    with ``events``, a dict, first, then dates, on whose phases others depend, then all
    others, at random. ``log_w`` is the log probability of events."""

    def __init__(self, layout, coded, rng, events=()):
        self.layout, self.events = layout, dict(events)
        self.log_w = np.zeros(len(coded))
        noise = rng.uniform(coded.shape[1]) if coded.size else np.zeros(coded.shape)
        if layout.output:
            noise[:, layout.output.waved] += 1
        for j in self.events:
            noise[:, j] += 2
        unknown = np.isnan(coded)
        place = np.argsort(np.argsort(np.where(unknown, noise, -1.0), axis=1), axis=1)
        self.n_unknown = unknown.sum(axis=1)
        self.rank = place - (coded.shape[1] - self.n_unknown)[:, None]

    def take(self, index):
        """Turns of rows at an index array, without weights."""
        turns = copy(self)
        turns.n_unknown, turns.rank = self.n_unknown[index], self.rank[index]
        turns.log_w = np.zeros(len(index))
        return turns

    def spent(self):
        """Log probabilities of events since the last call."""
        log_w, self.log_w = self.log_w, np.zeros(len(self.log_w))
        return log_w

    def due(self, coded, time):
        """Mask of entries that have no value yet, and get one before a time."""
        left = np.ceil(time * self.n_unknown - 1e-9)
        return np.isnan(coded) & (self.rank >= left[:, None])

    def shown(self, coded, turn, outputs, rng):
        """Masked columns, with draws for entries whose ``turn``, a time, has come, by
        ``outputs(rows)`` of a net for the rows at an index."""
        due = self.due(coded, turn)
        rows = np.flatnonzero(due.any(axis=1))
        if not rows.size:
            return coded
        drawn = self.drawn(outputs(rows), due[rows], rows, rng.take(rows))
        shown = coded.copy()
        shown[rows] = np.where(due[rows], drawn, coded[rows])
        return shown

    def drawn(self, out, due, index, rng):
        """Values drawn for the rows at an index, given outputs of a net."""
        output = self.layout.output
        coded = output.draw(out, rng)
        for j, event in self.events.items():
            rows = np.flatnonzero(due[:, j])
            if rows.size:
                out_j = out[rows][:, slots(output.n_outputs)[j]]
                noise = rng.take(rows).fold(j)
                coded[rows, j], mass = draw_within(
                    output.single[j], out_j, event, noise
                )
                self.log_w[index[rows]] += mass
        return coded


def masked(coded, time, uniform, whole=False):
    """Masked columns of rows at times, (n_rows,): the seen values, NaN where masked;
    the masked values, NaN elsewhere; and weights of the losses of rows. Rows of the
    mask ``whole`` are not masked."""
    seen, lost, factor = hide(coded, np.minimum(1 - time, 1 - 1e-9), uniform)
    if not np.any(whole):
        return seen, lost, factor
    seen[whole], lost[whole], factor[whole] = coded[whole], np.nan, 0
    return seen, lost, factor
