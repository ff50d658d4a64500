"""Autoencoders: variational autoencoders, and nets that reconstruct rows."""

from skdgm.autoencoder.autoencoder import Autoencoder
from skdgm.autoencoder.contractive_autoencoder import ContractiveAutoencoder
from skdgm.autoencoder.denoising_autoencoder import DenoisingAutoencoder
from skdgm.autoencoder.draw import DRAW
from skdgm.autoencoder.gsn import GSN
from skdgm.autoencoder.gsn_classifier import GSNClassifier
from skdgm.autoencoder.predictability_minimization import PredictabilityMinimization
from skdgm.autoencoder.stacked_autoencoder import StackedAutoencoder
from skdgm.autoencoder.stacked_autoencoder_classifier import (
    StackedAutoencoderClassifier,
)
from skdgm.autoencoder.stacked_autoencoder_regressor import StackedAutoencoderRegressor
from skdgm.autoencoder.vae import VAE

__all__ = [
    "DRAW",
    "GSN",
    "VAE",
    "Autoencoder",
    "ContractiveAutoencoder",
    "DenoisingAutoencoder",
    "GSNClassifier",
    "PredictabilityMinimization",
    "StackedAutoencoder",
    "StackedAutoencoderClassifier",
    "StackedAutoencoderRegressor",
]
