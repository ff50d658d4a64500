"""Training state of layered Boltzmann machines, and rows of data as theirs."""

from typing import NamedTuple

import numpy as np

from skdgm.distributions import draw
from skdgm.energies import Params

_DENSITY_ROWS = 1000


class TrainState(NamedTuple):
    """State that changes from update to update.

    Parameters
    ----------
    params : Params
    optimiser : tuple
        Optimiser state.
    chains : tuple
        States of the Markov chains at the end of the last negative phase, by block.
    offsets, activity, fast : tuple
        Offsets of the centred gradient, running means of hidden units for sparsity, and
        fast weights; empty where they are not used.
    swap_rates : tuple or ndarray
        Swap rates of parallel tempering, averaged over recent updates; or empty.
    base : tuple
        Parameters of each block at the highest temperature of tempering; or empty.
    noise : tuple
        Of noise-contrastive estimation, log Z as it learns it, of shape (1,), and the
        means of the noise; or empty.
    near : tuple
        Final states of chains that started at the rows of the last batch, and so are
        close to these; empty where chains persist. Fitted models do not keep them.
    """

    params: Params
    optimiser: tuple
    chains: tuple
    offsets: tuple = ()
    activity: tuple = ()
    fast: tuple = ()
    swap_rates: tuple = ()
    base: tuple = ()
    noise: tuple = ()
    near: tuple = ()


def formed(tree, form):
    """Convert all parameters in a tree.

    Parameters
    ----------
    tree : object
        Nested tuples with :class:`~skdgm.energies.Params` among them.
    form : callable
        ``form(params)`` returns the converted parameters.

    Returns
    -------
    tree : object
        The same tree otherwise.
    """
    if isinstance(tree, Params):
        return form(tree)
    if not isinstance(tree, tuple):
        return tree
    parts = [formed(branch, form) for branch in tree]
    return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)


def present(v, fill, n_blocks, rng=None):
    """Clamp a machine to data.

    Parameters
    ----------
    v : {ndarray, Lists} of shape (n_rows, n_visible)
        NaN where missing; lists have no missing entries.
    fill : ndarray of shape (n_visible,), or callable
        Values from which missing entries start, or a function that returns them.
    n_blocks : int
        Number of blocks of the machine.
    rng : Stream, optional
        If given, grey values are probabilities, from which bits are drawn.

    Returns
    -------
    x, clamp : tuple
        For each block its values, or None; and True, a boolean array or None where all,
        some or none of these are clamped.
    """
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


def density(table):
    """Share of nonzero values in at most 1,000 rows, chosen by their content."""
    v = table.rows.take(table.index[:_DENSITY_ROWS])
    return np.count_nonzero(v) / v.size
