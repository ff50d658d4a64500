r"""Density of rows that a map with an inverse takes to a simple distribution.

.. math:: p(x) = p_z(f(x)) \left\lvert \det \frac{\partial f}{\partial x}
   \right\rvert, \qquad p(x_o) = \mathbb{E}_{q(x_m \mid x_o)} \left[
   \frac{p(x_o, x_m)}{q(x_m \mid x_o)} \right]
"""

from functools import partial

import numpy as np
from scipy.special import logsumexp
from sklearn.utils import check_random_state
from sklearn.utils.validation import _num_samples

from skdgm.base import Density
from skdgm.data import events_of, fill
from skdgm.data.given import attribute_numbers
from skdgm.flows._likelihood import (
    ROOM,
    base_of,
    loss_of,
    n_given,
    noise_of,
    with_attributes,
    with_inputs,
)
from skdgm.flows.normal import start_of
from skdgm.latent.filling import by_weight
from skdgm.nets import layers_of
from skdgm.utils import addresses
from skdgm.utils.counts import count_rows
from skdgm.utils.given import Given
from skdgm.utils.math import log_mean_exp
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import astype
from skdgm.utils.weighted import Weighted, effective, pooled

# Width of the distributions from which missing entries are drawn, relative to normal.
_SPREAD = 1.25
_CHOICE, _NOISE = addresses.FLOW_DENSITY
# Draws under conditions at a time.
_PARTICLES = 4000


