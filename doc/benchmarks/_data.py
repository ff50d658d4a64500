"""Benchmark sets of a folder, read by its own ``load.py``."""

import importlib.util


def load(folder, name):
    """Load the arrays of one set, by name."""
    spec = importlib.util.spec_from_file_location("load", folder / "load.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load(name)
