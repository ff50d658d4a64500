import warnings

import numpy as np
import pytest

from skdgm.exceptions import LikelihoodWarning
from skdgm.partition import ais, bracket


def estimate(log_Z, se=0.1, ess=50.0):
    return ais.Estimate(log_Z, se, ess, np.zeros(1))


def test_agreement_takes_the_middle():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        log_Z, se = bracket.settle(estimate(10.0, 0.3), estimate(10.8, 0.4))
    assert log_Z == pytest.approx(10.4)
    assert se == pytest.approx(0.25)


@pytest.mark.parametrize("up, down", [(10.0, 12.5), (12.5, 10.0)])
def test_disagreement_takes_the_higher_and_warns(up, down):
    with pytest.warns(LikelihoodWarning, match="differ by 2.5 nats"):
        log_Z, _ = bracket.settle(estimate(up), estimate(down))
    assert log_Z == 12.5


def test_agreement_needs_enough_chains():
    assert bracket.agree(estimate(1.0), estimate(1.2))
    assert not bracket.agree(estimate(1.0), estimate(2.0))
    assert not bracket.agree(estimate(1.0, ess=2.0), estimate(1.2))
