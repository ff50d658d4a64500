r"""Density, samples and codes of a fitted normalizing flow.

.. math:: p(x) = p_z(f(x)) \left\lvert \det \frac{\partial f}{\partial x}
   \right\rvert, \qquad p(x_o) = \mathbb{E}_{q(x_m \mid x_o)} \left[
   \frac{p(x_o, x_m)}{q(x_m \mid x_o)} \right]

where q, the initial distribution of training, proposes the missing entries m of a row.
"""

from functools import partial
from typing import Any

import numpy as np
from scipy.special import logsumexp
from sklearn.utils import check_random_state
from sklearn.utils.validation import _num_samples

from skdgm.base import Density
from skdgm.data import events_of, fill
from skdgm.data.auto import AUTO
from skdgm.data.given import attribute_numbers
from skdgm.data.levels import on_levels
from skdgm.flows._likelihood import (
    MAX_ACTIVATIONS,
    base_of,
    loss_of,
    n_given,
    noise_of,
    with_attributes,
    with_inputs,
)
from skdgm.flows.normal import initial_distribution
from skdgm.latent.filling import impute_by_importance
from skdgm.nets import layers_of
from skdgm.utils import addresses
from skdgm.utils.counts import count_rows
from skdgm.utils.domains import ROUNDING
from skdgm.utils.given import Given
from skdgm.utils.math import log_mean_exp
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import astype
from skdgm.utils.weighted import Weighted, effective_sample_size, pooled

# Standard deviation of proposals for missing entries, relative to the initial one.
_SPREAD = 1.25
_CHOICE, _NOISE = addresses.FLOW_DENSITY
# Default numbers of draws of missing entries, and of the noise of complete rows.
_N_DRAWS = 100, 20
# Number of proposals at a time under conditions.
_PARTICLES = 4000


