r"""A step of parameters along a gradient, in the coordinates that suit the units.

The gradient is converted to the coordinates in which real units learn
(:mod:`skdgm.gradients.steps.natural`), shortened where columns have values far out,
centred, and given to the optimiser; parameters are limited after it.
"""

from skdgm.gradients import (
    copied,
    damped,
    deviations,
    eased,
    natural,
    rescale,
    shortened,
    slowed,
    standardised,
    steady,
    take_back,
)
from skdgm.gradients.steps import centering, quadratic
from skdgm.optim import learning_rate, piecewise


def ascend(objective, state, grad, clock):
    """Update parameters along a gradient, in place, as the options say."""
    options, energy, params = objective.options, objective.energy, state.params
    given, far = (energy, params), (objective.reach, options.batch_size)
    rate, held, momentum = options.learning_rate, {}, piecewise(options.momentum, clock)
    centred = options.centering is not None
    objective.phase.learn(state, grad)
    if options.solver == "sgd":
        # Strong damping would cancel the schedule if it came after it.
        rate = damped(*given, rate, centred)
        slower = slowed(energy, rate / (1 - momentum), *far)
    else:
        # What is done to its gradient, an adaptive optimiser undoes.
        slower, held = {}, slowed(energy, None, *far)
    rate = learning_rate(rate, options.schedule, clock, options.power_t)
    rule = {"momentum": momentum, "l1": options.l1, "l2": options.l2}
    scales = deviations(*given)
    if options.quadratic:
        grad, shift = quadratic.convert(*given, grad), quadratic.shift(*given)
    grad = shortened(energy, standardised(*given, grad), slower)
    if state.offsets:
        grad = centering.center(*given, grad, state.offsets, slower)
    grad, before = objective.shared(natural(*given, grad)), copied(*given, held)
    if options.solver == "sgd":
        rate = steady(energy, grad, rate)
    # What penalties take follows the weights before the step.
    weighed = copied(*given, slower if options.l1 or options.l2 else {})
    objective.solver.step(params, state.optimiser, grad, rate=rate, **rule)
    if weighed[1]:
        eased(*given, state.optimiser, slower, weighed, rate, **rule)
    take_back(*given, held, before)
    rescale(*given, scales)
    energy.constrain(params, options.max_norm)
    if options.quadratic:
        quadratic.correct(*given, shift)
