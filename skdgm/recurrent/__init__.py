"""Models of sequences: distributions of each step conditional on the previous steps."""

from skdgm.recurrent.rnn_nade import RNNNADE
from skdgm.recurrent.rnn_rbm import RNNRBM
from skdgm.recurrent.rtrbm import RTRBM
from skdgm.recurrent.vrnn import VRNN

__all__ = ["RNNNADE", "RNNRBM", "RTRBM", "VRNN"]
