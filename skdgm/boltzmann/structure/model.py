"""Models of machines: the energy, parameters and attributes that options and columns
define."""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from functools import partial
from numbers import Integral, Real
from typing import Any

import numpy as np

from skdgm.base import Facts, Model
from skdgm.boltzmann._density.layered import EnergyDensity
from skdgm.boltzmann._density.unnormalized import FittedMachine
from skdgm.boltzmann.learning.objective import EnergyObjective
from skdgm.boltzmann.learning.state import InitialData, TrainState
from skdgm.boltzmann.model_options import EnergyOptionsT
from skdgm.boltzmann.structure.labels import label_of, with_label
from skdgm.boltzmann.structure.visible import RealUnits, at_limit, reach_of
from skdgm.distributions import Normal
from skdgm.energies import Energy, Params
from skdgm.optim import check_piecewise
from skdgm.training import filled


class EnergyModel(Model[EnergyOptionsT]):
    """Energy whose first block is visible, with the classes of its density and
    objective."""

    def __init__(
        self, density: type = EnergyDensity, objective: type = EnergyObjective
    ):
        self.density_class, self.objective_class = density, objective

    @abstractmethod
    def energy(self, facts: Facts) -> Energy:
        """Energy, without parameters."""

    @abstractmethod
    def params(self, facts: Facts, attributes: dict) -> Params:
        """Parameters, from a dict of fitted attributes."""

    @abstractmethod
    def named(self, facts: Facts, params: Params, visible: Any, chains: tuple) -> dict:
        """Dict of fitted attributes of the blocks, the inverse of :meth:`params`.
        Arguments are parameters as arrays, biases or means of the visible units, and
        chains by block."""

    STRUCTURE = "n_components", "column_types"

    def check(self, options):
        check_piecewise("n_steps", options.n_steps, Integral, 1)
        check_piecewise("momentum", options.momentum, Real, 0, 1)

    def density(self, facts: Facts, state: Any) -> Any:
        energy, (_, chains) = self.energy(facts), state.attributes()
        machine = FittedMachine(
            energy=energy,
            params=state.params,
            chains=chains,
            moments=partial(self.moments, facts, energy),
            noise=self.noise(facts, energy),
            layout=self.layout(facts),
        )
        return self.density_class(
            facts.context,
            machine=machine,
            objective=facts.options.objective or "generative",
            current_option=facts.current_option,
            log_Z=facts.known.log_partition,
            pooled=self.pooled(facts),
        )

    def objective(self, facts, table, epochs_before):
        energy = self.energy(facts)
        initial_data = self.initial_data(facts, table, energy)
        run = facts.run(table, epochs_before)
        return self.objective_class(run, energy=energy, initial_data=initial_data)

    def attributes(self, facts: Facts, state: Any) -> dict:
        state = state.kept()
        visible, columns = state.params.units[0], facts.columns
        attributes, chains = state.attributes()
        if isinstance(facts.domain, RealUnits):
            attributes["_log_precision"] = visible.log_precision
            attributes["precision_"] = np.exp(visible.log_precision) / columns.scale**2
            attributes["mean_"], attributes["scale_"] = columns.mean, columns.scale
            visible = visible.mean
        attributes["chains_"] = facts.domain.to_data(columns, chains[0])
        return attributes | self.named(facts, state.params, visible, chains)

    def state(self, facts, attributes):
        return TrainState.of(self.params(facts, attributes), attributes)

    def complaints(self, facts: Facts, state: Any) -> Iterable:
        if isinstance(facts.domain, RealUnits):
            unit, (biases, *_) = self.visible(facts), state.params.units
            yield from at_limit(facts, unit, biases.log_precision)

    def visible(self, facts):
        """Block of the visible units."""
        return facts.domain.unit(facts.options, facts.columns)

    def moments(self, facts, energy):
        """Known means (or moments) of each block in the model without couplings; None
        if unknown."""
        visible, label = facts.domain.moments(facts.columns), label_of(energy)
        moments = visible, *(None,) * (len(energy.units) - 1)
        if label is None:
            return moments
        counts = facts.known.label_counts + 1
        # Smoothed: add 1 to the count of each label.
        return with_label(moments, label, counts / counts.sum())

    def noise(self, facts, energy):
        """Function that draws independent visible values."""
        return partial(facts.domain.noise, energy.units[0], facts.columns)

    def pooled(self, facts):
        """Return whether features of maps are pooled units."""
        return False

    def layout(self, facts: Facts) -> Any:
        """Blocks of the visible units of a table, or None."""
        return None

    def initial_data(self, facts, table, energy):
        """Facts about the rows of a table, and initial parameters: a
        :class:`~skdgm.boltzmann.learning.state.InitialData`."""
        moments = self.moments(facts, energy)
        visible, *others = moments
        is_real = isinstance(facts.domain, RealUnits)
        if is_real or facts.options.init_biases != "marginals":
            visible = None
        return InitialData(
            missing_values=facts.domain.fill(facts.columns),
            moments=moments,
            nonzero_share=filled(table),
            means=(visible, *others),
            initialize=self.initial(facts),
            known=(facts.domain, facts.columns),
            table=table,
            max_magnitudes=reach_of(facts.domain, facts.columns),
        )

    def initial(self, facts: Facts) -> Callable | None:
        """Function that replaces random initial parameters, or None; see
        :class:`~skdgm.boltzmann.learning.state.InitialData`."""
        return None

    def bottom(self, facts, attributes, biases):
        """Parameters of the visible block, given its biases or means."""
        if not isinstance(facts.domain, RealUnits):
            return biases
        return Normal(biases, attributes["_log_precision"])


def n_classes(facts):
    """Number of classes of the label; 0 without a label."""
    return 0 if facts.known.classes_ is None else len(facts.known.classes_)


def n_columns(facts):
    """Number of columns."""
    return len(facts.columns.seen)
