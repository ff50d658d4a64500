r"""Log-likelihood of rows by a map with an inverse, as a net's objective.

.. math:: -\log p(x) = -\log p_z(z) - \log \left\lvert \det
   \frac{\partial z}{\partial x} \right\rvert, \qquad z = f(x)

Missing entries are drawn K times from q, the distribution that the flow begins with,
given the others: then

.. math:: \mathbb{E}_q \log \frac1K \sum_k \frac{p(x^k)}{q(x^k)}

is a lower bound on the log-likelihood of what is observed, the closer the larger K is
[1]_. Its gradient is expected that of one draw, chosen by these weights.

References
----------
.. [1] Burda, Grosse and Salakhutdinov (2016). Importance weighted autoencoders. ICLR.
"""

from typing import NamedTuple

import numpy as np
from sklearn.utils import gen_batches

from skdgm.data.attributes import Attributes
from skdgm.flows.mixture import MOST_MIXED, mixture_of, tails_of
from skdgm.flows.normal import fitted, start_of
from skdgm.nets import NetObjective
from skdgm.nets.bases import normal_log_p
from skdgm.nets.dequantisation import Placing
from skdgm.nets.objective import NetOptions, NetWatch
from skdgm.nets.primitives import columns
from skdgm.utils import addresses
from skdgm.utils.math import log_mean_exp
from skdgm.utils.random import mix64, stream
from skdgm.utils.rows import BLOCK_ENTRIES, Rows, slices
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import astype

BASES = "normal", "mixture", "student"
_MISSING, _NOISE, _CHOICE = 1, 2, 3
# Standard errors by which held-out rows must be better explained than at the start.
_ERRORS = 2.0
# Draws of the missing entries of a row in an update.
_EACH = 8
# Purpose of the noise of what training begins with; most draws of all rows for it.
_START, _DRAWS = addresses.FLOW_DRAWS, 20_000
# Limit on the numbers of one layer for all rows of a block.
ROOM = 2**17