class FlowDensity(Density):
    """Density of rows under a flow, perhaps conditional on ``attributes``.
    ``dequantization`` maps rows to the space of the flow, ``n_draws`` is the number of
    draws of missing entries and noise for each row or "auto", and ``known`` has the
    attributes of the training rows and their weights."""

    # Values far beyond the range of the training rows are clipped to it.
    bounded = True

    def __init__(
        self, context, *, flow, state, dequantization, n_draws, attributes, known
    ):
        super().__init__(context)
        self.net, whitening_index, self.width = flow
        self.params, self.statistics = state.learned, state.statistics
        self.initial = initial_distribution(self.statistics, whitening_index)
        self.base = base_of(self.params, self.statistics)
        self.dequantization = dequantization
        is_auto = n_draws == AUTO
        self.n_draws, self.n_noise_draws = _N_DRAWS if is_auto else (n_draws, n_draws)
        self.attributes, self.known = attributes, known
        self.n_given = n_given(attributes)

    @property
    def capabilities(self):
        """Kinds of the results: exact, except for whole numbers, missing entries and
        conditions on columns."""
        rows = {"complete": "exact", "missing": "estimate"}
        scores = rows | (
            {"complete": "lower bound"} if self.dequantization.noisy else {}
        )
        attributes = {} if self.attributes is None else {"attributes": "exact"}
        return {
            "log_prob": scores | dict.fromkeys(attributes, scores["complete"]),
            "features": rows | attributes,
            "inverse": {"unconditional": "exact"} | attributes,
            "sample": {"unconditional": "exact", "conditions": "estimate"} | attributes,
            "fill": {"missing": "estimate"},
        }

    @property
    def dtype(self):
        """Data type of the parameters."""
        return next(layers_of(self.params)).b.dtype.type

    @property
    def n_features_out(self):
        return len(self.columns.seen)

    def log_prob(self, X, *, y=None):
        """Log-likelihood of each row, in nats, conditional on attributes y; by default,
        classes are marginalized with their training frequencies."""
        if y is None and self.attributes is not None and not self.attributes.real.any():
            return self._of_classes(X)
        return self._log_prob(self._read(X, y))

    def _of_classes(self, X):
        """Log-likelihood of each row, marginalized over the classes."""
        rows, log_joint = self.read(X), []
        log_prior = np.log(self.known.weight / self.known.weight.sum())
        for class_numbers, log_p in zip(self.known.numbers, log_prior):
            condition = Given(np.tile(class_numbers, (rows.shape[0], 1)))
            log_joint.append(self._log_prob(rows._replace(given=condition)) + log_p)
        return logsumexp(log_joint, axis=0)

    def _log_prob(self, rows):
        """Log-likelihood of each row, conditional on its attributes."""

        def of_rows(v, rng):
            log_p, gaps = np.empty(len(v)), np.isnan(v).any(axis=1)
            for mask in (~gaps, gaps):
                streams = rng.take(np.flatnonzero(mask))
                log_p[mask] = self._scores(v[mask], streams, mask is gaps)
            # The marginal density over no entries is one.
            log_p[np.isnan(v[:, self.n_given :]).all(axis=1)] = 0
            return log_p

        return self._of_rows(of_rows, rows) + self.domain.log_volume(self.columns, rows)

    def features(self, X, *, y=None):
        """Code of each row; the expected code of a row with missing entries."""

        def of_rows(v, rng):
            codes = np.empty_like(v[:, self.n_given :])
            gaps = np.isnan(v).any(axis=1)
            codes[~gaps] = self._code(self.dequantization.middle(v[~gaps])[0])
            if gaps.any():
                rng = rng.take(np.flatnonzero(gaps))
                codes[gaps] = self._weighed(v[gaps], rng, "mean", self._code)
            return codes

        return self._of_rows(of_rows, self._read(X, y))

    def inverse(self, H, y=None):
        """Rows of codes H, with attributes y."""
        H = self.checked(H, self.dtype)
        return self._decoded(H, self._numbers(y, len(H)))

    def sample(
        self, n_samples, random_state=None, *, y=None, conditions=None, names=None
    ):
        """Draw rows conditional on attributes y, by default those of training rows by
        weight, and on ``conditions``, a dict whose keys are among the column ``names``.
        """
        n_samples = count_rows(n_samples, self.n_features_out)
        seed = check_random_state(random_state).randint(MAX_SEED)
        attributes: Any = None
        if y is not None:
            attributes = self._numbers(y, n_samples)
            # Rows under conditions are resampled from one pool.
            if conditions is not None and (attributes != attributes[0]).any():
                raise ValueError(
                    f"{self.name}: all rows under conditions are given the same "
                    "attributes: give y of one row."
                )
            attributes = attributes if conditions is None else attributes[:1]
        with one_blas_thread():
            if conditions is None:
                v = self._new(stream(seed).rows(n_samples), attributes)
                return self._to_data(v)
            x, values, ranges = self._events(conditions, names)
            v = self._conditioned(n_samples, values, ranges, attributes, stream(seed))
        return self._to_data(v, x)

    def fill(self, X, method="mean", random_state=None, *, n_samples=1, y=None):
        """Impute missing entries in ``n_samples`` copies of each row."""
        n_samples = count_rows(n_samples, self.n_features_out)
        X, n_given = self.with_missing_columns(X), self.n_given
        numbers = self._numbers(y, _num_samples(X))
        condition = None if numbers is None else Given(numbers)

        def values(z):
            return self.dequantization.values(z[:, n_given:])

        def filled(block):
            v = with_inputs(self.attributes, block.given, block.v)
            weighed: Any = self._weighed(v, block.rng, method, values)
            return weighed.astype(v.dtype)

        complete = fill(
            self, X, method, random_state, filled, n_draws=n_samples, given=condition
        )
        return self.decoded(complete, X)

    def _read(self, X, y):
        """Validated rows, with numeric attributes if the flow is conditional."""
        rows = self.read(X)
        attributes = self._numbers(y, rows.shape[0])
        return rows if attributes is None else rows._replace(given=Given(attributes))

    def _numbers(self, y, n_rows):
        """Numeric attributes of rows, (n_rows, n_attributes), or None."""
        if y is not None:
            return attribute_numbers(self.attributes, y, self.name, n_rows)
        if self.attributes is not None:
            raise ValueError(
                f"{self.name} is conditional: give y, the attributes of the rows. "
                "Without these there are only scores, if all attributes are classes."
            )
        return None

    def _new(self, rng, numbers=None):
        """Draw one row per random stream, in units of the model."""
        if numbers is None:
            numbers = self._known(rng)
        draw = partial(self.base.draw, rng) if self.base else rng.normal
        return self._inverse(draw(self.n_features_out, self.dtype), numbers)

    def _known(self, rng):
        """Draw numeric attributes of training rows by weight; None without
        attributes."""
        if self.attributes is None:
            return None
        return self.known.numbers[self.known.chosen(rng.fold(_CHOICE).uniform(1)[:, 0])]

    def _events(self, conditions, names):
        """Conditions as values of columns, in units of the data and of the model, and
        as ranges, a list of (column, low, high) in units of the model."""
        names, kinds = list(names), np.full(self.n_features_out, "gaussian")
        x, values, events = events_of(self.columns, kinds, conditions, names, self.name)
        ranges = [(j, *e.intervals[0]) for j, e in enumerate(events) if e is not None]
        cells = self.dequantization.cells
        if cells is not None:
            with np.errstate(invalid="ignore"):
                tolerance = ROUNDING * np.abs(x)
                impossible = (x < cells.low - tolerance) | (x > cells.last + tolerance)
                impossible |= cells.whole & ~on_levels(x, cells.per_unit)
            if impossible.any():
                j = int(np.argmax(impossible))
                raise ValueError(
                    f"{self.name}: the condition {x[j]:g} on column {names[j]!r} has "
                    "no probability: it is beyond the bounds, or between levels."
                )
            ranges = [(j, *cells.around(j, low, high)) for j, low, high in ranges]
        return x, values, ranges

    def _conditioned(self, n_samples, values, ends, numbers, rng):
        """Draw rows, in units of the model, under values and ranges of columns."""
        has_value = ~np.isnan(values)

        def draw(size, rng):
            streams, log_w = rng.rows(size), np.zeros(size)
            if numbers is None:
                attributes = self._known(streams)
            else:
                attributes = np.repeat(numbers, size, 0)
            if has_value.any():
                v = np.tile(values, (size, 1)).astype(self.dtype)
                v = with_inputs(self.attributes, attributes, v)
                log_w, v = self._particles(v)(streams)
                v = self.dequantization.values(v[:, self.n_given :])
            else:
                v = self._new(streams, attributes)
            for j, low, high in ends:
                log_w[(v[:, j] < low) | (v[:, j] > high)] = -np.inf
            n_effective = effective_sample_size(log_w)
            return Weighted(v, log_w, n_effective, n_effective / size)

        return pooled(draw, n_samples, rng, _PARTICLES, self.name, hard=bool(ends))

    def _inverse(self, z, numbers):
        z = with_inputs(self.attributes, numbers, z)
        v = self.net.inverse(self.params[0], self.statistics[0], z)
        return self.dequantization.values(v[:, self.n_given :])

    def _decoded(self, z, numbers):
        """Rows of codes z, in the form of the data."""
        with one_blas_thread():
            return self._to_data(self._inverse(z, numbers))

    def _to_data(self, v, x=None):
        """Rows v in the form of the data; known values x replace entries."""
        values = self.domain.to_data(self.columns, v)
        if x is not None:
            values[:, ~np.isnan(x)] = x[~np.isnan(x)]
        return self.decoded(values)

    def _of_rows(self, function, rows):
        take = with_attributes(rows, self.attributes).take
        return self.by_content(function, rows, MAX_ACTIVATIONS // self.width, take)

    def _as(self, dtype):
        """Parameters and statistics with a ``dtype``."""
        return astype((self.params, self.statistics), dtype)

    def _log_p(self, v):
        """Log-densities of complete rows in units of the model."""
        params, statistics = self._as(v.dtype)
        loss = loss_of(self.net, params, statistics, v, self.n_given)
        return -loss.astype(np.float64)

    def _code(self, v):
        params, statistics = self._as(v.dtype)
        return self.net.apply(params[0], statistics[0], v)[0][:, self.n_given :]

    def _scores(self, v, rng, holes):
        """Log-densities of rows, which have missing entries if ``holes``."""
        if not (holes or self.dequantization.noisy):
            z, log_w = self.dequantization.middle(v)
            return self._log_p(z) + log_w
        draw = self._particles(v, holes)
        n_draws = self.n_draws if holes else self.n_noise_draws
        log_weights = [draw(rng.fold(k))[0] for k in range(n_draws if len(v) else 1)]
        return log_mean_exp(np.stack(log_weights))[0]

    def _particles(self, v, holes=True):
        """Function from a random stream to completed rows with noise, in the space of
        the flow, and their log importance weights."""
        params, statistics = self._as(v.dtype)
        noise = noise_of(params, statistics)
        conditional = log_volume = None
        if not self.dequantization.noisy:
            z, log_volume = self.dequantization.middle(v)
            conditional = self.initial.given(z)

        def draw(rng):
            if conditional is not None:
                log_w, completed = self._drawn(conditional, rng)
                return log_w + log_volume, completed
            z, log_noise = self.dequantization.drawn(v, rng.fold(_NOISE), noise)
            if not holes:
                return self._log_p(z) + log_noise, z
            log_w, completed = self._drawn(self.initial.given(z), rng)
            return log_w + log_noise, completed

        return draw

    def _drawn(self, conditional, rng):
        """Log importance weights and completed rows, drawn from ``conditional``."""
        completed, log_q = conditional.completed(rng, _SPREAD)
        return self._log_p(completed) - log_q, completed

    def _weighed(self, v, rng, method, function):
        """Weighted mean of ``function`` over completed rows, or its value at one row
        that is resampled by weight."""
        particles = self._particles(v)

        def draw(rng):
            log_w, completed = particles(rng)
            return log_w, function(completed)

        return impute_by_importance(draw, rng, self.n_draws, method)
