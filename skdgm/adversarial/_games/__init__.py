"""Objectives of the players of adversarial games."""
