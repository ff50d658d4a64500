"""Options that models of sequences read."""

from typing import Protocol, TypeVar

from skdgm.autoregressive.model_options import AutoregressiveOptions
from skdgm.nets.objective import NetOptions


class SequenceOptions(NetOptions, Protocol):
    """Options that all models of sequences read."""

    n_components: int
    batch_length: int | None
    sequence_length: int | None
    init_weights: str
    min_variance: float


class RecurrentOptions(SequenceOptions, AutoregressiveOptions, Protocol):
    """Options that recurrent nets with a distribution of each step read."""

    dropout: float | tuple


class RBMOptions(RecurrentOptions, Protocol):
    """Options that recurrent nets of restricted Boltzmann machines read."""

    n_steps: int
    cell: str | None = None
    n_recurrent: int | None = None


class NADEOptions(RecurrentOptions, Protocol):
    """Options that recurrent nets of NADEs read."""

    activation: str
    cell: str
    n_recurrent: int


class LatentSequenceOptions(SequenceOptions, Protocol):
    """Options that recurrent nets with latent units read."""

    activation: str
    cell: str
    n_draws: int
    n_hidden: int
    n_importance: int | None
    n_recurrent: int
    objective: str
    resample: bool
    variance: float | str
    warm_up: int


RecurrentOptionsT = TypeVar("RecurrentOptionsT", bound=RecurrentOptions)
