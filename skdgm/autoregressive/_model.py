"""Models of autoregressive estimators: chains for orders of the columns, made of
options."""

from abc import abstractmethod
from numbers import Real
from types import SimpleNamespace

import numpy as np

from skdgm.autoregressive._chains import Chains
from skdgm.autoregressive._density import ChainDensity, ChainObjective
from skdgm.autoregressive._linear_chain import LinearChain, NormalChain
from skdgm.autoregressive._net_chains import MaskedChain, TiedChain
from skdgm.autoregressive._normal import NormalObjective
from skdgm.autoregressive._options import MIXTURE
from skdgm.autoregressive._orderless import Orderless
from skdgm.autoregressive._residual import ResidualChain
from skdgm.data import check_pattern
from skdgm.distributions import MixedOutput, standard_mixture
from skdgm.nets import NetModel
from skdgm.optim import check_piecewise
from skdgm.utils.counts import check_sizes
from skdgm.utils.orders import check_ordering, orders
from skdgm.utils.random import stream

_DEGREES = 2**17 + 1


class AutoregressiveModel(NetModel):
    """Conditionals of the columns in one order or several."""

    # Class of the objective.
    objective_class = ChainObjective

    def check(self, options):
        """Raise ValueError for options that their constraints do not exclude."""
        check_ordering(options.ordering)
        check_pattern(options)

    def density(self, facts, state):
        """Density of the fitted parameters, a :class:`ChainDensity`."""
        gaps = getattr(facts.columns, "gaps", None)
        return ChainDensity(
            facts.context,
            model=self.net(facts),
            params=state.learned,
            grey=facts.known.grey,
            filler=None if gaps is None else self.net(facts, present=True),
        )

    def objective(self, facts, table, before):
        """Log-likelihood of the rows, a :class:`ChainObjective`."""
        independent = facts.domain.loss_of_independent(facts.columns)
        run = facts.run(table, before)
        return self.objective_class(run, independent, model=self.net(facts))

    @abstractmethod
    def net(self, facts, present=False):
        """Functions that a :class:`ChainDensity` is made of; those of which no draw is
        missing, if ``present``."""

    @abstractmethod
    def n_weights(self, facts, conditionals):
        """Number of weights of a net, number of nets, and whether they share these."""

    def conditionals(self, facts, present=False):
        """Conditionals of the columns, and initial outputs for their frequencies."""
        columns, structure = facts.columns, facts.structure
        plain = np.full(len(columns.seen), structure.column_types)
        mixture = standard_mixture(*(getattr(structure, name) for name in MIXTURE))
        kinds = getattr(columns, "kinds", plain)
        own = (getattr(columns, name, None) for name in ("scales", "gaps"))
        found = MixedOutput(kinds, columns.sizes, mixture, *own, present)
        return found, found.start(facts.domain.share(columns))


class ChainModel(AutoregressiveModel):
    """Chains, one for each order.

    ``names`` are options that the nets depend on, besides those of columns and orders;
    ``number`` is the option with the number of chains, which have ``shared``
    parameters.
    """

    def __init__(self, *names, number="n_orderings", shared=False):
        self.names = *names, "column_types", *MIXTURE, "ordering", number
        self.number, self.shared = number, shared

    def structure(self, facts):
        """Options that the nets depend on."""
        return SimpleNamespace(**{n: getattr(facts.options, n) for n in self.names})

    def net(self, facts, present=False):
        """The chains, an ensemble."""
        conditionals, start = self.conditionals(facts, present)
        n_columns, kind = len(conditionals.kinds), self.kind(facts)
        wanted = facts.structure.ordering, getattr(facts.structure, self.number)
        members = [
            kind(conditionals, start, order, *self.sizes(facts, n_columns, number))
            for number, order in enumerate(
                orders(*wanted, n_columns, facts.seed, conditionals.waved)
            )
        ]
        return Chains(conditionals, members, facts.now("n_draws"), self.shared)

    def n_weights(self, facts, conditionals):
        """Number of weights of a net, number of nets, and whether they share these."""
        ends = conditionals.n_inputs.sum(), conditionals.n_outputs.sum()
        own = self.sizes(facts, len(conditionals.kinds), 0)
        found = self.kind(facts).n_weights(*map(int, ends), *own)
        return found, getattr(facts.structure, self.number), self.shared

    @abstractmethod
    def kind(self, facts):
        """Class of the chains."""

    @abstractmethod
    def sizes(self, facts, n_columns, number):
        """Arguments of the chain of a number, after the first three."""


