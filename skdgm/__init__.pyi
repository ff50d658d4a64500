# The names that __init__.py imports lazily, for type checkers and editors.
# ruff: noqa: F403
from skdgm import abc as abc
from skdgm import adversarial as adversarial
from skdgm import anomaly as anomaly
from skdgm import autoencoder as autoencoder
from skdgm import autoregressive as autoregressive
from skdgm import belief as belief
from skdgm import boltzmann as boltzmann
from skdgm import boosting as boosting
from skdgm import callbacks as callbacks
from skdgm import constraints as constraints
from skdgm import dask as dask
from skdgm import datasets as datasets
from skdgm import diffusion as diffusion
from skdgm import directed as directed
from skdgm import exceptions as exceptions
from skdgm import flows as flows
from skdgm import imputation as imputation
from skdgm import metrics as metrics
from skdgm import moment_matching as moment_matching
from skdgm import persistence as persistence
from skdgm import plotting as plotting
from skdgm import preprocessing as preprocessing
from skdgm import recurrent as recurrent
from skdgm import supervised as supervised
from skdgm import typing as typing
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