class FlowDensity(Density):
    """Density of rows by a flow.

    Besides the arguments of :class:`~skdgm.base.Density` it has ``flow``, a
    :class:`FlowNet`, and its training ``state``; the ``placing`` of rows in its space;
    ``n_draws`` of missing entries and noise for each row; and the ``attributes`` of
    rows, with those ``known`` of training rows, of :mod:`skdgm.data.attributes`, or
    None.
    """

    # Known values far beyond the range seen are read as its ends.
    bounded = True

    def __init__(self, context, *, flow, state, placing, n_draws, attributes, known):
        super().__init__(context)
        self.net, place, self.width = flow
        self.params, self.statistics = state.learned, state.statistics
        self.normal = start_of(self.statistics, place)
        self.base = base_of(self.params, self.statistics)
        self.placing, self.n_draws = placing, n_draws
        self.attributes, self.known = attributes, known
        self.n_given = n_given(attributes)

    @property
    def capabilities(self):
        """Exact, except for whole numbers, missing entries and conditions on
        columns."""
        rows = {"complete": "exact", "missing": "estimate"}
        scores = rows | ({"complete": "lower bound"} if self.placing.noisy else {})
        attributes = {} if self.attributes is None else {"attributes": "exact"}
        return {
            "log_prob": scores | dict.fromkeys(attributes, scores["complete"]),
            "features": rows | attributes,
            "inverse": {"nothing": "exact"} | attributes,
            "sample": {"nothing": "exact", "conditions": "estimate"} | attributes,
            "fill": {"missing": "estimate"},
        }

    @property
    def dtype(self):
        """Type of the parameters."""
        return next(layers_of(self.params)).b.dtype.type

    @property
    def n_features_out(self):
        """Number of columns of the code: that of the data."""
        return len(self.columns.seen)

    def log_prob(self, X, *, y=None):
        """Log-likelihood of each row, in nats, given attributes y if it is conditional;
        without them, of rows of all classes by their frequencies."""
        if y is None and self.attributes is not None and not self.attributes.real.any():
            return self._of_classes(X)
        return self._log_prob(self._read(X, y))

    def _of_classes(self, X):
        """Log-likelihood of each row, of classes by their weights in training rows."""
        rows, log_joint = self.read(X), []
        log_share = np.log(self.known.weight / self.known.weight.sum())
        for number, log_p in zip(self.known.numbers, log_share):
            given = Given(np.tile(number, (rows.shape[0], 1)))
            log_joint.append(self._log_prob(rows._replace(given=given)) + log_p)
        return logsumexp(log_joint, axis=0)

    def _log_prob(self, rows):
        """Log-likelihood of each row, given its attributes."""

        def of_rows(v, rng):
            log_p, holes = np.empty(len(v)), np.isnan(v).any(axis=1)
            for which in (~holes, holes):
                streams = rng.take(np.flatnonzero(which))
                log_p[which] = self._scores(v[which], streams, which is holes)
            # The density of no entry is one.
            log_p[np.isnan(v[:, self.n_given :]).all(axis=1)] = 0
            return log_p

        return self._of_rows(of_rows, rows) + self.domain.log_volume(self.columns, rows)

    def features(self, X, *, y=None):
        """Code of each row, the expected one where entries are missing."""

        def of_rows(v, rng):
            codes = np.empty_like(v[:, self.n_given :])
            holes = np.isnan(v).any(axis=1)
            codes[~holes] = self._code(self.placing.middle(v[~holes])[0])
            if holes.any():
                rng = rng.take(np.flatnonzero(holes))
                codes[holes] = self._weighed(v[holes], rng, "mean", self._code)
            return codes

        return self._of_rows(of_rows, self._read(X, y))

    def inverse(self, H, y=None):
        """Rows of codes."""
        H = self.checked(H, self.dtype)
        return self._decoded(H, self._numbers(y, len(H)))

    def sample(
        self, n_samples, random_state=None, *, y=None, conditions=None, names=None
    ):
        """Draw rows, of a conditional flow given attributes y, by default those of
        training rows by share; with ``conditions``, a dict by the ``names`` of columns,
        given these."""
        n_samples = count_rows(n_samples, self.n_features_out)
        seed, numbers = check_random_state(random_state).randint(MAX_SEED), None
        if y is not None:
            numbers = self._numbers(y, n_samples)
            # Rows under conditions are chosen from a pool with the same attributes.
            if conditions is not None and (numbers != numbers[0]).any():
                raise ValueError(
                    f"{self.name}: all rows under conditions are given the same "
                    "attributes: give y of one row."
                )
            numbers = numbers if conditions is None else numbers[:1]
        with one_blas_thread():
            if conditions is None:
                v = self._new(stream(seed).rows(n_samples), numbers)
                return self._to_data(v)
            x, values, ends = self._events(conditions, names)
            v = self._conditioned(n_samples, values, ends, numbers, stream(seed))
        return self._to_data(v, x)

    def fill(self, X, method="mean", random_state=None, *, n_samples=1, y=None):
        """Fill missing entries of ``n_samples`` copies of each row."""
        n_samples = count_rows(n_samples, self.n_features_out)
        X, first = self.widened(X), self.n_given
        numbers = self._numbers(y, _num_samples(X))
        given = None if numbers is None else Given(numbers)

        def values(z):
            return self.placing.values(z[:, first:])

        def filled(v, rng, numbers=None):
            v = with_inputs(self.attributes, numbers, v)
            return self._weighed(v, rng, method, values).astype(v.dtype)

        complete = fill(
            self, X, method, random_state, filled, n_draws=n_samples, given=given
        )
        return self.decoded(complete, X)

    def _read(self, X, y):
        """Rows, with the numbers of their attributes if it is conditional."""
        rows = self.read(X)
        numbers = self._numbers(y, rows.shape[0])
        return rows if numbers is None else rows._replace(given=Given(numbers))

    def _numbers(self, y, n_rows):
        """Numbers of attributes of rows, or None if there are none."""
        if y is not None:
            return attribute_numbers(self.attributes, y, self.name, n_rows)
        if self.attributes is not None:
            raise ValueError(
                f"{self.name} is conditional: give y, the attributes of the rows. "
                "Without these there are only scores, if all attributes are classes."
            )
        return None

    def _new(self, rng, numbers=None):
        """Rows drawn in units of the model, one for each stream; see
        :meth:`sample`."""
        if numbers is None:
            numbers = self._known(rng)
        draw = partial(self.base.draw, rng) if self.base else rng.normal
        return self._inverse(draw(self.n_features_out, self.dtype), numbers)

    def _known(self, rng):
        """Numbers of attributes of training rows, drawn by weight, or None."""
        if self.attributes is None:
            return None
        return self.known.numbers[self.known.chosen(rng.fold(_CHOICE).uniform(1)[:, 0])]

    def _events(self, conditions, names):
        """Values of columns by conditions, as they are and standardised, and ranges, a
        list of columns and their standardised ends."""
        names, kinds = list(names), np.full(self.n_features_out, "gaussian")
        x, values, events = events_of(self.columns, kinds, conditions, names, self.name)
        ends = [(j, *e.intervals[0]) for j, e in enumerate(events) if e is not None]
        cells = self.placing.cells
        if cells is not None:
            with np.errstate(invalid="ignore"):
                wrong = (x < cells.low) | (x > cells.last)
                wrong |= cells.whole & (x != np.rint(x)) & ~np.isnan(x)
            if wrong.any():
                j = int(np.argmax(wrong))
                raise ValueError(
                    f"{self.name}: the condition {x[j]:g} on column {names[j]!r} has "
                    "no probability: it is beyond the bounds, or no whole number."
                )
            ends = [(j, *cells.around(j, low, high)) for j, low, high in ends]
        return x, values, ends

    def _conditioned(self, n_samples, values, ends, numbers, rng):
        """Rows in units of the model, drawn under conditions; see :meth:`_events`."""
        known = ~np.isnan(values)

        def draw(size, rng):
            streams, log_w = rng.rows(size), np.zeros(size)
            if numbers is None:
                each = self._known(streams)
            else:
                each = np.repeat(numbers, size, 0)
            if known.any():
                v = np.tile(values, (size, 1)).astype(self.dtype)
                v = with_inputs(self.attributes, each, v)
                log_w, v = self._particles(v)(streams)
                v = self.placing.values(v[:, self.n_given :])
            else:
                v = self._new(streams, each)
            for j, low, high in ends:
                log_w[(v[:, j] < low) | (v[:, j] > high)] = -np.inf
            number = effective(log_w)
            return Weighted(v, log_w, number, number / size)

        return pooled(draw, n_samples, rng, _PARTICLES, self.name, hard=bool(ends))

    def _inverse(self, z, numbers):
        z = with_inputs(self.attributes, numbers, z)
        v = self.net.inverse(self.params[0], self.statistics[0], z)
        return self.placing.values(v[:, self.n_given :])

    def _decoded(self, z, numbers):
        """Rows of codes, in the form of the data."""
        with one_blas_thread():
            return self._to_data(self._inverse(z, numbers))

    def _to_data(self, v, x=None):
        """Rows in the form of the data, where some columns have known values x."""
        values = self.domain.to_data(self.columns, v)
        if x is not None:
            values[:, ~np.isnan(x)] = x[~np.isnan(x)]
        return self.decoded(values)

    def _of_rows(self, function, rows):
        take = with_attributes(rows, self.attributes).take
        return self.by_content(function, rows, ROOM // self.width, take)

    def _as(self, dtype):
        """Parameters and statistics of a type."""
        return astype((self.params, self.statistics), dtype)

    def _log_p(self, v):
        """Log densities of complete rows in units of the model."""
        params, statistics = self._as(v.dtype)
        loss = loss_of(self.net, params, statistics, v, self.n_given)
        return -loss.astype(np.float64)

    def _code(self, v):
        params, statistics = self._as(v.dtype)
        return self.net.apply(params[0], statistics[0], v)[0][:, self.n_given :]

    def _scores(self, v, rng, holes):
        """Log densities of rows with or without missing entries."""
        if not (holes or self.placing.noisy):
            z, log_w = self.placing.middle(v)
            return self._log_p(z) + log_w
        draw = self._particles(v, holes)
        parts = [draw(rng.fold(k))[0] for k in range(self.n_draws if len(v) else 1)]
        return log_mean_exp(np.stack(parts))[0]

    def _particles(self, v, holes=True):
        """Function of a stream that returns log weights of rows with noise and missing
        entries drawn, and these rows in the space of the flow."""
        params, statistics = self._as(v.dtype)
        noise, fixed = noise_of(params, statistics), None
        if not self.placing.noisy:
            z, log_volume = self.placing.middle(v)
            fixed = self.normal.given(z)

        def draw(rng):
            if fixed is not None:
                log_w, whole = self._drawn(fixed, rng)
                return log_w + log_volume, whole
            z, log_noise = self.placing.drawn(v, rng.fold(_NOISE), noise)
            if not holes:
                return self._log_p(z) + log_noise, z
            log_w, whole = self._drawn(self.normal.given(z), rng)
            return log_w + log_noise, whole

        return draw

    def _drawn(self, conditional, rng):
        """Log weights of rows with missing entries drawn, and these rows."""
        whole, log_q = conditional.completed(rng, _SPREAD)
        return self._log_p(whole) - log_q, whole

    def _weighed(self, v, rng, method, function):
        """Weighted mean of a function of completed rows, or one of them by weight."""
        particles = self._particles(v)

        def draw(rng):
            log_w, whole = particles(rng)
            return log_w, function(whole)

        return by_weight(draw, rng, self.n_draws, method)
