r"""Biases with which bits and categories are on average as frequent as in the data.

The derivative of the likelihood by the bias of each logit is zero at its maximum:

.. math:: \sum_r w_r \, p(x_{rt} = k \mid x_{r,<t}) = \sum_r w_r \, [x_{rt} = k]

Training ends before, since rare classes hardly count: a class of 1 % that is drawn a
tenth too seldom costs 5e-5 nats a row. Biases are scaled iteratively to it [1]_, which
raises the likelihood,

.. math:: b_k \leftarrow b_k + \log \frac{\sum_r w_r \, [x_{rt} = k]}
    {\sum_r w_r \, p(x_{rt} = k \mid x_{r,<t})}

References
----------
.. [1] Darroch and Ratcliff (1972). Generalized iterative scaling for log-linear models.
   Annals of Mathematical Statistics.
"""

import numpy as np
from scipy.special import logit

# Most rows by which biases are scaled, how often they are, and their largest change.
MOST, N_TIMES, _LARGEST = 2**15, 2, 1.0
_CODED = "categorical", "ordinal"


def some(conditionals):
    """Return whether there are bits or categories, which are never absent."""
    coded = np.isin(conditionals.kinds, ("bernoulli", *_CODED))
    return (coded & ~conditionals.gapped).any()


def counts(conditionals, out, v, weight):
    """Counts of the values of each input of the columns' distributions, weighted; how
    many more are expected by each output; and of known entries of each column."""
    v = np.ascontiguousarray(v)
    excess = conditionals.nll_grad(out, v, weight.astype(out.dtype))[0]
    known = ~np.isnan(v)
    seen = np.where(np.repeat(known, conditionals.n_inputs, axis=1), 1.0, 0.0)
    seen *= conditionals.inputs(v)
    return weight @ seen, excess.sum(axis=0, dtype=np.float64), weight @ known


def shifts(conditionals, total, excess, known):
    """Changes of biases, (n_outputs,), by the sums of :func:`counts`; 0 of columns of
    numbers, and of columns that may be absent."""
    found, places = np.zeros(conditionals.n_outputs.sum()), conditionals.n_outputs
    ends = np.cumsum(conditionals.n_inputs), np.cumsum(places)
    sizes = zip(conditionals.n_inputs, places)
    for j, (n_inputs, n_outputs) in enumerate(sizes):
        kind = conditionals.kinds[j]
        if conditionals.gapped[j] or n_inputs != n_outputs or not known[j]:
            continue
        there = slice(ends[1][j] - n_outputs, ends[1][j])
        seen = total[ends[0][j] - n_inputs : ends[0][j]]
        expected = seen + excess[there]
        sound = (seen > 0) & (expected > 0)
        if kind == "bernoulli":
            sound &= (seen < known[j]) & (expected < known[j])
            parts = (np.where(sound, own / known[j], 0.5) for own in (seen, expected))
            real, now = map(logit, parts)
        elif kind in _CODED:
            real, now = (np.log(np.where(sound, own, 1)) for own in (seen, expected))
        else:
            continue
        found[there] = (real - now).clip(-_LARGEST, _LARGEST)
    return found
