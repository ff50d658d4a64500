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
    "GAN": "adversarial",
    "BiGAN": "adversarial",
    "InfoGAN": "adversarial",
    "LAPGAN": "adversarial",
    "StackGAN": "adversarial",
    "GANClassifier": "adversarial",
    "GMMN": "moment_matching",
    "GeneratorNet": "supervised",
    "BidirectionalHelmholtzMachine": "directed",
    "HelmholtzMachine": "directed",
    "SigmoidBeliefNetwork": "directed",
    "VAE": "autoencoder",
    "BernoulliRBM": "boltzmann",
    "BoltzmannMachine": "boltzmann",
    "ConvDBM": "boltzmann",
    "ConvDBN": "belief",
    "ConvDBNClassifier": "belief",
    "ConvRBM": "boltzmann",
    "DBM": "boltzmann",
    "DBMClassifier": "boltzmann",
    "GaussianRBM": "boltzmann",
    "RBM": "boltzmann",
    "RBMClassifier": "boltzmann",
    "ReplicatedSoftmax": "boltzmann",
    "DBN": "belief",
    "DBNClassifier": "belief",
    "DBNRegressor": "belief",
    "GenerativeDBNClassifier": "belief",
}

_PLACE = {
    **_FAMILY,
    "ConstrainedTable": "constraints",
    "GenerativeImputer": "imputation",
    "load": "persistence",
    "save": "persistence",
}

__all__ = [*_PLACE, "__version__"]


def __getattr__(name):
    # Import a family lazily, at the first access to one of its estimators.
    if name in _PLACE:
        return getattr(import_module(f"skdgm.{_PLACE[name]}"), name)
    raise AttributeError(f"module 'skdgm' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
