"""Exceptions and warnings raised by skdgm."""


class DataRangeWarning(UserWarning):
    """Warning about values outside the range that a model or a metric expects.

    Values outside the model's domain were clipped, a log-likelihood of binary data was
    requested for grey values, or samples are on a different scale from the data that
    they are compared with.
    """


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
    """Warning of posterior collapse: latent units carry no information on the data."""


class CostWarning(UserWarning):
    """Warning that training will take much memory and time."""


class LikelihoodWarning(UserWarning):
    """Warning that a likelihood is less certain than its standard error indicates."""


class InterruptedFitWarning(UserWarning):
    """Warning that Ctrl-C stopped training early; the parameters learned are kept.

    KeyboardInterrupt is raised instead where the estimator is fitted by something else,
    such as a Pipeline or a search.
    """


class DivergenceError(FloatingPointError):
    """Error that training diverged; the estimator keeps its last good parameters."""
