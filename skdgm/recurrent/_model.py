"""Models of recurrent estimators: a net and a distribution of steps, of options."""

from abc import abstractmethod
from types import SimpleNamespace

from skdgm.autoregressive._model import AutoregressiveModel
from skdgm.autoregressive._options import MIXTURE
from skdgm.recurrent._learning import RecurrentDensity, RecurrentObjective
from skdgm.recurrent._nade_step import NADEStep, RowChain
from skdgm.recurrent._net import RecurrentNet
from skdgm.utils.orders import orders


class RecurrentModel(AutoregressiveModel):
    """Recurrent net below a distribution of steps, of which a subclass makes the
    ``step``; ``names`` are options that its parameters depend on."""

    names = ()

    def structure(self, facts):
        """Options that the parameters depend on."""
        names = "n_components", "n_recurrent", "cell", "column_types", *self.names
        return SimpleNamespace(**{n: getattr(facts.options, n) for n in names})

    def density(self, facts, state):
        """Density of the fitted parameters."""
        own = *facts.own, facts.options.sequence_length
        parts = {"params": state.learned, "grey": bool(facts.known._grey)}
        return RecurrentDensity(*own, net=self.net(facts), **parts)

    def objective(self, facts, table, before):
        """Loss of the steps."""
        independent = facts.domain.loss_of_independent(facts.columns)
        given = facts.options, table.rows, facts.seed, before, independent
        return RecurrentObjective(self.net(facts), *given)

    def attributes(self, facts, state):
        """Fitted attributes of a training state, a dict by name."""
        found = super().attributes(facts, state)
        return found | {"components_": state.learned.step.W.T}

    def net(self, facts, present=False):
        """The net and its distribution of steps."""
        own = facts.structure
        given = own.cell, own.n_recurrent, facts.options.init_weights
        return RecurrentNet(self.step(facts), *given)

    @abstractmethod
    def step(self, facts):
        """Distribution of a step."""

    def n_weights(self, facts, conditionals):
        """Number of weights of the net and of the distribution, and that there is one
        net."""
        net = self.net(facts)
        step = net.step.n_hidden * (net.step.n_inputs + net.step.n_visible)
        return net.n_weights() + step, 1, True


class NADEModel(RecurrentModel):
    """Steps as neural autoregressive density estimators."""

    names = *MIXTURE, "ordering", "activation"

    def step(self, facts):
        """A chain with biases of each row; of real columns, with factors."""
        conditionals, start = self.conditionals(facts)
        own, n_columns = facts.structure, len(conditionals.kinds)
        (order,) = orders(own.ordering, 1, n_columns, facts.seed)
        net = own.n_components, own.activation, facts.options.init_weights
        scaled = any(kind in ("gaussian", "numeric") for kind in conditionals.kinds)
        chain = RowChain(conditionals, start, order, *net, scaled)
        share = facts.domain.share(facts.columns)
        return NADEStep(chain, share, facts.now("n_draws"))
