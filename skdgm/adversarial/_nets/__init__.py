"""Nets of adversarial models, built from options."""
