"""Diffusions of rows given classes or attributes: densities and draws."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from skdgm import Diffusion, load, save
from tests.numerical import assert_means
from tests.options import grouped

RNG = np.random.default_rng(0)
SMALL = {"hidden_layer_sizes": (24, 24), "batch_size": 50, "learning_rate": 0.01}
SMALL |= {"n_iter": 30, "random_state": 0}
# A column whose mean and deviation depend on a number, far from 0, and on a class.
AGE, SEX = RNG.uniform(20, 80, 800), RNG.choice(["f", "m"], 800)
Y = pd.DataFrame({"age": AGE, "sex": SEX})


def mean(age, sex):
    return (np.asarray(age) - 50) / 10 + 2.0 * (np.asarray(sex) == "m")


X = (mean(AGE, SEX) + 0.5 * RNG.normal(size=800))[:, None]
LINE = np.linspace(-12, 14, 2001)


@pytest.fixture(scope="module")
def model():
    return grouped(Diffusion, attribute_conditional=True, **SMALL).fit(X, Y)


def given(model, y):
    """Mean, deviation and integral of the density given attributes."""
    p = np.exp(model.score_samples(LINE[:, None], y)) * (LINE[1] - LINE[0])
    center = p @ LINE / p.sum()
    return center, np.sqrt(p @ (LINE - center) ** 2 / p.sum()), p.sum()


@pytest.mark.parametrize("age, sex", [(30.0, "m"), (65.0, "f")])
def test_densities_given_attributes(model, age, sex):
    y = {"age": age, "sex": sex}
    center, width, total = given(model, y)
    np.testing.assert_allclose(total, 1, atol=0.01)
    assert abs(center - mean(age, sex)) < 0.3
    assert 0.4 < width < 0.7
    drawn = model.sample(4000, random_state=0, y=y)
    # Two steps of Heun's method a draw, four of Runge and Kutta's a density.
    assert abs(drawn.mean() - center) < 0.03 + 5 * width / np.sqrt(4000)
    assert abs(drawn.std() / width - 1) < 0.1


def test_bounds_given_attributes(model):
    rows = X[:200]
    flow = model.score_samples(rows, Y[:200])
    assert flow.mean() > model.score(rows) + 0.5
    model.set_params(likelihood="bound", n_draws=200)
    bound = model.score_samples(rows, Y[:200])
    np.testing.assert_array_equal(model.score_samples(rows[5:9], Y[5:9]), bound[5:9])
    model.set_params(likelihood="flow", n_draws=20)
    assert flow.mean() - 0.3 < bound.mean() < flow.mean() + 0.05
    # One row of attributes stands for all, and y of score is ignored.
    one = {"age": AGE[3], "sex": SEX[3]}
    assert model.score_samples(rows[:8], one)[3] == flow[3]
    assert model.score(rows, Y[:200]) == model.score(rows)


def test_draws_without_attributes_are_of_any(model):
    assert abs(model.sample(3000, random_state=0).mean() - X.mean()) < 0.3
    each = Y[:6]
    drawn = [model.sample(6, random_state=0, y=each)]
    drawn.append(
        model.sample(6, random_state=0, y=each, conditions={0: slice(-99, 99)})
    )
    for rows in drawn:
        assert (abs(rows[:, 0] - mean(each.age, each.sex)) < 2.5).all()
    model.set_params(guidance=2.0)
    high = model.sample(2000, random_state=0, y={"age": 75.0, "sex": "m"}).mean()
    model.set_params(guidance=0.0)
    assert high > model.sample(2000, random_state=0, y={"age": 75.0, "sex": "m"}).mean()


@pytest.mark.exhaustive
def test_classes_as_attributes_are_classes():
    """Densities given classes, summed by frequencies, are about those of any."""
    how = SMALL | {"early_stopping": False}
    plain = grouped(Diffusion, class_conditional=True, **how).fit(X, SEX)
    joined = [
        plain.score_samples(LINE[:, None], own) + np.log(np.mean(own == SEX))
        for own in "fm"
    ]
    p = np.exp(np.logaddexp(*joined)) * (LINE[1] - LINE[0])
    assert abs(p.sum() - 1) < 0.01
    assert abs(p @ LINE - X.mean()) < 0.2
    names = SEX[:20]
    found = plain.score_samples(X[:20], names)
    parts = [plain.score_samples(X[:20], own) for own in "fm"]
    np.testing.assert_array_equal(np.where(names == "f", *parts), found)
    other = grouped(Diffusion, attribute_conditional=True, **how).fit(X, SEX)
    assert other.attribute_types_[0].kind == "categorical"
    assert (
        abs(
            other.score_samples(X[:200], SEX[:200]).mean()
            - np.mean(plain.score_samples(X[:200], SEX[:200]))
        )
        < 0.2
    )


def test_draws_under_ranges_do_not_depend_on_others(model):
    how = {"random_state": 0, "conditions": {0: slice(0, None)}}
    pairs = [model.sample(2, y=Y[k : k + 2], **how) for k in (0, 3)]
    again = model.sample(2, y=pd.concat([Y[0:1], Y[4:5]]), **how)
    assert again[0] == pairs[0][0]
    assert (pairs[0] >= 0).all()


@pytest.mark.exhaustive
def test_missing_entries_are_filled_given_attributes():
    two = np.c_[X, X + 0.3 * RNG.normal(size=(800, 1))]
    model = grouped(Diffusion, attribute_conditional=True, **SMALL).fit(two, Y)
    holed = np.tile([[np.nan, np.nan]], (400, 1))
    of = Y.iloc[np.arange(400) % 2]
    drawn = model.impute(holed, of, method="sample", random_state=0)
    several = model.conditional_sample(holed[:2], of[:2], n_samples=200, random_state=0)
    for k in range(2):
        expected = mean(of.age.iloc[k], of.sex.iloc[k])
        assert (abs(drawn[k::2].mean(axis=0) - expected) < 0.4).all()
        own = several[200 * k : 200 * (k + 1)]
        assert (abs(own.mean(axis=0) - expected) < 0.4).all()
    filled = model.impute(np.c_[two[:5, :1], np.full(5, np.nan)], Y[:5])
    assert (abs(filled[:, 1] - two[:5, 0]) < 1).all()


def test_holes_and_files(model, tmp_path):
    save(model, tmp_path / "model")
    again, y = load(tmp_path / "model"), {"age": 30.0, "sex": "m"}
    np.testing.assert_array_equal(
        *(one.sample(5, random_state=0, y=y) for one in (model, again))
    )
    assert again.partial_fit(X[:50], Y[:50]).n_iter_ == model.n_iter_ + 1
    two = np.c_[X, RNG.normal(size=800)]
    wide = clone(model).set_params(n_iter=3).fit(two, Y)
    holed = np.where([True, False], two[:6], np.nan)
    assert np.isfinite(wide.score_samples(holed, Y[:6])).all()
    assert np.isfinite(wide.impute(holed)).all()
    assert (wide.score_samples(holed, Y[:6]) != wide.score_samples(holed)).all()


@pytest.mark.parametrize(
    "options",
    [
        {"column_types": "bernoulli"},
        {"column_types": "bernoulli", "bits": "flips"},
        {"column_types": ("gaussian", "bernoulli", "bernoulli", "gaussian")},
        {"architecture": "conv", "conv_layer_sizes": 3, "sampler": "ancestral"},
        {"weighting": "likelihood", "early_stopping": True, "likelihood": "bound"},
    ],
    ids=str,
)
def test_options_go_together(options):
    rows = (RNG.random((60, 4)) < 0.3 + 0.4 * (AGE[:60, None] > 50)) * 1.0
    how = SMALL | {"n_iter": 3, "n_steps": 4, "n_draws": 4, "early_stopping": False}
    model = grouped(Diffusion, **how | options, attribute_conditional=True)
    model.fit(rows, AGE[:60])
    holed = np.where(RNG.random((9, 4)) < 0.3, np.nan, rows[:9])
    found = model.score_samples(holed, AGE[:9]), model.score_samples(holed)
    more = model.sample(3, y=41.5, random_state=0), model.impute(holed)
    known = model.sample(3, y=41.5, random_state=0, conditions={1: 1})
    assert (known[:, 1] == 1).all()
    assert all(np.isfinite(part).all() for part in (*found, *more))


def test_draws_of_masked_columns_are_given_attributes():
    rows = (RNG.random((800, 3)) < np.where(AGE > 50, 0.9, 0.2)[:, None]) * 1.0
    how = SMALL | {"column_types": "bernoulli", "n_iter": 40}
    model = grouped(Diffusion, attribute_conditional=True, **how).fit(rows, AGE)
    for age, expected in ((25.5, 0.2), (75.5, 0.9)):
        drawn = model.sample(1000, random_state=0, y=age).mean()
        assert abs(drawn - expected) < 0.1
    drawn = model.sample(1000, random_state=1)
    assert_means(drawn.mean(axis=1), rows.mean(), 6)


def test_a_refit_forgets_attributes_and_classes():
    model = grouped(Diffusion, **SMALL | {"n_iter": 0}, attribute_conditional=True).fit(
        X, Y
    )
    model.set_params(attribute_conditional=False, class_conditional=True).fit(X, SEX)
    assert not hasattr(model, "attribute_types_")
    model.set_params(attribute_conditional=True, class_conditional=False).fit(X, Y)
    assert not hasattr(model, "classes_")
    model.set_params(attribute_conditional=False).fit(X, Y)
    assert not hasattr(model, "attribute_types_")
    with pytest.raises(ValueError, match="attribute_conditional=True"):
        model.sample(2, y=3.0)
    with pytest.raises(ValueError, match="attribute_conditional=True"):
        model.score_samples(X[:2], [3.0, 4.0])


def test_what_is_no_attribute_is_named(model):
    with pytest.raises(ValueError, match="exclude each other"):
        Diffusion(attribute_conditional=True, class_conditional=True).fit(X, SEX)
    with pytest.raises(ValueError, match="Diffusion"):
        Diffusion(attribute_conditional=True).fit(X)
    with pytest.raises(ValueError, match="no attribute 'sex'"):
        model.sample(3, y={"age": 3.0})
    with pytest.raises(ValueError, match="d"):
        model.score_samples(X[:1], {"age": 3.0, "sex": "d"})


@pytest.mark.parametrize("likelihood", ["flow", "bound"])
def test_scores_do_not_depend_on_guidance(likelihood):
    rows = np.column_stack([X[:200, 0], X[:200, 0] + RNG.normal(size=200)])
    model = grouped(Diffusion, class_conditional=True, **SMALL | {"n_iter": 3})
    model.set_params(likelihood=likelihood).fit(rows, SEX[:200])
    rows[:20, 1] = np.nan
    before = model.score_samples(rows[:40], SEX[:40])
    model.set_params(guidance=3.0)
    np.testing.assert_array_equal(model.score_samples(rows[:40], SEX[:40]), before)
