import numpy as np
import pytest
from scipy.stats import kstest

from skdgm.distributions import Event, MixedOutput, Mixture, draw_within
from skdgm.utils.random import stream
from tests.distributions.test_outputs import scores
from tests.nets.recipes import numbers
from tests.numerical import assert_means

N = 20_000
NONE, NO_CODES = np.zeros((0, 2)), np.zeros(0, bool)


def output(kind, size=1, shape="gaussian"):
    scales = [scores([0.0, 25.0])] if kind == "numeric" else None
    made = MixedOutput(
        np.array([kind]), np.array([size]), Mixture(2, shape), scales=scales
    )
    out = numbers(1, made.n_outputs.sum(), seed=3)
    return made, np.tile(out, (N, 1))


CASES = {
    "bit": ("bernoulli", 1, Event(np.array([False, True]), NONE)),
    "any bit": ("bernoulli", 1, Event(np.array([True, True]), NONE)),
    "codes": ("categorical", 4, Event(np.array([1, 0, 1, 0], bool), NONE)),
    "interval": ("gaussian", 1, Event(NO_CODES, np.array([[-0.5, 1.0]]))),
    "half-line": ("gaussian", 1, Event(NO_CODES, np.array([[0.7, np.inf]]))),
    "two": ("gaussian", 1, Event(NO_CODES, np.array([[-2, -1], [0.5, 2.0]]))),
    "atom": ("numeric", 1, Event(np.array([True, False]), NONE)),
    "both": ("numeric", 1, Event(np.array([False, True]), np.array([[-0.5, 0.5]]))),
}


def inside(event, marks, v):
    """Whether values are in an event."""
    found = np.zeros(len(v), bool)
    for low, high in event.intervals:
        found |= (v >= low) & (v <= high)
    if marks is None:
        codes = np.flatnonzero(event.codes)
        return found | np.isin(v, codes) if len(codes) else found
    for mark, taken in zip(marks, event.codes):
        found[v == mark] = taken
    return found


@pytest.mark.parametrize("shape", ["gaussian", "laplace"])
@pytest.mark.parametrize("case", CASES)
def test_draws_are_those_that_rejection_keeps(case, shape):
    kind, size, event = CASES[case]
    made, out = output(kind, size, shape)
    marks = made.scales[0].marks if made.scales else None
    v, log_mass = draw_within(made, out, event, stream(0).rows(N))
    assert inside(event, marks, v).all()
    free = made.draw(out, stream(1).rows(N))[:, 0]
    kept = inside(event, marks, free)
    assert_means(kept[:, None].astype(float), np.exp(log_mass[:1]))
    assert kstest(v, free[kept]).pvalue > 1e-4


@pytest.mark.parametrize("shape", ["gaussian", "laplace"])
@pytest.mark.parametrize("ends", [(30, 31), (-1e4, -9e3), (500, np.inf)])
def test_events_far_from_all_that_is_probable(ends, shape):
    made, out = output("gaussian", 1, shape)
    event = Event(NO_CODES, np.array([ends], float))
    v, log_mass = draw_within(made, out, event, stream(0).rows(N))
    assert (log_mass < -20).all()
    assert np.isfinite(v).all()
    assert (ends[0] <= v).all()
    assert (v <= ends[1]).all()
