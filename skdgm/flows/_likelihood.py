r"""Log-likelihood of rows by a map with an inverse, as a net's objective.

.. math:: -\log p(x) = -\log p_z(z) - \log \left\lvert \det
   \frac{\partial z}{\partial x} \right\rvert, \qquad z = f(x)

Missing entries are drawn from q, the normal distribution that the flow begins with,
given the others: then :math:`\mathbb{E}_q[\log p(x) - \log q]` is a lower bound on the
log-likelihood of what is observed.
"""

from typing import NamedTuple

import numpy as np
from sklearn.utils import gen_batches

from skdgm.data.attributes import Attributes
from skdgm.flows._mixture import mixture_of, tails_of
from skdgm.flows._normal import fitted, start_of
from skdgm.nets import NetObjective
from skdgm.nets.bases import normal_log_p
from skdgm.nets.objective import NetWatch
from skdgm.nets.primitives import columns
from skdgm.utils.rows import BLOCK_ENTRIES, Rows, slices
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import astype

BASES = "normal", "mixture", "student"
# Most columns of mixtures, unless these are asked for.
MOST_MIXED = 64
_MISSING = 1
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


def n_given(attributes):
    """Number of inputs for attributes, which may be None."""
    return 0 if attributes is None else int(attributes.sizes.sum())


def with_inputs(attributes, numbers, v):
    """Rows v, after the inputs for numbers of attributes, which may be None."""
    if attributes is None:
        return v
    return np.concatenate([attributes.inputs(numbers, v.dtype), v], axis=1)


class FlowObjective(NetObjective):
    """Log-likelihood of a table's rows by ``net``, a ``serial`` whose layer number
    ``place`` is the whitening, if any, before which there may be splines; a layer has
    at most ``width`` numbers for one row. Before their columns it has the inputs for
    ``attributes``, None if nothing is given."""

    def __init__(
        self, net, place, width, base, attributes, table, domain, statistics, *given
    ):
        super().__init__(*given, independent=domain.loss_of_independent(statistics))
        self.net, self.place, self.width, self.base = net, place, width, base
        self.whole, self.n_given = Whole(self.rows, attributes), n_given(attributes)
        self.every = self.table = table._replace(rows=self.whole)
        self._normal = None

    def init(self, rng):
        """Initial parameters, with which rows are normal or those of a mixture; and
        statistics: of layers, and the base that stays as it is."""
        _, n = self.whole.shape
        _, params, statistics = self.net.init(rng, n, self.rows.dtype)
        with one_blas_thread():
            return self._begun(params, list(statistics), n - self.n_given)

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
        self.table = train._replace(rows=self.whole)
        return train, held_out

    def unbeaten(self, state):
        """What is fitted to all rows, if no epoch of a first run was better than what
        is fitted to those not held out."""
        if self.epochs_before:
            return state
        self.table = self.every
        return self.start()

    def completed(self, state, v, rng):
        """Rows with missing entries drawn, and the log densities of these."""
        if not np.isnan(v).any():
            return v, v.dtype.type(0)
        if self._normal is None:
            self._normal = start_of(state.statistics, self.place)
        v, log_q = self._normal.given(v).completed(rng)
        return v, log_q.astype(v.dtype)

    def prepare(self, state, batch, clock):
        """Complete rows, the log densities of what was drawn, and statistics."""
        rng = self.stream(clock).fold(_MISSING).rows(len(batch))
        found = self.completed(state, self.whole.take(batch), rng)
        return *found, state.statistics

    def forward(self, params, given):
        """Negative log-likelihood of each row."""
        v, log_q, statistics = given
        given = params, statistics, v, self.n_given
        return loss_of(self.net, *given) + log_q, statistics

    def losses(self, state, index, rng):
        """Negative log-likelihood of the rows at an index, in float64."""
        found, given = np.empty(len(index)), (state.learned, state.statistics)
        for part in gen_batches(len(index), max(1, ROOM // self.width)):
            v, own = self.whole.take(index[part]), rng.take(part).fold(_MISSING)
            v, log_q = self.completed(state, v, own)
            found[part] = loss_of(self.net, *given, v, self.n_given) + log_q
        return found

    def watch(self, table, held_out, state):
        """Losses of the same rows, by a :class:`FlowWatch`."""
        return FlowWatch(self, table, held_out, state)


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
    """Losses of the same rows at the end of each epoch; of held-out rows with the
    standard error of their mean difference from those at the start, so that only what
    is better by more than this takes its place."""

    MEMORY = (*NetWatch.MEMORY, "first")
    first = None

    def __call__(self, state):
        loss, held_out = self.of_probe(state), self.held_out
        if held_out is None:
            return loss, None
        index, weight = held_out.index, held_out.weight / held_out.weight.sum()
        parts = self.rows.blocks(len(index))
        found = [self._losses(state, index[part], part) for part in parts]
        found = np.concatenate(found)
        if self.first is None:
            self.first = found
        gap = found - self.first
        error = np.sqrt(weight**2 @ (gap - weight @ gap) ** 2)
        return loss, float(weight @ found + error)


def loss_of(net, params, statistics, v, n_given=0):
    """Negative log-likelihood of rows, differentiable; of columns after the first
    ``n_given``, given these."""
    z, log_det = net.log_det(params[0], statistics[0], v)
    z, base = columns(z, n_given, v.shape[1]), base_of(params, statistics)
    return -log_det - (base.log_p(z) if base else normal_log_p(z))


def base_of(params, statistics):
    """Distribution at the base, that is learned or stays; () if it is standard
    normal."""
    return params[1] or statistics[1]
