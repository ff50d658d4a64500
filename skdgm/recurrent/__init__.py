"""Models of sequences: each step given those before."""

from skdgm.recurrent.rnn_nade import RNNNADE

__all__ = ["RNNNADE"]
