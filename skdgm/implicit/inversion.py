r"""Inversion of a generator: latent units for rows.

.. math:: \min_z \lVert x - g(z) \rVert^2 + \tfrac{1}{100} \lVert z \rVert^2

by Adam, each row for itself.
"""

import numpy as np

from skdgm.nets.tape import vjp
from skdgm.utils.random import LIKELIHOOD, stream
from skdgm.utils.threads import one_blas_thread

_LATENT, _RATE, _BETAS, _WEIGHT = 100, 0.05, (0.9, 0.99), 0.01
# Rows at a time.
_ROWS = 2**10


def invert(density, X, n_steps=200):
    """Latent units whose generated rows are near to given ones.

    Parameters
    ----------
    density : ImplicitDensity
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    n_steps : int, default=200

    Returns
    -------
    Z : ndarray of shape (n_samples, n_latent)
    """
    kernels, generator = density.kernels(), density.generator
    n, dtype = len(kernels.centres), density._dtype
    rng = stream(density.seed, LIKELIHOOD).rows(n)
    starts = generator.latent(rng.fold(_LATENT), n, dtype)
    codes = None if density.shares is None else density.classes(rng, n)

    def of_rows(v, _):
        x, known = density.emission.inputs(v)
        near = kernels.log_weights(x.astype(float), known).argmax(axis=1)
        own = None if codes is None else codes[near]
        return _descend(density, x, known, starts[near], own, n_steps)

    with one_blas_thread():
        return density.by_content(of_rows, density.read(X), _ROWS)


def _descend(density, x, known, z, codes, n_steps):
    generator = density.generator
    noise = density.emission.silence(len(x), x.dtype)
    known = 1 if known is None else known
    fixed = generator.given(z, codes)[:, z.shape[1] :]
    z, best, lowest = z.copy(), z.copy(), np.full(len(z), np.inf)
    mean, square = np.zeros_like(z), np.zeros_like(z)

    def outputs(given):
        return generator.draw(*density.net, given[0], noise)[0]

    for step in range(n_steps + 1):
        gap = None

        def slopes(fake):
            nonlocal gap
            gap = (fake - x) * known
            return 2 * gap

        whole = np.concatenate([z, fixed], axis=1)
        (back,) = vjp(outputs, (whole,), slopes)[1]
        loss = (gap**2).sum(axis=1) + _WEIGHT * (z**2).sum(axis=1)
        better = loss < lowest
        best[better], lowest[better] = z[better], loss[better]
        grad = back[:, : z.shape[1]] + 2 * _WEIGHT * z
        mean += (1 - _BETAS[0]) * (grad - mean)
        square += (1 - _BETAS[1]) * (grad**2 - square)
        sizes = [1 - beta ** (step + 1) for beta in _BETAS]
        z = z - _RATE * (mean / sizes[0]) / (np.sqrt(square / sizes[1]) + 1e-8)
        z = z.astype(x.dtype, copy=False)
    return best
