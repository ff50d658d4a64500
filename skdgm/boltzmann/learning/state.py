"""Training state of Boltzmann machines, and rows of data as values of their blocks."""

from typing import Any, NamedTuple

import numpy as np

from skdgm.distributions import draw
from skdgm.energies import Params, plain
from skdgm.partition import LogPartition


class InitialData(NamedTuple):
    """Statistics of the rows of an objective, and initial parameters."""

    # Initial values of missing entries, (n_visible,).
    missing_values: np.ndarray
    # Means (or moments) of each block in the model without couplings, or None.
    moments: tuple
    # Share of nonzero entries.
    nonzero_share: float
    # Means (or moments) of each block under its initial biases, or None.
    means: tuple | None = None
    # ``initialize(objective, params)`` turns random parameters into initial parameters.
    initialize: object = None
    # Type of the visible units and statistics of columns, or the independent loss.
    known: tuple | None = None
    # Training rows.
    table: object = None
    # Largest magnitudes of the columns of blocks of real units; see skdgm.data.reach.
    max_magnitudes: dict | None = None
    # Blocks of the visible units of a table.
    layout: object = None


class TrainState(NamedTuple):
    """State that changes with each update. ``chains`` are the last states of the Markov
    chains for each block, beginning with those at the model's own temperature.
    ``offsets`` of the centered gradient and ``activity``, the running means of hidden
    units for sparsity, are empty if they are not used. ``phase`` is the state of a
    :class:`~skdgm.boltzmann.learning.phases.Phase`."""

    params: Params
    optimizer: tuple
    chains: tuple
    offsets: tuple = ()
    activity: tuple = ()
    phase: tuple = ()

    @classmethod
    def of(cls, params, attributes):
        """State of a fitted model, the inverse of :meth:`attributes`."""
        return cls._make((params, *attributes["_training"]))

    @property
    def n_levels(self):
        """Number of temperatures of the chains."""
        return 1 + len(getattr(self.phase, "swap_rates", ()))

    def kept(self):
        """State as plain arrays, for fitted models."""
        chains = tuple(map(np.asarray, self.chains))
        state: Any = map_params(self, plain)
        return state._replace(chains=chains)

    def attributes(self):
        """Fitted attributes of a plain state, except those of the parameters, and the
        chains at the model's own temperature."""
        attributes = getattr(self.phase, "attributes", dict)()
        attributes |= {"_training": self[1:], "_log_partition": LogPartition({})}
        n_chains = len(self.chains[0]) // self.n_levels
        return attributes, tuple(states[:n_chains] for states in self.chains)


def map_params(tree, form):
    """Apply a function to all :class:`~skdgm.energies.Params` in nested tuples."""
    if isinstance(tree, Params):
        return form(tree)
    if not isinstance(tree, tuple):
        return tree
    parts = [map_params(branch, form) for branch in tree]
    kind: Any = type(tree)
    return kind._make(parts) if hasattr(tree, "_make") else tuple(parts)


def clamp_rows(v, fill, n_blocks, rng=None):
    """Clamp a machine to rows, with NaN where missing. Missing entries start from
    ``fill``, an array or a function that returns one. With a stream ``rng``, bits are
    drawn from gray values. Returns the values of each block, or None, and its clamp:
    True, a boolean array or None."""
    clamped = True
    if isinstance(v, np.ndarray):
        missing = np.isnan(v)
        if missing.any():
            fill = fill() if callable(fill) else fill
            v, clamped = np.where(missing, fill.astype(v.dtype), v), ~missing
    if rng is not None:
        bits = draw(np.asarray(v), rng.rows(len(v)))
        v = bits if clamped is True else np.where(clamped, bits, v)
    hidden = (None,) * (n_blocks - 1)
    return (v, *hidden), (clamped, *hidden)


def one_hot_rows(unit, codes):
    """One-hot entries of the categories of a block, given codes; NaN where codes are
    missing."""
    categories = np.arange(unit.size) - np.repeat(unit.starts, unit.widths)
    codes = np.repeat(codes, unit.widths, axis=1)
    return np.where(np.isnan(codes), codes, (codes == categories).astype(codes.dtype))
