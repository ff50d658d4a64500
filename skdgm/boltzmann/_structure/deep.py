"""Layers of deep machines: visible units, several hidden layers, perhaps a label."""

from numbers import Integral, Real
from types import SimpleNamespace

from skdgm.boltzmann._learning.objective import PHASES
from skdgm.boltzmann._learning.pretraining import layerwise
from skdgm.boltzmann._learning.pretraining_record import PairsRecord
from skdgm.boltzmann._structure.layers import Layers
from skdgm.distributions import Bernoulli
from skdgm.energies import Params, layered
from skdgm.optim import check_piecewise
from skdgm.training import Verbose
from skdgm.utils.counts import check_sizes, chosen, is_a, per_layer
from skdgm.utils.tree import astype

# Options of pairs of layers, which are trained by plain contrastive divergence.
_PLAIN = {
    "gradient": "cd",
    "solver": "sgd",
    "centering": None,
    "sparsity_target": None,
    "quadratic": False,
    "mean_field_steps": 50,
}


class Deep(Layers):
    """Several hidden layers; a label is above them."""

    option = "hidden_layer_sizes"
    # Options of all pairs in pre-training, and their initial parameters.
    PAIRS, begun = {}, None

    def sizes(self, options):
        """Sizes of the hidden layers that the options ask for."""
        return check_sizes(options.hidden_layer_sizes)

    def learned_sizes(self, machine):
        """Sizes of the hidden layers of a fitted machine."""
        return tuple(len(bias) for bias in machine.intercepts_[1:])

    def wired(self, visible, sizes, label):
        """Energy of layers; see :class:`Layers`."""
        hidden = [[Bernoulli(size)] for size in sizes]
        return layered([[visible], *hidden, *([block] for block in label)])

    def params(self, machine, dtype=None):
        """Parameters of a fitted machine; see :class:`Layers`."""
        visible, *hidden = machine.intercepts_
        own, weights = [self.visible(machine, visible), *hidden], list(machine.coefs_)
        if hasattr(machine, "label_components_"):
            own.append(machine.intercept_label_)
            weights.append(machine.label_components_)
        return astype(Params(tuple(own), tuple(weights)), dtype)

    def named(self, units, couplings, visible, chains, labelled):
        """Fitted attributes of layers, by name; see :class:`Layers`."""
        own, weights, states = [visible, *units[1:]], list(couplings), list(chains[1:])
        found = {"coefs_": weights, "intercepts_": own, "h_samples_": states}
        if labelled:
            states.pop()
            found["intercept_label_"] = own.pop()
            found["label_components_"] = weights.pop()
        return found

    def check_options(self, options):
        """Raise ValueError for options that the parameters' types do not exclude."""
        depth = len(self.sizes(options))
        for name, kind, low in (
            ("pretrain_iter", Integral, 0),
            ("pretrain_learning_rate", Real, 0),
            ("pretrain_steps", Integral, 1),
        ):
            values = per_layer(name, getattr(options, name), depth)
            # Only the number of steps may change while a layer is pre-trained.
            for value in values if name == "pretrain_steps" else [values]:
                check_piecewise(name, value, kind, low)
        targets = per_layer("sparsity_target", options.sparsity_target, depth)
        if options.sparsity_target is not None and not all(
            is_a(Real, target) and 0 <= target <= 1 for target in targets
        ):
            raise ValueError(
                "sparsity_target must be None, a number from 0 to 1, or a tuple "
                "with such a number for each hidden layer; got "
                f"{options.sparsity_target!r}."
            )
        chosen(options.feature_layer, depth)
        PHASES[options.gradient].check(options)

    def initial(self, machine):
        """Function that pre-trains pairs of layers, if the options ask for it, and sets
        ``pretrain_loss_curves_``."""
        options = machine._options
        depth = len(self.sizes(options))

        def hooks(number):
            if not machine.verbose:
                return ()
            name = f"{type(machine).__name__}, hidden layer {number + 1}"
            return (Verbose(name, "log-likelihood given the layer above"),)

        def pretrained(objective, params):
            curves = []
            if self.begun is not None:
                params = self.begun(objective, params)
            if options.pretrain is not None:
                record = objective.record
                if record is not None:
                    record = PairsRecord(record, machine, objective, params)
                params, curves = layerwise(
                    objective.energy,
                    pair_recipes(options, depth, **self.PAIRS),
                    objective.table,
                    objective.seed,
                    objective.fill,
                    objective.moments,
                    hooks,
                    self.begun,
                    record,
                    objective.reach,
                    vars(machine).get("_far", ""),
                )
            machine.pretrain_loss_curves_ = curves
            return params

        return pretrained


def pair_recipes(options, depth, **fixed):
    """Training options of each of ``depth`` pairs of neighbouring layers, from below;
    ``fixed`` ones are those of all pairs."""
    own, recipes = vars(options) | _PLAIN | fixed, []
    names = "pretrain_iter", "pretrain_learning_rate", "pretrain_steps"
    values = [per_layer(name, getattr(options, name), depth) for name in names]
    for n_iter, rate, n_steps in zip(*values):
        own |= {"n_iter": n_iter, "learning_rate": rate, "n_steps": n_steps}
        recipes.append(SimpleNamespace(**own))
        # Later pairs draw bits from the means below at each presentation.
        own["resample"] = True
    return recipes


DEEP = Deep()
