"""Training state of layered Boltzmann machines, and rows of data as theirs."""

from typing import NamedTuple

import numpy as np

from skdgm.distributions import draw
from skdgm.energies import Params, plain
from skdgm.partition import LogPartition


class Beginning(NamedTuple):
    """Beginning of an objective: facts about its rows, and initial parameters.

    Parameters
    ----------
    fill : ndarray of shape (n_visible,)
        Values from which missing entries start.
    moments : tuple
        For each block the means (or moments) of the model without couplings, or None.
    filled : float
        Share of the data that is not 0.
    means : tuple, optional
        For each block the means (or moments) that its initial biases give, or None.
    initial : callable, optional
        ``initial(objective, params)`` returns parameters to start from, in place of
        small random weights.
    known : tuple, optional
        Kind of the visible units and statistics of their columns, for the loss; or the
        loss of independent columns.
    table : Table, optional
        Training rows.
    reach : dict, optional
        For blocks of real units the largest value of each; see
        :mod:`skdgm.data.reach`.
    layout : TableLayout, optional
        Blocks of the visible units of a table.
    """

    fill: np.ndarray
    moments: tuple
    filled: float
    means: tuple | None = None
    initial: object = None
    known: tuple | None = None
    table: object = None
    reach: dict | None = None
    layout: object = None


class TrainState(NamedTuple):
    """State that changes from update to update. ``chains`` has the states of the Markov
    chains at the end of the last negative phase, by block, first at the model's own
    temperature; ``offsets`` has those of the centred gradient, ``activity`` running
    means of hidden units for sparsity, both empty where they are not used; ``phase`` is
    the state of the gradient's own, see
    :class:`~skdgm.boltzmann.learning.phases.Phase`."""

    params: Params
    optimiser: tuple
    chains: tuple
    offsets: tuple = ()
    activity: tuple = ()
    phase: tuple = ()

    @property
    def n_levels(self):
        """Number of temperatures of the chains."""
        return 1 + len(getattr(self.phase, "swap_rates", ()))

    def kept(self):
        """State in plain arrays, as a fitted model keeps it."""
        chains = tuple(map(np.asarray, self.chains))
        return formed(self, plain)._replace(chains=chains)

    def attributes(self):
        """Fitted attributes of a kept state, except those of the parameters; and the
        chains at the model's own temperature."""
        attributes = getattr(self.phase, "attributes", dict)()
        attributes |= {"_training": self[1:], "_log_partition": LogPartition({})}
        n_chains = len(self.chains[0]) // self.n_levels
        return attributes, tuple(part[:n_chains] for part in self.chains)


def formed(tree, form):
    """Convert all :class:`~skdgm.energies.Params` of nested tuples by a function."""
    if isinstance(tree, Params):
        return form(tree)
    if not isinstance(tree, tuple):
        return tree
    parts = [formed(branch, form) for branch in tree]
    return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)


def present(v, fill, n_blocks, rng=None):
    """Clamp a machine to rows, with NaN where missing. Missing entries start from
    ``fill``, an array or a function that returns it. Given a stream, grey values are
    probabilities, from which bits are drawn. Returns for each block its values, or
    None; and True, a boolean array or None where all, some or none of these are
    clamped."""
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
    """One-hot entries of the categories of a block for codes, NaN where missing."""
    categories = np.arange(unit.size) - np.repeat(unit.starts, unit.widths)
    codes = np.repeat(codes, unit.widths, axis=1)
    return np.where(np.isnan(codes), codes, (codes == categories).astype(codes.dtype))
