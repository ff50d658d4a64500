"""Models of rows given attributes, made of options."""

from functools import partial
from types import SimpleNamespace

from skdgm.distributions import output_as_asked
from skdgm.nets import NetModel
from skdgm.supervised._density import GivenDensity
from skdgm.supervised._likelihood import Likelihood, net_of
from skdgm.utils.counts import check_layer_sizes, layer_sizes
from skdgm.utils.images import check_maps

# Options that the net depends on.
_NAMES = (
    *("hidden_layer_sizes", "column_types", "activation", "architecture"),
    *("conv_layer_sizes", "upsampling", "image_shape"),
)


class GivenModel(NetModel):
    """A net from attributes, which are known, to a distribution of rows."""

    def check(self, options):
        """Raise ValueError for options that their constraints do not exclude."""
        check_layer_sizes(options.hidden_layer_sizes, "hidden_layer_sizes")
        check_maps(options)

    def structure(self, facts):
        """Options that the net depends on."""
        found = {name: getattr(facts.options, name) for name in _NAMES}
        for name in "hidden_layer_sizes", "conv_layer_sizes":
            found[name] = layer_sizes(found[name])
        variance = facts.options.variance
        found["variance"] = variance if isinstance(variance, str) else "set"
        return SimpleNamespace(**found)

    def density(self, facts, state):
        """Density of the fitted parameters, a :class:`GivenDensity`."""
        net, output = self._net(facts)
        params, own = state.learned
        known = facts.known
        return GivenDensity(
            facts.context,
            outputs=partial(_outputs, net, params, state.statistics),
            net=(params, own),
            output=output,
            attributes=known.attributes_,
            known=known.known,
            grey=known.grey,
        )

    def objective(self, facts, table, before):
        """Log-likelihood of the rows, a :class:`Likelihood`."""
        net, output = self._net(facts)
        return Likelihood(
            facts.run(table, before),
            net=net,
            inputs=partial(facts.known.attributes_.inputs, dtype=table.rows.dtype),
            domain=facts.domain,
            columns=facts.columns,
            output=output,
        )

    def _net(self, facts):
        """The net, and the distribution of rows given its outputs."""
        asked, output = facts.options, output_as_asked(facts.options, facts.columns)
        how = output, asked.dropout, asked.init_weights
        return net_of(facts.structure, *how), output


def _outputs(net, params, statistics, inputs):
    return net.apply(params, statistics, inputs)[0]
