r"""Draws of rows under conditions on columns, from a model with latent units.

.. math:: z \sim p(z), \qquad w = \prod_{j \in C} p(x_j \in S_j \mid z)

Latent units are chosen by weight among many, then columns are drawn within their
conditions: every draw keeps to these, however rare they are.
"""

import numpy as np

from skdgm.distributions import MixedOutput, draw_within, slots

_EVENT, _CHOICE, _REST = range(200, 203)


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
