r"""Annealed importance sampling for a chain of binary layers.

.. math:: \log w \mathrel{+}= \log p^*_{\beta'}(x) - \log p^*_\beta(x), \qquad
   x \leftarrow \text{a sweep at } \beta'

for increasing inverse temperatures :math:`\beta`. The states x are those of the even
layers; odd layers are summed out. Biases are :math:`b' + \beta (b - b')`, with b' of
the base model.
"""

from typing import NamedTuple

import numpy as np

from skdgm._kernels.compiler.jit import kernel
from skdgm._kernels.machines.bernoulli import draw, squash, sum_softplus
from skdgm._kernels.machines.sweep import receive, temper


class AnnealedChains(NamedTuple):
    """States of the even layers (:class:`~skdgm._kernels.machines.arguments.
    ListedLayers`), log weights, ids of rows, and roots of random numbers, with a row
    for each temperature but the first."""

    lists: tuple
    log_w: np.ndarray
    ids: np.ndarray
    roots: np.ndarray


@kernel
def anneal(machine, path, chains, received, eta, start, stop):
    """Move chains through the inverse temperatures of a path, and add to their log
    weights; ``received`` and ``eta`` are workspace for each layer."""
    biases, (bases, betas), (lists, log_w, ids, roots) = machine.biases, path, chains
    indices, counts = lists.indices, lists.counts
    n_layers = len(biases)
    real = biases[0].dtype.type
    for k in range(1, len(betas)):
        beta, next_beta = real(betas[k - 1]), real(betas[k])
        for layer in range(1, n_layers, 2):
            total, bias, base = received[layer], biases[layer], bases[layer]
            work = np.empty((2, len(bias)))
            receive(total, layer, machine, lists, (0, len(bias), start, stop))
            for r in range(start, stop):
                row, inputs = eta[layer][r], total[r]
                for j in range(len(row)):
                    row[j] = inputs[j]
                temper(row, bias, base, beta)
                log_w[r] -= sum_softplus(row, work)
                for j in range(len(row)):
                    row[j] = inputs[j]
                temper(row, bias, base, next_beta)
                log_w[r] += sum_softplus(row, work)
        for layer in range(0, n_layers, 2):
            bias, base = biases[layer], bases[layer]
            index, count = indices[layer], counts[layer]
            for r in range(start, stop):
                gain = 0.0
                for i in range(count[r]):
                    unit = index[r, i]
                    gain += np.float64(bias[unit]) - np.float64(base[unit])
                log_w[r] += (betas[k] - betas[k - 1]) * gain
        for parity in (1, 0):
            for layer in range(parity, n_layers, 2):
                mean, bias, base = eta[layer], biases[layer], bases[layer]
                if parity == 0:
                    receive(mean, layer, machine, lists, (0, len(bias), start, stop))
                for r in range(start, stop):
                    row = mean[r]
                    if parity == 0:
                        temper(row, bias, base, next_beta)
                    squash(row)
                    draw(
                        mean, roots[k - 1, layer], ids, indices[layer], counts[layer],
                        r, r + 1,
                    )  # fmt: skip
