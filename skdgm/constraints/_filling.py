r"""Imputation of rows such that they satisfy constraints.

Two kinds of rows are drawn with weights (:mod:`skdgm.constraints._solving`). The model
has no column for a known entry, such as the higher of two numbers if it learns the
lower number and the difference, or the entries from the model break a constraint:

.. math:: \hat x = \sum_k \frac{w_k}{\sum_l w_l} x_k \quad \text{("mean")}, \qquad
    \hat x = x_k, \quad k \sim w \quad \text{("sample")}
"""

import numpy as np
from sklearn.utils import gen_batches

from skdgm.constraints._constraint import judged
from skdgm.constraints._plan import label_of
from skdgm.constraints._quantities import encoded, rounded_alike
from skdgm.constraints._solving import Ways, penalties, scores
from skdgm.constraints._steps import Joint
from skdgm.data.filling import completed
from skdgm.data.frames import Codec
from skdgm.exceptions import ConstraintWarning, FewDrawsWarning
from skdgm.utils.random import IMPUTE, stream
from skdgm.utils.rows import Rows, row_hash
from skdgm.utils.threading.callers import warn
from skdgm.utils.wrapped import drawn_by

# Draws for each row at first, and rows drawn at a time.
_EACH, _AT_ONCE = 64, 8192
_FILL, _DRAW, _CHOICE, _COMBINATION = range(4)
# Effective number of a row's draws that is enough, and below which there is a warning.
_ENOUGH, _FEW = 8, 1.5


def fill(plan, model, checks, table, method, seed, max_tries, who):
    """Fill the missing entries of a table.

    Random numbers are keyed by a row's number for the method "sample", else by its
    content, so that no row depends on the others. The model has ``impute``, of which
    ``method`` is an argument, and ``score_samples`` for entries that follow from
    others; ``checks`` are pairs of a constraint and what has a method ``holds`` for it.
    Rows whose known entries break one, and those for
    which none of ``max_tries`` draws keeps to all, stay as they are, and are named in a
    ConstraintWarning. FewDrawsWarning if few of a row's draws count.
    """
    broken = [(name, ~keep) for name, keep in judged(checks, table)]
    possible = ~np.logical_or.reduce(
        [np.zeros(len(table), bool), *(b for _, b in broken)]
    )
    for name, own in broken:
        _tell(who, table, own, f"their known entries break {name}")
    part = table[possible]
    found = part
    if len(part) and part.isna().any(axis=None):
        keys = np.flatnonzero(possible).astype(np.uint64)
        if method != "sample":
            keys = row_hash(Rows(plan.codec.encode(part, strict=False), np.float64))
        rng = stream(seed, IMPUTE).rows(keys)
        filler = _Filler(plan, model, checks, part, rng, max_tries, who)
        found, done = filler.filled(method)
        lost = np.zeros(len(table), bool)
        lost[np.flatnonzero(possible)[~done]] = True
        few = f"none of {max_tries} draws keeps to the constraints: raise max_tries"
        _tell(who, table, lost, few)
        possible &= ~lost
        found = found[done]
    if possible.all():
        return found
    numbers = np.flatnonzero(possible)
    found = found.set_axis(numbers, axis=0).reindex(np.arange(len(table)))
    return completed(table, found)


def _tell(who, table, rows, why):
    """Warn of rows of a table that are not filled, a mask, if any of these lacks an
    entry."""
    rows = rows & table.isna().any(axis=1).to_numpy(bool)
    if rows.any():
        warn(
            f"{who}: {rows.sum()} of {len(table)} rows are not filled, as {why}. The "
            f"first of them is {label_of(table, np.flatnonzero(rows)[0])}.",
            ConstraintWarning,
        )


