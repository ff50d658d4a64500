r"""Partition functions of documents of all lengths.

A document of n words, each drawn from the same softmax given binary hidden units h,
has the partition function

.. math:: Z_n = \sum_h e^{n f(h)}, \qquad f(h) = a^\top h + \log \sum_k e^{b_k + W_k h}

where different orders of words are summed. With few hidden units all states are
enumerated, half of the units at a time, since

.. math:: \sum_k e^{b_k + W_k h} = \sum_k e^{b_k + W_k^{(1)} h^{(1)}} \,
   e^{W_k^{(2)} h^{(2)}}

is a product of two matrices. Otherwise, the length is the inverse temperature of
annealed importance sampling [1]_. Chains of h start from exact draws for n = 1, where

.. math:: Z_1 = \sum_k e^{b_k} \prod_j \left(1 + e^{a_j + W_{kj}}\right),

and the length of documents increases from there, so that one run has log Z of all
lengths. If one more word changes the distribution much, the word is added in fractions:
its natural parameters are multiplied by a factor that increases from 0 to 1.

References
----------
.. [1] Neal (2001). Annealed importance sampling. Statistics and Computing.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit, logsumexp, softmax

from skdgm.distributions import draw_words
from skdgm.partition import AnnealingPath, anneal
from skdgm.utils.math import log_mean_exp, softplus
from skdgm.utils.random import LIKELIHOOD, stream

MAX_UNITS = 20
# Number of chains; standard deviation of the change of log weights in a step; largest
# relative change of the length in a step.
_CHAINS, _STEP, _STRIDE = 200, 0.05, 0.05
# Sums below this value have underflowed.
_TINY = 1e-280
_START, _WORDS, _HIDDEN = range(3)


class Topics(NamedTuple):
    """Parameters, in float64: W of shape (n_words, n_hidden), b and a."""

    W: np.ndarray
    b: np.ndarray
    a: np.ndarray

    def among(self, known):
        """Parameters of the words in a mask."""
        return self._replace(W=self.W[known], b=self.b[known])

    def logits(self, h):
        """Natural parameters of the words given hidden units, (n_rows, n_words)."""
        return self.b + h @ self.W.T


def is_enumerable(topics):
    """Return whether all states of the hidden units can be enumerated."""
    return len(topics.a) <= MAX_UNITS


def log_partition(topics, lengths, seed):
    """Log Z of documents of given lengths, and standard errors, which are 0 if log Z is
    exact. The result for a length does not depend on the other lengths."""
    lengths = np.asarray(lengths, np.float64)
    empty, n_units = lengths == 0, len(topics.a)
    log_Z, se = np.full(len(lengths), n_units * np.log(2.0)), np.zeros(len(lengths))
    if not len(topics.b) or empty.all():
        return log_Z, se
    if is_enumerable(topics):
        f = of_states(topics)
        log_Z[~empty] = [logsumexp(n * f) for n in lengths[~empty]]
        return log_Z, se
    order = np.argsort(lengths, kind="stable")
    order = order[~empty[order]]
    log_Z[order], se[order] = grown(topics, lengths[order], stream(seed, LIKELIHOOD))
    return log_Z, se


def of_states(topics):
    """f(h) of all states of the hidden units, (2 ** n_hidden,), in no particular
    order."""
    W, b, a = topics
    half = len(a) // 2
    first, second = (_bits(n) for n in (half, len(a) - half))
    A, B = first @ W[:, :half].T, second @ W[:, half:].T + b
    high_A, high_B = A.max(axis=1), B.max(axis=1)
    total = np.exp(A - high_A[:, None]) @ np.exp(B - high_B[:, None]).T
    underflowed = np.argwhere(total < _TINY)
    with np.errstate(divide="ignore"):
        f = np.log(total) + high_A[:, None] + high_B
    for i, j in underflowed:
        f[i, j] = logsumexp(A[i] + B[j])
    f += (first @ a[:half])[:, None] + second @ a[half:]
    return f.ravel()


def _bits(n):
    """All states of n binary units, (2 ** n, n)."""
    codes = np.arange(2**n)
    return ((codes[:, None] >> np.arange(n)) & 1).astype(np.float64)


class _Chains(NamedTuple):
    """Hidden units of chains, the natural parameters of words given them, and f(h)."""

    h: np.ndarray
    logits: np.ndarray
    f: np.ndarray


class DocumentsPath(AnnealingPath):
    """Path of hidden units by document length: the inverse temperature is the number
    of words, and natural parameters are multiplied by fractions of a word."""

    def __init__(self, topics):
        self.topics = topics

    def begin(self, h):
        """State of chains with hidden units h."""
        logits = self.topics.logits(h)
        return _Chains(h, logits, h @ self.topics.a + logsumexp(logits, axis=1))

    def log_p(self, state, beta):
        fraction, n_words = np.modf(beta)
        log_p = n_words * state.f
        if fraction:
            log_p += logsumexp(fraction * state.logits, axis=1)
            log_p += fraction * (state.h @ self.topics.a)
        return log_p

    def step(self, rng, state, beta):
        (W, _, a), (fraction, n_words) = self.topics, np.modf(beta)
        lengths, words = np.full(len(state.h), int(n_words)), rng.fold(_WORDS)
        p = softmax(state.logits, axis=1)
        field = draw_words(p, lengths, words) @ W + n_words * a
        if fraction:
            p = softmax(fraction * state.logits, axis=1)
            word = draw_words(p, np.ones(len(p)), words.fold(1))
            field += fraction * (word @ W + a)
        return self.begin(_drawn(rng.fold(_HIDDEN), field))


def grown(topics, lengths, rng, n_chains=_CHAINS):
    """Log Z and standard errors for increasing lengths, at least 1, by annealing over
    lengths."""
    W, b, a = topics
    of_word = b + softplus(a + W).sum(axis=1)
    chains, path = rng.rows(n_chains), DocumentsPath(topics)
    p = np.tile(softmax(of_word), (n_chains, 1))
    word = draw_words(p, np.ones(n_chains), chains.fold(_START))
    state = path.begin(_drawn(chains.fold(_START, 1), word @ W + a))
    log_Z_1, log_w, n, log_means = logsumexp(of_word), np.zeros(n_chains), 1, []
    rngs, remaining = chains.fold(2).folds(2), list(lengths)
    while True:
        spread = _spread(log_w, state.f)
        stride = _stride(n, spread)
        while remaining and remaining[0] < n + stride:
            log_means.append(log_mean_exp(log_w + (remaining.pop(0) - n) * state.f))
        if not remaining:
            break
        parts = 1 if stride > 1 else max(1, int(np.ceil(spread / _STEP)))
        betas = np.linspace(n, n + stride, parts + 1)
        state, n = anneal(path, rngs, state, betas, log_w), n + stride
    log_mean, se = map(np.array, zip(*log_means))
    return log_Z_1 + log_mean, se


def _spread(log_w, f):
    """Weighted standard deviation of f."""
    w = softmax(log_w)
    return np.sqrt(w @ (f - w @ f) ** 2)


def _stride(n, spread):
    """Number of words to add at once."""
    by_weight = _STEP / max(spread, np.finfo(float).tiny)
    return int(max(1, min(by_weight, _STRIDE * n)))


def _drawn(rng, field):
    return (rng.uniform(field.shape[1]) < expit(field)).astype(np.float64)
