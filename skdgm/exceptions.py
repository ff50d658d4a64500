"""Exceptions and warnings raised by skdgm."""

# Words for what densities may do.
_WORDS = {
    "annealed": "annealing from rows",
    "bracket": "a partition function between two ends",
    "free_energy": "a free energy",
    "importance": "importance sampling",
    "inverse": "rows of features",
    "log_joint_of": "labels",
    "log_partition": "a partition function",
    "log_prob": "a log-likelihood",
    "numerator": "an unnormalised likelihood",
    "pseudo_likelihood": "a pseudo-likelihood",
    "trace": "Markov chains",
    "visible_fields": "visible units independent given hidden ones, all of one kind",
}
_MISSING = " of rows with missing values (NaN): impute them"


class DataRangeWarning(UserWarning):
    """Warning about values outside the range that a model or a metric expects: they
    were clipped to the model's domain, a log-likelihood of binary data was requested
    for grey values, or samples are on a different scale from the data beside."""


class RealColumnsWarning(DataRangeWarning):
    """Warning that columns which a model takes for bits look like real numbers.

    Each was scaled to [0, 1], and few of its values are near 0 or 1.
    """


class OutlierWarning(UserWarning):
    """Warning about values dozens of standard deviations from the mean of a column."""


class MissingDataWarning(UserWarning):
    """Warning about data without information.

    A column has no observed value, or categories unseen in ``fit`` are treated as
    missing.
    """


class LabelWarning(UserWarning):
    """Warning about a class that looks like a marker of unlabelled rows."""


class PrecisionWarning(UserWarning):
    """Warning that the precisions of real-valued units reached their upper limit."""


class CollapseWarning(UserWarning):
    """Warning of collapse.

    Of the posterior, where latent units carry no information on the data; or of a
    generator, whose rows are all alike.
    """


class CostWarning(UserWarning):
    """Warning that training will take much memory and time, perhaps for nothing."""


class LikelihoodWarning(UserWarning):
    """Warning that a likelihood is less certain than its standard error indicates."""


class FewDrawsWarning(UserWarning):
    """Warning that few of the draws under conditions, or given known entries, count.

    What is observed is improbable under the model, and what is drawn is biased towards
    rows that are more probable.
    """


class SimulationWarning(UserWarning):
    """Warning that simulations gave NaN or infinity, and count as far from the data."""


class InterruptedFitWarning(UserWarning):
    """Warning that Ctrl-C stopped training early; the parameters learned are kept.

    KeyboardInterrupt is raised instead where the estimator is fitted by something else,
    such as a Pipeline or a search.
    """


class CheckpointWarning(UserWarning):
    """Warning that a checkpoint could not be written; training goes on without it."""


class ConstraintWarning(UserWarning):
    """Warning that few of a model's draws keep to the constraints of a table.

    Or that none does for some of its rows, which are then not filled.
    """


class ConstraintError(ValueError):
    """Error for rows that break a constraint.

    Rows of data do, or too many of a model's draws.
    """


class MissingCapability(TypeError, ValueError):
    """Error for what a density cannot do, ever or with this argument.

    Parameters
    ----------
    name : str
        Name of the estimator.
    capability, argument : str
        As in :attr:`skdgm.base.Density.capabilities`.
    """

    def __init__(self, name, capability, argument="nothing"):
        what = f"{_WORDS.get(capability, 'the method')} ({capability})"
        of = "given" if argument not in ("complete", "grey") else "of"
        more = f" {of} {argument}{' rows' if of == 'of' else ''}"
        more = {"nothing": "", "missing": _MISSING}.get(argument, more)
        if argument == "missing" and capability not in ("log_prob", "features"):
            more += ", or use score_samples"
        self._arguments = name, capability, argument
        super().__init__(f"{name} does not have {what}{more}.")

    def __reduce__(self):
        # To be raised again in another process.
        return type(self), self._arguments


class DivergenceError(FloatingPointError):
    """Error that training diverged; the estimator keeps its last good parameters."""


class UnsavableError(TypeError):
    """Error for an object in an estimator that :func:`skdgm.save` cannot keep.

    Its message names the attribute and its type.
    """


class ModelFileError(ValueError):
    """Error for a file that :func:`skdgm.load` refuses; base of those below."""


class CorruptFileError(ModelFileError):
    """Error for a file that is not a model, or was cut, changed or badly made."""


class NewerFileError(ModelFileError):
    """Error for a file in a format newer than the installed skdgm can read."""


class OlderFileError(ModelFileError):
    """Error for what an earlier version of skdgm wrote, with options that there are no
    more."""


class OversizedFileError(ModelFileError):
    """Error for a file that claims to hold more than it has bytes."""


class UnknownTypeError(ModelFileError):
    """Error for a file that asks for a class which is none of skdgm's."""


class DatasetError(OSError):
    """Error that a data set could not be fetched.

    There is no network and no copy on disk, or an address gave no data.
    """


class ChecksumError(DatasetError):
    """Error that a fetched data set is not the one that was expected."""
