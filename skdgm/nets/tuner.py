"""Supervised training of a feed-forward net.

::

    tuner = Tuner(Run(options, None, seed), inputs=inputs, targets=targets, loss=loss)
    state = NetState(layers)
    learned, watch = optimize(tuner, table, range(options.n_iter), state)

The table has only rows with a known target (:func:`~skdgm.training.labeled`). After
each update, the incoming weights of a hidden unit may be rescaled to a maximum norm
[1]_. Dropout of inputs replaces them by zeros if these are frequent, as in images, and
otherwise by the mean: zeros in place of values around 0.5 would be excessive noise.

References
----------
.. [1] Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014). Dropout: a
   simple way to prevent neural networks from overfitting. JMLR.
"""

import numpy as np

from skdgm.nets.feed_forward import forward, init
from skdgm.nets.objective import NetObjective
from skdgm.nets.primitives import drop_out
from skdgm.training import Watch
from skdgm.utils import addresses
from skdgm.utils.math import limit_norms
from skdgm.utils.random import stream

# Addresses of random streams, distinct from those of other training.
INIT, SHUFFLE, STEP, PROBE, SPLIT = addresses.TUNING
# Training has diverged if the loss exceeds this times (1 + the initial loss).
_DIVERGED = 10.0
# Training was useless if the loss rose by more than this times (1 + the initial loss).
_USELESS = 0.1
# Largest input that counts as zero, and share of zeros from which these are frequent.
_MAX_ZERO, _MIN_ZERO_SHARE = 0.1, 1 / 3


class Tuner(NetObjective):
    """Mean loss of a net's outputs given targets.

    Options are ``NetOptions`` with ``activation``, ``dropout`` and ``max_norm``.
    ``dropout`` is a rate for hidden units, or a pair of rates for inputs and hidden
    units. ``inputs(index)`` reads rows, (n_rows, n_inputs), ``targets`` has the targets
    of all rows, and ``loss(z, targets)`` returns the loss of each row. ``sizes``, from
    input to output, and ``dtype`` are for a net that :meth:`start` draws. ``center``
    replaces dropped inputs; see :func:`dropped`.
    """

    INIT, SHUFFLE, STEP, PROBE, SPLIT = INIT, SHUFFLE, STEP, PROBE, SPLIT

    def __init__(
        self,
        run,
        *,
        inputs,
        targets,
        loss,
        sizes=None,
        dtype=np.float64,
        center=0.0,
    ):
        super().__init__(run)
        self.inputs, self.targets, self.loss = inputs, targets, loss
        self.sizes, self.dtype, self.center = sizes, dtype, center

    def init(self, rng):
        """Draw the layers of a net of the given sizes."""
        return init(rng, self.sizes, self.options.activation, self.dtype), ()

    def prepare(self, state, batch, clock):
        """Inputs and targets of a batch, and the rate and the stream of dropout."""
        rates = self.options.dropout
        rates = rates if isinstance(rates, tuple) else (0.0, rates)
        x, rng = self.inputs(batch), self.stream(clock)
        if rates[0]:
            center = np.asarray(self.center, x.dtype)
            x = center + drop_out(x - center, rates[0], rng.fold(0))
        return x, self.targets[batch], rates[1], rng

    def forward(self, params, prepared):
        x, targets, dropped, rng = prepared
        z = forward(params, x, self.options.activation, dropout=dropped, rng=rng)
        return self.loss(z, targets.astype(x.dtype)), ()

    def losses(self, state, index, rng=None):
        """Losses of the rows at an index, without dropout, in float64."""
        batch = self.inputs(index), self.targets[index], 0.0, None
        return self.forward(state.learned, batch)[0].astype(np.float64)

    def constrain(self, params):
        """Limit the norms of the incoming weights of hidden units, in place."""
        if self.options.max_norm is not None:
            for layer in params[:-1]:
                limit_norms(layer.W, self.options.max_norm)

    def watch(self, table, held_out, state):
        return Monitor(self, table, held_out, state)


class Monitor(Watch):
    """Mean loss of training rows and of held-out rows, without dropout."""

    MEMORY = ("first",)
    baseline_warning = "predicts worse than it did when its training began."

    def __init__(self, tuner, table, held_out, state):
        self.tuner = tuner
        super().__init__(table, held_out, stream(tuner.seed, PROBE))
        self.first = self.training_loss(state)

    @property
    def limit(self):
        """Loss above which training has diverged."""
        return _DIVERGED * (self.first + 1)

    def is_useless(self, loss):
        """Return whether a loss is clearly higher than at the start."""
        return loss > self.first + _USELESS * (self.first + 1)

    def _losses(self, state, index, part):
        return self.tuner.losses(state, index)


def dropped(rates, inputs, table):
    """Values that replace dropped inputs, (n_inputs,), or 0.0 without dropout of
    inputs. These are the means of ``inputs(index)``, or 0 if at least a third of a
    column's values are near 0."""
    if not isinstance(rates, tuple) or not rates[0]:
        return 0.0
    total, near_zero = 0.0, 0.0
    for block in table.rows.blocks(n_rows=len(table.index)):
        x, weight = inputs(table.index[block]), table.weight[block]
        total, near_zero = total + weight @ x, near_zero + weight @ (abs(x) < _MAX_ZERO)
    total_weight = max(table.weight.sum(), np.finfo(float).tiny)
    return np.where(
        near_zero < _MIN_ZERO_SHARE * total_weight, total / total_weight, 0.0
    )
