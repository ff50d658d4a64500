"""Models of autoregressive estimators: chains for orders of the columns, built from
options."""

from abc import abstractmethod
from collections.abc import Callable
from itertools import pairwise
from numbers import Real
from typing import Any

import numpy as np

from skdgm.autoregressive._chains import ChainEnsemble
from skdgm.autoregressive._density import ChainDensity, ChainObjective
from skdgm.autoregressive._linear_chain import LinearChain, NormalChain
from skdgm.autoregressive._normal import NormalObjective
from skdgm.autoregressive._orderless import Completion, HiddenLayers, Orderless
from skdgm.autoregressive._residual import ResidualChain
from skdgm.autoregressive.model_options import (
    AutoregressiveOptionsT,
    GroupOptions,
    MaskedOptions,
    NetChainOptions,
    OrderedOptions,
    OrderlessOptions,
    RealChainOptions,
)
from skdgm.autoregressive.net_chains import (
    MaskedChain,
    MaskedLayers,
    TiedChain,
    TiedLayer,
)
from skdgm.autoregressive.options import MIXTURE
from skdgm.base import Density, Facts
from skdgm.data import check_pattern
from skdgm.distributions import MixedOutput, standard_mixture
from skdgm.nets import NetModel
from skdgm.optim import check_piecewise
from skdgm.training import AUTO, Objective, Table
from skdgm.utils import addresses
from skdgm.utils.counts import check_sizes
from skdgm.utils.orders import check_ordering, orders
from skdgm.utils.random import stream

_DEGREES = addresses.DEGREES


class AutoregressiveModel(NetModel[AutoregressiveOptionsT]):
    """Conditionals of the columns in one order or several orders."""

    # Class of the objective.
    objective_class = ChainObjective

    def check(self, options):
        check_ordering(options.ordering)
        check_pattern(options)

    def density(self, facts: Facts[AutoregressiveOptionsT], state: Any) -> Density:
        gaps = getattr(facts.columns, "gaps", None)
        return ChainDensity(
            facts.context,
            model=self.net(facts),
            params=state.learned,
            gray=facts.known.gray,
            filler=None if gaps is None else self.net(facts, present=True),
        )

    def objective(
        self, facts: Facts[AutoregressiveOptionsT], table: Table, epochs_before: int
    ) -> Objective:
        independent_loss = facts.domain.loss_of_independent(facts.columns)
        run = facts.run(table, epochs_before)
        return self.objective_class(run, independent_loss, model=self.net(facts))

    @abstractmethod
    def net(self, facts: Facts[AutoregressiveOptionsT], present: bool = False) -> Any:
        """Model of a :class:`ChainDensity`; if ``present``, draws are never missing
        values."""

    @abstractmethod
    def n_weights(
        self, facts: Facts[AutoregressiveOptionsT], conditionals: MixedOutput
    ) -> tuple:
        """Number of weights of a net, number of nets, and whether the nets share
        weights."""

    def conditionals(self, facts, present=False):
        """Conditionals of the columns, and initial outputs for their frequencies."""
        columns, structure = facts.columns, facts.structure
        kind = np.full(len(columns.seen), structure.column_types)
        mixture = standard_mixture(
            structure.n_mixtures, structure.conditional, structure.min_variance
        )
        conditionals = MixedOutput(
            getattr(columns, "kinds", kind),
            columns.sizes,
            mixture,
            scales=getattr(columns, "scales", None),
            gapped=getattr(columns, "gaps", None),
            whole=present,
        )
        return conditionals, conditionals.start(facts.domain.share(columns))


class ChainModel(AutoregressiveModel[AutoregressiveOptionsT]):
    """Chains, one for each order.

    ``names`` are options that determine the nets, in addition to options of columns and
    orders. ``number`` names the option with the number of chains, and ``shared`` tells
    whether they share parameters.
    """

    def __init__(self, names, *, number="n_orderings", shared=False):
        self.STRUCTURE = *names, "column_types", *MIXTURE, "ordering", number
        self.number, self.shared = number, shared

    def net(self, facts, present=False):
        """Ensemble of chains."""
        conditionals, start = self.conditionals(facts, present)
        n_columns, kind = len(conditionals.kinds), self.kind(facts)
        column_orders = orders(
            facts.structure.ordering,
            getattr(facts.structure, self.number),
            n_columns,
            facts.seed,
            conditionals.date_columns,
        )
        members = [
            kind(conditionals, start, order, self.layers(facts, n_columns, number))
            for number, order in enumerate(column_orders)
        ]
        return ChainEnsemble(
            conditionals, members, facts.current_option("n_draws"), self.shared
        )

    def n_weights(self, facts, conditionals):
        n_inputs, n_outputs = conditionals.n_inputs.sum(), conditionals.n_outputs.sum()
        layers = self.layers(facts, len(conditionals.kinds), 0)
        n_weights = layers.n_weights(int(n_inputs), int(n_outputs))
        return n_weights, getattr(facts.structure, self.number), self.shared

    @abstractmethod
    def kind(self, facts: Facts[AutoregressiveOptionsT]) -> Callable:
        """Class of the chains."""

    @abstractmethod
    def layers(
        self, facts: Facts[AutoregressiveOptionsT], n_columns: int, number: int
    ) -> MaskedLayers | TiedLayer:
        """Layers of a chain by its number, :class:`MaskedLayers` or
        :class:`TiedLayer`."""


