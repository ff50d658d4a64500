"""Scores of pairs of columns, from their couplings."""

from typing import Any, Literal

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdgm.energies import sites_of
from skdgm.utils.counts import check_choice

_METHODS = "frobenius", "direct-information"
_MAX_ROUNDS, _TOLERANCE = 500, 1e-10


def pair_scores(
    self: Any,
    method: Literal["frobenius", "direct-information"] = "frobenius",
    *,
    apc: bool = False,
) -> np.ndarray:
    r"""Strength of the direct interaction of each pair of columns.

    .. math:: F_{ij} = \sqrt{\sum_{ab} \tilde J_{ij}(a, b)^2} \qquad \text{or} \qquad
       \mathrm{DI}_{ij} = \sum_{ab} P_{ij}(a, b) \log \frac{P_{ij}(a, b)}{f_i(a) f_j(b)}

    where :math:`\tilde J` are couplings in the zero-sum gauge, whose rows and columns
    sum to 0 [2]_. :math:`P_{ij}(a, b) \propto e^{J_{ij}(a, b) + h_a + h'_b}` is the
    distribution of a pair of columns without other couplings. Its marginals are the
    frequencies f of the training rows, which determine h and h' [1]_. Bits count as two
    categories.

    Parameters
    ----------
    method : {"frobenius", "direct-information"}, default="frobenius"
        Frobenius norm of the couplings, or direct information, in nats.
    apc : bool, default=False
        If True, subtract the average-product correction :math:`\bar S_i \bar S_j / \bar
        S`, a product of means over columns. It lowers the scores of columns that have
        high scores with all other columns [3]_.

    Returns
    -------
    scores : ndarray of shape (n_features, n_features), float64
        Symmetric, with zeros on the diagonal.

    Raises
    ------
    ValueError
        ``method`` is unknown.

    References
    ----------
    .. [1] Weigt, White, Szurmant, Hoch and Hwa (2009). Identification of direct residue
       contacts in protein-protein interaction by message passing. PNAS.
    .. [2] Ekeberg, Lövkvist, Lan, Weigt and Aurell (2013). Improved contact prediction
       in proteins: using pseudolikelihoods to infer Potts models. Physical Review E.
    .. [3] Dunn, Wahl and Gloor (2008). Mutual information without the influence of
       phylogeny or entropy dramatically improves residue contact prediction.
       Bioinformatics.
    """
    check_is_fitted(self)
    check_choice("method", method, _METHODS)
    density = self.density_
    unit = sites_of(density.energy.units[0])
    J = np.asarray(density.params.couplings[0], np.float64)
    f = np.asarray(density.moments[0], np.float64)
    scores = np.zeros((len(unit.sizes),) * 2)
    for i, j in zip(*np.triu_indices(len(scores), 1)):
        block = _block(unit, J, i, j)
        if method == "frobenius":
            block = block - block.mean(axis=0)
            scores[i, j] = np.linalg.norm(block - block.mean(axis=1, keepdims=True))
        else:
            scores[i, j] = _direct_information(
                block, _frequencies(unit, f, i), _frequencies(unit, f, j)
            )
    scores = scores + scores.T
    return _corrected(scores) if apc else scores


def _block(unit, J, i, j):
    """Couplings of the states of two sites, of shape (n_states_i, n_states_j)."""
    starts, widths = unit.starts, unit.widths
    block = J[starts[i] : starts[i] + widths[i], starts[j] : starts[j] + widths[j]]
    bits = unit.sizes[i] == 0, unit.sizes[j] == 0
    return np.pad(block, [(int(bit), 0) for bit in bits])


def _frequencies(unit, f, i):
    """Frequencies of the states of a site."""
    states = f[unit.starts[i] :][: unit.widths[i]]
    return states if unit.sizes[i] else np.array([1 - states[0], states[0]])


def _direct_information(block, f, g):
    """Mutual information of a pair of columns with given marginals and couplings."""
    weight = np.exp(block - block.max())
    a, b = np.ones(len(f)), np.ones(len(g))
    for _ in range(_MAX_ROUNDS):
        a = f / (weight @ b)
        b = g / (a @ weight)
        if np.abs(a * (weight @ b) - f).max() < _TOLERANCE:
            break
    P = a[:, None] * weight * b
    return float((P * np.log(P / np.multiply.outer(f, g))).sum())


def _corrected(scores):
    """Scores with the average-product correction."""
    n = len(scores)
    if n < 3:
        return np.zeros_like(scores)
    mean = scores.sum(axis=1) / (n - 1)
    overall = mean.mean() or 1.0
    scores = scores - np.multiply.outer(mean, mean) / overall
    np.fill_diagonal(scores, 0.0)
    return scores
