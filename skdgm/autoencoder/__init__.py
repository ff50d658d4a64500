"""Autoencoders: latent variable models with an encoder and a decoder."""

from skdgm.autoencoder.draw import DRAW
from skdgm.autoencoder.vae import VAE

__all__ = ["DRAW", "VAE"]
