"""``fit`` and ``partial_fit`` of nets of conditionals."""

import numpy as np

from skdgm.autoregressive._conditionals import Conditionals
from skdgm.autoregressive._kinds import standard_mixture
from skdgm.autoregressive._monitor import Monitor
from skdgm.autoregressive._orders import check_ordering
from skdgm.autoregressive._trainer import Trainer
from skdgm.base import (
    BinaryColumns,
    CodeColumns,
    EpochsMixin,
    MixedColumns,
    RealColumns,
)
from skdgm.nets import Layer
from skdgm.training import Budget

# What densities of real columns are.
MIXTURE = "n_mixtures", "conditional", "min_variance"
_DOMAINS = {"bernoulli": BinaryColumns, "gaussian": RealColumns}


class FittingMixin(EpochsMixin):
    """Training, for an estimator with

    - ``_structure``, the options that cannot change while learning goes on,
    - ``_model(known)``, the model that has such a structure, for the columns that
      there are.
    """

    _WATCHED = "log-likelihood"
    # Batches are dense.
    _LISTED = False
    _BUDGET = Budget(10_000, 20, 300)

    def _check_options(self):
        check_ordering(self.ordering)

    def _check_unchanged(self):
        """Whether what was learned is of the nets that are asked for now."""
        asked = self._structure
        if asked != self._learned:
            names = [name for name in asked if asked[name] != self._learned[name]]
            raise ValueError(
                f"{', '.join(names)} changed since nets were learned: keep what it "
                "was, or fit with warm_start=False."
            )

    def _labelled(self, rows, y, fresh, classes):
        # Before anything of what was learned is lost.
        check_ordering(self.ordering, rows.shape[1])
        return super()._labelled(rows, y, fresh, classes)

    @property
    def _domain(self):
        kinds = self.output
        if kinds == "categorical":
            return CodeColumns(self.min_categories)
        if kinds in _DOMAINS:
            return _DOMAINS[kinds]()
        return MixedColumns(kinds, self.min_categories)

    def _conditionals(self, options):
        """What inputs and outputs mean, and which say how frequent values are."""
        domain, columns, n = self._domain, self._columns, len(self._columns.seen)
        kinds = getattr(columns, "kinds", None)
        kinds = np.full(n, options["output"]) if kinds is None else kinds
        sizes = getattr(columns, "sizes", np.ones(n, int))
        mixture = standard_mixture(*(options[name] for name in MIXTURE))
        found = Conditionals(kinds, sizes, mixture)
        return found, found.start(lambda name, of: known(domain, columns, name, of))

    def _n_epochs(self, table):
        return self._BUDGET.epochs(self.max_iter, table, self.batch_size)

    def _trainer(self, table, epochs_before):
        model = self._model(self._structure)
        return Trainer(model, self, table.rows, self._seed, epochs_before)

    def _start(self, trainer, table, fresh):
        if not fresh:
            return trainer.resume(self._state())
        return trainer.start(table.rows.dtype)

    def _monitor(self, trainer, table, held_out, state):
        independent = self._domain.loss_of_independent(self._columns)
        return Monitor(trainer, table, held_out, independent, state)

    def _attributes(self, state):
        """A training state as fitted attributes."""
        dense = list(layers_of(state.learned))
        return {
            "coefs_": [layer.W for layer in dense],
            "intercepts_": [layer.b for layer in dense],
            "_training": state,
            "_learned": self._structure,
        }

    def _state(self):
        return self._training

    def _remedy(self):
        return (
            f"Lower learning_rate_init (now {self.learning_rate_init:g}), raise "
            f"batch_size (now {self.batch_size}) or set clip_norm."
        )

    @property
    def _dtype(self):
        return self.intercepts_[0].dtype.type


def layers_of(tree):
    """The layers of a tree, in order."""
    if isinstance(tree, Layer):
        yield tree
    elif isinstance(tree, tuple):
        for part in tree:
            yield from layers_of(part)


def known(domain, columns, name, of):
    """How frequent values of columns of a kind are."""
    if name == "bernoulli":
        return domain.moments(columns)[of]
    return domain.frequencies(columns) if name == "categorical" else None
