"""Base classes of estimators that are trained by games."""

from typing import Annotated, Literal

import numpy as np

from skdgm.adversarial._options import (
    Architecture,
    GameSolver,
    ImageShape,
    Judge,
    Latents,
    LayerSizes,
    Loss,
    PlayerDetails,
)
from skdgm.base.options import KW_ONLY
from skdgm.implicit import ImplicitEstimator
from skdgm.implicit.options import Draws, LatentPrior, RelaxedColumns, RelaxedDetails
from skdgm.nets.options import Activation
from skdgm.training import Budget
from skdgm.typing import Data


class GameEstimator(ImplicitEstimator):
    """Generator and discriminator that are trained in turn.

    Parameters
    ----------
    learning_rate
        Initial learning rate of the generator, which ``schedule`` of the solver
        decreases.
    n_iter
        Number of epochs; "auto": 5,000 updates, or 2,500 of "bernoulli", but between 10
        and 1,000 epochs.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of all dense layers: generator, then discriminator.
    intercepts_ : list of ndarray of shape (n_above,)
        Biases of the same layers.
    """

    n_components: Latents = 16
    hidden_layer_sizes: LayerSizes = None
    _: KW_ONLY
    discriminator: Annotated[Judge, PlayerDetails] = None
    architecture: Architecture = "dense"
    image_shape: ImageShape = None
    loss: Loss = "relativistic"
    column_types: RelaxedColumns = "auto"
    prior: LatentPrior = "mixed"
    activation: Activation = "leaky_relu"
    batch_norm: bool = False
    n_draws: Draws = 1000
    solver: GameSolver = "adam"

    # The second budget is for columns of bits and probabilities.
    _BUDGET, _BUDGET_BITS = Budget(5_000, 10, 1_000), Budget(2_500, 10, 1_000)

    @property
    def _budget(self):
        bits = self._options.column_types == "bernoulli"
        return (bits and self._BUDGET_BITS) or self._BUDGET

    def discriminator_score(self, X: Data) -> np.ndarray:
        """Logit of the discriminator for each row; higher for more realistic rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        score : ndarray of shape (n_samples,)
            For a conditional model, the largest logit of all classes; with ``packing``,
            the logit of a pack of copies of the row, which is less informative.
        """
        density = self.density_
        return density.by_rows(density.read(X), self._MODEL.score)


class PyramidEstimator(ImplicitEstimator):
    """Generators and discriminators of images at several resolutions.

    Parameters
    ----------
    column_types
        Type of the pixels. "auto": inferred from the data, as described on the page
        "How columns are read" of the guide; "bernoulli": 0, 1 or probabilities of 1;
        "gaussian": real numbers. "bernoulli" pixels are drawn as bits if all values in
        the first fit are 0 or 1; smaller images have grayscale pixels.
    class_conditional
        Whether all nets are conditional on classes y, which ``fit`` then requires; each
        discriminator has a logit for each class.
    features
        Result of ``transform``: "discriminator", the last hidden units of the
        discriminator of the largest images; or "latent", latent units of all generators
        whose image is similar.
    n_iter
        Number of epochs; "auto": 2,500 updates, but between 10 and 300 epochs.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of all layers: generators, then discriminators, from the smallest images
        to the largest.
    pyramid_shapes_ : list of tuple
        Shapes of images, (height, width, channels), the smallest first.
    classes_ : ndarray of shape (n_classes,)
        Classes of a conditional model.
    coverage_ : float
        Share of some training rows that have a generated row closer than their fifth
        nearest neighbor.
    intercepts_ : list of ndarray of shape (n_above,)
        Biases of the same layers.
    """

    n_components: Latents = 16
    hidden_layer_sizes: LayerSizes = None
    _: KW_ONLY
    class_conditional: bool = False
    features: Literal["discriminator", "latent"] = "discriminator"
    discriminator: Judge = None
    architecture: Architecture = "dense"
    image_shape: ImageShape = None
    loss: Loss = "relativistic"
    column_types: Annotated[
        Literal["auto", "bernoulli", "gaussian"], RelaxedDetails
    ] = "auto"
    prior: LatentPrior = "mixed"
    activation: Activation = "leaky_relu"
    batch_norm: bool = False
    n_draws: Draws = 1000
    solver: GameSolver = "adam"

    _IMAGES, _BUDGET = True, Budget(2_500, 10, 300)
    # Advice if all generated rows are similar.
    _DIVERSIFY = (
        'Set loss="relativistic" and loss__gradient_penalty above 0, or lower '
        "learning_rate."
    )

    @property
    def pyramid_shapes_(self) -> list[tuple[int, ...]]:
        """Shapes of images, (height, width, channels), the smallest first."""
        return self.density_.generator.pyramid.shapes
