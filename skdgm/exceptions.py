"""Errors and warnings of skdgm."""


class DataRangeWarning(UserWarning):
    """Values outside the model's domain were clipped; a figure of bits was asked for of
    grey values; or samples are on another scale than what they are compared with."""


class MissingDataWarning(UserWarning):
    """Part of the data says nothing."""


class LabelWarning(UserWarning):
    """A class looks like a mark of rows that have no label."""


class PrecisionWarning(UserWarning):
    """Real units became as precise as they may, and would have gone on."""


class CollapseWarning(UserWarning):
    """Latent units say nothing of the data."""


class CostWarning(UserWarning):
    """Learning will take much memory and time."""


class LikelihoodWarning(UserWarning):
    """A likelihood is less certain than its standard error says."""


class InterruptedFitWarning(UserWarning):
    """Ctrl-C ended training before its end; what was learned is kept. Where something
    else fits, such as a Pipeline or a search, KeyboardInterrupt is raised instead."""


class DivergenceError(FloatingPointError):
    """Training diverged; the estimator keeps its last good parameters."""
