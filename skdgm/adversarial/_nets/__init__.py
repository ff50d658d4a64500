"""Nets of adversarial models, made from options."""
