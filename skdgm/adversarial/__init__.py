"""Adversarial models: a generator and a discriminator that judges its rows."""

from skdgm.adversarial.gan import GAN
from skdgm.adversarial.lapgan import LAPGAN
from skdgm.adversarial.stack_gan import StackGAN

__all__ = ["GAN", "LAPGAN", "StackGAN"]
