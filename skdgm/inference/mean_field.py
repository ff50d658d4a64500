r"""Mean-field inference with clamped blocks.

The factorial distribution Q(x) that is closest to p(x | clamped entries) in
Kullback-Leibler divergence maximizes the bound

.. math:: \mathcal{L}(Q) = \mathbb{E}_Q[-E(x)] + H(Q) \le \log \sum_x e^{-E(x)}

where the sum is over the free entries. At a maximum each block's mean is a function of
its neighbors' means, which is the update of Gibbs sampling with means in place of
draws [1]_. The update of a color maximizes the bound given the other colors, so no
sweep decreases the bound. Blocks without initial means are initialized layer by layer;
the input from known layers is scaled up to replace the input from unknown layers. The
model is conditioned on clamped blocks before the sweeps.

References
----------
.. [1] Salakhutdinov and Hinton (2009). Deep Boltzmann machines. AISTATS.
"""

from typing import NamedTuple

import numpy as np

from skdgm.energies import Energy, Params, n_rows, plain
from skdgm.samplers import binary, by_means, sitewise, sweep
from skdgm.utils.lists import Lists

# A row has converged if no mean changes by more than this.
TOLERANCE = 1e-4


class Convergence(NamedTuple):
    """Number of sweeps of each row, and False for rows that reached the maximum number
    of sweeps: arrays of shape (n_rows,)."""

    n_sweeps: np.ndarray
    converged: np.ndarray


def _dense(x, blocks):
    """Values of some blocks as arrays, None for the others."""
    return tuple(
        np.asarray(values) if block in blocks and values is not None else None
        for block, values in enumerate(x)
    )


def mean_field(energy, params, x, clamp, *, max_sweeps=50, tol=TOLERANCE):
    """Iterate mean-field sweeps until no mean of a row changes by more than ``tol``.

    Each row stops by itself, so that its result does not depend on other rows. The
    tuple x has clamped values, and initial means of all colors but the last, of shape
    (n_rows, size); blocks that are None are initialized by :func:`ascend`. ``clamp``
    has for each block None, True or a boolean mask of shape (n_rows, size); in the last
    color None or True. If all other colors are clamped, one sweep is exact. Returns
    clamped values with means of the free entries, and a :class:`Convergence`.
    """
    size, update = n_rows(x), by_means(energy)
    if all(clamp[block] is True for block in energy.rest()):
        means = last_means(energy, params, x, clamp)
        return means, Convergence(np.ones(size, dtype=int), np.ones(size, dtype=bool))

    if energy.is_sitewise:
        means, *info = sitewise.mean_field(energy, params, x, clamp, max_sweeps, tol)
        return means, Convergence._make(info)
    if binary.supports_mean_field(energy, params, x, clamp):
        means, *info = binary.mean_field(energy, params, x[0], max_sweeps, tol)
        return means, Convergence._make(info)
    if any(x[block] is None for block in energy.rest()):
        x = ascend(energy, params, x)
    model = Clamped.of(energy, params, x, clamp)
    current, _ = model.sweep(_dense(x, model.moving), update)
    means = tuple(
        a if clamped is True else b.copy() for a, b, clamped in zip(x, current, clamp)
    )
    n_sweeps, active = np.ones(size, dtype=int), np.arange(size)
    while active.size and n_sweeps.max() < max_sweeps:
        new, _ = model.sweep(current, update)
        n_sweeps[active] += 1
        for all_means, new_means, clamped in zip(means, new, clamp):
            if clamped is not True:
                all_means[active] = new_means
        changes = [np.abs(current[b] - new[b]).max(axis=1) for b in model.moving]
        current, moving = new, np.max(changes, axis=0) > tol
        if not moving.all():
            active, current, model = (
                active[moving],
                take(current, moving),
                model.take(moving),
            )
    return means, Convergence(n_sweeps, ~np.isin(np.arange(size), active))


def last_means(energy, params, x, clamp):
    """Return x with the exact means of the last color given all others."""
    last = energy.backwards[:1]
    if binary.supports_sweeps(energy, params, x, last):
        last_color = binary.means(energy, params, x, last[0])
        return tuple(a if b is None else b for a, b in zip(x, last_color))
    means = list(x)
    for block in energy.colors[-1]:
        if clamp[block] is not True:
            eta = energy.field(params, block, energy.received(params, x, block))
            means[block] = energy.units[block].mean(eta)
    return tuple(means)


