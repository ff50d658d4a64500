"""Autoencoders: latent units that data are encoded in and decoded from."""

from skdgm.autoencoder.vae import VAE

__all__ = ["VAE"]