class TiedModel(ChainModel[NetChainOptions]):
    """Chains with one hidden layer shared by the conditionals of all columns."""

    def __init__(self):
        super().__init__(_TIED)

    def kind(self, facts):
        return TiedChain

    def layers(self, facts, n_columns, number):
        return _tied(facts, scaled=False)


class ResidualModel(ChainModel[RealChainOptions]):
    """Tied chains of real columns, whose pre-activations have factors, and which learn
    residuals of linear regressions if the covariance of the columns is known."""

    def __init__(self):
        super().__init__(_TIED)

    def kind(self, facts):
        return TiedChain if facts.known.covariance is None else ResidualChain

    def layers(self, facts, n_columns, number):
        return _tied(facts, scaled=True, covariance=facts.known.covariance)


# Options that determine the hidden layer of tied chains.
_TIED = "n_components", "activation"


def _tied(facts, scaled, covariance=None):
    """Hidden layer of tied chains."""
    structure, init = facts.structure, facts.options.init_weights
    size, activation = structure.n_components, structure.activation
    return TiedLayer(size, activation, init, scaled, covariance)


class GroupModel(ChainModel[GroupOptions]):
    """Chains with a masked layer: a group of hidden units for each column."""

    def __init__(self):
        super().__init__(("n_components", "activation", "direct"))

    def kind(self, facts):
        return MaskedChain

    def layers(self, facts, n_columns, number):
        """Layer with one group of units for each degree."""
        degrees = np.arange(_n_degrees(n_columns))
        return _layers(facts, [np.repeat(degrees, facts.structure.n_components)])


class RandomMaskModel(ChainModel[MaskedOptions]):
    """Chains with masked layers of random degrees, which share a net."""

    def __init__(self):
        names = "hidden_layer_sizes", "activation", "direct"
        super().__init__(names, number="n_masks", shared=True)

    def kind(self, facts):
        return MaskedChain

    def check(self, options):
        """Raise ValueError for inconsistent options."""
        check_sizes(options.hidden_layer_sizes)
        super().check(options)

    def structure(self, facts):
        structure = super().structure(facts)
        structure.hidden_layer_sizes = check_sizes(structure.hidden_layer_sizes)
        return structure

    def layers(self, facts, n_columns, number):
        """Layers with random degrees, at least the lowest degree of the layer below."""
        rng, degrees, low = stream(facts.seed, _DEGREES, number).generator(), [], 0
        for size in facts.structure.hidden_layer_sizes:
            degrees.append(np.sort(rng.integers(low, _n_degrees(n_columns), size)))
            low = degrees[-1][0]
        return _layers(facts, degrees)


def _n_degrees(n_columns):
    """Number of degrees; no output depends on units that see the last column."""
    return max(1, n_columns - 1)


def _layers(facts, degrees):
    """Masked layers of units with given degrees."""
    structure, init = facts.structure, facts.options.init_weights
    return MaskedLayers(degrees, structure.activation, init, structure.direct)


class LinearModel(ChainModel[OrderedOptions]):
    """Chains without hidden units; the normal distribution for real columns."""

    def __init__(self):
        super().__init__(())

    def check(self, options):
        if options.alpha != AUTO:
            check_piecewise("alpha", options.alpha, Real, 0)
        super().check(options)

    def objective_class(self, run, independent_loss, *, model):
        """Gradient-based or closed-form objective."""
        normal = run.options.column_types == "gaussian"
        kind = NormalObjective if normal else ChainObjective
        return kind(run, independent_loss, model=model)

    def kind(self, facts):
        normal = facts.structure.column_types == "gaussian"
        return NormalChain if normal else LinearChain

    def layers(self, facts, n_columns, number):
        """No hidden layers."""
        return MaskedLayers([], "identity", init=None, direct=True)


class OrderlessModel(AutoregressiveModel[OrderlessOptions]):
    """One net for the conditionals of all columns in any order."""

    STRUCTURE = "column_types", *MIXTURE, "activation", "n_steps"

    def check(self, options):
        check_sizes(options.hidden_layer_sizes)
        super().check(options)

    def structure(self, facts):
        structure = super().structure(facts)
        structure.hidden_layer_sizes = check_sizes(facts.options.hidden_layer_sizes)
        return structure

    def net(self, facts, present=False):
        """Net, and the orders in which columns are predicted."""
        conditionals, start = self.conditionals(facts, present)
        structure, options = facts.structure, facts.options
        column_orders = orders(
            options.ordering,
            facts.current_option("n_orderings"),
            len(conditionals.kinds),
            facts.seed,
            conditionals.date_columns,
        )
        completion = Completion(facts.current_option("n_steps"))
        if structure.n_steps > 1:
            zeros = np.zeros(conditionals.n_inputs.sum())
            means = zeros if facts.known.means is None else facts.known.means
            last_step_only = options.learned_steps == "last"
            completion = completion._replace(means=means, last_step_only=last_step_only)
        layers = HiddenLayers(
            structure.hidden_layer_sizes,
            structure.activation,
            options.init_weights,
            options.dropout,
        )
        return Orderless(
            conditionals,
            output_biases=start,
            orders=column_orders,
            layers=layers,
            completion=completion,
        )

    def n_weights(self, facts, conditionals):
        n_inputs = int(conditionals.n_inputs.sum()) + len(conditionals.n_inputs)
        n_outputs = int(conditionals.n_outputs.sum())
        sizes = n_inputs, *facts.structure.hidden_layer_sizes, n_outputs
        return sum(a * b for a, b in pairwise(sizes)), 1, True