class _Filler:
    """Draws for the rows of a table whose known entries keep to all constraints; each
    row has a stream of random numbers."""

    def __init__(self, plan, model, checks, table, rng, max_tries, who):
        self.plan, self.model, self.checks, self.table = plan, model, checks, table
        self.rng, self.max_tries, self.who = rng, max_tries, who

    def holds(self, table):
        """Mask of the rows that keep to all constraints on rows."""
        parts = [own.holds(table) for _, own in self.checks]
        return np.logical_and.reduce([np.ones(len(table), bool), *parts])

    def filled(self, method):
        """Table with missing entries filled, and a mask of the rows that are."""
        import pandas as pd

        plan, rng, model = self.plan, self.rng, self.model
        noise = rng.fold(_COMBINATION) if method == "sample" else None
        given = self.holds, self.table, noise
        self.table = table = _with_combinations(plan, model, *given)
        self.ways, self.seen = Ways(plan, table), plan.forward(table)
        if method == "sample":
            found = drawn_by(model, self.seen, rng.fold(_FILL))
        else:
            found = model.impute(self.seen, method=method)
        found = plan.backward(found, table)
        again = ~self.holds(found) & table.isna().any(axis=1).to_numpy(bool)
        again |= self.ways.number > 0
        rows, done = np.flatnonzero(again), np.ones(len(table), bool)
        if not rows.size:
            return found, done
        parts, few = [found[~again]], []
        for batch in gen_batches(len(rows), _AT_ONCE // _EACH):
            part, kept, number = self._drawn(rows[batch], method)
            parts.append(part)
            done[rows[batch][~kept]] = False
            few.append(kept & (number < _FEW) & (self.ways.number[rows[batch]] > 0))
        few = rows[np.concatenate(few)]
        if few.size:
            warn(
                f"{self.who}: the known entries of {few.size} of {len(table)} rows are "
                "so improbable together that only one of their draws counts: raise "
                "max_tries. The first of them is "
                f"{label_of(table, few[0])}.",
                FewDrawsWarning,
            )
        order = np.argsort(np.concatenate([np.flatnonzero(~again), rows]))
        whole = pd.concat([part for part in parts if len(part)])
        return whole.iloc[order].set_axis(table.index, axis=0), done

    def _drawn(self, rows, method):
        """Rows filled from weighted draws, a mask of those for which one keeps to the
        constraints (others are as drawn), and effective numbers of draws."""
        import pandas as pd

        pool, left, drawn = [], np.arange(len(rows)), 0
        number = np.zeros(len(rows))
        while left.size and drawn < self.max_tries:
            n = min(3 * drawn or _EACH, _AT_ONCE, self.max_tries - drawn)
            for batch in gen_batches(len(left), _AT_ONCE // n):
                pool.append(
                    self._draws(rows, left[batch], drawn + np.arange(n), method)
                )
            drawn += n
            place, log_w = (np.concatenate([own[k] for own in pool]) for k in (0, 2))
            number = _effective(place, log_w, len(rows))
            each = self.ways.number[rows[left]] > 0 if method == "sample" else True
            left = left[number[left] < np.where(each, _ENOUGH, 1)]
        parts = ([own[k] for own in pool] for k in range(4))
        place, turn, log_w, log_p = map(np.concatenate, parts)
        whole = pd.concat([own[4] for own in pool])
        kept = np.bincount(place, np.isfinite(log_w), len(rows)) > 0
        if method == "mode":
            key = np.where(np.isfinite(log_w), log_p, -np.inf)
        else:
            # The largest of log weight plus Gumbel noise is a draw by weight.
            noise = self.rng.take(rows).fold(_CHOICE).each(drawn).gumbel(1)
            key = log_w + noise[place * drawn + turn, 0]
        order = np.lexsort((key, place))
        best = order[np.append(np.diff(place[order]) > 0, True)]
        found = whole.iloc[best]
        if method == "mean" and kept.any():
            own = np.isfinite(log_w)
            mean = self._mean(whole[own], place[own], log_w[own], rows[kept])
            keep = self.holds(mean)
            places = np.flatnonzero(kept)
            # A mean may break a rule: then it is a draw.
            parts = [
                mean[keep],
                found.iloc[np.delete(np.arange(len(rows)), places[keep])],
            ]
            order = np.append(
                places[keep], np.delete(np.arange(len(rows)), places[keep])
            )
            found = pd.concat([p for p in parts if len(p)]).iloc[np.argsort(order)]
        return found, kept, number

    def _draws(self, rows, places, turns, method):
        """Draws of the numbers ``turns`` for the rows at some places, each of which has
        all of them.

        Returns the places, numbers, log weights, minus infinity of draws that break a
        constraint, log joint probabilities, and the rows as drawn.
        """
        n, first = len(turns), turns[0]
        rng = self.rng.take(rows[places]).fold(_DRAW).each(first + n)
        rng = rng.take(np.arange(len(rng.ids)) % (first + n) >= first)
        place, turn = np.repeat(places, n), np.tile(turns, len(places))
        rows = rows[place]
        table, seen = self.table.iloc[rows], self.seen.iloc[rows]
        whole = drawn_by(self.model, seen, rng)
        whole = self.ways.solved(whole, table, rows, turn)
        log_w = np.where(self.holds(whole), 0.0, -np.inf)
        log_p, own = log_w.copy(), np.isfinite(log_w)
        if method != "mode":
            own = own & (self.ways.number[rows] > 0)
        if own.any():
            seen = self.plan.forward(whole[own])
            given = self.model, seen, rows[own], turns
            log_w[own], log_p[own] = self.ways.log_weights(*given)
        return place, turn, log_w, log_p, whole

    def _mean(self, whole, place, log_w, rows):
        """Rows of weighted means (for categories the most probable), as columns of the
        model."""
        _, place = np.unique(place, return_inverse=True)
        log_w = log_w - _log_sums(place, log_w, len(rows))[place]
        seen, w = self.plan.forward(whole), np.exp(log_w)
        known = getattr(getattr(self.model, "_columns", None), "codec", None)
        codec = Codec.of(self.seen) if known is None else known
        x = codec.encode(seen, strict=False).astype(np.float64)
        found = np.empty((len(rows), x.shape[1]))
        for j, kind in enumerate(codec.kinds):
            if kind == "numeric":
                mean = np.bincount(place, w * x[:, j], len(rows))
                found[:, j] = rounded_alike(mean, x[:, j], place)
            else:
                values, codes = np.unique(x[:, j], return_inverse=True)
                share = np.zeros((len(rows), len(values)))
                np.add.at(share, (place, codes.ravel()), w)
                found[:, j] = values[share.argmax(axis=1)]
        return self.plan.backward(codec.decode(found), self.table.iloc[rows])


def _log_sums(place, log_w, n):
    """Log sums of weights of n rows; minus infinity of none."""
    most = np.full(n, -np.inf)
    np.maximum.at(most, place, log_w)
    most = np.where(np.isfinite(most), most, 0.0)
    with np.errstate(divide="ignore"):
        return most + np.log(np.bincount(place, np.exp(log_w - most[place]), n))


def _effective(place, log_w, n):
    """Effective numbers of draws of n rows."""
    log_w = np.where(np.isfinite(log_w), log_w, -np.inf)
    sums, squares = (_log_sums(place, own, n) for own in (log_w, 2 * log_w))
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(np.exp(2 * sums - squares))


def _with_combinations(plan, model, holds, table, rng):
    """Table in which rows that miss part of a combination have one, by its probability
    given what is known, drawn if there are streams of random numbers."""
    for number, step in enumerate(plan.steps):
        if not isinstance(step, Joint):
            continue
        values = [encoded(step.codec, j, table[n]) for j, n in enumerate(step.columns)]
        values = np.stack(values, axis=1)
        lacks = np.isnan(values)
        rows = np.flatnonzero(lacks.any(axis=1) & ~lacks.all(axis=1))
        if not rows.size:
            continue
        codes = np.full(len(table), -1)
        for block in gen_batches(len(rows), _EACH):
            part = rows[block]
            matches = np.stack([step.matches(values[row]) for row in part])
            log_w = np.where(matches, 0.0, -np.inf)
            place, own = np.nonzero(matches & (matches.sum(axis=1) > 1)[:, None])
            if len(own):
                candidates = _combined(step, table.iloc[part[place]], own)
                keep = holds(candidates)
                log_w[place, own] = -np.inf
                place, own, candidates = place[keep], own[keep], candidates[keep]
            if len(own):
                seen = plan.forward(candidates)
                log_w[place, own] = scores(model, seen) - penalties(plan, model, seen)
            if rng is not None:
                log_w += rng.take(part).fold(number).gumbel(log_w.shape[1])
            codes[part] = log_w.argmax(axis=1)
        table = _combined(step, table, codes)
    return table


def _combined(step, table, codes):
    """Table whose rows have combinations of these codes where they miss part of one; -1
    leaves a row as it is."""
    values = np.where(codes[:, None] < 0, np.nan, step.values[codes])
    places = [table.columns.get_loc(name) for name in step.columns]
    found, table = step.codec.decode(values), table.copy()
    found = completed(table.iloc[:, places], found.set_axis(step.columns, axis=1))
    for j, place in enumerate(places):
        table.isetitem(place, found.iloc[:, j].array)
    return table
