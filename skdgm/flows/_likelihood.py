r"""Log-likelihood of rows by a map with an inverse, as a net's objective.

.. math:: -\log p(x) = -\log p_z(z) - \log \left\lvert \det
   \frac{\partial z}{\partial x} \right\rvert, \qquad z = f(x)

Missing entries are drawn K times from q, their conditional distribution at the start of
training:

.. math:: \mathbb{E}_q \log \frac1K \sum_k \frac{p(x^k)}{q(x^k)}

is a lower bound on the log-likelihood of the observed entries, closer for larger K
[1]_. Its gradient is the expected gradient of one draw, chosen by weight.

References
----------
.. [1] Burda, Grosse and Salakhutdinov (2016). Importance weighted autoencoders. ICLR.
"""

from typing import NamedTuple

import numpy as np
from sklearn.utils import gen_batches

from skdgm.flows.mixture import MOST_MIXED, mixture_of, tails_of
from skdgm.flows.normal import fitted, start_of
from skdgm.nets import NetObjective
from skdgm.nets.bases import normal_log_p
from skdgm.nets.layers import Net
from skdgm.nets.objective import NetOptions, NetWatch
from skdgm.nets.primitives import columns
from skdgm.utils import addresses
from skdgm.utils.math import log_mean_exp
from skdgm.utils.random import mix64, stream
from skdgm.utils.rows import BLOCK_ENTRIES, View, slices
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import astype

BASES = "normal", "mixture", "student"
_MISSING, _NOISE, _CHOICE = 1, 2, 3
# Standard errors by which held-out losses must be lower than at the start.
_ERRORS = 2.0
# Draws of the missing entries of a row in an update.
_EACH = 8
# Purpose of the noise of rows at the start; most of its draws for all rows.
_START, _DRAWS = addresses.FLOW_DRAWS, 20_000
# Limit on the numbers of one layer for all rows of a block.
ROOM = 2**17


class FlowNet(NamedTuple):
    """Layers of a flow: ``net``, a ``serial``; ``place``, the number of its whitening,
    or None, before which there may be splines; and ``width``, the most numbers of a
    layer for one row."""

    net: Net
    place: int | None
    width: int


