r"""Imputation of rows that satisfy constraints, by weighted draws.

A row is drawn with weights (:mod:`skdgm.constraints._solving`) in two cases. The model
lacks a column for a known entry, such as the higher of two numbers if it learns the
lower number and the difference, or its imputation breaks a constraint:

.. math:: \hat x = \sum_k \frac{w_k}{\sum_l w_l} x_k \quad \text{("mean")}, \qquad
    \hat x = x_k, \quad k \sim w \quad \text{("sample")}
"""

from typing import NamedTuple

import numpy as np
from sklearn.utils import gen_batches

from skdgm.constraints._constraint import evaluated
from skdgm.constraints._plan import Plan, label_of
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

# Initial number of draws for each row, and number of rows drawn at a time.
_N_INITIAL_DRAWS, _BATCH = 64, 8192
_FILL, _DRAW, _CHOICE, _COMBINATION = range(4)
# Sufficient effective number of draws of a row, and the number that causes a warning.
_SUFFICIENT_ESS, _WARNING_ESS = 8, 1.5


class Constrained(NamedTuple):
    """Model of the columns of a reparametrization: its plan, the fitted model, pairs of
    a constraint and an object with its ``holds``, and the name of the estimator in
    messages."""

    plan: Plan
    model: object
    checks: tuple
    subject: str

    def holds(self, table):
        """Mask of the rows that satisfy all constraints on rows."""
        masks = [checker.holds(table) for _, checker in self.checks]
        return np.logical_and.reduce([np.ones(len(table), bool), *masks])


def fill(constrained, table, method, seed, max_tries):
    """Impute the missing entries of a table by a :class:`Constrained` model.

    Random numbers are keyed by row number for the method "sample" and by row content
    otherwise, so rows are independent of each other. A ConstraintWarning names rows
    that remain incomplete: their known entries break a constraint, or none of
    ``max_tries`` draws satisfies all constraints. FewDrawsWarning if few draws of a row
    have large weights.
    """
    subject, plan = constrained.subject, constrained.plan
    broken = [(name, ~keep) for name, keep in evaluated(constrained.checks, table)]
    possible = ~np.logical_or.reduce(
        [np.zeros(len(table), bool), *(b for _, b in broken)]
    )
    for name, is_broken_row in broken:
        warn_incomplete(
            subject, table, is_broken_row, f"their known entries break {name}"
        )
    fillable = table[possible]
    imputed = fillable
    if len(fillable) and fillable.isna().any(axis=None):
        keys = np.flatnonzero(possible).astype(np.uint64)
        if method != "sample":
            keys = row_hash(Rows(plan.codec.encode(fillable, strict=False), np.float64))
        rng = stream(seed, IMPUTE).rows(keys)
        filler = _Filler(constrained, fillable, rng, max_tries)
        imputed, done = filler.filled(method)
        is_lost = np.zeros(len(table), bool)
        is_lost[np.flatnonzero(possible)[~done]] = True
        reason = f"none of {max_tries} draws keeps to the constraints: raise max_tries"
        warn_incomplete(subject, table, is_lost, reason)
        possible &= ~is_lost
        imputed = imputed[done]
    if possible.all():
        return imputed
    positions = np.flatnonzero(possible)
    imputed = imputed.set_axis(positions, axis=0).reindex(np.arange(len(table)))
    return completed(table, imputed)


def warn_incomplete(subject, table, rows, why):
    """Warn of incomplete rows of a table, given by a mask, that are not imputed."""
    rows = rows & table.isna().any(axis=1).to_numpy(bool)
    if rows.any():
        warn(
            f"{subject}: {rows.sum()} of {len(table)} rows are not filled, as {why}. "
            f"The first of them is {label_of(table, np.flatnonzero(rows)[0])}.",
            ConstraintWarning,
        )