class TiedModel(ChainModel):
    """Chains with one hidden layer that the conditionals of all columns share; if
    ``scaled``, of real columns, pre-activations have factors, and the net learns what
    linear regressions leave, where the covariance is known."""

    def __init__(self, scaled=False):
        super().__init__("n_components", "activation")
        self.scaled = scaled

    def kind(self, facts):
        """Class of the chains."""
        return TiedChain if self._covariance(facts) is None else ResidualChain

    def sizes(self, facts, n_columns, number):
        """Units, their activation and initial weights, and the covariance, or whether
        pre-activations have factors."""
        own, covariance = facts.structure, self._covariance(facts)
        last = self.scaled if covariance is None else covariance
        return own.n_components, own.activation, facts.options.init_weights, last

    def _covariance(self, facts):
        return facts.known.covariance if self.scaled else None


class GroupModel(ChainModel):
    """Chains of layers with masked weights: a group of hidden units for each column."""

    def __init__(self):
        super().__init__("n_components", "activation", "direct")

    def kind(self, facts):
        """Class of the chains."""
        return MaskedChain

    def sizes(self, facts, n_columns, number):
        """Degrees of units, each as often as a group has units, and :func:`_masked`."""
        degrees = np.arange(_n_degrees(n_columns))
        return [np.repeat(degrees, facts.structure.n_components)], *_masked(facts)


class RandomMaskModel(ChainModel):
    """Chains of layers with masked weights, which share a net: of random degrees."""

    kind = GroupModel.kind

    def __init__(self):
        names = "hidden_layer_sizes", "activation", "direct"
        super().__init__(*names, number="n_masks", shared=True)

    def check(self, options):
        """Raise ValueError for options that their constraints do not exclude."""
        check_sizes(options.hidden_layer_sizes)
        super().check(options)

    def structure(self, facts):
        """Options that the nets depend on."""
        found = super().structure(facts)
        found.hidden_layer_sizes = check_sizes(found.hidden_layer_sizes)
        return found

    def sizes(self, facts, n_columns, number):
        """Degrees, of which those of a layer are at least the lowest below, and
        :func:`_masked`."""
        rng, degrees, low = stream(facts.seed, _DEGREES, number).generator(), [], 0
        for size in facts.structure.hidden_layer_sizes:
            degrees.append(np.sort(rng.integers(low, _n_degrees(n_columns), size)))
            low = degrees[-1][0]
        return degrees, *_masked(facts)


def _n_degrees(n_columns):
    """Number of degrees: no output may see units that see the last column."""
    return max(1, n_columns - 1)


def _masked(facts):
    """Activation of units, initialiser of weights, and whether outputs see inputs."""
    own = facts.structure
    return own.activation, facts.options.init_weights, own.direct


class LinearModel(ChainModel):
    """Chains without hidden units, and a normal distribution of real columns."""

    def check(self, options):
        """Raise ValueError for options that their constraints do not exclude."""
        check_piecewise("alpha", options.alpha, Real, 0)
        super().check(options)

    def objective_class(self, run, independent, *, model):
        """Objective: by gradients, or in closed form."""
        normal = run.options.column_types == "gaussian"
        kind = NormalObjective if normal else ChainObjective
        return kind(run, independent, model=model)

    def kind(self, facts):
        """Class of the chains."""
        normal = facts.structure.column_types == "gaussian"
        return NormalChain if normal else LinearChain

    def sizes(self, facts, n_columns, number):
        """Nothing."""
        return ()


class OrderlessModel(AutoregressiveModel):
    """One net for the conditionals of all columns in any order."""

    def check(self, options):
        """Raise ValueError for options that their constraints do not exclude."""
        check_sizes(options.hidden_layer_sizes)
        super().check(options)

    def structure(self, facts):
        """Options that the net depends on."""
        names = "column_types", *MIXTURE, "activation", "n_steps"
        found = {name: getattr(facts.options, name) for name in names}
        sizes = check_sizes(facts.options.hidden_layer_sizes)
        return SimpleNamespace(**found, hidden_layer_sizes=sizes)

    def net(self, facts, present=False):
        """The net, with the orders in which columns are predicted."""
        conditionals, start = self.conditionals(facts, present)
        own, options = facts.structure, facts.options
        wanted = options.ordering, facts.now("n_orderings")
        n_columns, ahead = len(conditionals.kinds), conditionals.waved
        found = orders(*wanted, n_columns, facts.seed, ahead)
        net = own.hidden_layer_sizes, own.activation, start
        rules = options.init_weights, options.dropout
        steps = facts.now("n_steps"), None
        if own.n_steps > 1:
            zeros = np.zeros(conditionals.n_inputs.sum())
            means = zeros if facts.known.means is None else facts.known.means
            steps = steps[0], means, options.learned_steps
        return Orderless(conditionals, *net, *rules, found, *steps)

    def n_weights(self, facts, conditionals):
        """Number of weights of a net, number of nets, and whether they share these."""
        ends = conditionals.n_inputs, conditionals.n_outputs
        own = len(ends[0]), *(int(n.sum()) for n in ends)
        return Orderless.n_weights(*own, facts.structure.hidden_layer_sizes), 1, True