def with_attributes(rows, attributes):
    """Rows after the inputs of a net for their attributes, a :class:`View`."""
    n_rows, n_columns = rows.shape
    width = n_given(attributes) + n_columns

    def take(index):
        return with_inputs(attributes, rows.beside(index), rows.take(index))

    def blocks(n_rows):
        return slices(n_rows, BLOCK_ENTRIES // width)

    return View((n_rows, width), rows.dtype, rows.complete, take, blocks)


def with_noise(view, placing, table):
    """Table of dequantized rows of a :class:`View`. Several noise draws, keyed by the
    hash of the row, represent a row with a weight above 1."""
    n_rows, times = view.shape[0], _times(table.weight)
    hashes = np.zeros(n_rows, np.uint64)
    hashes[table.index] = table.hashes
    if not placing.noisy:
        times = np.ones_like(times)
    # At the start noise is uniform, as its net is the identity.
    uniform = placing._replace(net=None)

    def take(index):
        draw, row = np.divmod(index, n_rows)
        ids = mix64(hashes[row] + mix64(draw.astype(np.uint64)))
        return uniform.drawn(view.take(row), stream(0, _START).rows(ids), ())[0]

    first = np.repeat(np.cumsum(times) - times, times)
    draw = np.arange(times.sum()) - first
    return table._replace(
        rows=view._replace(take=take),
        index=np.repeat(table.index, times) + n_rows * draw,
        weight=np.repeat(table.weight / times, times),
        hashes=np.repeat(table.hashes, times),
    )


def n_given(attributes):
    """Number of inputs for attributes, which may be None."""
    return 0 if attributes is None else int(attributes.sizes.sum())


def with_inputs(attributes, numbers, v):
    """Rows v, after the inputs for numbers of attributes, which may be None."""
    if attributes is None:
        return v
    return np.concatenate([attributes.inputs(numbers, v.dtype), v], axis=1)


class FlowObjective(NetObjective[NetOptions]):
    """Log-likelihood of a table's rows by a :class:`FlowNet`, conditional on
    ``attributes`` if not None; ``placing`` takes rows to the space of the flow, whose
    ``base`` is one of ``BASES`` or "auto"."""

    def __init__(self, run, context, *, flow, placing, base, attributes, table):
        super().__init__(run, context.domain.loss_of_independent(context.columns))
        self.net, self.place, self.width = flow
        self.placing, self.base, self.n_given = placing, base, n_given(attributes)
        self.whole = with_attributes(self.rows, attributes)
        self.every = self.table = self._placed(table)
        self._normal = None

    @property
    def held_draws(self):
        """Most draws for each held-out row, whose missing entries are random."""
        return 1 if self.rows.complete else _EACH

    def _placed(self, table):
        """A table of rows in the space of the flow."""
        if self.placing.cells is None:
            return table._replace(rows=self.whole)
        return with_noise(self.whole, self.placing, table)

    def init(self, rng):
        """Initial parameters, with which rows are normal or of a mixture; and
        statistics of layers, and of a fixed base."""
        _, n = self.whole.shape
        _, params, statistics = self.net.init(rng, n, self.rows.dtype)
        with one_blas_thread():
            learned, fixed = self._begun(params, list(statistics), n - self.n_given)
        if self.placing.net is None:
            return learned, fixed
        n_inputs = n + int(self.placing.cells.whole.sum())
        _, params, statistics = self.placing.net.init(rng, n_inputs, self.rows.dtype)
        return (*learned, params), (*fixed, statistics)

    def _begun(self, params, statistics, n):
        dtype, base, normal = self.rows.dtype, (), None
        if self.place is not None:
            normal = fitted(self.table, self.n_given)
            statistics[self.place] = normal.whitening(dtype, self.n_given)
        certain, tails = self.base == "mixture", ()
        # Components are as wide as rows of any attributes, and too wide given these.
        may = self.base == "auto" and n <= MOST_MIXED and not self.n_given
        if normal is not None and (certain or may):
            mixture = mixture_of(self.table, normal, self.n_given, certain=certain)
            base = astype(mixture or (), dtype)
        if self.base == "student":
            tails = astype(tails_of(self.table, normal, self.n_given), dtype)
        if self.place:
            white = statistics[self.place].W[self.n_given :, self.n_given :]
            statistics[0] = _steps(white, base, tails)
        return (params, tails), (tuple(statistics), base)

    def split(self, table):
        """Split the rows; training begins at a distribution fitted to training rows."""
        train, held_out = super().split(table)
        if self.placing.noisy:
            fraction = self.options.validation_fraction
            u = stream(self.seed, self.SPLIT).rows(table.hashes).uniform(1)[:, 0]
            train, held_out = _shared(table, fraction, u) or (train, held_out)
        self.table = self._placed(train)
        return train, held_out

    def unbeaten(self, state):
        """Initial state fitted to all rows, if no epoch of a first run was better than
        the state fitted to training rows."""
        if self.epochs_before:
            return state
        self.table = self.every
        return self.start()

    def completed(self, params, statistics, v, rng):
        """Rows with missing entries drawn, one of several draws by weight, and log
        densities that turn the density of the row into the mean weight."""
        holes = np.flatnonzero(np.isnan(v).any(axis=1))
        log_q = np.zeros(len(v), v.dtype)
        if not len(holes):
            return v, log_q
        if self._normal is None:
            self._normal = start_of(statistics, self.place)
        rng, n = rng.take(holes), _EACH
        conditional = self._normal.given(np.repeat(v[holes], n, axis=0))
        drawn, each = conditional.completed(rng.each(n))
        log_p = -loss_of(self.net, params, statistics, drawn, self.n_given)
        log_w = (log_p - each).reshape(-1, n)
        chosen = (log_w + rng.fold(_CHOICE).gumbel(n)).argmax(axis=1)
        chosen += n * np.arange(len(holes))
        whole = v.copy()
        whole[holes] = drawn[chosen]
        log_q[holes] = log_p[chosen] - log_mean_exp(log_w.T)[0]
        return whole, log_q

    def prepare(self, state, batch, clock):
        """Complete rows, log densities of draws, statistics, and rows with the noise
        that a net transforms, or None."""
        rng, v = self.stream(clock).rows(len(batch)), self.whole.take(batch)
        z, log_q, log_w = self._drawn(state.params, state.statistics, v, rng)
        if self.placing.net is None:
            return z, log_q - log_w, state.statistics, None
        noisy = v, self.placing.noise(v, rng.fold(_NOISE))
        return np.where(np.isnan(v), z, 0), log_q, state.statistics, noisy

    def forward(self, params, prepared):
        """Negative log-likelihood of each row."""
        z, log_q, statistics, noisy = prepared
        if noisy is not None:
            v, noise = noisy
            placed, log_w = self.placing.by_net(v, noise, noise_of(params, statistics))
            z, log_q = z + placed, log_q - log_w
        loss = loss_of(self.net, params, statistics, z, self.n_given)
        return loss + log_q, statistics

    def _drawn(self, params, statistics, v, rng):
        """Complete rows in the space of the flow, log densities of the drawn entries,
        and log weights of noise."""
        noise = noise_of(params, statistics)
        z, log_w = self.placing.drawn(v, rng.fold(_NOISE), noise)
        z, log_q = self.completed(params, statistics, z, rng.fold(_MISSING))
        return z, log_q, np.asarray(log_w, v.dtype)

    def losses(self, state, index, rng):
        """Negative log-likelihood of the rows at an index, in float64."""
        losses, params, statistics = (
            np.empty(len(index)),
            state.learned,
            state.statistics,
        )
        for part in gen_batches(len(index), max(1, ROOM // (_EACH * self.width))):
            v = self.whole.take(index[part])
            z, log_q, log_w = self._drawn(params, statistics, v, rng.take(part))
            loss = loss_of(self.net, params, statistics, z, self.n_given)
            losses[part] = loss + log_q - log_w
        return losses

    def watch(self, table, held_out, state):
        """Losses of the same rows, by a :class:`FlowWatch`."""
        return FlowWatch(self, table, held_out, state)


def _shared(table, fraction, u):
    """Split of a table by uniform numbers u of the rows, in which a repeated row may be
    in both parts, with other noise; None if a part would be empty."""
    held = np.minimum(np.floor(table.weight * fraction + u), table.weight)
    train, held_out = (
        table._replace(weight=weight).take(np.flatnonzero(weight))
        for weight in (table.weight - held, held)
    )
    if not (len(train.index) and len(held_out.index)):
        return None
    times = _times(held_out.weight)
    held_out = held_out.take(np.repeat(np.arange(len(times)), times))
    return train, held_out._replace(weight=held_out.weight / np.repeat(times, times))


def _times(weight):
    """Number of draws of the noise of each row, by the number of its repetitions."""
    return np.ceil(weight).clip(1, max(1, _DRAWS // len(weight))).astype(int)


def _steps(white, base, tails):
    """Factors of the steps of columns, smaller for columns that others nearly predict,
    and where components of the base, or scales of its tails, are narrow."""
    size = np.linalg.norm(white, axis=1)
    divisor = np.maximum(1, np.sqrt(size))
    roots = [np.diag(np.exp(-tails.log_scale))] if tails else base.root if base else ()
    if len(roots):
        narrow = np.max([np.linalg.norm(white @ R, axis=1) for R in roots], axis=0)
        divisor *= np.maximum(1, narrow / size)
    return (1 / divisor).astype(white.dtype)


class FlowWatch(NetWatch):
    """Losses of the same rows at the end of each epoch; for held-out rows plus two
    standard errors of their mean difference from the start, which thus stays the best
    unless later epochs are significantly better."""

    MEMORY = (*NetWatch.MEMORY, "first")
    first = None

    def __call__(self, state):
        loss, held_out = self.of_probe(state), self.held_out
        if held_out is None:
            return loss, None
        index, weight = held_out.index, held_out.weight / held_out.weight.sum()
        n = self.n_held
        index, parts = np.tile(index, n), self.rows.blocks(n * len(index))
        losses = [self._losses(state, index[part], part) for part in parts]
        losses = np.concatenate(losses).reshape(n, -1).mean(axis=0)
        if self.first is None:
            self.first = losses
        gap = losses - self.first
        error = np.sqrt(weight**2 @ (gap - weight @ gap) ** 2)
        return loss, float(weight @ losses + _ERRORS * error)


def loss_of(net, params, statistics, v, n_given=0):
    """Negative log-likelihood of the columns of rows after the first ``n_given``, given
    the first ones, differentiable."""
    z, log_det = net.log_det(params[0], statistics[0], v)
    z, base = columns(z, n_given, v.shape[1]), base_of(params, statistics)
    return -log_det - (base.log_p(z) if base else normal_log_p(z))


def noise_of(params, statistics):
    """Parameters and statistics of the noise's net; () without one."""
    return (params[2], statistics[2]) if len(params) > 2 else ()


def base_of(params, statistics):
    """Learned or fixed distribution at the base; () if it is standard normal."""
    return params[1] or statistics[1]