class _Filler:
    """Draws for rows whose known entries satisfy all constraints; each row has its own
    random stream."""

    def __init__(self, constrained, table, rng, max_tries):
        self.plan, self.model, _, self.subject = constrained
        self.holds, self.table = constrained.holds, table
        self.rng, self.max_tries = rng, max_tries

    def filled(self, method):
        """Return the imputed table and a mask of the rows that are complete."""
        import pandas as pd

        plan, rng, model = self.plan, self.rng, self.model
        noise = rng.fold(_COMBINATION) if method == "sample" else None
        table = _with_combinations(plan, model, self.holds, self.table, noise)
        self.table = table
        self.ways, self.seen = Ways(plan, table), plan.forward(table)
        if method == "sample":
            imputed = drawn_by(model, self.seen, rng.fold(_FILL))
        else:
            imputed = model.impute(self.seen, method=method)
        imputed = plan.backward(imputed, table)
        redrawn = ~self.holds(imputed) & table.isna().any(axis=1).to_numpy(bool)
        redrawn |= self.ways.number > 0
        rows, done = np.flatnonzero(redrawn), np.ones(len(table), bool)
        if not rows.size:
            return imputed, done
        parts, few = [imputed[~redrawn]], []
        for batch in gen_batches(len(rows), _BATCH // _N_INITIAL_DRAWS):
            drawn, has_draw, n_eff = self._drawn(rows[batch], method)
            parts.append(drawn)
            done[rows[batch][~has_draw]] = False
            few.append(
                has_draw & (n_eff < _WARNING_ESS) & (self.ways.number[rows[batch]] > 0)
            )
        few = rows[np.concatenate(few)]
        if few.size:
            warn(
                f"{self.subject}: the known entries of {few.size} of {len(table)} rows "
                "are so improbable together that only one of their draws counts: raise "
                "max_tries. The first of them is "
                f"{label_of(table, few[0])}.",
                FewDrawsWarning,
            )
        order = np.argsort(np.concatenate([np.flatnonzero(~redrawn), rows]))
        combined = pd.concat([drawn for drawn in parts if len(drawn)])
        return combined.iloc[order].set_axis(table.index, axis=0), done

    def _drawn(self, rows, method):
        """Impute rows from weighted draws. Return the rows, a mask of rows with a draw
        that satisfies the constraints, and effective numbers of draws."""
        import pandas as pd

        pool, todo, drawn = [], np.arange(len(rows)), 0
        n_eff = np.zeros(len(rows))
        while todo.size and drawn < self.max_tries:
            n = min(3 * drawn or _N_INITIAL_DRAWS, _BATCH, self.max_tries - drawn)
            for batch in gen_batches(len(todo), _BATCH // n):
                pool.append(
                    self._draws(rows, todo[batch], drawn + np.arange(n), method)
                )
            drawn += n
            place, log_w = (np.concatenate([part[k] for part in pool]) for k in (0, 2))
            n_eff = _effective(place, log_w, len(rows))
            weighted = self.ways.number[rows[todo]] > 0 if method == "sample" else True
            todo = todo[n_eff[todo] < np.where(weighted, _SUFFICIENT_ESS, 1)]
        parts = ([part[k] for part in pool] for k in range(4))
        place, turn, log_w, log_p = map(np.concatenate, parts)
        draws = pd.concat([part[4] for part in pool])
        has_draw = np.bincount(place, np.isfinite(log_w), len(rows)) > 0
        if method == "mode":
            key = np.where(np.isfinite(log_w), log_p, -np.inf)
        else:
            # The largest of log weight plus Gumbel noise is a draw by weight.
            noise = self.rng.take(rows).fold(_CHOICE).each(drawn).gumbel(1)
            key = log_w + noise[place * drawn + turn, 0]
        order = np.lexsort((key, place))
        best = order[np.append(np.diff(place[order]) > 0, True)]
        chosen = draws.iloc[best]
        if method == "mean" and has_draw.any():
            finite = np.isfinite(log_w)
            mean = self._mean(
                draws[finite], place[finite], log_w[finite], rows[has_draw]
            )
            keep = self.holds(mean)
            places = np.flatnonzero(has_draw)
            # If the mean breaks a constraint, a draw replaces it.
            parts = [
                mean[keep],
                chosen.iloc[np.delete(np.arange(len(rows)), places[keep])],
            ]
            order = np.append(
                places[keep], np.delete(np.arange(len(rows)), places[keep])
            )
            chosen = pd.concat([p for p in parts if len(p)]).iloc[np.argsort(order)]
        return chosen, has_draw, n_eff

    def _draws(self, rows, places, turns, method):
        """Draw the numbers ``turns`` of draws for the rows at some places.

        Returns the places, draw numbers, log weights (minus infinity if a draw breaks a
        constraint), log joint probabilities, and rows, one entry per place and number.
        """
        n, first = len(turns), turns[0]
        rng = self.rng.take(rows[places]).fold(_DRAW).each(first + n)
        rng = rng.take(np.arange(len(rng.ids)) % (first + n) >= first)
        place, turn = np.repeat(places, n), np.tile(turns, len(places))
        rows = rows[place]
        table, seen = self.table.iloc[rows], self.seen.iloc[rows]
        draws = drawn_by(self.model, seen, rng)
        draws = self.ways.solved(draws, table, rows, turn)
        log_w = np.where(self.holds(draws), 0.0, -np.inf)
        log_p, is_scored = log_w.copy(), np.isfinite(log_w)
        if method != "mode":
            is_scored = is_scored & (self.ways.number[rows] > 0)
        if is_scored.any():
            seen = self.plan.forward(draws[is_scored])
            log_w[is_scored], log_p[is_scored] = self.ways.log_weights(
                self.model, seen, rows[is_scored], turns
            )
        return place, turn, log_w, log_p, draws

    def _mean(self, whole, place, log_w, rows):
        """Weighted mean of the draws of each row; most probable category for
        categorical columns."""
        _, place = np.unique(place, return_inverse=True)
        log_w = log_w - _log_sums(place, log_w, len(rows))[place]
        seen, w = self.plan.forward(whole), np.exp(log_w)
        model_codec = getattr(getattr(self.model, "_columns", None), "codec", None)
        codec = Codec.of(self.seen) if model_codec is None else model_codec
        x = codec.encode(seen, strict=False).astype(np.float64)
        means = np.empty((len(rows), x.shape[1]))
        for j, kind in enumerate(codec.kinds):
            if kind == "numeric":
                mean = np.bincount(place, w * x[:, j], len(rows))
                means[:, j] = rounded_alike(mean, x[:, j], place)
            else:
                values, codes = np.unique(x[:, j], return_inverse=True)
                share = np.zeros((len(rows), len(values)))
                np.add.at(share, (place, codes.ravel()), w)
                means[:, j] = values[share.argmax(axis=1)]
        return self.plan.backward(codec.decode(means), self.table.iloc[rows])


def _log_sums(place, log_w, n):
    """Log sum of the weights of each of n rows; minus infinity for rows without
    weights."""
    maximum = np.full(n, -np.inf)
    np.maximum.at(maximum, place, log_w)
    maximum = np.where(np.isfinite(maximum), maximum, 0.0)
    with np.errstate(divide="ignore"):
        return maximum + np.log(np.bincount(place, np.exp(log_w - maximum[place]), n))


def _effective(place, log_w, n):
    """Effective number of draws of each of n rows."""
    log_w = np.where(np.isfinite(log_w), log_w, -np.inf)
    sums, squares = (_log_sums(place, logs, n) for logs in (log_w, 2 * log_w))
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(np.exp(2 * sums - squares))


def _with_combinations(plan, model, holds, table, rng):
    """Complete partly missing combinations by their probability given the known
    entries: the most probable combination, or a draw if ``rng`` is not None."""
    for number, step in enumerate(plan.steps):
        if not isinstance(step, Joint):
            continue
        values = [encoded(step.codec, j, table[n]) for j, n in enumerate(step.columns)]
        values = np.stack(values, axis=1)
        missing = np.isnan(values)
        rows = np.flatnonzero(missing.any(axis=1) & ~missing.all(axis=1))
        if not rows.size:
            continue
        codes = np.full(len(table), -1)
        for block in gen_batches(len(rows), _N_INITIAL_DRAWS):
            part = rows[block]
            matches = np.stack([step.matches(values[row]) for row in part])
            log_w = np.where(matches, 0.0, -np.inf)
            row_i, code = np.nonzero(matches & (matches.sum(axis=1) > 1)[:, None])
            if len(code):
                candidates = _combined(step, table.iloc[part[row_i]], code)
                keep = holds(candidates)
                log_w[row_i, code] = -np.inf
                if keep.any():
                    seen = plan.forward(candidates[keep])
                    log_p = scores(model, seen) - penalties(plan, model, seen)
                    log_w[row_i[keep], code[keep]] = log_p
            if rng is not None:
                log_w += rng.take(part).fold(number).gumbel(log_w.shape[1])
            codes[part] = log_w.argmax(axis=1)
        table = _combined(step, table, codes)
    return table


def _combined(step, table, codes):
    """Complete rows by the combinations with these codes; -1 leaves a row unchanged."""
    values = np.where(codes[:, None] < 0, np.nan, step.values[codes])
    places = [table.columns.get_loc(name) for name in step.columns]
    filled, table = step.codec.decode(values), table.copy()
    filled = completed(table.iloc[:, places], filled.set_axis(step.columns, axis=1))
    for j, place in enumerate(places):
        table.isetitem(place, filled.iloc[:, j].array)
    return table
