r"""Density of y given conditions x.

.. math:: \log p(y \mid x) = \log \sum_h e^{-E(y, h; x)} - \log Z(x)

with a Z of each row: exact where y or the hidden units have few states, else between
annealed importance sampling from both sides.
"""

from functools import cached_property
from numbers import Number
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from skdgm.base import Density, of_rows
from skdgm.boltzmann._conditional.annealing import (
    averages,
    log_Z_bracket,
    tell_unsure,
)
from skdgm.boltzmann._conditional.conditions import RowConditions
from skdgm.inference import bound, mean_field, unroll
from skdgm.partition.enumeration import Enumeration, alike
from skdgm.samplers import Gibbs, State
from skdgm.utils.counts import check_choice, count, count_rows
from skdgm.utils.random import LIKELIHOOD, MAX_SEED, stream
from skdgm.utils.rows import Rows, row_hash
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import astype

# Entries of rows at a time.
_ROOM = 2**18


def take(tuples, rows):
    """Values and clamps of blocks of some rows."""
    return tuple(
        tuple(v if v is None or v is True else np.asarray(v)[rows] for v in parts)
        for parts in tuples
    )


class ResponseColumns(NamedTuple):
    """Columns of y: their :class:`~skdgm.data.responses.Responses`, None of series;
    kind, and statistics."""

    responses: object
    domain: object
    columns: tuple


