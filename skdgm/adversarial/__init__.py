"""Adversarial models: a generator and a discriminator that judges its rows."""

from skdgm.adversarial.gan import GAN
from skdgm.adversarial.gan_classifier import GANClassifier

__all__ = ["GAN", "GANClassifier"]
