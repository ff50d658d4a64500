r"""Sparsity penalty: a gradient towards a target mean of hidden units.

.. math:: \Delta \eta_j = \lambda \, (p - q_j)

is added to the gradient of the field of unit j in the positive phase, where :math:`q_j`
is the running mean of the unit. It is the derivative of minus the cross-entropy between
the target p and q [1]_. Both the bias and the weights of a unit learn from it.

References
----------
.. [1] Hinton (2012). A practical guide to training restricted Boltzmann machines,
   section 11.
"""

from skdgm.energies import mean_row

# Decay factor of the running means.
DAMPING = 0.9


def penalize(energy, x, activity, target, cost):
    r"""Add the penalty's gradient to the means of hidden units in the positive phase.
    ``activity`` has the running means of the hidden blocks, ``target`` is p for all
    blocks or a tuple with one for each, and ``cost`` is :math:`\lambda`. Returns the
    values of all blocks, and the updated running means."""
    x, running, hidden = list(x), [], energy.hidden
    targets = target if isinstance(target, tuple) else (target,) * len(hidden)
    for block, q, target in zip(hidden, activity, targets, strict=True):
        real = q.dtype.type
        q = real(DAMPING) * q + real(1 - DAMPING) * mean_row(x[block])
        x[block] = x[block] + real(cost) * (real(target) - q)
        running.append(q)
    return tuple(x), tuple(running)
