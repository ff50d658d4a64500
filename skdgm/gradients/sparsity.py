r"""A gradient that wants hidden units to be on a given share of the time.

.. math:: \Delta \eta_j = \lambda \, (p - q_j)

on the field of unit j in the data's phase, where :math:`q_j` is the running mean of how
often it is on: the derivative of minus the cross entropy of target p and q [1]_. So the
bias and the weights of a unit learn of it together.

References
----------
.. [1] Hinton (2012). A practical guide to training restricted Boltzmann machines,
   section 11.
"""

from skdgm.energies import mean_row

# How much of the running means stays at each batch.
DAMPING = 0.9


def pull(energy, x, activity, target, cost):
    """What is added to each mean of the hidden layers in the data's phase.

    Parameters
    ----------
    x : tuple
        Values of the data's phase.
    activity : tuple of ndarray
        Running means of the hidden blocks.
    target : float or tuple of float
        One for all of them, or for each.

    Returns
    -------
    x : tuple
        The same, with the addition.
    activity : tuple of ndarray
    """
    x, running, hidden = list(x), [], energy.wiring.hidden
    targets = target if isinstance(target, tuple) else (target,) * len(hidden)
    for block, q, target in zip(hidden, activity, targets, strict=True):
        real = q.dtype.type
        q = real(DAMPING) * q + real(1 - DAMPING) * mean_row(x[block])
        x[block] = x[block] + real(cost) * (real(target) - q)
        running.append(q)
    return tuple(x), tuple(running)
