"""
A table whose rows keep to constraints
======================================

Loans end after they start, the amount due is the sum of net and fee, and each city lies
in one country. A model of the table approximates these rules, but breaks them in some
rows. ``ConstrainedTable`` satisfies the declared rules in all rows that it samples or
imputes.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skdgm import ConstrainedTable, EoNADE
from skdgm.constraints import FixedCombinations, Inequality, Rule, Sum

rng = np.random.default_rng(0)
n = 600
loans = pd.DataFrame(
    {
        "start": pd.Timestamp("2021-01-01")
        + pd.to_timedelta(rng.integers(0, 900, n), "D")
    }
)
years = rng.choice([0.25, 1, 2], n, p=[0.5, 0.3, 0.2]) * rng.uniform(0.6, 1.2, n)
loans["end"] = loans["start"] + pd.to_timedelta((365 * years).astype(int), "D")
loans["net"] = np.round(rng.gamma(3, 300, n) * (1 + years), 2)
loans["fee"] = np.round(loans["net"] * rng.uniform(0.01, 0.08, n), 2)
loans["due"] = (loans["net"] + loans["fee"]).round(2)
place = rng.integers(0, 5, n)
loans["city"] = np.array(["Bonn", "Köln", "Rome", "Milan", "Basel"])[place]
loans["country"] = np.array(["DE", "DE", "IT", "IT", "CH"])[place]

# %%
# The model alone, and the same one under constraints. The first three are kept by
# reparametrization: the model learns the duration in place of the end, nothing of the
# amount due, and one category of city and country. The rule is kept by rejection.

model = EoNADE((32,), n_iter=40, random_state=0)
table = ConstrainedTable(
    model,
    [
        Inequality("start", "end"),
        Sum("due", ["net", "fee"]),
        FixedCombinations(["city", "country"]),
        Rule(lambda rows: rows["fee"] < 0.1 * rows["net"]),
    ],
)
table.fit(loans)
model.fit(loans)
print("by rejection:", [type(own).__name__ for own in table.by_rejection_])
print(f"acceptance rate: {table.acceptance_rate(random_state=0):.2f}")


def broken(rows):
    """Share of rows that break each constraint."""
    known = set(zip(loans["city"], loans["country"]))
    pairs = zip(rows["city"], rows["country"])
    gap = rows["net"] + rows["fee"] - rows["due"]
    return {
        "start ≤ end": (rows["start"] > rows["end"]).mean(),
        "due = net + fee": (gap.abs() > 0.01).mean(),
        "city in country": np.mean([pair not in known for pair in pairs]),
        "fee < net / 10": (rows["fee"] >= 0.1 * rows["net"]).mean(),
    }


drawn = {
    "the model alone": model.sample(2000, random_state=0),
    "under constraints": table.sample(2000, random_state=0),
}
shares = pd.DataFrame({name: broken(rows) for name, rows in drawn.items()})
print(shares.round(3))

# %%
# Conditions of a call go with them, and so do missing entries: of a loan of which the
# end is known, the start is drawn before it.

asked = {"country": "IT", "start": slice("2023-01-01", None)}
print(table.sample(3, random_state=0, conditions=asked))
holes = loans.head(3).assign(start=pd.NaT, country=None)
print(table.impute(holes))

figure, axes = plt.subplots(1, 3, figsize=(12, 3.8), layout="constrained")
bins = np.linspace(-400, 1000, 57)
for axis, (name, rows) in zip(axes, {"training rows": loans, **drawn}.items()):
    axis.hist((rows["end"] - rows["start"]).dt.days, bins, density=True)
    axis.axvline(0, color="0.5", linewidth=1)
    axis.set_title(name)
    axis.set_xlabel("days from start to end")
plt.show()
