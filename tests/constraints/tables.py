"""Tables that keep to constraints, and small models of them, of drawn parameters."""

import numpy as np
import pandas as pd

from skdgm import NADE, ConstrainedTable, EoNADE
from skdgm.options import Adam
from tests.autoregressive.models import noisy
from tests.options import grouped

SMALL = EoNADE((12,), column_types="mixed", n_iter=4, n_orderings=2)
# Dependent columns, with the parameters that made draws.
CHAIN = NADE(
    5,
    column_types="mixed",
    n_iter=0,
    n_draws=100,
    solver=Adam(average=False),
    random_state=0,
)
# Before it learns, columns are independent, so that all of its conditionals agree.
APART = EoNADE((4,), column_types="mixed", n_iter=0, n_orderings=1, random_state=0)


def made(frame, constraints, **options):
    """A constrained table with parameters far from independence."""
    table = grouped(ConstrainedTable, CHAIN, constraints, **options).fit(frame)
    noisy(table.estimator_, 1.0)
    return table


def loans(n=120, seed=0):
    """Loans, in columns of many types."""
    rng = np.random.default_rng(seed)
    days = pd.to_timedelta(rng.integers(0, 900, n), "D")
    frame = pd.DataFrame({"client": rng.permutation(n) + 7})
    frame["start"] = pd.Timestamp("2020-01-01") + days
    frame["end"] = frame["start"] + pd.to_timedelta(rng.integers(0, 400, n), "D")
    frame["net"] = np.round(rng.gamma(2, 30, n), 2)
    frame["fee"] = np.round(rng.gamma(2, 3, n), 2)
    frame["sum"] = np.round(frame["net"] + frame["fee"], 2)
    places = [("Rome", "IT"), ("Milan", "IT"), ("Bonn", "DE"), ("Bonn", "CH")]
    where = rng.integers(0, 4, n)
    frame["city"] = [places[k][0] for k in where]
    frame["land"] = pd.Categorical([places[k][1] for k in where])
    frame["age"] = rng.integers(18, 90, n)
    return frame


def levels(n=600, seed=0):
    """Few whole numbers: a, b from a up; and two names that go together."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"a": rng.integers(0, 3, n)})
    frame["b"] = frame["a"] + rng.integers(0, 3, n)
    where = rng.integers(0, 4, n)
    frame["x"] = np.array(["p", "p", "q", "r"])[where]
    frame["y"] = np.array(["u", "v", "v", "w"])[where]
    return frame
