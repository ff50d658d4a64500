"""Layers and penalties of discriminators."""
