"""Nets of an InfoGAN, built from options."""

import numpy as np

from skdgm.adversarial._games.iic_infogan import IICInfoGANGame
from skdgm.adversarial._games.infogan_game import InfoGANGame, code_outputs
from skdgm.adversarial._model_options import InfoGANOptions
from skdgm.adversarial._nets.codes import LatentCodes
from skdgm.adversarial._nets.gan_model import GANModel, deformation
from skdgm.adversarial._nets.heads import Heads
from skdgm.nets import layers
from skdgm.utils.counts import check_layer_sizes, layer_sizes


class InfoGANModel(GANModel[InfoGANOptions]):
    """Generator with codes among its latent units, and discriminator that predicts
    them; with views of rows, a separate net predicts them."""

    STRUCTURE = (*GANModel.STRUCTURE, "n_codes", "n_heads")

    def objective_class(self, run, nets):
        """Objective of the training rows."""
        kind = InfoGANGame if nets.reader is None else IICInfoGANGame
        return kind(run, nets)

    def check(self, options):
        super().check(options)
        check_layer_sizes(options.n_categories, "n_categories")
        if 1 in layer_sizes(options.n_categories):
            raise ValueError("n_categories must be at least 2 for each code.")
        if not options.n_codes and not layer_sizes(options.n_categories):
            raise ValueError(
                "There must be a code: set n_categories, n_codes, or both."
            )
        if options.n_neighbors and not layer_sizes(options.n_categories):
            raise ValueError(
                f"information__n_neighbors={options.n_neighbors} is for categories, "
                "which near rows share: set n_categories, or set it to 0."
            )

    def structure(self, facts):
        structure, options = super().structure(facts), facts.options
        structure.n_categories = layer_sizes(options.n_categories)
        structure.code_variance = options.code_variance == "learned"
        # Either option makes views of rows.
        structure.jitter = structure.n_neighbors = bool(
            options.jitter or options.n_neighbors
        )
        return structure

    def codes(self, facts):
        """Codes among the latent units."""
        structure, variance = facts.structure, facts.options.code_variance
        variance = "learned" if structure.code_variance else variance
        return LatentCodes(structure.n_categories, structure.n_codes, variance)

    def nets(self, facts, emission):
        """Generator, discriminator, and with views of rows the net that predicts codes
        and the deformations of its inputs."""
        nets = super().nets(facts, emission)
        nets.reader = None
        if facts.structure.jitter:
            nets.heads = Heads(nets.generator.codes, facts.structure.n_heads)
            output_layer = layers.dense(nets.heads.n_outputs, init="glorot_normal")
            nets.reader = layers.serial(nets.discriminator.body, output_layer)
            nets.deform = deformation(facts, emission, "information__jitter")
        return nets

    def _n_logits(self, facts, packing):
        views = facts.structure.jitter
        return 1 if views else super()._n_logits(facts, packing)

    def hidden(self, nets, state, x, known=None):
        """Posterior of codes: probabilities of categories, and means."""
        return nets.generator.codes.posterior(code_outputs(nets, state, x))

    def of_features(self, options):
        """Function from codes to rows, with all other latent units at zero."""
        return _of_codes


def _of_codes(density, H):
    H = density.checked(H, density.dtype, "columns of codes")
    n_others = density.generator.n_latent - H.shape[1]
    other_units = np.zeros((len(H), n_others), H.dtype)
    return density.decode(np.concatenate([other_units, H], axis=1))
