r"""Draws of rows under conditions on columns, from a model with latent units.

.. math:: z \sim p(z), \qquad w = \prod_{j \in C} p(x_j \in S_j \mid z)

Latent units are resampled by weight from a pool, and columns are then drawn within
their conditions, so that every draw satisfies them.
"""

import numpy as np

from skdgm.data import events_of
from skdgm.distributions import (
    MixedOutput,
    column_slices,
    draw_within,
    relative_probability,
)
from skdgm.utils import addresses
from skdgm.utils.weighted import Weighted, effective_sample_size, pooled

_DATA, _EVENT = addresses.LATENT_CONDITIONS
# Number of latent draws at a time.
_PARTICLES = 4000


def conditioned(density, n_samples, conditions, names, rng):
    """Draw rows under ``conditions``, a dict by the ``names`` of columns. Returns the
    values of conditions, (n_columns,), NaN elsewhere, and rows, (n_samples, n_columns).
    """
    columns, output = density.columns, alike(density.output)
    if output is None:
        raise ValueError(
            f'{density.name} with column_types="gaussian" takes no conditions: fit '
            'with column_types="auto", or draw missing entries by impute.'
        )
    kinds = getattr(columns, "kinds", output.kinds)
    x, values, events = events_of(columns, kinds, conditions, names, density.name)
    layer, params = density.hierarchy.data, density.net.params
    conditional = [
        j for j, e in enumerate(events) if e is not None or not np.isnan(values[j])
    ]

    def draw(size, rng):
        streams = rng.rows(size)
        rows = out = density.outputs(streams)
        if layer is None:
            log_w, drawn = weigh(output, out, values, events, streams)
            rows = np.concatenate([drawn, out], axis=1)
        else:
            log_w, drawn, out = weigh_linked(
                layer, params, out, values, events, streams
            )
            rows = drawn
        share = plausibility(output, out, drawn, conditional)
        return Weighted(rows, log_w, effective_sample_size(log_w), share)

    rows = pooled(draw, n_samples, rng, _PARTICLES, density.name)
    if layer is not None:
        return x, rows
    drawn, out = np.split(rows, [len(x)], axis=1)
    unconditioned = output.draw(out, rng.fold(_DATA).rows(n_samples))
    return x, np.where(np.isnan(drawn), unconditioned, drawn)


def weigh_linked(layer, params, raw, v, events, rng):
    """As :func:`weigh`, for columns that depend on each other: all columns are drawn,
    and the outputs given their values are also returned."""
    v_rows = np.tile(v, (len(raw), 1)).astype(raw.dtype)
    filled, log_w = layer.fill(params, raw, v_rows, rng.fold(_EVENT), events)
    out = layer.outputs(params, raw, layer.output.inputs(filled))
    return log_w - layer.output.nll(out, v_rows, params.dispersion), filled, out


def weigh(output, out, v, events, rng):
    """Log-probability of the conditions under each row of outputs, (n_rows,), and
    draws, (n_rows, n_columns), NaN in columns without a condition. Conditions are
    values v, (n_columns,), NaN elsewhere, and an event, or None, for each column."""
    drawn = np.tile(v, (len(out), 1)).astype(out.dtype)
    log_w = output.log_p(out, drawn).sum(axis=1)
    for j, (event, place) in enumerate(zip(events, column_slices(output.n_outputs))):
        if event is not None:
            column_out, stream = out[:, place], rng.fold(_EVENT, j)
            drawn[:, j], mass = draw_within(output.single[j], column_out, event, stream)
            log_w += mass
    return log_w, drawn


def plausibility(output, out, v, columns):
    """Share of rows of outputs under which a column, at its value in ``v``, is as
    probable as any value; the smallest share among ``columns``."""
    places = column_slices(output.n_outputs)
    shares = (
        float(
            relative_probability(output.single[j], out[:, places[j]], v[:, [j]]).mean()
        )
        for j in columns
    )
    return min(shares, default=1.0)


def alike(output):
    """The same distributions as a MixedOutput, or None if there is no such form."""
    if isinstance(output, MixedOutput):
        return output
    if output.kind in ("bernoulli", "categorical"):
        n_columns = len(output.n_inputs)
        return MixedOutput(np.full(n_columns, output.kind), output.n_inputs, None)
    return None
