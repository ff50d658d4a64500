"""Groups of options: objects with the details of an option, in place of a string."""

from importlib import import_module

from skdgm.registry import GROUPS
from skdgm.utils.names import missing

__all__ = [*GROUPS]


def __getattr__(name):
    # Import lazily, as the package does.
    if name in GROUPS:
        return getattr(import_module(f"skdgm.{GROUPS[name]}"), name)
    raise missing("skdgm.options", name, __all__)


def __dir__():
    return sorted(__all__)
