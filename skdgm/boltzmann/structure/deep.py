"""Models of deep machines: visible units, several hidden layers, and an optional
label."""

from functools import lru_cache
from numbers import Integral, Real
from types import SimpleNamespace

from skdgm.boltzmann._density.deep import DeepDensity
from skdgm.boltzmann.learning.objective import PHASES
from skdgm.boltzmann.learning.pretraining import joined, layerwise
from skdgm.boltzmann.learning.state import TrainState
from skdgm.boltzmann.model_options import DeepMachineOptionsT
from skdgm.boltzmann.structure.model import EnergyModel, n_classes
from skdgm.distributions import Bernoulli, Softmax
from skdgm.energies import Params, layered, plain
from skdgm.optim import check_piecewise
from skdgm.utils.counts import check_sizes, chosen, is_a, per_layer

# Fixed options of pre-training, by plain contrastive divergence.
_PLAIN = {
    "gradient": "cd",
    "solver": "sgd",
    "centering": None,
    "sparsity_target": None,
    "quadratic": False,
    "mean_field_steps": 50,
}


class Deep(EnergyModel[DeepMachineOptionsT]):
    """Several hidden layers, and an optional label above them."""

    # Options of pre-training that differ from the fixed options.
    PAIRS, CURVES = {}, ("pretrain_loss_curves_",)

    def sizes(self, options):
        """Sizes of the hidden layers."""
        return check_sizes(options.hidden_layer_sizes)

    def structure(self, facts):
        sizes, kind = self.sizes(facts.options), facts.options.column_types
        return SimpleNamespace(hidden_layer_sizes=sizes, column_types=kind)

    def energy(self, facts):
        visible, sizes = self.visible(facts), facts.structure.hidden_layer_sizes
        return _energy(visible, sizes, n_classes(facts))

    def params(self, facts, attributes):
        visible, *hidden = attributes["intercepts_"]
        weights = list(attributes["coefs_"])
        if "label_components_" in attributes:
            hidden.append(attributes["intercept_label_"])
            weights.append(attributes["label_components_"])
        units = self.bottom(facts, attributes, visible), *hidden
        return Params(units, tuple(weights))

    def named(self, facts, params, visible, chains):
        biases, weights = [visible, *params.units[1:]], list(params.couplings)
        states = list(chains[1:])
        named = {"coefs_": weights, "intercepts_": biases, "h_samples_": states}
        if n_classes(facts):
            states.pop()
            named["intercept_label_"] = biases.pop()
            named["label_components_"] = weights.pop()
        return named

    def check(self, options):
        super().check(options)
        depth = len(self.sizes(options))
        for field, value, kind, low in (
            ("n_iter", options.pretrain_iter, Integral, 0),
            ("learning_rate", options.pretrain_learning_rate, Real, 0),
            ("n_steps", options.pretrain_steps, Integral, 1),
        ):
            name = f"pretrain__{field}"
            values = per_layer(name, value, depth)
            # Only the number of steps may change while a layer is pre-trained.
            for schedule in values if field == "n_steps" else [values]:
                check_piecewise(name, schedule, kind, low)
        targets = per_layer("penalty__sparsity_target", options.sparsity_target, depth)
        if options.sparsity_target is not None and not all(
            is_a(Real, target) and 0 <= target <= 1 for target in targets
        ):
            raise ValueError(
                "penalty__sparsity_target must be None, a number from 0 to 1, or a "
                "tuple with such a number for each hidden layer; got "
                f"{options.sparsity_target!r}."
            )
        chosen(options.feature_layer, depth)
        PHASES[options.gradient].check(options)

    def preceding_stages(self, facts, objective, table, holds_out):
        """Stages of pre-training, if ``pretrain`` is set; see
        :class:`~skdgm.base.Model`."""
        options = facts.options
        if options.pretrain is None:
            return None
        if holds_out:
            table, _ = objective.split(table)

        def whole(pairs):
            params = joined(objective.energy, pairs, plain(objective.start().params))
            state = objective.resume(TrainState(params, (), ()))
            return self.attributes(facts, state) | {"_learned": facts.structure}

        params = yield from layerwise(
            objective.energy,
            options_of_pairs(options, len(self.sizes(options)), **self.PAIRS),
            table,
            objective.seed,
            self.initial_data(facts, table, objective.energy),
            whole,
        )
        return params and TrainState(params, (), ())


def options_of_pairs(options, depth, **fixed):
    """Training options of the ``depth`` pairs of neighboring layers, from bottom to
    top, in which ``fixed`` options replace those of the machine."""
    shared, of_pairs = vars(options) | _PLAIN | fixed, []
    values = {
        "n_iter": options.pretrain_iter,
        "learning_rate": options.pretrain_learning_rate,
        "n_steps": options.pretrain_steps,
    }
    values = {
        name: per_layer(f"pretrain__{name}", value, depth)
        for name, value in values.items()
    }
    for number in range(depth):
        of_pair = {name: of_layers[number] for name, of_layers in values.items()}
        of_pairs.append(SimpleNamespace(**shared | of_pair))
        # The data of later pairs are means, from which bits are drawn.
        shared["resample"] = True
    return of_pairs


DEEP = Deep(DeepDensity)


@lru_cache(maxsize=128, typed=True)
def _energy(visible, sizes, n_labels):
    """Cached energy of the layers."""
    hidden = [[Bernoulli(size)] for size in sizes]
    label = [[Softmax(n_labels)]] if n_labels else []
    return layered([[visible], *hidden, *label])
