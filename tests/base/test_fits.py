"""Models at any moment: what they were, or what they became, and nothing between."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from skdgm import DBN, BernoulliRBM, DBNClassifier
from skdgm.base import replacing
from skdgm.options import Pretraining
from tests.interrupts import at_every_line

RNG = np.random.default_rng(0)
NARROW, WIDE = (RNG.random((12, n)) < 0.5 for n in (3, 5))
Y = np.arange(12) % 2
# What takes over what was learned.
TAKING = "_commit", "_add", "_train", "replacing", "_forget", "_remember"


def test_replacing_is_all_or_nothing():
    estimator = BaseEstimator()
    estimator.one = 1

    def fail():
        with replacing(estimator) as new:
            new.one = 2
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert vars(estimator) == {"one": 1}
    with replacing(estimator) as new:
        del new.one
        new.other = 2
        assert vars(estimator) == {"one": 1}
    assert vars(estimator) == {"other": 2}


def shape(value):
    """That of an array, or of all that are in a tree."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [shape(part) for part in value]
    return np.shape(value) if isinstance(value, np.ndarray) else type(value)


def shapes(model):
    """The shapes of what a model knows, and of what it says of rows."""
    n, known = model.n_features_in_, shape(vars(model))
    # The state of an optimizer, if it has begun.
    known.pop("_moments", None)
    return known, model.transform(NARROW if n == 3 else WIDE).shape


@pytest.mark.exhaustive(default=["<lambda>0"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: BernoulliRBM(2, n_iter=1),
        lambda: DBN((2,), n_iter=1),
        lambda: DBNClassifier((2,), pretrain=Pretraining(n_iter=1), n_iter=1),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_an_interrupt_while_it_takes_over_leaves_a_whole_model(make):
    narrow = make().fit(NARROW, Y)
    # Of those that were tuned, or not.
    whole = [shapes(narrow), shapes(make().fit(WIDE, Y))]
    if isinstance(narrow, DBNClassifier):
        whole.append(shapes(make().set_params(n_iter=0).fit(WIDE, Y)))
    model = make()

    def call():
        vars(model).clear()
        vars(model).update(vars(narrow))
        model.fit(WIDE, Y)

    found = []
    for n in at_every_line(call, *TAKING):
        assert shapes(model) in whole, n
        found.append(whole.index(shapes(model)))
    assert 0 in found[:-1]
    assert {1, 2} & set(found[:-1])
    assert found[-1] == 1