class ConditionalDensity(Density):
    """Density of y given conditions.

    Without y, all of it is missing.

    Parameters
    ----------
    context : Context
        Of the conditions.
    energy : Energy
    params : Params
    y : ResponseColumns
    layout : TableLayout
        Blocks of the columns of y.
    n_lags : int, default=0
        Number of rows before each that are its conditions.
    sweeps : int, default=0
        Mean-field sweeps by which the machine has learned to predict, if it has.
    """

    def __init__(self, context, *, energy, params, y, layout, n_lags=0, sweeps=0):
        super().__init__(context)
        self.energy, self.params, self.layout = energy, params, layout
        self.y, self.responses = y, y.responses
        self.n_lags, self.sweeps = n_lags, sweeps

    @property
    def capabilities(self):
        log_p, holes = "estimate", "lower bound"
        if self.enumeration.possible:
            log_p = holes = "exact"
        drawn = "exact" if self.enumeration.possible else "estimate"
        return {
            "log_prob": of_rows(log_p, missing=holes, grey="estimate"),
            "features": of_rows("exact", missing=drawn),
            "sample": {"conditions": drawn},
            "fill": {"missing": "estimate" if self.sweeps else drawn},
        }

    @cached_property
    def enumeration(self):
        """Sums over the states of the smaller layer, in float64."""
        return Enumeration(self.energy, astype(self.params, np.float64))

    @property
    def n_features_out(self):
        return self.energy.units[len(self.layout.units)].size

    def pairs(self, X, y=None, dtype=None):
        """Rows of y, in the units of the model, with their conditions; X may be a
        number of rows without known conditions."""
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
        """Iterate over blocks of rows: their places, and values and clamps of blocks of
        the energy."""
        size = max(1, _ROOM // max(unit.size for unit in self.energy.units))
        for start in range(0, rows.shape[0], size):
            part = np.arange(start, min(start + size, rows.shape[0]))
            x, clamp = self.layout.present(rows.take(part))
            yield part, (*x, rows.beside(part)), (*clamp, True)

    def parts(self, x, clamp):
        """Iterate over rows with the same known entries: their places, and the
        :class:`Enumeration` of the free entries, the known values and the
        conditions, in float64; at last those with too many states, with None."""
        units, many = self.layout.units, []
        shapes = [(len(x[-1]), unit.size) for unit in units]
        known = [np.broadcast_to(held, shape) for held, shape in zip(clamp, shapes)]
        for rows in alike(np.concatenate(known, axis=1)):
            enumeration = self.enumeration.of([mask[rows[0]] for mask in known])
            if enumeration.possible:
                y = [np.asarray(x[b])[rows].astype(float) for b in range(len(units))]
                yield rows, (enumeration, x[-1][rows].astype(np.float64), y)
            else:
                many.append(rows)
        if many:
            yield np.sort(np.concatenate(many)), None

    def streams(self, rows, *tags):
        """A stream for each row, by its content."""
        return stream(self.seed, LIKELIHOOD, *tags).rows(row_hash(rows))

    @property
    def precise(self):
        """Type in which rows are read for likelihoods: float64 where these are exact,
        else None."""
        return np.float64 if self.enumeration.possible else None

    def log_prob(self, X, y=None):
        """Log-likelihood of each row of y given X, in nats; 0 where y is None."""
        low, high = self.bracket(X, y)
        return np.where(high - low > 1.0, low, 0.5 * (low + high))

    def bracket(self, X, y=None):
        """Lower and upper estimates of the log-likelihood of each row, in nats, (2,
        n_rows): equal where it is exact."""
        if y is None:
            return np.zeros((2, self.read(X).shape[0]))
        return self.bracket_of(self.pairs(X, y, self.precise))

    def bracket_of(self, rows):
        """The same of rows with conditions."""
        volume = self.y.domain.log_volume(self.y.columns, rows)
        rng, brackets = self.streams(rows), []
        with one_blas_thread():
            for part, x, clamp in self.blocks(rows):
                log_w = self.log_weight(x, clamp)
                brackets.append(log_w - self._log_Z(x[-1], rng.take(part)))
        return np.concatenate(brackets, axis=1) + volume

    def _log_Z(self, z, rng):
        """Log Z from above and from below, (2, n_rows), with the weight of the
        conditions themselves."""
        if self.enumeration.possible:
            exact = self.enumeration.log_evidence(z.astype(np.float64))
            exact += self.energy.units[-1].log_weight(self.params.units[-1], z)
            return np.stack([exact, exact])
        return log_Z_bracket(rng, self.energy, self.params, z)

    def log_weight(self, x, clamp):
        """Log of the sum of exp(-E) over all that is not clamped, or a bound on it."""
        n, log_weight = len(self.layout.units), np.empty(len(x[-1]))
        holed = np.zeros(len(log_weight), bool)
        for held in clamp[:n]:
            holed |= False if held is True else ~held.all(axis=1)
        params, energy = self.enumeration.params, self.energy
        if not holed.all():
            whole = [None if v is None else v[~holed] for v in x]
            log_weight[~holed] = energy.log_marginal(params, whole)
        if holed.any():
            part, held = take((x, clamp), holed)
            log_weight[holed] = self._log_evidence(part, held)
        return log_weight

    def _log_evidence(self, x, clamp):
        """Log weight of rows with missing entries: a lower bound where states are
        many."""
        params, energy = self.enumeration.params, self.energy
        log_weight = np.empty(len(x[-1]))
        for rows, exact in self.parts(x, clamp):
            if exact:
                enumeration, z, y = exact
                of_z = energy.units[-1].log_weight(params.units[-1], z)
                log_weight[rows] = enumeration.log_evidence(z, y) + of_z
            else:
                part, held = take((x, clamp), rows)
                means, _ = mean_field(energy, params, part, held)
                log_weight[rows] = bound(energy, params, means, held)
        return log_weight

    def features(self, X, y=None):
        """Means of hidden units given X, and y where it is known."""
        return self.features_of(self.pairs(X, y))

    def features_of(self, rows):
        """The same of rows with conditions."""
        n, blocks = len(self.layout.units), []
        with one_blas_thread():
            for _, x, clamp in self.blocks(rows):
                hidden = np.empty((len(x[-1]), self.n_features_out), self.params.dtype)
                whole = all(np.all(held) for held in clamp[:n])
                parts = [(slice(None), None)] if whole else self.parts(x, clamp)
                for part, exact in parts:
                    if exact:
                        enumeration, z, y = exact
                        means = enumeration.means(z, y)
                    else:
                        values, held = take((x, clamp), part)
                        means, _ = mean_field(self.energy, self.params, values, held)
                    hidden[part] = means[n]
                blocks.append(hidden)
        return np.concatenate(blocks)

    def marginals(self, X, y=None, n_steps=100):
        """Means of the blocks of y given X and the known entries of y, a list: exact
        where the missing entries, or the hidden layer, have few states, else averages
        over chains."""
        return self.marginals_of(self.pairs(X, y), n_steps)

    def marginals_of(self, rows, n_steps=100):
        """The same of rows with conditions."""
        rng, parts, errors = self.streams(rows, 1), [], []
        with one_blas_thread():
            for part, x, clamp in self.blocks(rows):
                means, error = self.means_of(x, clamp, rng.take(part), n_steps)
                parts.append(means)
                errors.append(error)
        tell_unsure(self.name, np.concatenate(errors))
        dtype = self.params.dtype
        return [
            np.concatenate(of_block).astype(dtype, copy=False)
            for of_block in zip(*parts)
        ]

    def means_of(self, x, clamp, rng, n_steps, once=False):
        """Means of visible blocks given conditions and clamped entries, a list, and the
        largest standard error of each row, (n_rows,): 0 where means are exact. By a
        single chain where not, if ``once``."""
        units, error = self.layout.units, np.zeros(len(x[-1]))
        if self.sweeps:
            return self._swept(x, clamp), error
        of_blocks = [np.empty((len(error), unit.size)) for unit in units]
        for rows, exact in self.parts(x, clamp):
            if exact:
                enumeration, z, y = exact
                means = enumeration.means(z, y)
            else:
                part, held = take((x, clamp), rows)
                streams = rng.take(rows)
                means, error[rows] = averages(
                    streams, self.energy, self.params, part, held, n_steps, once
                )
            for whole, mean in zip(of_blocks, means):
                whole[rows] = mean
        return of_blocks, error

    def _swept(self, x, clamp):
        """Means of visible blocks by the sweeps that were learned."""
        x = tuple(None if part is None else np.asarray(part) for part in x)
        parts = zip(clamp, self.layout.units, x)
        seen = [np.broadcast_to(known, v.shape) for known, _, v in parts]
        clamped = (*seen, None, True)
        updates = unroll(self.energy, self.params, x, clamped, self.sweeps)
        means = {update.block: update.mean for update in updates}
        return [np.where(known, x[b], means[b]) for b, known in enumerate(seen)]

    def drawn(self, X, y=None, random_state=None, n_steps=100):
        """Draw y given X and its known entries, in the units of the model: exactly
        where states are few, else by Gibbs steps from the mean field."""
        rows, parts = self.pairs(X, y), []
        n_steps = count(n_steps, "n_steps")
        rng = stream(check_random_state(random_state).randint(MAX_SEED))
        rng = rng.rows(rows.shape[0])
        with one_blas_thread():
            for part, x, clamp in self.blocks(rows):
                parts.append(self.draws_of(x, clamp, rng.take(part), n_steps))
        return np.concatenate(parts)

    def draws_of(self, x, clamp, rng, n_steps):
        """Draws given conditions and clamped entries, as values of the table."""
        found = [np.empty((len(x[-1]), unit.size)) for unit in self.layout.units]
        for rows, exact in self.parts(x, clamp):
            if exact:
                own, z, y = exact
                drawn = own.draw(z, rng.take(rows), y)
            else:
                part, held = take((x, clamp), rows)
                means, _ = mean_field(self.energy, self.params, part, held)
                order = self.energy.backwards
                sampler = Gibbs(self.energy, colours=order, clamp=held)
                streams, start = rng.take(rows), State(means)
                drawn = sampler.step(streams, self.params, start, n_steps)[0].x
            for whole, own in zip(found, drawn):
                whole[rows] = np.asarray(own)
        return self.layout.to_table(found).astype(self.params.dtype, copy=False)

    def transformed(self, X, H, method="mean", random_state=None):
        """Means, or draws, of y given X and values of the hidden units."""
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
        n, parts = len(self.layout.units), []
        for part, x, _ in self.blocks(rows):
            state = State((*x[:n], H[part], x[-1]))
            clamp = (*(None,) * n, True, True)
            sampler = Gibbs(self.energy, colours=(0,), clamp=clamp)
            state, info = sampler.step(rng.take(part), self.params, state)
            values = state.x if method == "sample" else info.means
            parts.append(self.layout.to_table(values[:n]))
        v = np.concatenate(parts).astype(self.params.dtype, copy=False)
        return self.responses.decoded(self.to_data(v))

    def to_data(self, v):
        """Values of y as numbers of its columns."""
        return self.y.domain.to_data(self.y.columns, v)

    def sample(self, X, random_state=None, *, n_steps=100):
        """Draw y given X, or X rows without known conditions."""
        drawn = self.drawn(X, None, random_state, n_steps)
        return self.responses.decoded(self.to_data(drawn))

    def fill(self, X, method="mean", random_state=None, *, y=None, n_steps=100):
        """Fill missing entries of y given X and the others."""
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
        """Means of y, as numbers of its columns: of categories the most probable."""
        means = self.marginals(X, y, count(n_steps, "n_steps"))
        return self.to_data(self.layout.to_table(means))

    def predict(self, X, y=None):
        """Means of numbers, and the most probable categories and bits, of y."""
        numbers = self.fill_numbers(X, y)
        return self.responses.decoded(self.rounded(numbers))

    def rounded(self, numbers):
        """Numbers of columns with the more probable value of bits."""
        bits = self.y.columns.kinds == "bernoulli"
        numbers[:, bits] = numbers[:, bits] > 0.5
        return numbers

    def probabilities(self, means):
        """Probabilities of the categories, or both values of a bit, of each column of y
        that has such, given the means of blocks: a list of (n_rows, n_categories), in
        the order of the columns."""
        of_columns, layout = {}, self.layout
        for (kind, unit, which), part in zip(layout.blocks, means):
            if kind == "categorical":
                parts = np.split(part, unit.starts[1:], axis=1)
            elif kind == "bernoulli":
                parts = [np.stack([1 - p, p], axis=1) for p in part.T]
            else:
                continue
            of_columns |= dict(zip(which.tolist(), parts))
        return [of_columns[j] for j in sorted(of_columns)]
