r"""Log-likelihood of rows by a map with an inverse, as a net's objective.

.. math:: -\log p(x) = \frac12 \lVert z \rVert^2 + \frac d2 \log 2 \pi - \log \left
   \lvert \det \frac{\partial z}{\partial x} \right\rvert, \qquad z = f(x)

Missing entries are drawn from q, the normal distribution that the flow begins with,
given the others: then :math:`\mathbb{E}_q[\log p(x) - \log q]` is a lower bound on the
log-likelihood of what is observed.
"""

from typing import NamedTuple

import numpy as np
from sklearn.utils import gen_batches

from skdgm.data.attributes import Attributes
from skdgm.flows._normal import fitted, start_of
from skdgm.nets import NetObjective
from skdgm.nets.primitives import columns
from skdgm.utils.rows import BLOCK_ENTRIES, Rows, slices

_LOG_2PI = float(np.log(2 * np.pi))
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
        self, net, place, width, attributes, table, domain, statistics, *given
    ):
        super().__init__(*given, independent=domain.loss_of_independent(statistics))
        self.net, self.place, self.width = net, place, width
        self.whole, self.n_given = Whole(self.rows, attributes), n_given(attributes)
        self.table, self._normal = table._replace(rows=self.whole), None

    def init(self, rng):
        """Initial parameters, with which rows are normal."""
        (_, n), dtype = self.whole.shape, self.rows.dtype
        _, params, statistics = self.net.init(rng, n, dtype)
        if self.place is None:
            return params, statistics
        normal, statistics = fitted(self.table, self.n_given), list(statistics)
        statistics[self.place] = white = normal.whitening(dtype, self.n_given)
        if self.place:
            # Steps of a column that others nearly tell are shorter.
            size = np.sqrt(np.linalg.norm(white.W, axis=1)).astype(dtype)
            statistics[0] = 1 / np.maximum(1, size)[self.n_given :]
        return params, tuple(statistics)

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


def loss_of(net, params, statistics, v, n_given=0):
    """Negative log-likelihood of rows, differentiable; of columns after the first
    ``n_given``, given these."""
    z, log_det = net.log_det(params, statistics, v)
    z, n = columns(z, n_given, v.shape[1]), v.shape[1] - n_given
    constant = v.dtype.type(0.5 * _LOG_2PI * n)
    return 0.5 * (z * z).sum(axis=1) + constant - log_det
