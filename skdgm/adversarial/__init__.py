"""Adversarial models: a generator and a discriminator that judges its rows."""

from skdgm.adversarial.bigan import BiGAN
from skdgm.adversarial.gan import GAN
from skdgm.adversarial.infogan import InfoGAN

__all__ = ["GAN", "BiGAN", "InfoGAN"]
