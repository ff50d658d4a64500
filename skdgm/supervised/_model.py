"""Model of rows conditional on attributes, built from options."""

from types import SimpleNamespace

from skdgm.distributions import decoder_output
from skdgm.nets import NetModel
from skdgm.supervised._density import AttributeDensity
from skdgm.supervised._likelihood import AttributeObjective, net_of
from skdgm.supervised._model_options import AttributeOptions
from skdgm.utils.counts import check_layer_sizes, layer_sizes
from skdgm.utils.images import check_maps


class AttributeModel(NetModel[AttributeOptions]):
    """Net from known attributes to a distribution of rows."""

    def check(self, options):
        check_layer_sizes(options.hidden_layer_sizes, "hidden_layer_sizes")
        check_maps(options)

    def structure(self, facts):
        options = facts.options
        return SimpleNamespace(
            column_types=options.column_types,
            activation=options.activation,
            architecture=options.architecture,
            upsampling=options.upsampling,
            image_shape=options.image_shape,
            hidden_layer_sizes=layer_sizes(options.hidden_layer_sizes),
            conv_layer_sizes=layer_sizes(options.conv_layer_sizes),
            variance=options.variance if isinstance(options.variance, str) else "set",
        )

    def density(self, facts, state):
        net, output = self._net(facts)
        return AttributeDensity(
            facts.context,
            net=net,
            output=output,
            state=state,
            attributes=facts.known.attributes_,
            known=facts.known.known,
            gray=facts.known.gray,
        )

    def objective(self, facts, table, epochs_before):
        net, output = self._net(facts)
        run, attributes = facts.run(table, epochs_before), facts.known.attributes_
        return AttributeObjective(
            run, facts.context, net=net, output=output, attributes=attributes
        )

    def _net(self, facts):
        """Net, and the distribution of rows given its outputs."""
        options = facts.options
        output = decoder_output(options, facts.columns)
        net = net_of(facts.structure, output, options.dropout, options.init_weights)
        return net, output
