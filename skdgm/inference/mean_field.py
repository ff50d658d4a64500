r"""Mean-field inference, given clamped blocks.

The factorial Q(x) that is nearest to p(x | clamped entries) maximises the bound

.. math:: \mathcal{L}(Q) = \mathbb{E}_Q[-E(x)] + H(Q) \le \log \sum_x e^{-E(x)}

where the sum runs over the free entries. Setting its derivative to zero gives each
block's mean as a function of its neighbours' means: the sweep of Gibbs sampling with
means in place of draws [1]_. The update of a colour maximises the bound given the
others, so no sweep lowers it. Blocks that have no means yet are initialised layer by
layer, with the input from known layers in the place of that from unknown ones too.
Clamped blocks are taken out of the model, which is conditioned on them.

References
----------
.. [1] Salakhutdinov and Hinton (2009). Deep Boltzmann machines. AISTATS.
"""

from typing import NamedTuple

import numpy as np

from skdgm.energies import Energy, Params, n_rows, plain
from skdgm.samplers import binary, by_means, sitewise, sweep
from skdgm.utils.lists import Lists

# Change of a mean below which its row stops.
TOLERANCE = 1e-4


class Convergence(NamedTuple):
    """Number of sweeps of each row, and False for rows that stopped at the maximum:
    arrays of shape (n_rows,)."""

    n_sweeps: np.ndarray
    converged: np.ndarray


def _dense(x, blocks):
    """Values of some blocks as arrays, None for the others."""
    return tuple(
        np.asarray(part) if block in blocks and part is not None else None
        for block, part in enumerate(x)
    )


def mean_field(energy, params, x, clamp, *, max_sweeps=50, tol=TOLERANCE):
    """Sweep until no mean of a row changes by more than ``tol``.

    Rows stop one by one, so that the result of a row does not depend on the others.

    Parameters
    ----------
    energy : Energy
    params : Params
    x : tuple
        Clamped values, and the means to start from in all colours but the last, of
        shape (n_rows, size); where these are None, those of :func:`ascend`.
    clamp : tuple
        For each block its clamped entries: None, True or a boolean array of shape
        (n_rows, size); in the last colour None or True.
    max_sweeps : int, default=50
        If all colours but the last are clamped, one sweep is enough.
    tol : float, default=1e-4

    Returns
    -------
    means : tuple
        Clamped values in their places, means elsewhere.
    info : Convergence
    """
    size, update = n_rows(x), by_means(energy)
    if all(clamp[block] is True for block in energy.rest()):
        means = last_means(energy, params, x, clamp)
        return means, Convergence(np.ones(size, dtype=int), np.ones(size, dtype=bool))

    if energy.is_sitewise:
        means, *info = sitewise.mean_field(energy, params, x, clamp, max_sweeps, tol)
        return means, Convergence(*info)
    if binary.infers(energy, params, x, clamp):
        means, *info = binary.mean_field(energy, params, x[0], max_sweeps, tol)
        return means, Convergence(*info)
    if any(x[block] is None for block in energy.rest()):
        x = ascend(energy, params, x)
    given = Clamped.of(energy, params, x, clamp)
    now, _ = given.sweep(_dense(x, given.moving), update)
    means = tuple(
        a if clamped is True else b.copy() for a, b, clamped in zip(x, now, clamp)
    )
    n_sweeps, active = np.ones(size, dtype=int), np.arange(size)
    while active.size and n_sweeps.max() < max_sweeps:
        new, _ = given.sweep(now, update)
        n_sweeps[active] += 1
        for whole, part, clamped in zip(means, new, clamp):
            if clamped is not True:
                whole[active] = part
        moves = [np.abs(now[b] - new[b]).max(axis=1) for b in given.moving]
        now, going = new, np.max(moves, axis=0) > tol
        if not going.all():
            active, now, given = active[going], take(now, going), given.take(going)
    return means, Convergence(n_sweeps, ~np.isin(np.arange(size), active))


def last_means(energy, params, x, clamp):
    """Means of the last colour's blocks, given values of all others, which keep their
    places: one sweep of :func:`mean_field`, which is exact."""
    last = energy.backwards[:1]
    if binary.serves(energy, params, x, last):
        found = binary.means(energy, params, x, *last)
        return tuple(a if b is None else b for a, b in zip(x, found))
    means = list(x)
    for block in energy.colours[-1]:
        if clamp[block] is not True:
            eta = energy.field(params, block, energy.received(params, x, block))
            means[block] = energy.units[block].mean(eta)
    return tuple(means)


