"""Adversarial models: a generator and a discriminator that judges its rows."""

from skdgm.adversarial.gan import GAN

__all__ = ["GAN"]
