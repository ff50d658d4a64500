r"""Columns that are mixed with noise, and columns that are masked.

A masked column has no value until it is drawn [1]_. At time t, :math:`k = \lceil t n
\rceil` of the n columns of a row are masked, any k alike, and the others say how those
are distributed:

.. math:: -\log p(x) \le \frac1n \sum_{k=1}^n \mathbb{E} \left[ \frac{n}{k}
   \sum_{j \text{ masked}} -\log p_j(x_j \mid x_\text{seen}, y) \right]

It is equal if the distributions are exact and columns are drawn one by one [2]_. Real
columns y have noise beside, at the time (k - 1) / n at which one of k masked columns is
drawn, and a bound of their own, given what is not masked: the sum of both is a bound on
the log-likelihood of a row. That k is at least 1 while there is noise, so half of the
training rows have noise of another time, at which none may be masked: others may be
drawn given all of them.

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

# Components of the densities of masked columns of numbers, and of those with phases,
# such as dates, of which a season has a mode in each year; their least variance.
_COMPONENTS, _OF_WAVES, _FLOOR = 5, 30, 1e-4
# Columns of numbers have noise if they have at least so many steps.
_STEPS = 200


class Layout(NamedTuple):
    """Numbers of the columns that are mixed with noise and of those that are masked,
    and distributions of the latter and of all columns, each a MixedOutput, or None if
    no column is masked. With ``flips`` bits are flipped in place of being masked."""

    noisy: np.ndarray
    masked: np.ndarray
    output: MixedOutput = None
    whole: MixedOutput = None
    flips: bool = False

    @classmethod
    def of(cls, columns, asked, flips=False):
        """Layout of columns of some kinds, given the ``column_types`` of options."""
        n = len(columns.seen)
        if asked == "gaussian":
            return cls(np.arange(n), np.arange(0))
        kinds = getattr(columns, "kinds", np.full(n, asked))
        scales, gaps = (getattr(columns, name, None) for name in ("scales", "gaps"))
        gaps = np.zeros(n, bool) if gaps is None else gaps
        fine = [kinds[j] == "numeric" and _is_fine(scales[j]) for j in range(n)]
        noisy = ((kinds == "gaussian") | fine) & ~gaps
        found = MixedOutput(
            *(kinds, np.asarray(columns.sizes)),
            *(standard_mixture(_COMPONENTS, "gaussian", _FLOOR), scales or None, gaps),
            of_waves=standard_mixture(_OF_WAVES, "gaussian", _FLOOR),
        )
        if noisy.all():
            return cls(np.arange(n), np.arange(0))
        masked = np.flatnonzero(~noisy)
        return cls(np.flatnonzero(noisy), masked, found.take(masked), found, flips)

    @property
    def timed(self):
        """Whether the net sees the time; masks tell it without."""
        return self.flips or len(self.noisy) > 0

    @property
    def n_outputs(self):
        """Number of outputs of a net: a velocity for each column with noise, and those
        of the distributions of masked ones."""
        return len(self.noisy) + (self.output.n_outputs.sum() if self.output else 0)

    @property
    def n_beside(self):
        """Number of inputs of a net that represent masked columns: their values, and
        which have one."""
        return self.output.n_inputs.sum() + len(self.masked) if self.output else 0

    def start(self, share):
        """Outputs at which training begins, given the means of inputs of all columns:
        of masked columns those that reproduce the frequencies of values."""
        start = np.zeros(self.n_outputs)
        if self.output:
            own = places_of(self.masked, self.whole.n_outputs)
            start[len(self.noisy) :] = self.whole.start(share)[own]
        return start

    def split(self, v):
        """Rows of columns with noise, and of masked ones."""
        if not self.output:
            return v, v[:, :0]
        return v[:, self.noisy], v[:, self.masked]

    def joined(self, real, coded):
        """Rows of all columns."""
        if not self.output:
            return real
        found = np.empty((len(real), real.shape[1] + coded.shape[1]), real.dtype)
        found[:, self.noisy], found[:, self.masked] = real, coded
        return found

    def beside(self, coded, told=None):
        """Inputs that represent masked columns, NaN where masked, and classes, or
        None if there are neither."""
        parts = [] if told is None else [told]
        if self.output:
            seen = (~np.isnan(coded)).astype(coded.dtype)
            parts = [self.output.inputs(coded), seen, *parts]
        return np.concatenate(parts, axis=1) if len(parts) > 1 else (parts or [None])[0]


def _is_fine(scale):
    """Return whether a column of numbers has so many values that they may be mixed with
    noise. Phases, as of dates, are lost in noise."""
    if len(scale.atoms) or len(scale.waves):
        return False
    return not scale.step or scale.high - scale.low >= _STEPS * scale.step


class Turns:
    """The order in which the columns of rows, NaN where masked, get their values: at
    random, but those in ``events`` first, by column, to which their values belong, and
    then dates, whose phases others depend on; ``log_w`` is the log probability of
    events."""

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
        """Those of rows at an index array, without weights."""
        found = copy(self)
        found.n_unknown, found.rank = self.n_unknown[index], self.rank[index]
        found.log_w = np.zeros(len(index))
        return found

    def spent(self):
        """Log probabilities since the last call."""
        found, self.log_w = self.log_w, np.zeros(len(self.log_w))
        return found

    def due(self, coded, time):
        """Mask of entries that have no value yet, and get one before a time."""
        left = np.ceil(time * self.n_unknown - 1e-9)
        return np.isnan(coded) & (self.rank >= left[:, None])

    def drawn(self, out, due, index, rng):
        """Values of the rows at an index, given outputs of a net for these."""
        output = self.layout.output
        found = output.draw(out, rng)
        for j, event in self.events.items():
            rows = np.flatnonzero(due[:, j])
            if rows.size:
                own = out[rows][:, slots(output.n_outputs)[j]], event
                streams = rng.take(rows).fold(j)
                found[rows, j], mass = draw_within(output.single[j], *own, streams)
                self.log_w[index[rows]] += mass
        return found


def masked(coded, time, uniform, whole=False):
    """Rows of masked columns at times, (n_rows,): as they are seen, NaN where masked;
    the values that are masked, NaN elsewhere; and the weights of their losses. Nothing
    is masked of rows that are ``whole``, a mask."""
    seen, lost, factor = hide(coded, np.minimum(1 - time, 1 - 1e-9), uniform)
    if not np.any(whole):
        return seen, lost, factor
    seen[whole], lost[whole], factor[whole] = coded[whole], np.nan, 0
    return seen, lost, factor