def ascend(energy, params, x):
    """Means of blocks that are None, layer by layer, from the layers before.

    Their input counts in the place of that from the linked layers after them: in a
    chain twice, but for the last layer [1]_.
    """
    x, size, known = list(x), n_rows(x), set()
    layer_of = {b: number for number, layer in enumerate(energy.layers) for b in layer}
    for number, layer in enumerate(energy.layers):
        for block in layer:
            if x[block] is None:
                linked = {layer_of[other] for _, other, _ in energy.neighbours(block)}
                before = sum(other < number for other in linked)
                eta = energy.received(params, x, block, among=known)
                eta = eta * params.dtype.type(len(linked) / max(1, before))
                mean = energy.units[block].mean(energy.field(params, block, eta))
                x[block] = np.broadcast_to(mean, (size, mean.shape[-1]))
        known.update(layer)
    return tuple(x)


def bound(energy, params, means, clamp):
    r"""Lower bound of the log of the sum of exp(-E) over free entries, in nats.

    It is :math:`\mathcal{L}(Q)`, with the best Q of free blocks of the last colour
    given the means of all others.

    Parameters
    ----------
    energy, params, clamp
        As for :func:`mean_field`.
    means : tuple
        Clamped values and means; those of free blocks of the last colour are ignored.

    Returns
    -------
    bound : ndarray of shape (n_rows,), float64
    """
    total, rest = 0.0, energy.rest()
    for block in energy.colours[-1]:
        unit, received = energy.units[block], energy.received(params, means, block)
        eta = energy.field(params, block, received)
        if clamp[block] is True:
            total = total + unit.log_weight(eta, means[block])
        else:
            total = total + unit.log_partition(eta)
    for block in rest:
        total = total + energy.lone_weight(params, means, block)
        if clamp[block] is not True:
            mean, own = np.asarray(means[block]), params.units[block]
            free = 1.0 if clamp[block] is None else ~clamp[block]
            entropy = energy.units[block].entropy(own, mean) * free
            total = total + entropy.sum(axis=1, dtype=np.float64)
    return total + energy.interaction(params, means, rest)


class Clamped(NamedTuple):
    """A model of rows with clamped blocks, whose input to others is computed once;
    :func:`~skdgm.samplers.sweep` takes it in the place of the energy.

    ``moving`` are the blocks that are not clamped as a whole, ``known`` the input of
    each of them from the clamped ones, and ``still`` the values of these if they gate
    weights between others. Couplings are ndarrays, as values are dense.
    """

    energy: Energy
    params: Params
    clamp: tuple
    moving: tuple
    known: tuple
    colours: tuple
    still: tuple = ()

    @classmethod
    def of(cls, energy, params, x, clamp):
        """Condition a model on the clamped part of some values."""
        moving = tuple(b for b, clamped in enumerate(clamp) if clamped is not True)
        still = [b for b, clamped in enumerate(clamp) if clamped is True]
        known = [None] * len(x)
        for block in moving:
            known[block] = energy.received(params, x, block, among=still)
        params, values = plain(params), _dense(x, still) if energy.triples else ()
        given = energy, params, clamp, moving, tuple(known), energy.colours
        return cls(*given, values)

    def sweep(self, x, update):
        """Update the colours from the last to the first."""
        given = {"colours": self.energy.backwards, "clamp": self.clamp}
        return sweep(self, self.params, x, update, **given)

    def received(self, params, x, block):
        """Sum of the inputs to a block, (n_rows, size)."""
        moved = self.energy.received(params, x, block, among=self.moving)
        if self.still:
            x = tuple(v if b in self.moving else None for b, v in enumerate(x))
            across = self.energy.received_across(params, x, self.still, block)
            moved = moved + across
        return self.known[block] + moved

    def field(self, params, block, received, path=None):
        """Natural parameter of a block with input ``received`` from its neighbours."""
        return self.energy.field(params, block, received, path)

    def take(self, rows):
        """The same model for some of the rows."""
        clamp, known = take(self.clamp, rows), take(self.known, rows)
        params = self.params.take(rows)
        more = {"clamp": clamp, "known": known, "still": take(self.still, rows)}
        return self._replace(params=params, **more)


def take(tree, rows):
    """Select rows of every array or Lists of a tuple, and keep its other entries."""
    return tuple(
        part[rows] if isinstance(part, np.ndarray | Lists) else part for part in tree
    )
