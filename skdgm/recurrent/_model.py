"""Models of recurrent estimators: a net and a distribution of steps, built from
options."""

from abc import abstractmethod
from types import SimpleNamespace
from typing import Any

import numpy as np

from skdgm.autoregressive.model import AutoregressiveModel
from skdgm.autoregressive.net_chains import TiedLayer
from skdgm.autoregressive.options import MIXTURE
from skdgm.base import Facts
from skdgm.distributions import MixedOutput, standard_mixture
from skdgm.nets import check_dropout
from skdgm.recurrent._lagged import LaggedChain, LaggedNet
from skdgm.recurrent._learning import RecurrentDensity, RecurrentObjective
from skdgm.recurrent._model_options import NADEOptions, RBMOptions, RecurrentOptionsT
from skdgm.recurrent._nade_step import NADEStep, RowChain
from skdgm.recurrent._net import RecurrentNet, TiedNet
from skdgm.recurrent._rbm_step import RBMStep
from skdgm.utils.orders import orders


class RecurrentModel(AutoregressiveModel[RecurrentOptionsT]):
    """Recurrent net with a distribution of each step, which a subclass defines by
    ``step``; ``names`` are the options that determine the parameters."""

    STRUCTURE = "n_components", "n_recurrent", "cell", "column_types"

    def density(self, facts, state):
        return RecurrentDensity(
            facts.context,
            sequence_length=facts.options.sequence_length,
            net=self.net(facts),
            params=state.learned,
            gray=bool(facts.known.gray),
        )

    def objective(self, facts, table, epochs_before):
        independent_loss = facts.domain.loss_of_independent(facts.columns)
        run = facts.run(table, epochs_before)
        return RecurrentObjective(run, independent_loss, net=self.net(facts))

    def attributes(self, facts, state):
        attributes = super().attributes(facts, state)
        return attributes | {"components_": state.learned.step.W.T}

    def net(self, facts, present=False):
        return RecurrentNet(
            self.step(facts),
            facts.structure.cell,
            facts.structure.n_recurrent,
            init=facts.options.init_weights,
            dropout=_rates(facts.options)[0],
        )

    @abstractmethod
    def step(self, facts: Facts[RecurrentOptionsT]) -> Any:
        """Distribution of a step."""

    def n_weights(self, facts, conditionals=None):
        """Number of weights of net and distribution, number of nets (1), and whether
        nets are shared."""
        net = self.net(facts)
        step = net.step.n_hidden * (net.step.n_inputs + net.step.n_visible)
        return net.n_weights() + step, 1, True

    def n_inputs(self, facts):
        """Number of inputs of each column."""
        return self.step(facts).output.n_inputs


class NADEModel(RecurrentModel[NADEOptions]):
    """Steps as neural autoregressive density estimators."""

    STRUCTURE = *RecurrentModel.STRUCTURE, *MIXTURE, "ordering", "activation"

    def check(self, options):
        super().check(options)
        check_dropout(
            options.dropout, "units of the cell and of hidden units of a step"
        )

    def conditionals(self, facts, present=False):
        linear = facts.known.autoregression
        if linear is not None:
            # Minimum scales are relative to those of residuals.
            structure = SimpleNamespace(**vars(facts.structure))
            structure.min_variance *= linear.typical_variance
            facts = facts._replace(structure=structure)
        return super().conditionals(facts, present)

    def net(self, facts, present=False):
        if facts.known.autoregression is None:
            return super().net(facts)
        options, structure = facts.options, facts.structure
        return LaggedNet(
            self.step(facts),
            structure.cell,
            structure.n_recurrent,
            init=options.init_weights,
            dropout=_rates(options)[0],
        )

    def step(self, facts):
        """Chain with row-specific biases, and with column factors if columns are
        real."""
        conditionals, start = self.conditionals(facts)
        structure, kinds = facts.structure, conditionals.kinds
        (order,) = orders(
            structure.ordering, 1, len(kinds), facts.seed, conditionals.date_columns
        )
        layer = TiedLayer(
            structure.n_components,
            structure.activation,
            facts.options.init_weights,
            scaled=any(kind in ("gaussian", "numeric") for kind in kinds),
        )
        linear = facts.known.autoregression
        if linear is None:
            chain = RowChain(conditionals, start, order, layer)
        else:
            chain = LaggedChain(conditionals, start, order, layer, linear)
        return NADEStep(
            chain,
            share=facts.domain.share(facts.columns),
            n_draws=facts.current_option("n_draws"),
            dropout=_rates(facts.options)[1],
        )


class RBMModel(RecurrentModel[RBMOptions]):
    """Steps as restricted Boltzmann machines; if ``tied``, the state of the net is the
    mean of their hidden units."""

    def __init__(self, tied=False):
        self.tied = tied
        if tied:
            self.STRUCTURE = "n_components", "column_types"

    def check(self, options):
        """Accept all options."""

    def net(self, facts, present=False):
        if not self.tied:
            return super().net(facts)
        options = facts.options
        return TiedNet(self.step(facts), options.init_weights, options.dropout)

    def step(self, facts):
        """Restricted Boltzmann machine with row-specific biases."""
        columns, options = facts.columns, facts.options
        kinds = np.full(len(columns.seen), facts.structure.column_types)
        normal = standard_mixture(1, "gaussian", options.min_variance)
        scales = getattr(columns, "scales", None)
        output = MixedOutput(kinds, columns.sizes, normal, scales=scales)
        share = facts.domain.share(columns)
        start = np.zeros(output.n_inputs.sum())
        for name, log in (("bernoulli", _log_odds), ("categorical", np.log)):
            of_kind = np.repeat(kinds == name, output.n_inputs)
            start[of_kind] = log(share[of_kind]) if of_kind.any() else 0
        return RBMStep(
            output,
            start=start,
            share=share,
            n_hidden=facts.structure.n_components,
            n_steps=options.n_steps,
            n_betas=facts.current_option("n_betas"),
            floor=options.min_variance,
        )


def _rates(options):
    """Dropout rates of the cell and of the hidden units of a step."""
    rates = options.dropout
    return rates if isinstance(rates, tuple) else (rates, 0.0)


def _log_odds(p):
    return np.log(p) - np.log1p(-p)