class Whole(NamedTuple):
    """Rows, after the inputs of a net for the attributes given beside them."""

    rows: Rows
    attributes: Attributes | None

    @property
    def shape(self):
        """Numbers of rows, and of inputs and columns together."""
        n_rows, n_columns = self.rows.shape
        return n_rows, n_given(self.attributes) + n_columns

    dtype = property(lambda self: self.rows.dtype)
    complete = property(lambda self: self.rows.complete)

    def blocks(self, n_rows):
        """Slices of limited size that cover range(n_rows)."""
        return slices(n_rows, BLOCK_ENTRIES // self.shape[1])

    def take(self, index):
        """Dense rows at an index array or a slice."""
        v = self.rows.take(index)
        return with_inputs(self.attributes, self.rows.beside(index), v)


class Placed(NamedTuple):
    """Rows with noise, numbered draw by draw: ``whole`` ones, by their placing; noise
    depends on the ``hashes`` of all rows."""

    whole: Whole
    placing: Placing
    hashes: np.ndarray
    shape = property(lambda self: self.whole.shape)
    dtype = property(lambda self: self.whole.dtype)
    complete = property(lambda self: self.whole.complete)
    blocks = property(lambda self: self.whole.blocks)

    def take(self, index):
        """Dense rows at an index array of numbers."""
        draw, row = np.divmod(index, len(self.hashes))
        ids = mix64(self.hashes[row] + mix64(draw.astype(np.uint64)))
        # At the start noise is uniform, as its net is the identity.
        uniform = self.placing._replace(net=None)
        rng = stream(0, _START).rows(ids)
        return uniform.drawn(self.whole.take(row), rng, ())[0]

    @classmethod
    def table(cls, whole, placing, table):
        """A table of such rows, of which several draws stand for those that are several
        times in a table."""
        n_rows, times = whole.rows.shape[0], _times(table.weight)
        hashes = np.zeros(n_rows, np.uint64)
        hashes[table.index] = table.hashes
        if not placing.noisy:
            times = np.ones_like(times)
        first = np.repeat(np.cumsum(times) - times, times)
        draw = np.arange(times.sum()) - first
        index = np.repeat(table.index, times) + n_rows * draw
        weight = np.repeat(table.weight / times, times)
        rows, own = cls(whole, placing, hashes), np.repeat(table.hashes, times)
        return table._replace(rows=rows, index=index, weight=weight, hashes=own)


def n_given(attributes):
    """Number of inputs for attributes, which may be None."""
    return 0 if attributes is None else int(attributes.sizes.sum())


def with_inputs(attributes, numbers, v):
    """Rows v, after the inputs for numbers of attributes, which may be None."""
    if attributes is None:
        return v
    return np.concatenate([attributes.inputs(numbers, v.dtype), v], axis=1)


class FlowObjective(NetObjective[NetOptions]):
    """Log-likelihood of a table's rows by ``net``, a ``serial`` whose layer number
    ``place`` is the whitening, if any, before which there may be splines; a layer has
    at most ``width`` numbers for one row; ``placing`` takes rows to its space. Before
    their columns it has the inputs for ``attributes``, None if nothing is given."""

    def __init__(
        self,
        run,
        *,
        net,
        place,
        width,
        placing,
        base,
        attributes,
        table,
        domain,
        columns,
    ):
        super().__init__(run, domain.loss_of_independent(columns))
        self.net, self.place, self.width, self.base = net, place, width, base
        self.whole, self.n_given = Whole(self.rows, attributes), n_given(attributes)
        self.placing = placing
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
        return Placed.table(self.whole, self.placing, table)

    def init(self, rng):
        """Initial parameters, with which rows are normal or those of a mixture; and
        statistics: of layers, and the base that stays as it is."""
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
        own = self.table, normal, self.n_given
        asked, certain = self.base, self.base == "mixture"
        # Components are as wide as rows without what is given: draws given it would be.
        may = asked == "auto" and n <= MOST_MIXED and not self.n_given
        if normal is not None and (certain or may):
            base = astype(mixture_of(*own, certain=certain) or (), dtype)
        tails = astype(tails_of(*own), dtype) if asked == "student" else ()
        if self.place:
            white = statistics[self.place].W[self.n_given :, self.n_given :]
            statistics[0] = _steps(white, base, tails)
        return (params, tails), (tuple(statistics), base)

    def split(self, table):
        """Split the rows; training begins at what is fitted to those not held out."""
        train, held_out = super().split(table)
        if self.placing.noisy:
            fraction = self.options.validation_fraction
            u = stream(self.seed, self.SPLIT).rows(table.hashes).uniform(1)[:, 0]
            train, held_out = _shared(table, fraction, u) or (train, held_out)
        self.table = self._placed(train)
        return train, held_out

    def unbeaten(self, state):
        """What is fitted to all rows, if no epoch of a first run was better than what
        is fitted to those not held out."""
        if self.epochs_before:
            return state
        self.table = self.every
        return self.start()

    def completed(self, params, statistics, v, rng):
        """Rows with missing entries drawn, one of several draws by its weight, and the
        log densities by which the density of the row becomes the mean weight."""
        holes = np.flatnonzero(np.isnan(v).any(axis=1))
        log_q = np.zeros(len(v), v.dtype)
        if not len(holes):
            return v, log_q
        if self._normal is None:
            self._normal = start_of(statistics, self.place)
        rng, n = rng.take(holes), _EACH
        given = self._normal.given(np.repeat(v[holes], n, axis=0))
        drawn, each = given.completed(rng.each(n))
        log_p = -loss_of(self.net, params, statistics, drawn, self.n_given)
        log_w = (log_p - each).reshape(-1, n)
        chosen = (log_w + rng.fold(_CHOICE).gumbel(n)).argmax(axis=1)
        chosen += n * np.arange(len(holes))
        whole = v.copy()
        whole[holes] = drawn[chosen]
        log_q[holes] = log_p[chosen] - log_mean_exp(log_w.T)[0]
        return whole, log_q

    def prepare(self, state, batch, clock):
        """Complete rows, the log densities of what was drawn, statistics, and rows with
        the noise of which a net makes that of theirs, or None."""
        rng, v = self.stream(clock).rows(len(batch)), self.whole.take(batch)
        z, log_q, log_w = self._drawn(state.params, state, v, rng)
        if self.placing.net is None:
            return z, log_q - log_w, state.statistics, None
        noise = v, self.placing.noise(v, rng.fold(_NOISE))
        return np.where(np.isnan(v), z, 0), log_q, state.statistics, noise

    def forward(self, params, given):
        """Negative log-likelihood of each row."""
        z, log_q, statistics, noise = given
        if noise is not None:
            own, log_w = self.placing.by_net(*noise, noise_of(params, statistics))
            z, log_q = z + own, log_q - log_w
        given = params, statistics, z, self.n_given
        return loss_of(self.net, *given) + log_q, statistics

    def _drawn(self, params, state, v, rng):
        """Complete rows in the space of the flow, the log densities of missing entries
        that were drawn, and the log weights of noise."""
        own = noise_of(params, state.statistics)
        z, log_w = self.placing.drawn(v, rng.fold(_NOISE), own)
        z, log_q = self.completed(params, state.statistics, z, rng.fold(_MISSING))
        return z, log_q, np.asarray(log_w, v.dtype)

    def losses(self, state, index, rng):
        """Negative log-likelihood of the rows at an index, in float64."""
        found, given = np.empty(len(index)), (state.learned, state.statistics)
        for part in gen_batches(len(index), max(1, ROOM // (_EACH * self.width))):
            v = self.whole.take(index[part])
            z, log_q, log_w = self._drawn(state.learned, state, v, rng.take(part))
            loss = loss_of(self.net, *given, z, self.n_given)
            found[part] = loss + log_q - log_w
        return found

    def watch(self, table, held_out, state):
        """Losses of the same rows, by a :class:`FlowWatch`."""
        return FlowWatch(self, table, held_out, state)


def _shared(table, fraction, u):
    """Split of a table in which a row that is there several times may be in both parts,
    by uniform numbers u of the rows; each time it has other noise. None if a part would
    be empty."""
    held = np.minimum(np.floor(table.weight * fraction + u), table.weight)
    left = table.weight - held
    train, held_out = (
        table._replace(weight=own).take(np.flatnonzero(own)) for own in (left, held)
    )
    if not (len(train.index) and len(held_out.index)):
        return None
    times = _times(held_out.weight)
    held_out = held_out.take(np.repeat(np.arange(len(times)), times))
    return train, held_out._replace(weight=held_out.weight / np.repeat(times, times))


def _times(weight):
    """Number of draws of the noise of each row, for that of times that it is there."""
    return np.ceil(weight).clip(1, max(1, _DRAWS // len(weight))).astype(int)


def _steps(white, base, tails):
    """Factors of the steps of columns, shorter for those that others nearly tell, and
    where components of the base, or scales of its tails, are narrow."""
    size = np.linalg.norm(white, axis=1)
    found = np.maximum(1, np.sqrt(size))
    roots = [np.diag(np.exp(-tails.log_scale))] if tails else base.root if base else ()
    if len(roots):
        narrow = np.max([np.linalg.norm(white @ R, axis=1) for R in roots], axis=0)
        found *= np.maximum(1, narrow / size)
    return (1 / found).astype(white.dtype)


class FlowWatch(NetWatch):
    """Losses of the same rows at the end of each epoch; of held-out rows with two
    standard errors of their mean difference from those at the start, so that only what
    is better by more than this takes its place."""

    MEMORY = (*NetWatch.MEMORY, "first")
    first = None

    def __call__(self, state):
        loss, held_out = self.of_probe(state), self.held_out
        if held_out is None:
            return loss, None
        index, weight = held_out.index, held_out.weight / held_out.weight.sum()
        n = self.n_held
        index, parts = np.tile(index, n), self.rows.blocks(n * len(index))
        found = [self._losses(state, index[part], part) for part in parts]
        found = np.concatenate(found).reshape(n, -1).mean(axis=0)
        if self.first is None:
            self.first = found
        gap = found - self.first
        error = np.sqrt(weight**2 @ (gap - weight @ gap) ** 2)
        return loss, float(weight @ found + _ERRORS * error)


def loss_of(net, params, statistics, v, n_given=0):
    """Negative log-likelihood of rows, differentiable; of columns after the first
    ``n_given``, given these."""
    z, log_det = net.log_det(params[0], statistics[0], v)
    z, base = columns(z, n_given, v.shape[1]), base_of(params, statistics)
    return -log_det - (base.log_p(z) if base else normal_log_p(z))


def noise_of(params, statistics):
    """Parameters and statistics of the noise's net; () without one."""
    return (params[2], statistics[2]) if len(params) > 2 else ()


def base_of(params, statistics):
    """Distribution at the base, that is learned or stays; () if it is standard
    normal."""
    return params[1] or statistics[1]
