r"""Draws of rows under conditions on columns, from a model with latent units.

.. math:: z \sim p(z), \qquad w = \prod_{j \in C} p(x_j \in S_j \mid z)

Latent units are chosen by weight among many, then columns are drawn within their
conditions: every draw keeps to these, however rare they are.
"""

import numpy as np

from skdgm.data import events_of
from skdgm.distributions import MixedOutput, draw_within, slots

_DATA, _PICK, _EVENT, _CHOICE = 102, 103, 200, 201
# Latent units for each row, the fewest, and those at a time.
_EACH, _FEWEST, _PARTICLES = 20, 4000, 4000


def conditioned(density, n_samples, conditions, names, rng):
    """Given values, and rows drawn under conditions.

    Parameters
    ----------
    density : LatentDensity
    n_samples : int
    conditions : dict
        By the ``names`` of columns.
    names : sequence
    rng : Stream

    Returns
    -------
    x : ndarray of shape (n_columns,)
        Values that conditions give, NaN elsewhere.
    v : ndarray of shape (n_samples, n_columns)
    """
    columns, output = density.columns, alike(density.output)
    if output is None:
        raise ValueError(
            f'{density.name} with column_types="gaussian" takes no conditions: fit '
            'with column_types="mixed", or draw missing entries by impute.'
        )
    kinds = getattr(columns, "kinds", output.kinds)
    x, given, events = events_of(columns, kinds, conditions, names, density.name)
    parts, size = [], max(_FEWEST, _EACH * n_samples)
    layer, params = density.hierarchy.data, density.net[0]
    for first in range(0, size, _PARTICLES):
        own = rng.fold(first).rows(min(_PARTICLES, size - first))
        out, own = density.outputs(own)
        if layer is None:
            parts.append((out, *weigh(output, out, given, events, own)))
        else:
            parts.append((out, *weigh_linked(layer, params, out, given, events, own)))
    out, log_w, drawn = (np.concatenate(part) for part in zip(*parts))
    chosen = choose(log_w, n_samples, rng.fold(_PICK).rows(1))
    out, drawn = out[chosen], drawn[chosen]
    if layer is None:
        rest = output.draw(out, rng.fold(_DATA).rows(n_samples))
        drawn = np.where(np.isnan(drawn), rest, drawn)
    return x, drawn


def weigh_linked(layer, params, raw, v, events, rng):
    """As :func:`weigh`, of columns that depend on those before them: all are drawn."""
    holes = np.tile(v, (len(raw), 1)).astype(raw.dtype)
    whole, log_w = layer.fill(params, raw, holes, rng.fold(_EVENT), events)
    out = layer.outputs(params, raw, layer.output.inputs(whole))
    return log_w - layer.output.nll(out, holes, params.own), whole


def weigh(output, out, v, events, rng):
    """Log probability of the conditions under each row of outputs, and draws.

    Parameters
    ----------
    output : MixedOutput
    out : ndarray of shape (n_rows, n_outputs)
    v : ndarray of shape (n_columns,)
        Given values, NaN where there is none.
    events : sequence of {Event, None}
        Of each column.
    rng : Stream
        One stream for each row.

    Returns
    -------
    log_w : ndarray of shape (n_rows,), float64
    drawn : ndarray of shape (n_rows, n_columns)
        NaN in columns without a condition.
    """
    drawn = np.tile(v, (len(out), 1)).astype(out.dtype)
    log_w = output.log_p(out, drawn).sum(axis=1)
    for j, (event, own) in enumerate(zip(events, slots(output.n_outputs))):
        if event is not None:
            part, stream = out[:, own], rng.fold(_EVENT, j)
            drawn[:, j], mass = draw_within(output.single[j], part, event, stream)
            log_w += mass
    return log_w, drawn


def choose(log_w, n, rng):
    """Numbers of ``n`` rows, by systematic draws from their weights."""
    w = np.exp(log_w - log_w.max())
    upto = np.cumsum(w) / w.sum()
    ticks = (np.arange(n) + rng.uniform(1)[0, 0]) / n
    chosen = np.searchsorted(upto, ticks, side="right").clip(max=len(w) - 1)
    order = np.argsort(rng.fold(_CHOICE).rows(n).uniform(1)[:, 0])
    return chosen[order]


def alike(output):
    """The same distributions as MixedOutput, or None if there are none."""
    if isinstance(output, MixedOutput):
        return output
    if output.kind in ("bernoulli", "categorical"):
        n_columns = len(output.n_inputs)
        return MixedOutput(np.full(n_columns, output.kind), output.n_inputs, None)
    return None
