r"""Density of y given conditions x.

.. math:: \log p(y \mid x) = \log \sum_h e^{-E(y, h; x)} - \log Z(x)

Z(x) of each row is exact if y or the hidden units have few states. Otherwise annealed
importance sampling in both directions brackets it.
"""

from functools import cached_property
from numbers import Number
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from skdgm.base import Density, of_rows
from skdgm.boltzmann._conditional.annealing import (
    averages,
    log_Z_bracket,
    warn_uncertain_means,
)
from skdgm.boltzmann._conditional.conditions import RowConditions
from skdgm.inference import bound, mean_field, unroll
from skdgm.partition.enumeration import Enumeration
from skdgm.samplers import Gibbs, State
from skdgm.utils.counts import check_choice, count, count_rows
from skdgm.utils.math import rows_by_pattern
from skdgm.utils.random import LIKELIHOOD, MAX_SEED, stream
from skdgm.utils.rows import Rows, row_hash
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import astype

# Number of entries of the rows processed at a time.
_MAX_ENTRIES = 2**18


def take(tuples, rows):
    """Values and clamps of all blocks, for some rows."""
    return tuple(
        tuple(v if v is None or v is True else np.asarray(v)[rows] for v in parts)
        for parts in tuples
    )


class ResponseColumns(NamedTuple):
    """Columns of y: their :class:`~skdgm.data.responses.Responses` (None for series),
    kind, and statistics."""

    responses: object
    domain: object
    columns: tuple


