"""Exceptions and warnings raised by skdgm."""

# Descriptions of the capabilities of densities.
_WORDS = {
    "annealed": "annealing from rows",
    "bracket": "a partition function between two ends",
    "free_energy": "a free energy",
    "importance": "importance sampling",
    "inverse": "rows of features",
    "log_joint_of": "labels",
    "log_partition": "a partition function",
    "log_prob": "a log-likelihood",
    "numerator": "an unnormalized likelihood",
    "pseudo_likelihood": "a pseudo-likelihood",
    "trace": "Markov chains",
    "visible_fields": "visible units independent given hidden ones, all of one kind",
}
_MISSING = " of rows with missing values (NaN): impute them"


class DataRangeWarning(UserWarning):
    """Warning about values outside the range that a model or a metric expects.

    They were clipped to the model's domain, a log-likelihood of binary data was
    requested for gray values, or samples and data have different scales.
    """


class RealColumnsWarning(DataRangeWarning):
    """Warning that columns of a model for bits look like real numbers.

    Each column was scaled to [0, 1], and few of its values are near 0 or 1.
    """


class OutlierWarning(UserWarning):
    """Warning about values dozens of standard deviations from the mean of a column."""


class MissingDataWarning(UserWarning):
    """Warning about data without information.

    A column has no observed value, or categories unseen in ``fit`` are treated as
    missing.
    """


class OrderWarning(UserWarning):
    """Warning about dates that are not in chronological order within a sequence."""


class LabelWarning(UserWarning):
    """Warning about a class that looks like a marker of unlabeled rows."""


class PrecisionWarning(UserWarning):
    """Warning that precisions of real-valued units reached their upper limit."""


class CollapseWarning(UserWarning):
    """Warning about collapse.

    In posterior collapse, latent units carry no information on the data; a collapsed
    generator draws rows that are all similar.
    """


class CostWarning(UserWarning):
    """Warning that training will take much memory or time, perhaps needlessly."""


class LikelihoodWarning(UserWarning):
    """Warning that a likelihood is less certain than its standard error indicates."""


class FewDrawsWarning(UserWarning):
    """Warning about a small effective number of conditional draws.

    The conditions or known entries are improbable under the model, and draws are
    biased towards more probable rows.
    """


class SimulationWarning(UserWarning):
    """Warning about simulations with NaN or infinity, which were rejected, or about
    data that no simulation resembles."""


class InterruptedFitWarning(UserWarning):
    """Warning that Ctrl-C stopped training early; learned parameters are kept.

    In a fit within another estimator, such as a Pipeline or a search,
    KeyboardInterrupt is raised instead.
    """


class CheckpointWarning(UserWarning):
    """Warning that a checkpoint could not be written; training goes on without it."""


class ConstraintWarning(UserWarning):
    """Warning that few of a model's draws satisfy the constraints of a table.

    If no draw satisfies them for a row, the row is not imputed.
    """


class ConstraintError(ValueError):
    """Error for rows that break a constraint: rows of the data, or too many draws."""


class MissingCapability(TypeError, ValueError):
    """Error for a method or argument that a density does not support.

    Parameters
    ----------
    name : str
        Name of the estimator.
    capability, argument : str
        As in :attr:`skdgm.base.Density.capabilities`.
    """

    def __init__(self, name, capability, argument="unconditional"):
        method = f"{_WORDS.get(capability, 'the method')} ({capability})"
        preposition = "given" if argument not in ("complete", "gray") else "of"
        suffix = f" {preposition} {argument}{' rows' if preposition == 'of' else ''}"
        suffix = {"unconditional": "", "missing": _MISSING}.get(argument, suffix)
        if argument == "missing" and capability not in ("log_prob", "features"):
            suffix += ", or use score_samples"
        self._arguments = name, capability, argument
        super().__init__(f"{name} does not have {method}{suffix}.")

    def __reduce__(self):
        # Allows another process to raise the error again.
        return type(self), self._arguments


class DivergenceError(FloatingPointError):
    """Error that training diverged; the estimator keeps its last good parameters."""

    # Parts of the message: training that diverged, and outliers that may explain it.
    what, far = "", ""


class UnsavableError(TypeError):
    """Error for an object in an estimator that :func:`skdgm.save` cannot keep.

    Its message names the attribute and its type.
    """


class ModelFileError(ValueError):
    """Error for a file that :func:`skdgm.load` rejects; base class."""


class CorruptFileError(ModelFileError):
    """Error for a file that is not a model, or is truncated, modified or invalid."""


class NewerFileError(ModelFileError):
    """Error for a file in a format newer than the installed skdgm can read."""


class OlderFileError(ModelFileError):
    """Error for a file of an earlier version of skdgm with former options."""


class OversizedFileError(ModelFileError):
    """Error for a file whose header declares more data than the file contains."""


class UnknownTypeError(ModelFileError):
    """Error for a file that contains a class which does not belong to skdgm."""


class DatasetError(OSError):
    """Error that a data set could not be fetched.

    There is no network and no copy on disk, or an address gave no data.
    """


class ChecksumError(DatasetError):
    """Error that a fetched data set differs from the expected data."""
