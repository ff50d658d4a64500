"""Columns of numbers that a category determines."""

import numpy as np
import pytest

from skdgm import EoNADE
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
    # A row that differs, too few rows, or a number as a cause are no function.
    other = X.copy()
    other.loc[0, "price"] += 1
    assert kind_of(other) == "numeric"
    assert kind_of(articles(200)) == "numeric"
    assert kind_of(X.assign(item=X["item"].astype(float))) == "numeric"
    # What is asked for stays.
    assert kind_of(X, column_types={"price": "gaussian"}) == "gaussian"


@pytest.mark.exhaustive
def test_draws_keep_to_the_function():
    X = articles(2000)
    model = EoNADE(column_types="mixed", random_state=0).fit(X)
    price = X.drop_duplicates().set_index("item")["price"]
    drawn = model.sample(1000, random_state=0)
    assert (drawn["price"].to_numpy() == price[drawn["item"]].to_numpy()).mean() > 0.97
