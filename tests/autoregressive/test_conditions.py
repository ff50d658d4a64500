from functools import cache
from itertools import product

import numpy as np
import pytest

from skdgm import FVBN, NADE, EoNADE
from tests.autoregressive.models import FAMILIES, noisy
from tests.autoregressive.test_tables import WIDE
from tests.numerical import assert_means
from tests.options import grouped

pd = pytest.importorskip("pandas")

N = 20_000
STATES = np.array(list(product(range(2), range(3), range(2))))
X = np.random.default_rng(0).integers(0, [2, 3, 2], (50, 3)).astype(float)


def made(name, **options):
    """A model of a table of codes, with parameters far from independence."""
    cls, own = FAMILIES[name]
    given = {"n_iter": 0, "random_state": 0, "average": False, **own, **options}
    types = ("bernoulli", "categorical", "bernoulli")
    return noisy(grouped(cls, column_types=types, **given).fit(X), 1.0)


@pytest.mark.parametrize(
    "conditions", [{0: 1}, {1: [0, 2]}, {2: slice(1, None)}, {0: 0, 1: {1, 2}, 2: [1]}]
)
@pytest.mark.parametrize("name", ["fvbn", "nade", "deep"])
def test_draws_have_the_conditional_probabilities(name, conditions):
    own = made(name, n_draws=200)
    p = np.exp(own.score_samples(STATES))
    for j, condition in conditions.items():
        low = condition.start if isinstance(condition, slice) else None
        values = [condition] if isinstance(condition, int) else condition
        kept = (
            STATES[:, j] >= low
            if low is not None
            else np.isin(STATES[:, j], list(values))
        )
        p = p * kept
    drawn = own.sample(2000, random_state=0, conditions=conditions)
    found = (drawn[:, None] == STATES).all(axis=2)
    assert_means(found.astype(float), p / p.sum())


def test_orderless_nets_begin_with_the_event():
    own = made("orderless", n_orderings=1)
    marginal = np.exp(own.score_samples([[np.nan, k, np.nan] for k in range(3)]))
    drawn = own.sample(N, random_state=0, conditions={1: [0, 2]})
    found = (drawn[:, [1]] == [0, 2]).astype(float)
    assert_means(found, marginal[[0, 2]] / marginal[[0, 2]].sum())
    given = own.conditional_sample([[np.nan, 2, np.nan]], n_samples=N, random_state=1)
    both = own.sample(N, random_state=2, conditions={1: 2})
    for j in (0, 2):
        share = given[:, j].mean()
        assert both[:, j].mean() == pytest.approx(share, abs=4.5 * np.sqrt(0.5 / N))


CONDITIONS = {
    "gain": slice(1, 500),
    "rooms": [1, 3],
    "income": pd.Interval(10, 30, closed="left"),
    "day": slice("2020-06-01", "2020-06-30"),
    "town": "Rome",
}


def assert_kept(found, names):
    """All rows of a table as WIDE keep to the conditions of some columns."""
    kept = {
        "gain": found["gain"].between(1, 500),
        "rooms": found["rooms"].isin([1, 3]),
        "income": (found["income"] >= 10) & (found["income"] < 30),
        "day": found["day"].between("2020-06-01", "2020-06-30"),
        "town": found["town"] == "Rome",
    }
    for name in names:
        assert kept[name].all(), name


@cache
def learned(kind):
    return kind(column_types="mixed", n_iter=3, random_state=0).fit(WIDE)


@pytest.mark.exhaustive(default=["FVBN", "names3", "names4"])
@pytest.mark.parametrize("kind", [EoNADE, NADE, FVBN])
@pytest.mark.parametrize("names", [[name] for name in CONDITIONS] + [list(CONDITIONS)])
def test_all_draws_keep_to_the_conditions(kind, names):
    own = learned(kind)
    given = {name: CONDITIONS[name] for name in names}
    found = own.sample(50, random_state=0, conditions=given)
    assert (found.dtypes == WIDE.dtypes).all()
    assert_kept(found, names)
    again = own.sample(50, random_state=0, conditions=given)
    pd.testing.assert_frame_equal(found, again)


