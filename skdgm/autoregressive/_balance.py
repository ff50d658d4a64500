r"""Calibration of output biases to the marginal frequencies of binary and categorical
columns.

At the maximum of the likelihood, its derivative with respect to the bias of each logit
is zero:

.. math:: \sum_r w_r \, p(x_{rt} = k \mid x_{r,<t}) = \sum_r w_r \, [x_{rt} = k]

Training ends before this point, because rare classes contribute little: a class of
frequency 1 % that is drawn 10 % too rarely costs 5e-5 nats per row. Iterative scaling
of the biases [1]_ increases the likelihood further,

.. math:: b_k \leftarrow b_k + \log \frac{\sum_r w_r \, [x_{rt} = k]}
    {\sum_r w_r \, p(x_{rt} = k \mid x_{r,<t})}

References
----------
.. [1] Darroch and Ratcliff (1972). Generalized iterative scaling for log-linear models.
   Annals of Mathematical Statistics.
"""

import numpy as np
from scipy.special import logit

from skdgm.distributions import column_slices

# Maximum number of rows, number of scaling iterations, and largest change of a bias.
MOST, N_TIMES, _LARGEST = 2**15, 2, 1.0
_CODED = "categorical", "ordinal"


def any_coded(conditionals):
    """Return whether any binary or categorical column has no values for gaps."""
    coded = np.isin(conditionals.kinds, ("bernoulli", *_CODED))
    return (coded & ~conditionals.gapped).any()


def counts(conditionals, out, v, weight):
    """Weighted counts of the values of each input of the columns' distributions, the
    excess of expected counts for each output, and weighted counts of known entries of
    each column."""
    v = np.ascontiguousarray(v)
    excess = conditionals.nll_grad(out, v, weight.astype(out.dtype))[0]
    known = ~np.isnan(v)
    seen = np.where(np.repeat(known, conditionals.n_inputs, axis=1), 1.0, 0.0)
    seen *= conditionals.inputs(v)
    return weight @ seen, excess.sum(axis=0, dtype=np.float64), weight @ known


def shifts(conditionals, total, excess, known):
    """Changes of biases, (n_outputs,), from the sums of :func:`counts`; 0 for numeric
    columns, and for columns with values for gaps."""
    changes = np.zeros(conditionals.n_outputs.sum())
    inputs = column_slices(conditionals.n_inputs)
    outputs = column_slices(conditionals.n_outputs)
    for j, kind in enumerate(conditionals.kinds):
        alike = conditionals.n_inputs[j] == conditionals.n_outputs[j]
        if conditionals.gapped[j] or not alike or not known[j]:
            continue
        seen = total[inputs[j]]
        expected = seen + excess[outputs[j]]
        sound = (seen > 0) & (expected > 0)
        if kind == "bernoulli":
            sound &= (seen < known[j]) & (expected < known[j])
            shares = (np.where(sound, n / known[j], 0.5) for n in (seen, expected))
            real, current = map(logit, shares)
        elif kind in _CODED:
            real, current = (np.log(np.where(sound, n, 1)) for n in (seen, expected))
        else:
            continue
        changes[outputs[j]] = (real - current).clip(-_LARGEST, _LARGEST)
    return changes
