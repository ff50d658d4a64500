"""Methods of stacks of autoencoders that are fine-tuned, besides those of the net."""

from skdgm.autoencoder._reconstruction_estimator import ReconstructionEstimator
from skdgm.autoencoder._stack import AutoencoderNetModel
from skdgm.autoencoder._stack_options import TABLES, StackStructure
from skdgm.autoencoder.stacked_autoencoder import StackedAutoencoder


class TunedStack:
    """Methods and facts of stacks of autoencoders that are fine-tuned."""

    _MODEL, _KNOWN = AutoencoderNetModel("stack_"), ("stack_", "_outputs")
    _NETWORK, _NUMBERS = StackedAutoencoder, "gaussian"
    _STRUCTURE = *StackStructure._own_options, *TABLES
    _PRETRAINING = {
        "pretrain_iter": "n_iter",
        "pretrain_learning_rate": "learning_rate",
        "pretrain_batch_size": "batch_size",
    }
    sample, impute = ReconstructionEstimator.sample, ReconstructionEstimator.impute
    reconstruction_error = ReconstructionEstimator.reconstruction_error
    _asked_domain = StackedAutoencoder._asked_domain
