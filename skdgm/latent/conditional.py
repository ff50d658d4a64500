r"""Draws of rows under conditions on columns, from a model with latent units.

.. math:: z \sim p(z), \qquad w = \prod_{j \in C} p(x_j \in S_j \mid z)

Latent units are chosen by weight among many, then columns are drawn within their
conditions: every draw keeps to its conditions, and there are as many latent units as it
takes.
"""

import numpy as np

from skdgm.data import events_of
from skdgm.distributions import MixedOutput, draw_within, relative, slots
from skdgm.utils import addresses
from skdgm.utils.weighted import Weighted, effective, pooled

_DATA, _EVENT = addresses.LATENT_CONDITIONS
# Latent units at a time.
_PARTICLES = 4000


def conditioned(density, n_samples, conditions, names, rng):
    """Values of conditions, a dict by the ``names`` of columns, (n_columns,), NaN
    elsewhere; and rows drawn under them, (n_samples, n_columns)."""
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
        share = near(output, out, drawn, conditional)
        return Weighted(rows, log_w, effective(log_w), share)

    rows = pooled(draw, n_samples, rng, _PARTICLES, density.name)
    if layer is not None:
        return x, rows
    drawn, out = np.split(rows, [len(x)], axis=1)
    rest = output.draw(out, rng.fold(_DATA).rows(n_samples))
    return x, np.where(np.isnan(drawn), rest, drawn)


def weigh_linked(layer, params, raw, v, events, rng):
    """As :func:`weigh`, of columns that depend on previous ones: all are drawn.
    Returns the outputs given these, too."""
    holes = np.tile(v, (len(raw), 1)).astype(raw.dtype)
    filled, log_w = layer.fill(params, raw, holes, rng.fold(_EVENT), events)
    out = layer.outputs(params, raw, layer.output.inputs(filled))
    return log_w - layer.output.nll(out, holes, params.own), filled, out


def weigh(output, out, v, events, rng):
    """Log probability of the conditions under each row of outputs, (n_rows,), and
    draws, (n_rows, n_columns), NaN in columns without a condition.

    Conditions are values v, (n_columns,), NaN where there is none, and ``events`` of
    each column, or None; there is a stream for each row.
    """
    drawn = np.tile(v, (len(out), 1)).astype(out.dtype)
    log_w = output.log_p(out, drawn).sum(axis=1)
    for j, (event, place) in enumerate(zip(events, slots(output.n_outputs))):
        if event is not None:
            part, stream = out[:, place], rng.fold(_EVENT, j)
            drawn[:, j], mass = draw_within(output.single[j], part, event, stream)
            log_w += mass
    return log_w, drawn


def near(output, out, v, columns):
    """Share of rows of outputs near which each of some ``columns``, at values ``v``, is
    as probable as any value: the least of these columns."""
    places = slots(output.n_outputs)
    shares = (
        float(relative(output.single[j], out[:, places[j]], v[:, [j]]).mean())
        for j in columns
    )
    return min(shares, default=1.0)


def alike(output):
    """The same distributions as MixedOutput, or None if there are none."""
    if isinstance(output, MixedOutput):
        return output
    if output.kind in ("bernoulli", "categorical"):
        n_columns = len(output.n_inputs)
        return MixedOutput(np.full(n_columns, output.kind), output.n_inputs, None)
    return None
