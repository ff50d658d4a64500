"""Generative adversarial networks."""

from skdgm.adversarial.bigan import BiGAN
from skdgm.adversarial.gan import GAN
from skdgm.adversarial.gan_classifier import GANClassifier
from skdgm.adversarial.infogan import InfoGAN
from skdgm.adversarial.lapgan import LAPGAN
from skdgm.adversarial.stack_gan import StackGAN

__all__ = ["GAN", "LAPGAN", "BiGAN", "GANClassifier", "InfoGAN", "StackGAN"]
