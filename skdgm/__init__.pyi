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
from skdgm.metrics.description import card as card
from skdgm.moment_matching import *
from skdgm.persistence import load as load
from skdgm.persistence import save as save
from skdgm.recurrent import *
from skdgm.supervised import *
from skdgm.utils.versions import show_versions as show_versions

from . import abc as abc
from . import adversarial as adversarial
from . import anomaly as anomaly
from . import autoencoder as autoencoder
from . import autoregressive as autoregressive
from . import base as base
from . import belief as belief
from . import boltzmann as boltzmann
from . import boosting as boosting
from . import callbacks as callbacks
from . import constraints as constraints
from . import couplings as couplings
from . import dask as dask
from . import data as data
from . import datasets as datasets
from . import diffusion as diffusion
from . import directed as directed
from . import distributions as distributions
from . import energies as energies
from . import exceptions as exceptions
from . import flows as flows
from . import gradients as gradients
from . import implicit as implicit
from . import imputation as imputation
from . import inference as inference
from . import latent as latent
from . import metrics as metrics
from . import moment_matching as moment_matching
from . import nets as nets
from . import optim as optim
from . import options as options
from . import partition as partition
from . import persistence as persistence
from . import plotting as plotting
from . import preprocessing as preprocessing
from . import recurrent as recurrent
from . import registry as registry
from . import samplers as samplers
from . import stacks as stacks
from . import supervised as supervised
from . import training as training
from . import typing as typing
from . import utils as utils

__version__: str
