r"""Log-likelihood of rows by a map with an inverse, as a net's objective.

.. math:: -\log p(x) = \frac12 \lVert z \rVert^2 + \frac d2 \log 2 \pi - \log \left
   \lvert \det \frac{\partial z}{\partial x} \right\rvert, \qquad z = f(x)

Missing entries are drawn from q, the normal distribution that the flow begins with,
given the others: then :math:`\mathbb{E}_q[\log p(x) - \log q]` is a lower bound on the
log-likelihood of what is observed.
"""

import numpy as np
from sklearn.utils import gen_batches

from skdgm.flows._normal import fitted, start_of
from skdgm.nets import NetObjective

_LOG_2PI = float(np.log(2 * np.pi))
_MISSING = 1
# Limit on the numbers of one layer for all rows of a block.
ROOM = 2**17


class FlowObjective(NetObjective):
    """Log-likelihood of a table's rows by ``net``, a ``serial`` whose layer number
    ``place`` is the whitening, if any, before which there may be splines; a layer has
    at most ``width`` numbers for one row."""

    def __init__(self, net, place, width, table, domain, columns, *given):
        super().__init__(*given, independent=domain.loss_of_independent(columns))
        self.net, self.place, self.width, self.table = net, place, width, table
        self._normal = None

    def init(self, rng):
        """Initial parameters, with which rows are normal."""
        rows = self.rows
        _, params, statistics = self.net.init(rng, rows.shape[1], rows.dtype)
        if self.place is None:
            return params, statistics
        statistics, white = list(statistics), fitted(self.table).whitening(rows.dtype)
        statistics[self.place] = white
        if self.place:
            # Steps of a column that others nearly tell are shorter.
            size = np.sqrt(np.linalg.norm(white.W, axis=1)).astype(rows.dtype)
            statistics[0] = 1 / np.maximum(1, size)
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
        found = self.completed(state, self.rows.take(batch), rng)
        return *found, state.statistics

    def forward(self, params, given):
        """Negative log-likelihood of each row."""
        v, log_q, statistics = given
        return loss_of(self.net, params, statistics, v) + log_q, statistics

    def losses(self, state, index, rng):
        """Negative log-likelihood of the rows at an index, in float64."""
        found, given = np.empty(len(index)), (state.learned, state.statistics)
        for part in gen_batches(len(index), max(1, ROOM // self.width)):
            v, own = self.rows.take(index[part]), rng.take(part).fold(_MISSING)
            v, log_q = self.completed(state, v, own)
            found[part] = loss_of(self.net, *given, v) + log_q
        return found


def loss_of(net, params, statistics, v):
    """Negative log-likelihood of rows, differentiable."""
    z, log_det = net.log_det(params, statistics, v)
    constant = v.dtype.type(0.5 * _LOG_2PI * v.shape[1])
    return 0.5 * (z * z).sum(axis=1) + constant - log_det
