import numpy as np
import pytest
from scipy import stats

from skdgm.distributions import Multinomial
from skdgm.distributions.multinomial import draw_words
from skdgm.utils.random import stream
from tests.distributions.cases import FiniteUnitCase
from tests.numerical import assert_means

RNG = np.random.default_rng(0)
UNIT = Multinomial(3, 4)
SHARE = np.array([0.2, 0.5, 0.3])


class TestMultinomial(FiniteUnitCase):
    unit, own = UNIT, np.array([0.3, -1.0, 0.5])
    received, x = RNG.normal(size=(4, 3)), UNIT.states(np.array([2, 0, 7, 11]))
    moments = 4 * SHARE


def test_documents_have_multinomial_probabilities():
    x = UNIT.states(np.arange(UNIT.n_states))
    assert UNIT.n_states == 15
    log_p = UNIT.log_prob(np.tile(4 * SHARE, (15, 1)), x)
    np.testing.assert_allclose(log_p, stats.multinomial(4, SHARE).logpmf(x))
    eta = np.log(SHARE) + 3
    found = UNIT.log_weight(eta, x) - UNIT.log_partition(eta)
    np.testing.assert_allclose(found, log_p)


def test_each_document_has_a_length_of_its_own():
    n = np.array([0, 1, 7, 2.5])
    unit, eta = Multinomial(3, n), RNG.normal(size=(4, 3))
    x, mean = unit.sample(eta, stream(0).rows(4))
    np.testing.assert_allclose(x.sum(axis=1), n)
    np.testing.assert_allclose(mean.sum(axis=1), n)
    alone = [
        Multinomial(3, m).log_weight(e[None], v[None])[0] for m, e, v in zip(n, eta, x)
    ]
    np.testing.assert_allclose(unit.log_weight(eta, x), alone)
    alone = [Multinomial(3, m).log_partition(e) for m, e in zip(n, eta)]
    np.testing.assert_allclose(unit.log_partition(eta), alone)


def test_documents_do_not_depend_on_their_company():
    p, n = RNG.random((6, 5)), np.array([3, 0, 5000, 1, 2.25, 9])
    x, some = draw_words(p, n, stream(3).rows(6)), np.array([4, 2])
    again = draw_words(p[some], n[some], stream(3).rows(6).take(some))
    np.testing.assert_array_equal(x[some], again)


def test_words_have_their_shares(monkeypatch):
    # Column by column, and one word more.
    monkeypatch.setattr("skdgm.distributions.multinomial._MAX_BY_WORD", 3)
    p = np.tile([1.0, 0.0, 3.0], (5000, 1))
    x = draw_words(p, np.full(5000, 6.5), stream(1).rows(5000))
    assert_means(x, [6.5 / 4, 0, 6.5 * 3 / 4])
    assert not x[:, 1].any()
    assert x[:, 0].var() == pytest.approx(6.25 * 3 / 16, rel=0.1)


@pytest.mark.parametrize("n", [2000, 2**53])
def test_long_documents_are_multinomial(n):
    rows = 4000
    x = draw_words(
        np.tile(SHARE, (rows, 1)), np.full(rows, float(n)), stream(2).rows(rows)
    )
    np.testing.assert_array_equal(x.sum(axis=1), n)
    deviation = np.sqrt(n * SHARE * (1 - SHARE))
    assert_means((x - n * SHARE) / deviation, np.zeros(3))
    assert_means(((x - n * SHARE) / deviation) ** 2, np.ones(3))
    assert len(np.unique(x, axis=0)) > 1000
    nothing = draw_words(
        np.full((2, 3), np.nan), np.full(2, float(n)), stream(0).rows(2)
    )
    np.testing.assert_array_equal(nothing.sum(axis=1), n)
