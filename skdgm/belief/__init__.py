"""Deep belief networks: directed layers below a restricted Boltzmann machine."""

from skdgm.belief.conv_dbn import ConvDBN
from skdgm.belief.conv_dbn_classifier import ConvDBNClassifier
from skdgm.belief.dbn import DBN
from skdgm.belief.dbn_classifier import DBNClassifier
from skdgm.belief.dbn_regressor import DBNRegressor
from skdgm.belief.generative_dbn_classifier import GenerativeDBNClassifier

__all__ = [
    "DBN",
    "ConvDBN",
    "ConvDBNClassifier",
    "DBNClassifier",
    "DBNRegressor",
    "GenerativeDBNClassifier",
]