def ascend(energy, params, x):
    """Initialize the means of blocks that are None, layer by layer.

    The input from earlier layers also replaces the input from later layers. In a chain
    it counts twice, except in the last layer [1]_.
    """
    x, size, earlier = list(x), n_rows(x), set()
    layer_of = {b: number for number, layer in enumerate(energy.layers) for b in layer}
    for number, layer in enumerate(energy.layers):
        for block in layer:
            if x[block] is None:
                linked = {layer_of[other] for _, other, _ in energy.neighbors(block)}
                n_earlier = sum(other < number for other in linked)
                eta = energy.received(params, x, block, among=earlier)
                eta = eta * params.dtype.type(len(linked) / max(1, n_earlier))
                mean = energy.units[block].mean(energy.field(params, block, eta))
                x[block] = np.broadcast_to(mean, (size, mean.shape[-1]))
        earlier.update(layer)
    return tuple(x)


def bound(energy, params, means, clamp):
    r"""Lower bound of the log sum of exp(-E) over free entries, (n_rows,), float64.

    It is :math:`\mathcal{L}(Q)` with the optimal Q of the free blocks of the last
    color given the ``means`` of all other blocks and clamped values; other arguments
    are those of :func:`mean_field`.
    """
    total, rest = 0.0, energy.rest()
    for block in energy.colors[-1]:
        unit, received = energy.units[block], energy.received(params, means, block)
        eta = energy.field(params, block, received)
        if clamp[block] is True:
            total = total + unit.log_weight(eta, means[block])
        else:
            total = total + unit.log_partition(eta)
    for block in rest:
        total = total + energy.unit_log_weight(params, means, block)
        if clamp[block] is not True:
            mean, block_params = np.asarray(means[block]), params.units[block]
            is_free = 1.0 if clamp[block] is None else ~clamp[block]
            entropy = energy.units[block].entropy(block_params, mean) * is_free
            total = total + entropy.sum(axis=1, dtype=np.float64)
    return total + energy.interaction(params, means, rest)


class Clamped(NamedTuple):
    """A model conditioned on clamped blocks, with their input to other blocks
    precomputed. :func:`~skdgm.samplers.sweep` accepts it in place of the energy.

    ``moving`` are the blocks that are not entirely clamped, ``known`` is the input of
    each moving block from the clamped blocks, and ``still`` are the values of clamped
    blocks that gate weights between moving blocks. Couplings are ndarrays, because
    values are dense.
    """

    energy: Energy
    params: Params
    clamp: tuple
    moving: tuple
    known: tuple
    colors: tuple
    still: tuple = ()

    @classmethod
    def of(cls, energy, params, x, clamp):
        """Condition a model on the clamped blocks of ``x``."""
        moving = tuple(b for b, clamped in enumerate(clamp) if clamped is not True)
        still = [b for b, clamped in enumerate(clamp) if clamped is True]
        known = [None] * len(x)
        for block in moving:
            known[block] = energy.received(params, x, block, among=still)
        return cls(
            energy,
            plain(params),
            clamp,
            moving=moving,
            known=tuple(known),
            colors=energy.colors,
            still=_dense(x, still) if energy.triples else (),
        )

    def sweep(self, x, update):
        """Update the colors from the last to the first."""
        options = {"colors": self.energy.backwards, "clamp": self.clamp}
        return sweep(self, self.params, x, update, **options)

    def received(self, params, x, block):
        """Sum of the inputs to a block, (n_rows, size)."""
        from_moving = self.energy.received(params, x, block, among=self.moving)
        if self.still:
            x = tuple(v if b in self.moving else None for b, v in enumerate(x))
            gated = self.energy.product_input(params, x, self.still, block)
            from_moving = from_moving + gated
        return self.known[block] + from_moving

    def field(self, params, block, received, path=None):
        """Natural parameters of a block, from its input ``received``."""
        return self.energy.field(params, block, received, path)

    def take(self, rows):
        """The model of some of the rows."""
        clamp, known = take(self.clamp, rows), take(self.known, rows)
        params = self.params.take(rows)
        fields = {"clamp": clamp, "known": known, "still": take(self.still, rows)}
        return self._replace(params=params, **fields)


def take(tree, rows):
    """Select rows of each array or Lists of a tuple; other entries do not change."""
    return tuple(
        values[rows] if isinstance(values, np.ndarray | Lists) else values
        for values in tree
    )
