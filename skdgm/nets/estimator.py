"""Base class of estimators whose nets are trained by epochs; costs of training them."""

from typing import Annotated, NamedTuple

import numpy as np

from skdgm.base import Estimator, Model
from skdgm.base.common_options import FitOptions
from skdgm.base.model import OptionsT
from skdgm.base.options import KW_ONLY, Auto, CountOrZero, NotNegative
from skdgm.data import RealColumns, columns_as_asked, has_grey
from skdgm.data.auto import AUTO
from skdgm.exceptions import CostWarning, DataRangeWarning
from skdgm.nets.feed_forward import Layer
from skdgm.nets.options import NetDetails, NetSolver
from skdgm.training import Budget
from skdgm.utils.bits import takes
from skdgm.utils.counts import physical
from skdgm.utils.threading.callers import warn

# Number of arrays, each as large as all weights or as a batch of inputs, that exist at
# once in training: parameters, their average, gradients, optimiser state, copies.
_COPIES = 12
# Bytes above which to warn, and those assumed of a machine whose memory is unknown.
_LARGE, _USUAL = 2**29, 2**34
# Number of units of a layer whose size is not given.
_WIDTH = 256


class NetModel(Model[OptionsT]):
    """Model of nets, whose training state is an attribute as it is."""

    def attributes(self, facts, state):
        """Fitted attributes of a training state, a dict by name."""
        dense = list(layers_of(state.learned))
        return {
            "coefs_": [layer.W for layer in dense],
            "intercepts_": [layer.b for layer in dense],
            "_training": state,
        }

    def state(self, facts, attributes):
        """Training state of fitted attributes."""
        return attributes["_training"]


class NetEstimator(FitOptions, Estimator):
    """Base class of estimators of a density by nets, whose model is a
    :class:`NetModel` and whose objective a :class:`NetObjective`.

    Parameters
    ----------
    solver
        Optimiser: "adam" and "rmsprop" scale steps by the recent size of gradients.
    alpha
        Weight decay: alpha / 2 times the sum of squared weights is added to the loss of
        each batch, summed over its rows; smaller batches are penalised more.
    n_iter
        Number of epochs.

    Attributes
    ----------
    loss_curve_ : list of float
        Negative objective of some training rows after each epoch, in nats per row, with
        real columns standardised.
    validation_curve_ : list of float
        ``loss_curve_`` of held-out rows, with ``early_stopping``.
    """

    _: KW_ONLY
    solver: Annotated[NetSolver, NetDetails] = "adam"
    alpha: NotNegative = 0.0
    n_iter: CountOrZero | Auto = "auto"

    # Batches are dense arrays.
    _LISTED = False
    # The second one, if any, is that for columns of several kinds.
    _BUDGET, _BUDGET_MIXED = Budget(3_500, 20, 100), None

    @property
    def _domain(self):
        options = self._options
        if options.column_types == AUTO and not takes(self, "mixed"):
            return RealColumns()
        return columns_as_asked(options)

    def _present_options(self):
        options = super()._present_options()
        if getattr(options, "early_stopping", False) == "auto":
            free = options.n_iter == "auto"
            options.early_stopping = free and self._learns_by_heart(options)
        return options

    @staticmethod
    def _learns_by_heart(options):
        """Return whether too many epochs may harm, for ``early_stopping="auto"``."""
        return True

    def _count(self, table, fresh):
        super()._count(table, fresh)
        if fresh and "_means" in self._KNOWN:
            # Later rows do not change the inputs of nets for missing entries.
            self._means = self._domain.share(self._columns)

    def _check_cost(self, table, n_epochs):
        names = getattr(self, "feature_names_in_", None)
        check_categories(self._facts(), table, n_epochs, 2, names)

    def _note_grey(self, table, fresh):
        """Remember whether columns of bits had values between 0 and 1, ever."""
        grey = has_grey(table.rows, self._domain.bits(self._columns))
        self._grey = bool(grey or (not fresh and self._grey))

    def _find_grey(self, table, fresh):
        """Remember whether columns of bits are grey at first. A generator of bits
        remains one: where grey rows follow, this warns."""
        if not fresh and self._grey:
            return
        grey = bool(has_grey(table.rows, self._domain.bits(self._columns)))
        if fresh:
            self._grey = grey
        elif grey:
            warn(
                f"{self._name} got grey rows, with values between 0 and 1, after rows "
                "of bits: it still draws bits. Include grey rows from the start.",
                DataRangeWarning,
            )

    def _n_epochs(self, table):
        options = self._options
        return self._budget.epochs(options.n_iter, table, options.batch_size)

    @property
    def _budget(self):
        """Length of training where none is asked for."""
        kinds = getattr(self._options, "column_types", None)
        mixed = isinstance(kinds, dict | tuple) or kinds == "mixed"
        return (mixed and self._BUDGET_MIXED) or self._BUDGET

    def _remedy(self):
        options = self._options
        return (
            f"Lower learning_rate (now {options.learning_rate:g}), raise "
            f"batch_size (now {options.batch_size}) or set solver__clip_norm."
        )

    @property
    def _dtype(self):
        return self.intercepts_[0].dtype.type


