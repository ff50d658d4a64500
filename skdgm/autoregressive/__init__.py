"""Autoregressive models: exact conditionals of each column given the previous
columns."""

from skdgm.autoregressive.eonade import EoNADE
from skdgm.autoregressive.fvbn import FVBN
from skdgm.autoregressive.made import MADE
from skdgm.autoregressive.nade import NADE
from skdgm.autoregressive.neural_autoregressive import NeuralAutoregressive
from skdgm.autoregressive.rnade import RNADE

__all__ = ["FVBN", "MADE", "NADE", "RNADE", "EoNADE", "NeuralAutoregressive"]
