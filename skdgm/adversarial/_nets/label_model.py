"""Generator and discriminator of an adversarial classifier, built from options."""

from numbers import Real

from skdgm.adversarial._games.label_game import LabelGame, logits
from skdgm.adversarial._model_options import LabelGameOptions
from skdgm.adversarial._nets.gan_model import GANModel, deformation
from skdgm.nets import layers
from skdgm.utils.counts import is_a

# Default hidden layers of the generator and of the discriminator.
_SIZES = {"dense": ((128, 128), (256, 128, 128)), "conv": ((64, 32), (32, 64))}


class LabelModel(GANModel[LabelGameOptions]):
    """Unconditional generator, and discriminator with a logit for each class."""

    objective_class, logits = LabelGame, staticmethod(logits)

    def check(self, options):
        size = options.discriminator_noise
        pair = isinstance(size, tuple) and len(size) == 2
        if isinstance(size, tuple) and not (
            pair and all(is_a(Real, deviation) and deviation >= 0 for deviation in size)
        ):
            raise ValueError(
                "discriminator__noise must be a number of at least 0, or two numbers, "
                f"for inputs and for hidden units; got {size}."
            )
        super().check(options)

    def structure(self, facts):
        structure, options = super().structure(facts), facts.options
        of_generator, of_discriminator = _SIZES[options.architecture]
        if options.hidden_layer_sizes is None:
            structure.hidden_layer_sizes = of_generator
        if options.discriminator_layer_sizes is None:
            structure.discriminator_layer_sizes = of_discriminator
        return structure

    def nets(self, facts, emission):
        """Generator, discriminator, and deformations of real rows."""
        nets = super().nets(facts, emission)
        nets.generator = nets.generator._replace(n_classes=0)
        size, _ = _noise(facts.options)
        body = layers.serial(layers.noise(size), nets.discriminator.body)
        nets.discriminator = nets.discriminator._replace(body=body)
        nets.n_classes = len(facts.known.classes_)
        nets.deform = deformation(facts, emission)
        return nets

    def _drop(self, options):
        return [*super()._drop(options), layers.noise(_noise(options)[1])]

    def hidden(self, nets, state, x, known=None):
        """Last hidden units of the discriminator for rows."""
        statistics = state.discriminator.statistics
        return nets.discriminator.hidden(state.learned[1], statistics, x)[0]


def _noise(options):
    """Standard deviations of the noise of inputs and of hidden units."""
    size = options.discriminator_noise
    return size if isinstance(size, tuple) else (size, size)
