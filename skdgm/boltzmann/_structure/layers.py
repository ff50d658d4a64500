"""Layers of a machine: fitted attributes as an energy, its parameters and objective."""

from abc import ABC, abstractmethod
from functools import lru_cache, partial

import numpy as np

from skdgm.base.attributes import shallow
from skdgm.boltzmann._learning.state import TrainState, density
from skdgm.boltzmann._structure.labels import label_of, with_label
from skdgm.boltzmann._structure.visible import Real, reach_of
from skdgm.distributions import Normal, Softmax


class Layers(ABC):
    """Meaning of the fitted attributes and options of a machine.

    There is a subclass for machines with one hidden layer and one for those with
    several. The methods' ``machine`` is a :class:`~skdgm.boltzmann._machine.Machine`.

    Attributes
    ----------
    option : str
        Name of the option with the sizes of the hidden layers.
    """

    @abstractmethod
    def sizes(self, options):
        """Sizes of the hidden layers that the options ask for."""

    @abstractmethod
    def learned_sizes(self, machine):
        """Sizes of the hidden layers of a fitted machine."""

    @abstractmethod
    def wired(self, visible, sizes, label):
        """Energy of layers.

        Parameters
        ----------
        visible : object
            Block of visible units.
        sizes : tuple of int
            Of the hidden layers.
        label : tuple
            Block of a label, or nothing.

        Returns
        -------
        energy : Energy
        """

    @abstractmethod
    def params(self, machine, dtype=None):
        """Parameters of a fitted machine.

        Parameters
        ----------
        machine : Machine
        dtype : dtype, optional
            By default that of the fitted attributes.

        Returns
        -------
        params : Params
        """

    @abstractmethod
    def named(self, units, couplings, visible, chains, labelled):
        """Fitted attributes of layers, by name.

        Parameters
        ----------
        units, couplings : tuple
            Of plain parameters.
        visible : ndarray
            Biases (or means) of the visible units.
        chains : tuple of ndarray
            By block.
        labelled : bool
            Whether there is a label.

        Returns
        -------
        attributes : dict
        """

    @abstractmethod
    def initial(self, machine):
        """Function that replaces random initial parameters, or None.

        Returns
        -------
        initial : callable or None
            See :class:`~skdgm.boltzmann._learning.objective.EnergyObjective`.
        """

    @abstractmethod
    def check_options(self, options):
        """Raise ValueError for options that the parameters' types do not exclude."""

    def energy(self, machine, sizes=None):
        """Energy of a machine, with layers of the given sizes or those learned."""
        visible = machine._domain.unit(machine, machine.n_features_in_)
        n_classes = len(vars(machine).get("classes_", ()))
        sizes = sizes or self.learned_sizes(machine)
        return _energy(self, type(visible), visible, tuple(sizes), n_classes)

    def density(self, machine):
        """Density of a fitted machine."""
        energy, n_chains = self.energy(machine), len(machine.chains_)
        chains, fixed = TrainState.of(None, machine._training).chains, shallow(machine)
        return machine._DENSITY(
            type(machine).__name__,
            fixed._rows,
            machine._domain,
            machine._columns,
            machine._seed,
            energy=energy,
            params=self.params(machine),
            chains=tuple(part[:n_chains] for part in chains),
            moments=partial(self.moments, fixed, energy),
            noise=self.noise(machine),
            objective=getattr(machine._options, "objective", "generative"),
            log_Z=partial(_log_Z, machine, machine._training),
            now=machine._now,
            **self.facts(machine),
        )

    def noise(self, machine):
        """Function that draws visible values without structure."""
        return partial(machine._domain.noise, machine)

    def warn(self, machine):
        """Warn of columns that give cause."""
        machine._domain.warn(machine)

    def facts(self, machine):
        """Further arguments of the density, by name."""
        return {}

    def moments(self, machine, energy):
        """Known means (or moments) of each block in the model without couplings."""
        visible, label = machine._domain.moments(machine._columns), label_of(energy)
        found = visible, *(None,) * (len(energy.units) - 1)
        if label is None:
            return found
        return with_label(found, label, machine._label_frequencies)

    def objective(self, machine, table, before):
        """Objective of a run after so many epochs."""
        options = machine._options
        energy = self.energy(machine, self.sizes(options))
        visible, *others = moments = self.moments(machine, energy)
        if isinstance(machine._domain, Real) or options.init_biases != "marginals":
            visible = None
        return machine._OBJECTIVE(
            energy,
            options,
            table.rows,
            machine._seed,
            machine._domain.fill(machine._columns),
            moments,
            before,
            density(table),
            means=(visible, *others),
            initial=self.initial(machine),
            known=(machine._domain, machine._columns),
            table=table,
            reach=reach_of(machine),
        )

    def attributes(self, machine, state):
        """Fitted attributes of a training state."""
        state, columns = state.kept(), machine._columns
        (visible, *_), couplings = state.params
        found, chains = state.attributes()
        if isinstance(machine._domain, Real):
            found["_log_precision"] = visible.log_precision
            found["precision_"] = np.exp(visible.log_precision) / columns.scale**2
            found["mean_"], found["scale_"] = columns.mean, columns.scale
            visible = visible.mean
        found["chains_"] = machine._domain.to_data(columns, chains[0])
        given = state.params.units, couplings, visible, chains
        return found | self.named(*given, hasattr(machine, "classes_"))

    def visible(self, machine, own):
        """Parameters of the visible block, given its biases or means."""
        if not isinstance(machine._domain, Real):
            return own
        return Normal(own, machine._log_precision)

    def check_unchanged(self, machine):
        """Raise ValueError where the options do not fit the learned machine."""
        learned, options = self.learned_sizes(machine), machine._options
        if self.sizes(options) != learned:
            raise ValueError(
                f"{self.option}={getattr(options, self.option)}, but "
                f"{', '.join(map(str, learned))} units were learned "
                "before: keep their number, or fit with warm_start=False."
            )
        if hasattr(machine, "precision_") != isinstance(machine._domain, Real):
            raise ValueError(
                f"column_types={options.column_types!r}, but columns of the other kind "
                "were learned before: keep it, or fit with warm_start=False."
            )


@lru_cache(maxsize=128)
def _energy(layers, kind, visible, sizes, n_classes):
    """Energy of layers, which parameters are no part of. The kind of the visible block
    belongs to the key: blocks of different kinds and the same size are equal tuples."""
    label = (Softmax(n_classes),) if n_classes else ()
    return layers.wired(visible, sizes, label)


def _log_Z(machine, training):
    """Log Z of a machine, unless it has trained since; then None."""
    return machine.log_Z_ if machine._training is training else None
