"""Objectives of machines, with and without a negative phase."""
