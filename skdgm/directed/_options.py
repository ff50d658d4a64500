"""Options of the objective of belief networks."""

from typing import Literal

from skdgm.base.groups import OptionGroup
from skdgm.base.options import KW_ONLY, Auto, Count, Positive, Several

OBJECTIVES = "rws", "vimco", "nvil", "reinforce", "disarm", "wake-sleep", "concrete"
OBJECTIVES += "straight-through", "mean-field", "gibbs"


class BeliefObjective(OptionGroup):
    """Objective of a sigmoid belief network, with details of its gradient.

    "auto" is the default of the estimator. A detail has no effect on objectives that do
    not use it.

    Parameters
    ----------
    kind
        Objective, as in :class:`~skdgm.SigmoidBeliefNetwork`.
    n_importance : {"auto"}, int or None, default="auto"
        Number of draws for each row in training, or number of chains with "gibbs".
        None: 5 for "rws" and "vimco", otherwise 1. "mean-field" uses draws only for
        ``loss_curve_``.
    recognition_phase
        Gradient of the inference net with "rws": from weighted draws for training rows
        ("wake"), from samples of the model ("sleep"), or both.
    baseline
        Baseline of the learning signal of "nvil" and "reinforce". "net": a running mean
        and the prediction of a net; "mean": the running mean; "optimal": the running
        mean and a baseline for each parameter that minimizes the variance, estimated by
        running moments [1]_; "none": no baseline.
    normalize_signal
        Whether to divide the learning signal by its running standard deviation if that
        exceeds 1.
    temperature
        Temperature of the relaxed bits of "concrete". Gradients have less bias and more
        variance at low temperatures.
    mean_field_steps
        Number of sweeps over the variational means in each update, with "mean-field".
    n_steps
        Number of Gibbs sweeps over the bits in each update, with "gibbs".
    gradient_draws
        Number of gradient estimates after each epoch for ``gradient_variance_curve_``,
        the variance of the gradient of a batch; None: no curve.

    See Also
    --------
    skdgm.SigmoidBeliefNetwork : Network that takes the option.

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
    normalize_signal: bool | Auto = "auto"
    temperature: Positive | Auto = "auto"
    mean_field_steps: Count | Auto = "auto"
    n_steps: Count | Auto = "auto"
    gradient_draws: Several | Auto | None = "auto"
