r"""One step of a running mean, of numbers in a row.

.. math:: m \leftarrow m + w (\theta - m)
"""

from skdgm._kernels.jit import kernel


@kernel
def average(mean, theta, weight, start, stop):
    """Move some of the means, in place."""
    mean, theta = mean[start:stop], theta[start:stop]
    for i in range(len(mean)):
        mean[i] += weight * (theta[i] - mean[i])
