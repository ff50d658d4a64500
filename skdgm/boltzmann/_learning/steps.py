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
    """Update parameters along a gradient, in place, as the recipe says.

    Parameters
    ----------
    objective : EnergyObjective
    state : TrainState
    grad : Params
    clock : Clock
    """
    recipe, energy, params = objective.recipe, objective.energy, state.params
    given, far = (energy, params), (objective.reach, recipe.batch_size)
    rate, held, momentum = recipe.learning_rate, {}, piecewise(recipe.momentum, clock)
    centred = recipe.centering is not None
    objective.phase.follow(state, grad)
    if recipe.solver == "sgd":
        # Strong damping would cancel the schedule if it came after it.
        rate = damped(*given, rate, centred)
        slower = slowed(energy, rate / (1 - momentum), *far)
    else:
        # What is done to its gradient, an adaptive optimiser undoes.
        slower, held = {}, slowed(energy, None, *far)
    rate = learning_rate(rate, recipe.schedule, clock, recipe.power_t)
    rule = {"momentum": momentum, "l1": recipe.l1, "l2": recipe.l2}
    scales = deviations(*given)
    if recipe.quadratic:
        grad, shift = quadratic.convert(*given, grad), quadratic.shift(*given)
    grad = shortened(energy, standardised(*given, grad), slower)
    if state.offsets:
        grad = centering.center(*given, grad, state.offsets, slower)
    grad, before = objective.shared(natural(*given, grad)), copied(*given, held)
    if recipe.solver == "sgd":
        rate = steady(energy, grad, rate)
    # What penalties take follows the weights before the step.
    weighed = copied(*given, slower if recipe.l1 or recipe.l2 else {})
    objective.solver.step(params, state.optimiser, grad, rate=rate, **rule)
    if weighed[1]:
        eased(*given, state.optimiser, slower, weighed, rate, **rule)
    take_back(*given, held, before)
    rescale(*given, scales)
    energy.constrain(params, recipe.max_norm)
    if recipe.quadratic:
        quadratic.correct(*given, shift)