def layers_of(tree):
    """Yield each :class:`Layer` of a tree of parameters, in order."""
    if isinstance(tree, Layer):
        yield tree
    elif isinstance(tree, tuple):
        for part in tree:
            yield from layers_of(part)


def start_at(tree, start, n_means):
    """Have outputs of the last layer of a tree of parameters begin at ``start``, and
    outputs after the means of rows, such as variances, not depend on the inputs."""
    *_, last = layers_of(tree)
    # A convolution has a bias for each map.
    last.b[:] = start.reshape(-1, len(last.b)).mean(axis=0)
    if last.W.shape[1] == len(start) > n_means:
        last.W[:, n_means:] = 0


def check_categories(facts, table, n_epochs, n_nets, names=None):
    """Warn where learning the weights between codes of categories and the layer next
    to them, in ``n_nets`` nets, needs more than 512 MiB; ``names`` are of columns."""
    options, columns = facts.options, facts.columns
    sizes = getattr(columns, "sizes", np.ones(1, int))
    if sizes.max() < 2:
        return
    name, width = "hidden_layer_sizes", _WIDTH
    for layers in name, "n_components", "n_hidden":
        size = getattr(options, layers, None)
        while np.ndim(size) or isinstance(size, tuple | list):
            size = size[0] if len(size) else None
        if size:
            name, width = layers, int(size)
            break
    # Categories in groups have inputs together.
    sizes = np.minimum(sizes, len(facts.domain.share(columns)))
    codec, rows, n = getattr(columns, "codec", None), table.rows, len(table.index)
    if names is None:
        names = codec.names if codec else range(len(sizes))
    training = TrainingSize(
        n_weights=int(sizes.sum()) * width,
        n_nets=n_nets,
        shared=False,
        batch=min(n, options.batch_size),
        n_rows=n * n_epochs,
        item=np.dtype(rows.dtype).itemsize,
    )
    check_cost(facts.name, sizes, names, training, f"lower {name}.", rough=True)


class TrainingSize(NamedTuple):
    """Size of a training: each of ``n_nets`` has ``n_weights``, which they may share;
    updates have ``batch`` rows, all together ``n_rows``, of numbers of ``item``
    bytes."""

    n_weights: int
    n_nets: int
    shared: bool
    batch: int
    n_rows: int
    item: int


def check_cost(name, sizes, names, training, lighter, rough=False):
    """Warn of training that needs more than 512 MiB; raise MemoryError if the machine
    has less than it needs, unless that is a ``rough`` estimate.

    ``sizes`` are the numbers of inputs of columns with these ``names``; ``lighter`` is
    a clause on how an estimator, by its ``name``, needs less.
    """
    n_weights, n_nets, shared, batch, n_rows, item = training
    n_learned = n_weights if shared else n_nets * n_weights
    masks = n_nets * n_weights
    n_bytes = _COPIES * item * (n_learned + batch * int(sizes.sum())) + masks
    if n_bytes <= _LARGE:
        return
    merge = "merge rare categories, or " if (sizes > 1).any() else ""
    lighter = f"{merge}{lighter}"
    lighter = lighter[0].upper() + lighter[1:]
    total = physical() or _USUAL
    cost = (
        f"{name} has {n_learned:,} weights for {_cause(sizes, names)}, and learning "
        f"takes about {n_bytes / 2**30:.1f} GiB of memory"
    )
    if n_bytes > total and not rough:
        raise MemoryError(
            f"{cost}, of which this machine has {total / 2**30:.1f}. {lighter}"
        )
    work = 3 * n_weights * n_rows * (1 if shared else n_nets)
    warn(f"{cost} and {work:.0e} multiplications. {lighter}", CostWarning)


def _cause(sizes, names):
    """Reason for the number of weights, in words."""
    largest = int(np.argmax(sizes))
    if sizes[largest] > sizes.sum() / 2:
        return f"the {sizes[largest]:,} categories of column {names[largest]!r}"
    codes = sizes[sizes > 1].sum()
    categories = f" with {codes:,} categories" if codes else ""
    return f"{len(sizes):,} columns{categories}"
