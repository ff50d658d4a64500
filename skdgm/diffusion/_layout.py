r"""Split of the columns into noisy columns and masked columns.

A masked column has no value until it is drawn [1]_. At time t, :math:`k = \lceil t n
\rceil` of the n columns of a row are masked, every subset of size k with the same
probability, and the net predicts them from the others:

.. math:: -\log p(x) \le \frac1n \sum_{k=1}^n \mathbb{E} \left[ \frac{n}{k}
   \sum_{j \text{ masked}} -\log p_j(x_j \mid x_\text{seen}, y) \right]

The bound is tight if the distributions are exact and columns are drawn one by one [2]_.
The noisy columns y have the noise of time (k - 1) / n, at which one of k masked columns
is drawn. They have a separate bound, conditional on the unmasked columns, and the
sum of the two bounds is a bound for the row. Half of the training rows have noise of an
independent time, at which possibly no column is masked. The sampler can then draw real
columns conditional on all other columns.

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
    column_slices,
    draw_within,
    places_of,
    standard_mixture,
)

# Mixture components for masked numeric columns; for periodic columns such as dates,
# with a mode in each year; least variance of a component.
_COMPONENTS, _OF_WAVES, _FLOOR = 5, 30, 1e-4
# Numeric columns with at least this many possible values are noisy.
_STEPS = 200


class ColumnLayout(NamedTuple):
    """Indices of the ``noisy`` and ``masked`` columns, and output distributions of the
    masked columns (``output``) and of all columns (``whole``), each a MixedOutput, or
    None without masked columns. With ``flips``, bits are flipped instead of masked."""

    noisy: np.ndarray
    masked: np.ndarray
    output: MixedOutput = None
    whole: MixedOutput = None
    flips: bool = False

    @classmethod
    def of(cls, columns, column_types, flips=False):
        """Layout by the types of ``columns``, or by the option ``column_types`` if they
        have no types."""
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
        """True if the net needs the time as an input; otherwise the number of masks
        shows it."""
        return self.flips or len(self.noisy) > 0

    @property
    def n_outputs(self):
        """Number of outputs of the net: velocities of noisy columns, then parameters of
        the distributions of masked columns."""
        return len(self.noisy) + (self.output.n_outputs.sum() if self.output else 0)

    @property
    def n_value_inputs(self):
        """Number of inputs of the net for the values of masked columns."""
        return self.output.n_inputs.sum() if self.output else 0

    @property
    def n_masked_inputs(self):
        """Number of inputs of the net for masked columns: values, and indicators of
        observed values."""
        return self.n_value_inputs + len(self.masked)

    def start(self, share):
        """Initial biases of the outputs, given the mean inputs of all columns: they
        reproduce the marginal frequencies of masked columns."""
        start = np.zeros(self.n_outputs)
        if self.output:
            places = places_of(self.masked, self.whole.n_outputs)
            start[len(self.noisy) :] = self.whole.start(share)[places]
        return start

    def split(self, v):
        """Noisy columns and masked columns of rows v."""
        if not self.output:
            return v, v[:, :0]
        return v[:, self.noisy], v[:, self.masked]

    def joined(self, real, categories):
        """Rows made of noisy columns ``real`` and masked columns ``categories``."""
        if not self.output:
            return real
        v = np.empty((len(real), real.shape[1] + categories.shape[1]), real.dtype)
        v[:, self.noisy], v[:, self.masked] = real, categories
        return v

    def mean(self, draws):
        """Mean of draws of rows. A masked column gets the value for the mean of its
        inputs to the net, such as the most frequent category."""
        if len(draws) == 1:
            return draws[0]
        mean = sum(draws) / len(draws)
        if self.output:
            inputs = sum(self.output.inputs(self.split(v)[1]) for v in draws)
            mean[:, self.masked] = self.output.value(inputs / len(draws))
        return mean

    def extra_inputs(self, categories, covariates=None):
        """Inputs of the net for masked columns, NaN where masked, and for covariates;
        None without either."""
        if not self.output:
            return covariates
        seen = (~np.isnan(categories)).astype(categories.dtype)
        inputs = [self.output.inputs(categories), seen]
        inputs += [] if covariates is None else [covariates]
        return np.concatenate(inputs, axis=1)


def _is_fine(scale):
    """Return True for numbers that are fine-grained enough for noise and not periodic;
    noise would hide the phase of a date."""
    if len(scale.atoms) or len(scale.waves):
        return False
    return not scale.step or scale.high - scale.low >= _STEPS * scale.step


class UnmaskingOrder:
    """Random order in which masked entries, NaN in ``categories``, get their values.
    Columns with ``events``, a dict from columns to allowed values, come first, then
    dates, since other columns depend on their phases, then the other columns at random.
    ``log_w`` accumulates the log-probabilities of the events."""

    def __init__(self, layout, categories, rng, events=()):
        self.layout, self.events = layout, dict(events)
        self.log_w = np.zeros(len(categories))
        noise = (
            rng.uniform(categories.shape[1])
            if categories.size
            else np.zeros(categories.shape)
        )
        if layout.output:
            noise[:, layout.output.date_columns] += 1
        for j in self.events:
            noise[:, j] += 2
        unknown = np.isnan(categories)
        place = np.argsort(np.argsort(np.where(unknown, noise, -1.0), axis=1), axis=1)
        self.n_unknown = unknown.sum(axis=1)
        self.rank = place - (categories.shape[1] - self.n_unknown)[:, None]

    def take(self, index):
        """Order of the rows at an index array, with zero log-weights."""
        order = copy(self)
        order.n_unknown, order.rank = self.n_unknown[index], self.rank[index]
        order.log_w = np.zeros(len(index))
        return order

    def spent(self):
        """Return ``log_w`` and reset it to zero."""
        log_w, self.log_w = self.log_w, np.zeros(len(self.log_w))
        return log_w

    def due(self, categories, time):
        """Mask of the entries that get a value by ``time``."""
        n_left = np.ceil(time * self.n_unknown - 1e-9)
        return np.isnan(categories) & (self.rank >= n_left[:, None])

    def shown(self, categories, time, outputs, rng):
        """Masked columns after draws for the entries that are due at a ``time``;
        ``outputs(rows)`` evaluates the net for the rows at an index."""
        due = self.due(categories, time)
        rows = np.flatnonzero(due.any(axis=1))
        if not rows.size:
            return categories
        drawn = self.drawn(outputs(rows), due[rows], rows, rng.take(rows))
        shown = categories.copy()
        shown[rows] = np.where(due[rows], drawn, categories[rows])
        return shown

    def drawn(self, out, due, index, rng):
        """Draw masked columns for the rows at ``index``, given outputs of the net."""
        output = self.layout.output
        categories = output.draw(out, rng)
        for j, event in self.events.items():
            rows = np.flatnonzero(due[:, j])
            if rows.size:
                out_j = out[rows][:, column_slices(output.n_outputs)[j]]
                noise = rng.take(rows).fold(j)
                categories[rows, j], mass = draw_within(
                    output.single[j], out_j, event, noise
                )
                self.log_w[index[rows]] += mass
        return categories


def masked(categories, time, uniform, whole=False):
    """Mask columns of rows at times, (n_rows,). Returns the observed values, NaN where
    masked; the values under the masks, NaN elsewhere; and the weight of each row's
    loss. Rows in ``whole`` keep all values."""
    seen, lost, factor = hide(categories, np.minimum(1 - time, 1 - 1e-9), uniform)
    if not np.any(whole):
        return seen, lost, factor
    seen[whole], lost[whole], factor[whole] = categories[whole], np.nan, 0
    return seen, lost, factor
