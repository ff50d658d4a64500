"""What changes while a layered Boltzmann machine learns."""

from typing import NamedTuple

from skdgm.energies import Params


class TrainState(NamedTuple):
    """What changes from update to update.

    Parameters
    ----------
    params : Params
    memory : tuple
        The optimiser's.
    chains : tuple
        The state of the Markov chains at the end of the last negative phase.
    offsets, activity, fast : tuple
        Of a centred gradient, of a sparse one, and of fast weights; or empty.
    swap_rates : tuple or ndarray
        Of parallel tempering, averaged over recent updates; or empty.
    base : tuple
        Own parameters of each block where tempering's chains are hottest; or empty.
    near : tuple
        Where chains ended that began at the last batch's rows, which is near these: no
        fitted model keeps it. Empty where chains persist.
    """

    params: Params
    memory: tuple
    chains: tuple
    offsets: tuple = ()
    activity: tuple = ()
    fast: tuple = ()
    swap_rates: tuple = ()
    base: tuple = ()
    near: tuple = ()


def formed(tree, form):
    """A tree with another form of the parameters that are in it."""
    if isinstance(tree, Params):
        return form(tree)
    if not isinstance(tree, tuple):
        return tree
    parts = [formed(branch, form) for branch in tree]
    return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)
