r"""The mean of what parameters were after late updates.

.. math:: m_t = m_{t-1} + \frac{k}{t + k - 1} (\theta_t - m_{t-1})

of about the last t / k of t updates, however many there are to be [1]_. Where steps are
so large that parameters go around what they look for, it is nearer than they are.

References
----------
.. [1] Shamir and Zhang (2013). Stochastic gradient descent for non-smooth optimization:
   convergence results and optimal averaging schemes. ICML.
"""

from skdgm._kernels.average import average
from skdgm.utils.parallel import run
from skdgm.utils.tree import leaves

_SHARE = 10
# What a number costs, in multiply-adds.
_WORK = 3


def follow(mean, params, n_updates):
    """Move a tree of means, in place, to where params are after so many updates."""
    weight = _SHARE / (n_updates + _SHARE - 1)
    for own, leaf in zip(leaves(mean), leaves(params), strict=True):
        flat = own.reshape(-1), leaf.reshape(-1), own.dtype.type(weight)
        run(average, *flat, n=own.size, work=_WORK * own.size)
