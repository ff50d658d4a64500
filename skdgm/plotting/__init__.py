"""Plots of fitted estimators, in the style of scikit-learn's Display classes.

Importing this package does not import matplotlib.
"""

from skdgm.plotting.chain import ChainDisplay
from skdgm.plotting.components import ComponentsDisplay
from skdgm.plotting.learning_curve import LearningCurveDisplay
from skdgm.plotting.likelihood_bracket import LikelihoodBracketDisplay
from skdgm.plotting.manifold import ManifoldDisplay
from skdgm.plotting.marginals import MarginalsDisplay
from skdgm.plotting.reconstruction import ReconstructionDisplay
from skdgm.plotting.samples import SamplesDisplay
from skdgm.plotting.tabular_report import TabularReportDisplay

__all__ = [
    "ChainDisplay",
    "ComponentsDisplay",
    "LearningCurveDisplay",
    "LikelihoodBracketDisplay",
    "ManifoldDisplay",
    "MarginalsDisplay",
    "ReconstructionDisplay",
    "SamplesDisplay",
    "TabularReportDisplay",
]
