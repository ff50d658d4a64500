"""
Drawing a table, and judging the draws
======================================

:class:`~skdgm.EoNADE` learns a table of measurements of patients, samples new patients,
and samples a hundred patients of a rare kind. :func:`~skdgm.metrics.tabular_report`
evaluates them: are columns and pairs of columns distributed as in the data, can a
classifier distinguish samples from patients, does a regression learn as much from them,
and are they copies?
"""

# %%
# The table of scikit-learn's diabetes patients has whole numbers, decimal fractions and
# a category; a third of it is held out. The types of the columns say how to model them.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split

from skdgm import EoNADE
from skdgm.metrics import tabular_report
from skdgm.plotting import TabularReportDisplay

data = load_diabetes(as_frame=True, scaled=False)
frame = data.frame.rename(columns={"target": "progression"})
frame["sex"] = frame["sex"].map({1: "female", 2: "male"})
train, holdout = train_test_split(frame, test_size=1 / 3, random_state=0)
model = EoNADE(random_state=0).fit(train)
print(model.column_types_)

# %%
# Draws have the types, the range and the roundness of the data.
drawn = model.sample(len(train), random_state=0)
drawn.head()

# %%
# How good are they? An independent sample of the columns, which loses all dependence,
# is the measure of what can be lost.
rng = np.random.default_rng(0)
shuffled = train.apply(lambda column: rng.permutation(column.to_numpy()))
options = {"target": "progression", "random_state": 0}
report = tabular_report(train, drawn, holdout, **options)
print(report)
alone = tabular_report(train, shuffled, holdout, **options)
for name in ("shapes", "trends_of_all", "two_sample_auc", "utility_synthetic"):
    own, other = report.scores[name], alone.scores[name]
    print(f"{name}: {own:.3f}, of shuffled columns {other:.3f}")

# %%
TabularReportDisplay.from_report(report)

# %%
# A hundred patients of a rare kind: one in a hundred of the data, but no draw is lost,
# for each column is drawn within its condition.
rare = {"progression": slice(280, None), "sex": "female", "age": slice(None, 45)}
among = frame.query("progression >= 280 and sex == 'female' and age <= 45")
patients = model.sample(100, random_state=0, conditions=rare)
print(f"{len(among)} of {len(frame)} patients in the data")
patients.describe().loc[["mean", "min", "max"]].round(1)

# %%
# The body mass index of such patients is higher, as a regression on all patients says.
fig, ax = plt.subplots(layout="constrained")
bins = range(16, 46, 2)
ax.hist(frame["bmi"], bins, density=True, alpha=0.5, label="all patients")
ax.hist(patients["bmi"], bins, density=True, alpha=0.5, label="drawn, under conditions")
ax.set(xlabel="body mass index", ylabel="density")
ax.legend()
slope = LinearRegression().fit(frame[["bmi"]], frame["progression"]).coef_[0]
print(f"{slope:.1f} of progression for each unit of the index")
plt.show()