class ConditionalDensity(Density):
    """Density of y given conditions, whose ``context`` is that of the conditions.
    Without y, all its values are missing. A row has ``n_lags`` previous rows as
    conditions, if not 0; ``sweeps`` is the number of mean-field sweeps with which the
    machine was trained to predict."""

    def __init__(self, context, *, energy, params, y, layout, n_lags=0, sweeps=0):
        super().__init__(context)
        self.energy, self.params, self.layout = energy, params, layout
        self.y, self.responses = y, y.responses
        self.n_lags, self.sweeps = n_lags, sweeps

    @property
    def capabilities(self):
        log_p, with_missing = "estimate", "lower bound"
        if self.enumeration.possible:
            log_p = with_missing = "exact"
        sampled = "exact" if self.enumeration.possible else "estimate"
        return {
            "log_prob": of_rows(log_p, missing=with_missing, gray="estimate"),
            "features": of_rows("exact", missing=sampled),
            "sample": {"conditions": sampled},
            "fill": {"missing": "estimate" if self.sweeps else sampled},
        }

    @cached_property
    def enumeration(self):
        """Sums over the states of the smaller layer, in float64."""
        return Enumeration(self.energy, astype(self.params, np.float64))

    @property
    def n_features_out(self):
        return self.energy.units[len(self.layout.units)].size

    def pairs(self, X, y=None, dtype=None):
        """Rows of y, on the scale of the model, with their conditions. X may be a
        number of rows with unknown conditions."""
        if isinstance(X, Number | np.generic):
            n_rows = count_rows(X, len(self.responses.kinds) + len(self.columns.seen))
            dtype = dtype or self.params.dtype.type
            rows = Rows(np.full((n_rows, len(self.columns.seen)), np.nan), dtype)
        else:
            rows = self.read(X, dtype=dtype)
        if y is None:
            numbers = np.full((rows.shape[0], len(self.responses.kinds)), np.nan)
        else:
            numbers = self.responses.numbers(y, self.name, rows.shape[0])
        rows_of_y = self.responses.rows(numbers, self.y.columns, rows.dtype)
        return rows_of_y._replace(given=RowConditions(rows, self.columns))

    def blocks(self, rows):
        """Iterate over parts of the rows: their indices, and values and clamps of all
        blocks."""
        size = max(1, _MAX_ENTRIES // max(unit.size for unit in self.energy.units))
        for start in range(0, rows.shape[0], size):
            index = np.arange(start, min(start + size, rows.shape[0]))
            x, clamp = self.layout.clamp_rows(rows.take(index))
            yield index, (*x, rows.accompanying(index)), (*clamp, True)

    def parts(self, x, clamp):
        """Iterate over groups of rows with the same known entries. Yields their
        indices, and a tuple of the :class:`Enumeration` of the free entries, the
        conditions, and the known values, in float64. Last come the rows with too many
        states, with None instead of the tuple."""
        units, not_enumerable = self.layout.units, []
        shapes = [(len(x[-1]), unit.size) for unit in units]
        known = [
            np.broadcast_to(clamped, shape) for clamped, shape in zip(clamp, shapes)
        ]
        for rows in rows_by_pattern(np.concatenate(known, axis=1)):
            enumeration = self.enumeration.of([mask[rows[0]] for mask in known])
            if enumeration.possible:
                y = [np.asarray(x[b])[rows].astype(float) for b in range(len(units))]
                yield rows, (enumeration, x[-1][rows].astype(np.float64), y)
            else:
                not_enumerable.append(rows)
        if not_enumerable:
            yield np.sort(np.concatenate(not_enumerable)), None

    def streams(self, rows, *tags):
        """A stream for each row, which depends on its content."""
        return stream(self.seed, LIKELIHOOD, *tags).rows(row_hash(rows))

    @property
    def precise(self):
        """Type in which rows are read for likelihoods: float64 if these are exact, else
        None."""
        return np.float64 if self.enumeration.possible else None

    def log_prob(self, X, y=None):
        """Log-likelihood of each row of y given X, in nats; 0 if y is None."""
        low, high = self.bracket(X, y)
        return np.where(high - low > 1.0, low, 0.5 * (low + high))

    def bracket(self, X, y=None):
        """Lower and upper estimates of the log-likelihood of each row, in nats, (2,
        n_rows), which are equal if it is exact."""
        if y is None:
            return np.zeros((2, self.read(X).shape[0]))
        return self.bracket_of(self.pairs(X, y, self.precise))

    def bracket_of(self, rows):
        """As :meth:`bracket`, for rows with conditions."""
        volume = self.y.domain.log_volume(self.y.columns, rows)
        rng, brackets = self.streams(rows), []
        with one_blas_thread():
            for index, x, clamp in self.blocks(rows):
                log_w = self.log_weight(x, clamp)
                brackets.append(log_w - self._log_Z(x[-1], rng.take(index)))
        return np.concatenate(brackets, axis=1) + volume

    def _log_Z(self, z, rng):
        """Upper and lower estimates of log Z, (2, n_rows), including the weight of the
        conditions."""
        if self.enumeration.possible:
            exact = self.enumeration.log_evidence(z.astype(np.float64))
            exact += self.energy.units[-1].log_weight(self.params.units[-1], z)
            return np.stack([exact, exact])
        return log_Z_bracket(rng, self.energy, self.params, z)

    def log_weight(self, x, clamp):
        """Log of the sum of exp(-E) over all entries that are not clamped, or a lower
        bound."""
        n, log_weight = len(self.layout.units), np.empty(len(x[-1]))
        incomplete = np.zeros(len(log_weight), bool)
        for clamped in clamp[:n]:
            incomplete |= False if clamped is True else ~clamped.all(axis=1)
        params, energy = self.enumeration.params, self.energy
        if not incomplete.all():
            complete = [None if v is None else v[~incomplete] for v in x]
            log_weight[~incomplete] = energy.log_marginal(params, complete)
        if incomplete.any():
            x_part, clamped = take((x, clamp), incomplete)
            log_weight[incomplete] = self._log_evidence(x_part, clamped)
        return log_weight

    def _log_evidence(self, x, clamp):
        """Log weight of rows with missing entries; a lower bound if there are many
        states."""
        params, energy = self.enumeration.params, self.energy
        log_weight = np.empty(len(x[-1]))
        for rows, exact in self.parts(x, clamp):
            if exact:
                enumeration, z, y = exact
                of_z = energy.units[-1].log_weight(params.units[-1], z)
                log_weight[rows] = enumeration.log_evidence(z, y) + of_z
            else:
                x_part, clamped = take((x, clamp), rows)
                means, _ = mean_field(energy, params, x_part, clamped)
                log_weight[rows] = bound(energy, params, means, clamped)
        return log_weight

    def features(self, X, y=None):
        """Means of the hidden units given X and the known entries of y."""
        return self.features_of(self.pairs(X, y))

    def features_of(self, rows):
        """As :meth:`features`, for rows with conditions."""
        n, blocks = len(self.layout.units), []
        with one_blas_thread():
            for _, x, clamp in self.blocks(rows):
                hidden = np.empty((len(x[-1]), self.n_features_out), self.params.dtype)
                is_complete = all(np.all(clamped) for clamped in clamp[:n])
                groups = [(slice(None), None)] if is_complete else self.parts(x, clamp)
                for index, exact in groups:
                    if exact:
                        enumeration, z, y = exact
                        means = enumeration.means(z, y)
                    else:
                        values, clamped = take((x, clamp), index)
                        means, _ = mean_field(self.energy, self.params, values, clamped)
                    hidden[index] = means[n]
                blocks.append(hidden)
        return np.concatenate(blocks)

    def marginals(self, X, y=None, n_steps=100):
        """Means of the blocks of y given X and the known entries of y, a list. They are
        exact if the missing entries or the hidden layer have few states, and averages
        over chains otherwise."""
        return self.marginals_of(self.pairs(X, y), n_steps)

    def marginals_of(self, rows, n_steps=100):
        """As :meth:`marginals`, for rows with conditions."""
        rng, means_of_parts, errors = self.streams(rows, 1), [], []
        with one_blas_thread():
            for index, x, clamp in self.blocks(rows):
                means, error = self.means_of(x, clamp, rng.take(index), n_steps)
                means_of_parts.append(means)
                errors.append(error)
        warn_uncertain_means(self.name, np.concatenate(errors))
        dtype = self.params.dtype
        return [
            np.concatenate(of_block).astype(dtype, copy=False)
            for of_block in zip(*means_of_parts)
        ]

    def means_of(self, x, clamp, rng, n_steps, once=False):
        """Means of the visible blocks given conditions and clamped entries, a list, and
        the largest standard error of each row, (n_rows,), which is 0 if means are
        exact. With ``once``, other rows have a single chain."""
        units, error = self.layout.units, np.zeros(len(x[-1]))
        if self.sweeps:
            return self._swept(x, clamp), error
        of_blocks = [np.empty((len(error), unit.size)) for unit in units]
        for rows, exact in self.parts(x, clamp):
            if exact:
                enumeration, z, y = exact
                means = enumeration.means(z, y)
            else:
                x_part, clamped = take((x, clamp), rows)
                streams = rng.take(rows)
                means, error[rows] = averages(
                    streams, self.energy, self.params, x_part, clamped, n_steps, once
                )
            for of_block, mean in zip(of_blocks, means):
                of_block[rows] = mean
        return of_blocks, error

    def _swept(self, x, clamp):
        """Means of the visible blocks, predicted by unrolled sweeps."""
        arrays: Any = tuple(None if part is None else np.asarray(part) for part in x)
        parts = zip(clamp, self.layout.units, arrays)
        observed = [np.broadcast_to(known, v.shape) for known, _, v in parts]
        clamped = (*observed, None, True)
        updates = unroll(self.energy, self.params, arrays, clamped, self.sweeps)
        means = {update.block: update.mean for update in updates}
        return [
            np.where(known, arrays[b], means[b]) for b, known in enumerate(observed)
        ]

    def drawn(self, X, y=None, random_state=None, n_steps=100):
        """Draw y given X and the known entries of y, on the scale of the model: exactly
        if there are few states, otherwise by Gibbs steps from the mean-field
        solution."""
        rows, draws = self.pairs(X, y), []
        n_steps = count(n_steps, "n_steps")
        rng = stream(check_random_state(random_state).randint(MAX_SEED))
        rng = rng.rows(rows.shape[0])
        with one_blas_thread():
            for index, x, clamp in self.blocks(rows):
                draws.append(self.draws_of(x, clamp, rng.take(index), n_steps))
        return np.concatenate(draws)

    def draws_of(self, x, clamp, rng, n_steps):
        """Draws given conditions and clamped entries, as values of the table."""
        of_blocks = [np.empty((len(x[-1]), unit.size)) for unit in self.layout.units]
        for rows, exact in self.parts(x, clamp):
            if exact:
                enumeration, z, y = exact
                drawn = enumeration.draw(z, rng.take(rows), y)
            else:
                x_part, clamped = take((x, clamp), rows)
                means, _ = mean_field(self.energy, self.params, x_part, clamped)
                order = self.energy.backwards
                sampler = Gibbs(self.energy, colors=order, clamp=clamped)
                streams, start = rng.take(rows), State(means)
                drawn = sampler.step(streams, self.params, start, n_steps)[0].x
            for of_block, enumeration in zip(of_blocks, drawn):
                of_block[rows] = np.asarray(enumeration)
        return self.layout.to_table(of_blocks).astype(self.params.dtype, copy=False)

    def transformed(self, X, H, method="mean", random_state=None):
        """Means or draws of y given X and values of the hidden units."""
        check_choice("method", method, ("mean", "sample"))
        rows = self.pairs(X)
        H = self.checked(H, self.params.dtype, "entries of hidden units")
        size = rows.shape[0]
        if len(H) not in (1, size):
            raise ValueError(
                f"H has {len(H)} rows, but X has {size}: give a row for "
                "each, or one for all."
            )
        H = np.broadcast_to(H, (size, H.shape[1]))
        rng = stream(check_random_state(random_state).randint(MAX_SEED)).rows(size)
        n, tables = len(self.layout.units), []
        for index, x, _ in self.blocks(rows):
            state = State((*x[:n], H[index], x[-1]))
            clamp = (*(None,) * n, True, True)
            sampler = Gibbs(self.energy, colors=(0,), clamp=clamp)
            state, info = sampler.step(rng.take(index), self.params, state)
            values: Any = state.x if method == "sample" else info.means
            tables.append(self.layout.to_table(values[:n]))
        v = np.concatenate(tables).astype(self.params.dtype, copy=False)
        return self.responses.decoded(self.to_data(v))

    def to_data(self, v):
        """Values of y on the scale of its columns."""
        return self.y.domain.to_data(self.y.columns, v)

    # Rows of X, or their number, are the conditions.
    def sample(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, X, random_state=None, *, n_steps=100
    ):
        """Draw y given X, or given a number of rows with unknown conditions."""
        drawn = self.drawn(X, None, random_state, n_steps)
        return self.responses.decoded(self.to_data(drawn))

    def fill(self, X, method="mean", random_state=None, *, y=None, n_steps=100):
        """Impute missing entries of y given X and the other entries."""
        check_choice("method", method, ("mean", "sample"))
        if method == "sample":
            numbers = self.to_data(self.drawn(X, y, random_state, n_steps))
        else:
            numbers = self.fill_numbers(X, y, n_steps)
        if y is not None:
            known = self.responses.numbers(y, self.name)
            numbers = np.where(np.isnan(known), numbers, known)
        return self.responses.decoded(numbers)

    def fill_numbers(self, X, y=None, n_steps=100):
        """Means of y on the scale of its columns; the most probable categories."""
        means = self.marginals(X, y, count(n_steps, "n_steps"))
        return self.to_data(self.layout.to_table(means))

    def predict(self, X, y=None):
        """Means of numbers, and the most probable categories and bits, of y."""
        numbers = self.fill_numbers(X, y)
        return self.responses.decoded(self.rounded(numbers))

    def rounded(self, numbers):
        """Numbers of columns, with the most probable values of bits, in place."""
        bits = self.y.columns.kinds == "bernoulli"
        numbers[:, bits] = numbers[:, bits] > 0.5
        return numbers

    def probabilities(self, means):
        """Probabilities of the categories, or of both values of a bit, given the means
        of blocks: a list of arrays (n_rows, n_categories) for columns of y with
        classes, in their order."""
        of_columns, layout = {}, self.layout
        for (kind, unit, numbers), mean in zip(layout.blocks, means):
            if kind == "categorical":
                of_block = np.split(mean, unit.starts[1:], axis=1)
            elif kind == "bernoulli":
                of_block = [np.stack([1 - p, p], axis=1) for p in mean.T]
            else:
                continue
            of_columns |= dict(zip(numbers.tolist(), of_block))
        return [of_columns[j] for j in sorted(of_columns)]
