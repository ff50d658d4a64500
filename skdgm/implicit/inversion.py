r"""Inversion of a generator: latent units of given rows.

.. math:: \min_z \lVert x - g(z) \rVert^2 + \tfrac{1}{100} \lVert z \rVert^2

by Adam, for each row separately. The learning rate decays to zero, so that rounding,
which depends on the other rows of a batch, has little effect.
"""

from functools import partial

import numpy as np
from sklearn.utils import _safe_indexing

from skdgm.implicit.generator import LATENT
from skdgm.nets.tape import pulled_back, traced_leaves
from skdgm.utils.random import LIKELIHOOD, stream
from skdgm.utils.threading.threads import one_blas_thread

_RATE, _BETAS, _WEIGHT = 0.2, (0.9, 0.99), 0.01
# Number of rows at a time; limit on gradients, whose squares must not overflow.
_ROWS, _STEEPEST = 2**10, 1e15


def invert(density, X, n_steps=200, classes=None):
    """Latent units, (n_samples, n_latent), whose generated rows are close to X;
    ``classes`` are codes of rows, by default the classes of their nearest draws."""
    kernels, generator = density.kernels(), density.generator
    n, dtype = len(kernels.centers), density.dtype
    rng = stream(density.seed, LIKELIHOOD).rows(n)
    starts = generator.latent(rng.fold(LATENT), n, dtype)
    codes = None if density.shares is None else density.classes(rng, n)

    def of_rows(v, _, code=None):
        x, known = density.emission.inputs(v)
        log_w = kernels.log_weights(x.astype(float), known)
        if code is not None and (codes == code).any():
            log_w[:, codes != code] = -np.inf
        nearest = log_w.argmax(axis=1)
        if code is None:
            conditions = None if codes is None else codes[nearest]
        else:
            conditions = np.full(len(x), code)
        return _descend(density, x, known, starts[nearest], conditions, n_steps)

    with one_blas_thread(), np.errstate(over="ignore"):
        if classes is None:
            return density.by_content(of_rows, density.read(X), _ROWS)
        z = np.empty((len(classes), starts.shape[1]), dtype)
        for code in np.unique(classes):
            selected = (classes == code).nonzero()[0]
            of_rows_of_class = partial(of_rows, code=code)
            rows = density.read(_safe_indexing(X, selected))
            z[selected] = density.by_content(of_rows_of_class, rows, _ROWS)
    return z


def _descend(density, x, known, z, codes, n_steps):
    generator, net = density.generator, density.net
    noise = density.emission.silence(len(x), x.dtype)
    known = 1 if known is None else known
    fixed = generator.given(z, codes)[:, z.shape[1] :]
    mean, square = np.zeros_like(z), np.zeros_like(z)

    def slopes(fake):
        return 2 * (fake - x) * known

    for step in range(n_steps):
        (inputs,) = traced_leaves((np.concatenate([z, fixed], axis=1),))
        out, _ = generator.draw(net.params, net.statistics, inputs, noise)
        (input_grad,) = pulled_back(out, (inputs,), slopes)
        grad = np.nan_to_num(input_grad[:, : z.shape[1]]).clip(-_STEEPEST, _STEEPEST)
        grad = grad + 2 * _WEIGHT * z
        mean += (1 - _BETAS[0]) * (grad - mean)
        square += (1 - _BETAS[1]) * (grad**2 - square)
        bias = [1 - beta ** (step + 1) for beta in _BETAS]
        rate = _RATE * (1 - step / n_steps) ** 2
        z = z - rate * (mean / bias[0]) / (np.sqrt(square / bias[1]) + 1e-8)
        z = z.astype(x.dtype, copy=False)
    return z
