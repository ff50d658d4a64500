"""Model of recurrent nets with latent units, built from options."""

from types import SimpleNamespace

from skdgm.data import check_pattern
from skdgm.distributions import decoder_output
from skdgm.nets import NetModel
from skdgm.recurrent._latent_learning import (
    LatentSequenceDensity,
    LatentSequenceObjective,
)
from skdgm.recurrent._latent_net import LatentNet
from skdgm.recurrent._model_options import LatentSequenceOptions


class LatentSequenceModel(NetModel[LatentSequenceOptions]):
    """Normal latent units in each step, which depend on the previous steps."""

    def check(self, options):
        check_pattern(options)

    def structure(self, facts):
        options = facts.options
        variance = options.variance if isinstance(options.variance, str) else "fixed"
        return SimpleNamespace(
            n_components=options.n_components,
            n_hidden=options.n_hidden,
            n_recurrent=options.n_recurrent,
            cell=options.cell,
            activation=options.activation,
            column_types=options.column_types,
            variance=variance,
        )

    def net(self, facts):
        """Nets of the model."""
        output = decoder_output(facts.options, facts.columns)
        share = facts.domain.share(facts.columns)
        return LatentNet(output, share, facts.structure, facts.options.init_weights)

    def n_inputs(self, facts):
        """Number of inputs of each column."""
        return self.net(facts).output.n_inputs

    def n_weights(self, facts):
        """Number of weights, number of nets (1), and whether nets are shared."""
        return self.net(facts).n_weights(), 1, True

    def density(self, facts, state):
        return LatentSequenceDensity(
            facts.context,
            sequence_length=facts.options.sequence_length,
            net=self.net(facts),
            params=state.learned,
            n_draws=facts.current_option("n_draws"),
        )

    def objective(self, facts, table, epochs_before):
        independent_loss = facts.domain.loss_of_independent(facts.columns)
        run = facts.run(table, epochs_before)
        return LatentSequenceObjective(run, independent_loss, net=self.net(facts))
