"""Deep generative models as scikit-learn estimators."""

from importlib import import_module

__version__ = "0.1.0"

_FAMILY = {
    "FVBN": "autoregressive",
    "MADE": "autoregressive",
    "NADE": "autoregressive",
    "RNADE": "autoregressive",
    "EoNADE": "autoregressive",
    "NeuralAutoregressive": "autoregressive",
    "VAE": "autoencoder",
    "BernoulliRBM": "boltzmann",
    "DBM": "boltzmann",
    "DBMClassifier": "boltzmann",
    "GaussianRBM": "boltzmann",
    "RBMClassifier": "boltzmann",
    "DBN": "belief",
    "DBNClassifier": "belief",
    "DBNRegressor": "belief",
    "GenerativeDBNClassifier": "belief",
}

__all__ = [*_FAMILY, "__version__"]


def __getattr__(name):
    # Import a family lazily, at the first access to one of its estimators.
    if name in _FAMILY:
        return getattr(import_module(f"skdgm.{_FAMILY[name]}"), name)
    raise AttributeError(f"module 'skdgm' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
