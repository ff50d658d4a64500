"""Many updates of a small machine in one call of a kernel."""
