"""Columns of numbers that other columns determine."""

import numpy as np
import pytest

from skdgm import NADE, EoNADE
from tests.options import grouped

pd = pytest.importorskip("pandas")


def articles(n_rows, n_articles=40):
    rng = np.random.default_rng(0)
    item, price = rng.integers(0, n_articles, n_rows), rng.normal(size=n_articles)
    return pd.DataFrame({"item": item.astype(str), "price": price[item]})


def kind_of(X, **own):
    own = {"column_types": "mixed", "n_iter": 1} | own
    return grouped(EoNADE, (4,), **own).fit(X).column_types_["price"].kind


def test_columns_that_a_category_determines_have_levels():
    X = articles(800)
    assert kind_of(X) == "ordinal"
    # Missing entries say nothing.
    holes = X.mask(np.random.default_rng(1).random(X.shape) < 0.1)
    assert kind_of(holes) == "ordinal"
    # A price that no other article has still determines the article.
    other = X.copy()
    other.loc[0, "price"] += 1
    assert kind_of(other) == "ordinal"
    # A price of another article, or too few rows, are no function.
    X = articles(700)
    assert kind_of(X) == "ordinal"
    other = X.copy()
    other.loc[0, "price"] = X["price"][X["item"] != X["item"][0]].iloc[0]
    assert kind_of(other) == "numeric"
    assert kind_of(articles(150)) == "numeric"
    # What is asked for stays.
    assert kind_of(X, column_types={"price": "gaussian"}) == "gaussian"


def kinds_of(X):
    types = NADE(2, n_iter=1, n_draws=1).fit(X).column_types_
    return [types[name].kind for name in types]


def test_functions_are_printed(capsys):
    X = articles(800).assign(other=np.arange(800) % 7)
    model = NADE(2, n_iter=1, n_draws=1, verbose=1)
    model.fit(X)
    words = "[NADE] Functions, which ConstrainedTable(model, 'auto') keeps: "
    assert words + "item → price" in capsys.readouterr().out
    model.fit(X.drop(columns="item"))
    assert "Functions" not in capsys.readouterr().out
    model.fit(X["price"].to_numpy()[:, None])
    assert "Functions" not in capsys.readouterr().out


def test_numbers_that_determine_others_have_levels():
    rng = np.random.default_rng(0)
    month = rng.integers(1, 36, 2000)
    ads, code = rng.integers(1, 400, 36)[month], rng.integers(0, 9, 36)[month]
    noise = rng.normal(size=2000)
    X = np.column_stack([month, ads, noise])
    assert kinds_of(X) == ["ordinal", "ordinal", "numeric"]
    holed = np.where(rng.random(X.shape) < 0.1, np.nan, X)
    assert kinds_of(holed) == ["ordinal", "ordinal", "numeric"]
    names = pd.DataFrame({"month": month, "code": code.astype(str), "noise": noise})
    assert kinds_of(names) == ["ordinal", "categorical", "numeric"]
    # A month that has two values; ranges of numbers; numbers that nothing determines.
    broken = X.copy()
    broken[0, 1] = X[X[:, 0] != X[0, 0]][0, 1]
    assert kinds_of(broken) == ["numeric", "ordinal", "numeric"]
    assert kinds_of(np.column_stack([month, month > 20, noise]))[0] == "numeric"
    assert kinds_of(np.column_stack([month, noise])) == ["numeric", "numeric"]


@pytest.mark.exhaustive
def test_draws_of_numbers_keep_to_the_function():
    rng = np.random.default_rng(0)
    month = rng.integers(1, 36, 2000)
    ads = rng.integers(1, 400, 36)
    X = np.column_stack([month, ads[month]])
    drawn = EoNADE(random_state=0).fit(X).sample(1000, random_state=0)
    assert (drawn[:, 1] == ads[drawn[:, 0].astype(int)]).mean() > 0.95


@pytest.mark.exhaustive
def test_draws_keep_to_the_function():
    X = articles(2000)
    model = EoNADE(column_types="mixed", random_state=0).fit(X)
    price = X.drop_duplicates().set_index("item")["price"]
    drawn = model.sample(1000, random_state=0)
    assert (drawn["price"].to_numpy() == price[drawn["item"]].to_numpy()).mean() > 0.97
