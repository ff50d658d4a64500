"""``fit`` and ``partial_fit`` of autoregressive estimators."""

import numpy as np

from skdgm.autoregressive._conditionals import Conditionals
from skdgm.autoregressive._cost import check_cost
from skdgm.autoregressive._kinds import standard_mixture
from skdgm.autoregressive._monitor import Monitor
from skdgm.autoregressive._orders import check_ordering
from skdgm.autoregressive._trainer import Trainer
from skdgm.base import EpochsMixin
from skdgm.data import BinaryColumns, CodeColumns, MixedColumns, RealColumns, has_grey
from skdgm.nets import NetsMixin

# Options that determine the densities of real columns.
MIXTURE = "n_mixtures", "conditional", "min_variance"
_DOMAINS = {"bernoulli": BinaryColumns, "gaussian": RealColumns}


class FittingMixin(NetsMixin, EpochsMixin):
    """Training, for an estimator with

    - ``_structure``, the options that cannot change while training continues,
    - ``_model(known)``, the model of this structure for the columns that are known,
    - ``_nets(known, conditionals)``, the number of weights of each net, the number of
      nets, and whether they share their weights,
    - ``_LIGHTER``, advice on how to need less memory, a clause.
    """

    _WATCHED = "log-likelihood"

    def _check_options(self):
        check_ordering(self._options.ordering)

    def _labelled(self, rows, y, fresh, classes):
        # Raise before anything learned earlier is lost.
        check_ordering(self._options.ordering, rows.shape[1])
        return super()._labelled(rows, y, fresh, classes)

    def _count(self, table, fresh):
        super()._count(table, fresh)
        grey = has_grey(table.rows, self._domain.bits(self._columns))
        self._grey = grey or (not fresh and self._grey)

    @property
    def _domain(self):
        kinds = self._options.output
        if kinds == "categorical":
            return CodeColumns(self._options.min_categories)
        if kinds in _DOMAINS:
            return _DOMAINS[kinds]()
        return MixedColumns(kinds, self._options.min_categories)

    def _conditionals(self, options):
        """Conditionals of the columns, and initial outputs for their frequencies."""
        domain, columns, n = self._domain, self._columns, len(self._columns.seen)
        kinds = getattr(columns, "kinds", None)
        kinds = np.full(n, options["output"]) if kinds is None else kinds
        sizes = getattr(columns, "sizes", np.ones(n, int))
        mixture = standard_mixture(*(options[name] for name in MIXTURE))
        found = Conditionals(kinds, sizes, mixture)
        return found, found.start(lambda name, of: known(domain, columns, name, of))

    def _run(self, table, epochs, *arguments, **options):
        self._tell_cost(table, len(epochs))
        return super()._run(table, epochs, *arguments, **options)

    def _tell_cost(self, table, n_epochs):
        """Check the cost of training before anything large is allocated."""
        structure, rows = self._structure, table.rows
        conditionals, _ = self._conditionals(structure)
        codec = getattr(self._columns, "codec", None)
        names = codec.names if codec else range(rows.shape[1])
        n_weights, n_nets, shared = self._nets(structure, conditionals)
        n = len(table.index)
        check_cost(
            self,
            conditionals.n_inputs,
            getattr(self, "feature_names_in_", names),
            n_weights,
            n_nets=n_nets,
            shared=shared,
            batch=min(n, self._options.batch_size),
            n_rows=n * n_epochs,
            item=np.dtype(rows.dtype).itemsize,
        )

    def _trainer(self, table, epochs_before):
        model = self._model(self._structure)
        return Trainer(model, self._options, table.rows, self._seed, epochs_before)

    def _monitor(self, trainer, table, held_out, state):
        independent = self._domain.loss_of_independent(self._columns)
        return Monitor(trainer, table, held_out, independent, state)


def known(domain, columns, name, of):
    """Frequencies of values in some columns of one kind; None for real ones."""
    if name == "bernoulli":
        return domain.moments(columns)[of]
    return domain.frequencies(columns) if name == "categorical" else None
