"""Deep generative models as scikit-learn estimators."""

from importlib import import_module

from skdgm.registry import MODULES, PUBLIC

__version__ = "1.0.0"

__all__ = [*PUBLIC, "__version__"]


def __getattr__(name):
    # Import lazily, at the first access to an estimator or a module.
    if name in MODULES:
        return import_module(f"skdgm.{name}")
    if name in PUBLIC:
        return getattr(import_module(f"skdgm.{PUBLIC[name]}"), name)
    raise import_module("skdgm.utils.names").missing("skdgm", name, __dir__())


def __dir__():
    return sorted(MODULES.union(__all__))
