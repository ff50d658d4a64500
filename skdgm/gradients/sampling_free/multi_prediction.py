r"""Gradient of predictions of some entries from the others, by unrolled mean field.

For each row a part S of its entries is seen, and all others are predicted by a fixed
number of mean-field sweeps:

.. math:: J = \sum_{i \notin S} \log Q(x_i), \qquad Q = Q_\theta(\,\cdot \mid x_S)

With S drawn anew for each row this is a stochastic generalised pseudo-likelihood, whose
conditional distributions are those that inference finds [1]_: no partition function is
needed, and what is learned is what a prediction needs. The gradient runs backwards
through all sweeps. With :math:`\delta` the derivative of J by the input of a block in
an update and :math:`\mu` what the neighbours showed,

.. math:: \frac{\partial J}{\partial W_{ij}} = \sum_\text{updates}
   \mu_j^\top \delta_i, \qquad \delta_i = x_i - \mu_i \text{ where predicted last}

References
----------
.. [1] Goodfellow, Mirza, Courville and Bengio (2013). Multi-prediction deep Boltzmann
   machines. NIPS.
"""

import numpy as np

from skdgm.energies import Params, mean_row
from skdgm.inference import lone_means, unroll


def parts(rng, energy, x, clamp):
    """Draw which of the known entries are seen, each with probability 1/2, and which
    are targets, the others: for each block None or a boolean array of shape (n_rows,
    size), in which all entries of a softmax unit are alike."""
    seen, targets = [], []
    for block, known in enumerate(clamp):
        if known is None:
            seen.append(None)
            targets.append(None)
            continue
        unit, size = energy.units[block], len(x[block])
        width = unit.size if unit.n_states > unit.size else 1
        shown = rng.fold(block).rows(size).uniform(width) < 0.5
        shown = np.broadcast_to(shown, (size, unit.size))
        known = np.broadcast_to(known, shown.shape)
        seen.append(known & shown)
        targets.append(known & ~shown)
    return tuple(seen), tuple(targets)


def multi_prediction(energy, params, x, seen, targets, n_sweeps):
    """Gradient of the mean of J over rows, as :func:`~skdgm.energies.contrast` returns
    it, and predictions of all entries at the end, those that are seen, too. Units are
    binary or softmax ones; ``seen`` and ``targets`` are those of :func:`parts`, or
    ``seen`` True of a block that is given."""
    updates = unroll(energy, params, x, seen, n_sweeps)
    means = {update.block: update.mean for update in updates}
    biases = [np.zeros_like(own) for own in params.units]
    pairs = [([], []) for _ in params.couplings]
    pulls, left = {}, set(means)

    def back(block, mean, pull):
        """Derivative by the block's input, given that by what it shows."""
        if pull is None:
            return np.zeros_like(mean)
        if seen[block] is not None:
            pull = np.where(seen[block], pull.dtype.type(0), pull)
        return energy.units[block].pull(mean, pull)

    for block, before, mean in reversed(updates):
        delta = back(block, mean, pulls.pop(block, None))
        if block in left and targets[block] is not None:
            delta += np.where(targets[block], x[block] - mean, delta.dtype.type(0))
        left.discard(block)
        biases[block] += mean_row(delta)
        for number, other, up in energy.neighbours(block):
            below, above = pairs[number]
            below.append(before[other] if up else delta)
            above.append(delta if up else before[other])
            weights = params.couplings[number]
            pull = energy.couplings[number].send(weights, delta, not up)
            pulls[other] = pulls[other] + pull if other in pulls else pull
        for number, ends in energy.gated(block):
            delta_sent = energy.couplings[number].send(
                params.couplings[number], delta, True
            )
            sent = [
                energy.couplings[k].send(params.couplings[k], before[other], True)
                for other, k in ends
            ]
            below, above = pairs[number]
            below.append(delta)
            above.append(sent[0] * sent[1])
            for (other, k), beside in zip(ends, reversed(sent)):
                below, above = pairs[k]
                below.append(before[other])
                above.append(delta_sent * beside)
                pull = energy.couplings[k].send(params.couplings[k], above[-1], False)
                pulls[other] = pulls[other] + pull if other in pulls else pull
    start = lone_means(energy, params, len(updates[-1].mean))
    for block, pull in pulls.items():
        if seen[block] is True:
            continue
        biases[block] += mean_row(back(block, start[block], pull))
    couplings = tuple(map(_outer, energy.couplings, pairs))
    found = tuple(means.get(block, part) for block, part in enumerate(x))
    return Params(tuple(biases), couplings), found


def _outer(coupling, pairs):
    """Sum of mean outer products."""
    x, y = map(np.concatenate, pairs)
    y *= y.dtype.type(len(pairs[0]))
    return coupling.contrast(x, y, x[:0], y[:0])