def test_values_are_kept_exactly():
    own = EoNADE(column_types={"income": "gaussian"}, n_iter=1, random_state=0)
    own.fit(WIDE)
    given = {"income": 12.34, "gain": 101, "day": pd.Timestamp("2020-06-01")}
    found = own.sample(5, random_state=0, conditions=given)
    for name, value in given.items():
        assert (found[name] == value).all()


STEPS = pd.DataFrame(
    {
        "age": np.random.default_rng(0).integers(20, 90, 300),
        "price": np.random.default_rng(1).integers(0, 60, 300) / 10,
        "share": np.where(np.arange(300) % 3, np.linspace(0, 1, 300), 0.1),
        "level": np.random.default_rng(2).choice(list("abcd"), 300),
    }
).astype({"share": np.float32})


@pytest.mark.parametrize(
    "name, condition, least, most",
    [
        ("price", slice(0.3, 0.3), 0.3, 0.3),
        ("price", pd.Interval(0.2, 0.3), 0.3, 0.3),
        ("price", pd.Interval(0.3, 0.5, closed="neither"), 0.4, 0.4),
        ("price", pd.Interval(0.6, 0.7, closed="neither"), None, None),
        ("price", 0.35, None, None),
        ("age", 30.5, None, None),
        ("age", [30.5, 31], None, None),
        ("share", slice(0.1, 0.1), np.float32(0.1), np.float32(0.1)),
        ("share", [0.1, 0.1], np.float32(0.1), np.float32(0.1)),
        ("share", slice(-1, np.inf), 0, 1),
    ],
)
def test_values_are_as_round_as_the_data(name, condition, least, most):
    own = NADE(3, "mixed", n_iter=0, random_state=0).fit(STEPS)
    if least is None:
        with pytest.raises(ValueError, match="no probability"):
            own.sample(2, conditions={name: condition})
        return
    found = own.sample(200, random_state=0, conditions={name: condition})[name]
    assert least <= found.min() <= found.max() <= most


@pytest.mark.parametrize(
    "condition", [slice("bb", "d"), slice("b", "zz"), slice("zz", None)]
)
def test_ends_are_categories(condition):
    own = NADE(3, "mixed", n_iter=0, random_state=0).fit(STEPS)
    assert set(own.sample(50, conditions={"level": slice("b", "c")})["level"]) == {
        *"bc"
    }
    with pytest.raises(ValueError, match="not one of its categories: '(bb|zz)'"):
        own.sample(2, conditions={"level": condition})


@pytest.mark.parametrize("value", [None, np.nan, np.inf])
def test_missing_values_are_no_conditions(value):
    types = {"price": "gaussian"}
    own = NADE(3, column_types=types, n_iter=0, random_state=0).fit(STEPS)
    for name in STEPS:
        with pytest.raises(ValueError, match="no probability"):
            own.sample(2, conditions={name: value})


@pytest.mark.parametrize(
    "conditions, message",
    [
        ({"street": 1}, "names 'street', but the columns are 'gain', 'rooms'"),
        (
            {"gain": slice(1e6, None)},
            "'gain' has no prob.*: its values are from",
        ),
        ({"gain": -1}, "-1 on column 'gain' has no probability"),
        ({"rooms": [4, 5]}, "has no probability: its values are 1, 2, 3"),
        ({"town": "Oslo"}, "'Oslo' on column 'town' has no .* are 'Bonn', 'Rome'"),
        ({"town": []}, "has no probability"),
        ({"income": slice(9, 3)}, "'income' ends at 3, before it begins, at 9"),
        ({"income": "much"}, "Column 'income' had numbers"),
    ],
)
def test_conditions_are_checked(conditions, message):
    with pytest.raises(ValueError, match=message):
        learned(NADE).sample(2, conditions=conditions)


def test_exact_values_of_real_columns_have_no_probability():
    rng = np.random.default_rng(0)
    own = NADE(3, "gaussian", n_iter=1, random_state=0).fit(rng.normal(size=(50, 2)))
    with pytest.raises(ValueError, match=r"have no probability: give a range, slice"):
        own.sample(2, conditions={0: [0.5, 1.5]})
    assert (own.sample(2, conditions={0: 0.5})[:, 0] == 0.5).all()
    assert (own.sample(9, conditions={1: slice(None, -2)})[:, 1] <= -2).all()
