r"""Clip gradients by their norm.

.. math:: g \leftarrow g \, \min(1, c / \lVert g \rVert)

where the norm is that of all parameters together [1]_.

References
----------
.. [1] Pascanu, Mikolov and Bengio (2013). On the difficulty of training recurrent
   neural networks. ICML.
"""

import numpy as np

from skdgm.utils.tree import leaves, tree_map


def clip_norm(grad, limit):
    """Scale a gradient down to at most a given norm.

    Parameters
    ----------
    grad : tuple
        Tree of arrays.
    limit : float or None
        Largest norm of all arrays together; None leaves the gradient unchanged.

    Returns
    -------
    grad : tuple
        Tree of arrays of the same shapes and dtypes.
    """
    if limit is None:
        return grad
    norm = np.sqrt(sum(np.square(leaf, dtype=float).sum() for leaf in leaves(grad)))
    if not norm > limit:
        return grad
    return tree_map(lambda leaf: leaf * leaf.dtype.type(limit / norm), grad)
