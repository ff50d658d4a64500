r"""Multi-prediction: some entries predicted from the others by unrolled mean field.

For each row a subset S of its entries is observed. A fixed number of mean-field sweeps
predicts all other entries:

.. math:: J = \sum_{i \notin S} \log Q(x_i), \qquad Q = Q_\theta(\,\cdot \mid x_S)

With S drawn again for each row, J is a stochastic generalized pseudo-likelihood under
the conditional distributions of mean-field inference [1]_. It needs no partition
function, and it trains the predictions themselves. The gradient is back-propagated
through all sweeps. Let :math:`\delta` be the derivative of J with respect to the input
of a block in an update, and :math:`\mu` the means of its neighbors:

.. math:: \frac{\partial J}{\partial W_{ij}} = \sum_\text{updates}
   \mu_j^\top \delta_i, \qquad \delta_i = x_i - \mu_i \text{ where predicted last}

References
----------
.. [1] Goodfellow, Mirza, Courville and Bengio (2013). Multi-prediction deep Boltzmann
   machines. NIPS.
"""

import numpy as np

from skdgm.energies import Params, mean_row
from skdgm.inference import means_without_input, unroll


def parts(rng, energy, x, clamp):
    """Draw which known entries are observed, with probability 1/2, and which are
    targets. Returns two tuples, with None or a boolean array of shape (n_rows, size)
    for each block. All entries of a softmax unit are in the same set."""
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
    """Gradient of the mean of J over rows, and final predictions of all entries. The
    gradient is as of :func:`~skdgm.energies.contrast`. Units are binary or softmax
    units. ``seen`` and ``targets`` are results of :func:`parts`; a block that is
    entirely given has True in ``seen``."""
    updates = unroll(energy, params, x, seen, n_sweeps)
    means = {update.block: update.mean for update in updates}
    biases = [np.zeros_like(own) for own in params.units]
    pairs = [([], []) for _ in params.couplings]
    pulls, unscored = {}, set(means)

    def back(block, mean, pull):
        """Derivative with respect to the input of a block, given that with respect to
        its means."""
        if pull is None:
            return np.zeros_like(mean)
        if seen[block] is not None:
            pull = np.where(seen[block], pull.dtype.type(0), pull)
        return energy.units[block].pull(mean, pull)

    for block, before, mean in reversed(updates):
        delta = back(block, mean, pulls.pop(block, None))
        if block in unscored and targets[block] is not None:
            delta += np.where(targets[block], x[block] - mean, delta.dtype.type(0))
        unscored.discard(block)
        biases[block] += mean_row(delta)
        for number, other, up in energy.neighbors(block):
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
            for (other, k), from_other in zip(ends, reversed(sent)):
                below, above = pairs[k]
                below.append(before[other])
                above.append(delta_sent * from_other)
                pull = energy.couplings[k].send(params.couplings[k], above[-1], False)
                pulls[other] = pulls[other] + pull if other in pulls else pull
    start = means_without_input(energy, params, len(updates[-1].mean))
    for block, pull in pulls.items():
        if seen[block] is True:
            continue
        biases[block] += mean_row(back(block, start[block], pull))
    couplings = tuple(map(_outer, energy.couplings, pairs))
    predictions = tuple(means.get(block, part) for block, part in enumerate(x))
    return Params(tuple(biases), couplings), predictions


def _outer(coupling, pairs):
    """Sum of mean outer products, as a Contrast."""
    x, y = map(np.concatenate, pairs)
    y *= y.dtype.type(len(pairs[0]))
    return coupling.contrast(x, y, x[:0], y[:0])
