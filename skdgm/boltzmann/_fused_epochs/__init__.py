"""Many updates of a machine in one call of a kernel."""
