r"""Missing entries of rows filled such that these keep to constraints.

An entry that follows from a known one, such as a difference of which the higher number
is known, is weighted by its probability given what was drawn [1]_:

.. math:: z \sim p(z \mid x), \qquad w = p(d(z) \mid z, x)

References
----------
.. [1] Rubin (1988). Using the SIR algorithm to simulate posterior distributions.
   Bayesian Statistics 3.
"""

import numpy as np
from sklearn.utils import gen_batches

from skdgm.constraints._conditions import is_unseen
from skdgm.constraints._quantities import encoded
from skdgm.constraints._steps import Joint
from skdgm.exceptions import ConstraintError

# Draws for each row at a time, and rows drawn at a time.
_EACH, _AT_ONCE = 64, 8192
# Log weight by which draws are less with an entry that the model never draws, so that
# they are for rows that have no other.
_LAST = 1e3


def fill(plan, model, holds, table, method, rng, max_tries, who):
    """Fill the missing entries of a table whose known ones keep to the constraints.

    The model has ``impute``, of which ``method`` is an argument, and ``score_samples``
    for entries that follow from others; ``holds(table)`` is a mask of the rows that
    keep to all constraints. ConstraintError if of ``max_tries`` draws for a row none
    does.
    """
    import pandas as pd

    seen = _with_combinations(plan, model, table, plan.forward(table), method, rng)
    options = {"random_state": rng} if method == "sample" else {}
    found = plan.backward(model.impute(seen, method=method, **options), table)
    unheard = plan.unheard(table)
    again = ~holds(found) & table.isna().any(axis=1).to_numpy(bool)
    for own in unheard.values():
        again |= own
    rows = np.flatnonzero(again)
    if not rows.size:
        return found
    given = plan, model, holds, table, seen, unheard, rng, max_tries, who
    drawn = [
        _drawn(*given, rows[part])
        for part in gen_batches(len(rows), max(1, _AT_ONCE // _EACH))
    ]
    whole = pd.concat([found[~again], *drawn])
    order = np.argsort(np.concatenate([np.flatnonzero(~again), rows]))
    return whole.iloc[order].set_axis(table.index, axis=0)


def _drawn(plan, model, holds, table, seen, unheard, rng, max_tries, who, rows):
    """Draws for some rows, by weight among those that keep to the constraints."""
    import pandas as pd

    done, parts, left = [], [], rows
    for tried in range(0, max_tries, _EACH):
        n = min(_EACH, max_tries - tried)
        which = np.repeat(left, n)
        drawn = model.impute(seen.iloc[which], method="sample", random_state=rng)
        whole = plan.backward(drawn, table.iloc[which])
        log_w = np.where(holds(whole), 0.0, -np.inf)
        masks = {name: own[which] for name, own in unheard.items()}
        heard = np.logical_or.reduce([np.zeros(len(which), bool), *masks.values()])
        heard &= np.isfinite(log_w)
        if heard.any():
            masks = {name: own[heard] for name, own in masks.items()}
            seen_now = plan.forward(whole[heard])
            log_w[heard] += _log_weights(plan, model, seen_now, masks)
        log_w = log_w.reshape(-1, n)
        # The largest of log weight plus Gumbel noise is a draw by weight.
        best = (log_w + rng.gumbel(size=log_w.shape)).argmax(axis=1)
        found = np.isfinite(log_w.max(axis=1))
        parts.append(whole.iloc[(np.arange(len(left)) * n + best)[found]])
        done.append(left[found])
        left = left[~found]
        if not left.size:
            order = np.argsort(np.concatenate(done))
            return pd.concat(parts).iloc[order]
    raise ConstraintError(
        f"{who}: of {max_tries} draws for row {left[0]} (with the label "
        f"{table.index[left[0]]!r}) none keeps to the constraints: raise max_tries."
    )


def _log_weights(plan, model, seen, masks):
    """Log probability of entries given the others of their rows."""
    others, unseen = seen.copy(), np.zeros(len(seen), bool)
    for name, own in masks.items():
        others[name] = others[name].mask(own)
        unseen |= own & is_unseen(plan, model, name, seen[name])
    found = model.score_samples(seen) - model.score_samples(others)
    return found - _LAST * unseen


def _with_combinations(plan, model, table, seen, method, rng):
    """Table that the model sees, with a combination for rows that miss part of one."""
    for step in plan.steps:
        if not isinstance(step, Joint):
            continue
        values = [encoded(step.codec, j, table[n]) for j, n in enumerate(step.columns)]
        values = np.stack(values, axis=1)
        lacks, name = np.isnan(values), step.columns[0]
        rows = np.flatnonzero(lacks.any(axis=1) & ~lacks.all(axis=1))
        if not rows.size:
            continue
        codes = seen[name].cat.codes.to_numpy(int, copy=True)
        for block in gen_batches(len(rows), _EACH):
            part = rows[block]
            matches = np.stack([step.matches(values[row]) for row in part])
            log_w = np.where(matches, 0.0, -np.inf)
            place, own = np.nonzero(matches & (matches.sum(axis=1) > 1)[:, None])
            if len(own):
                candidates = seen.iloc[part[place]].copy()
                candidates[name] = step.category(own).set_axis(candidates.index)
                log_w[place, own] = model.score_samples(candidates)
            if method == "sample":
                log_w += rng.gumbel(size=log_w.shape)
            codes[part] = log_w.argmax(axis=1)
        seen = seen.copy()
        seen[name] = step.category(codes).set_axis(seen.index)
    return seen
