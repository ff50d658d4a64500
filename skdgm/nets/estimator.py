"""Base class of estimators that train nets by epochs, and the memory that training
needs."""

from typing import Annotated, Any, NamedTuple

import numpy as np

from skdgm.base import Estimator, Model, fits
from skdgm.base.common_options import FitOptions
from skdgm.base.model import OptionsT
from skdgm.base.options import KW_ONLY, Auto, CountOrZero, NotNegative
from skdgm.data import RealColumns, columns_as_asked, has_gray
from skdgm.data.auto import AUTO
from skdgm.exceptions import CostWarning, DataRangeWarning
from skdgm.nets.feed_forward import Layer
from skdgm.nets.options import NetDetails, NetSolver
from skdgm.training import Budget
from skdgm.utils.bits import takes
from skdgm.utils.counts import physical
from skdgm.utils.threading.callers import warn

# Number of arrays of the size of all weights, or of a batch of inputs, in memory during
# training: parameters, their average, gradients, optimizer state and copies.
_N_COPIES = 12
# Bytes above which to warn, and memory of a machine where it is unknown.
_WARNING_BYTES, _DEFAULT_MEMORY = 2**29, 2**34
# Default number of units of a layer.
_WIDTH = 256


class NetModel(Model[OptionsT]):
    """Model of nets, whose training state is stored in the attribute ``_training``."""

    def attributes(self, facts, state):
        """Fitted attributes of a training state, a dict by name."""
        dense = list(layers_of(state.learned))
        return {
            "coefs_": [layer.W for layer in dense],
            "intercepts_": [layer.b for layer in dense],
            "_training": state,
        }

    def state(self, facts, attributes):
        """Training state, given fitted attributes."""
        return attributes["_training"]


class NetEstimator(FitOptions, Estimator):
    """Base class of density estimators that are nets, with a :class:`NetModel` and a
    :class:`NetObjective`.

    Parameters
    ----------
    solver
        Optimizer: "adam" and "rmsprop" scale steps by the recent size of gradients.
    alpha
        Weight decay: alpha / 2 times the sum of squared weights is added to the loss of
        each batch, which is summed over rows; small batches are thus penalized more.
    n_iter
        Number of epochs.

    Attributes
    ----------
    loss_curve_ : list of float
        Negative objective of some training rows after each epoch, in nats per row, with
        real columns standardized.
    validation_curve_ : list of float
        ``loss_curve_`` of held-out rows, with ``early_stopping``.
    """

    _: KW_ONLY
    solver: Annotated[NetSolver, NetDetails] = "adam"
    alpha: NotNegative = 0.0
    n_iter: CountOrZero | Auto = "auto"

    # Batches are dense arrays.
    _STORES_LISTS = False
    # The second budget, if any, is for columns of several types.
    _BUDGET, _BUDGET_MIXED = Budget(3_500, 20, 100), None

    @property
    def _domain(self):
        options = self._options
        if options.column_types == AUTO and not takes(self, "mixed"):
            return RealColumns()
        return columns_as_asked(options)

    def _current_options(self):
        options = super()._current_options()
        if options.early_stopping == "auto":
            free = options.n_iter == "auto"
            options.early_stopping = free and self._may_overfit(options)
        return options

    @staticmethod
    def _may_overfit(options: Any) -> bool:
        """Return whether long training may overfit, for ``early_stopping="auto"``."""
        return True

    def _count(self, table, fresh):
        super()._count(table, fresh)
        if fresh and "_means" in self._MODEL_READS:
            # Means, which replace missing inputs, are those of the first rows.
            self._means = self._domain.share(self._columns)

    def _check_cost(self, table, n_epochs):
        names = getattr(self, "feature_names_in_", None)
        check_categories(self._facts(), table, n_epochs, 2, names)

    def _has_gray(self, table):
        bits = self._domain.bits(self._columns)
        return bool(has_gray(table.rows, bits, table.index))

    def _note_gray(self, table, fresh):
        """Store whether binary columns have had values between 0 and 1."""
        gray = self._has_gray(table)
        self._gray = gray or (not fresh and self._gray)

    def _find_gray(self, table, fresh):
        """Store whether binary columns have values between 0 and 1 in the first rows. A
        model of bits keeps drawing bits; gray values in later rows cause a warning."""
        if not fresh and self._gray:
            return
        gray = self._has_gray(table)
        if fresh:
            self._gray = gray
        elif gray:
            warn(
                f"{self._name} got gray rows, with values between 0 and 1, after rows "
                "of bits: it still draws bits. Include gray rows from the start.",
                DataRangeWarning,
            )

    def _n_epochs(self, table):
        return fits.n_epochs(self, table, self._budget)

    @property
    def _budget(self):
        """Default length of training."""
        kinds = self._options.column_types
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
        for branch in tree:
            yield from layers_of(branch)


def start_at(tree, start, n_means):
    """Set the initial outputs of the last layer of a tree of parameters to ``start``.
    The first ``n_means`` outputs are means of the rows; the other outputs, such as
    variances, initially do not depend on the inputs."""
    *_, last = layers_of(tree)
    # A convolution has one bias for each map.
    last.b[:] = start.reshape(-1, len(last.b)).mean(axis=0)
    if last.W.shape[1] == len(start) > n_means:
        last.W[:, n_means:] = 0


def check_categories(facts, table, n_epochs, n_nets, names=None):
    """Warn if the weights of one-hot categories in ``n_nets`` nets need more than 512
    MiB. ``names`` are the names of columns."""
    options, columns = facts.options, facts.columns
    sizes = getattr(columns, "sizes", np.ones(1, int))
    if sizes.max() < 2:
        return
    name, width = "hidden_layer_sizes", _WIDTH
    for layers in name, "n_components", "n_hidden":
        size: Any = vars(options).get(layers)
        while np.ndim(size) or isinstance(size, tuple | list):
            size = size[0] if len(size) else None
        if size:
            name, width = layers, int(size)
            break
    # Grouped categories share inputs.
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
    """Size of a training run: ``n_nets`` nets of ``n_weights`` each, which may be
    shared, and ``n_rows`` rows in batches of size ``batch``, whose numbers have
    ``item`` bytes."""

    n_weights: int
    n_nets: int
    shared: bool
    batch: int
    n_rows: int
    item: int


def check_cost(name, sizes, names, training, lighter, rough=False):
    """Warn if training needs more than 512 MiB. Raise MemoryError if the machine has
    less memory than needed, unless the estimate is ``rough``. ``sizes`` are the numbers
    of inputs of the columns ``names``, and ``lighter`` is a clause on how the estimator
    ``name`` needs less memory."""
    n_weights, n_nets, shared, batch, n_rows, item = training
    n_learned = n_weights if shared else n_nets * n_weights
    masks = n_nets * n_weights
    n_bytes = _N_COPIES * item * (n_learned + batch * int(sizes.sum())) + masks
    if n_bytes <= _WARNING_BYTES:
        return
    merge = "merge rare categories, or " if (sizes > 1).any() else ""
    lighter = f"{merge}{lighter}"
    lighter = lighter[0].upper() + lighter[1:]
    total = physical() or _DEFAULT_MEMORY
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
    """Phrase that names the reason for the number of weights."""
    largest = int(np.argmax(sizes))
    if sizes[largest] > sizes.sum() / 2:
        return f"the {sizes[largest]:,} categories of column {names[largest]!r}"
    codes = sizes[sizes > 1].sum()
    categories = f" with {codes:,} categories" if codes else ""
    return f"{len(sizes):,} columns{categories}"
