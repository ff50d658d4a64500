"""Groups of options: objects with the details of an option, in place of a string."""

from importlib import import_module

from skdgm.registry import GROUPS

__all__ = [*GROUPS]


def __getattr__(name):
    # Import lazily, as the package does.
    if name in GROUPS:
        return getattr(import_module(f"skdgm.{GROUPS[name]}"), name)
    raise AttributeError(f"module 'skdgm.options' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
