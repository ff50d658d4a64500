# The names that __init__.py imports lazily, for type checkers and editors.
# ruff: noqa: F403
from skdgm.abc import ABC as ABC
from skdgm.adversarial import *
from skdgm.anomaly import DensityOutlierDetector as DensityOutlierDetector
from skdgm.autoencoder import *
from skdgm.autoregressive import *
from skdgm.belief import *
from skdgm.boltzmann import *
from skdgm.boosting import SelfSupervisedBoosting as SelfSupervisedBoosting
from skdgm.constraints import ConstrainedTable as ConstrainedTable
from skdgm.diffusion import *
from skdgm.directed import *
from skdgm.flows import *
from skdgm.imputation import *
from skdgm.moment_matching import *
from skdgm.persistence import load as load
from skdgm.persistence import save as save
from skdgm.recurrent import *
from skdgm.supervised import *

__version__: str
