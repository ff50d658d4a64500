"""Group of options: the objective of a belief network."""

from typing import Literal

from skdgm.base.groups import OptionGroup
from skdgm.base.options import KW_ONLY, Auto, Count, Positive, Several

OBJECTIVES = "rws", "vimco", "nvil", "reinforce", "disarm", "wake-sleep", "concrete"
OBJECTIVES += "straight-through", "mean-field", "gibbs"


class BeliefObjective(OptionGroup):
    """Objective of a sigmoid belief network, with details of its gradient.

    "auto" is the estimator's own default. A detail that is for some objectives alone
    has no effect on the others.

    Parameters
    ----------
    kind
        Objective, as of :class:`~skdgm.SigmoidBeliefNetwork`.
    n_importance : {"auto"}, int or None, default="auto"
        Number of draws for each row in training, or of chains with "gibbs". None: 5 for
        "rws" and "vimco", else 1. "mean-field" learns without draws, and has these for
        ``loss_curve_`` alone.
    recognition_phase
        Source of the inference net's gradient with "rws": weighted draws for rows
        ("wake"), dreams of the model ("sleep"), or both.
    baseline
        Baseline that is subtracted from the signals of "nvil" and "reinforce": a
        running mean and a prediction by a net; the mean; the mean and a number for each
        parameter, of least variance by running moments [1]_; or nothing.
    normalise_signal
        Whether these signals are divided by their running standard deviation where it
        is above 1.
    temperature
        Temperature of the relaxed bits of "concrete": gradients have less bias and more
        variance if it is low.
    mean_field_steps
        Number of sweeps over a row's means in each update, with "mean-field".
    n_steps
        Number of sweeps over a row's bits in each update, with "gibbs".
    gradient_draws
        Number of times that the gradient of a batch is drawn after each epoch, to
        measure its variance, ``gradient_variance_curve_``; None for no such curve.

    References
    ----------
    .. [1] Greensmith, Bartlett and Baxter (2004). Variance reduction techniques for
       gradient estimates in reinforcement learning. Journal of Machine Learning
       Research.

    Examples
    --------
    >>> from skdgm import SigmoidBeliefNetwork
    >>> from skdgm.options import BeliefObjective
    >>> SigmoidBeliefNetwork(objective=BeliefObjective("vimco", n_importance=10))
    SigmoidBeliefNetwork(objective=BeliefObjective(kind='vimco', n_importance=10))
    """

    VALUE = "kind"

    kind: Literal[*OBJECTIVES] = "rws"
    _: KW_ONLY
    n_importance: Count | Auto | None = "auto"
    recognition_phase: Literal["auto", "both", "wake", "sleep"] = "auto"
    baseline: Literal["auto", "net", "mean", "optimal", "none"] = "auto"
    normalise_signal: bool | Auto = "auto"
    temperature: Positive | Auto = "auto"
    mean_field_steps: Count | Auto = "auto"
    n_steps: Count | Auto = "auto"
    gradient_draws: Several | Auto | None = "auto"
