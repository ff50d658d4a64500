"""
Likelihoods and conditionals of autoregressive models
=====================================================

Autoregressive models have an exact likelihood. This example compares four of them on
images of digits, fills in images of which parts are hidden with an orderless one, and
finds the unlikely columns in a row of a table.
"""

import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits, load_wine
from sklearn.model_selection import train_test_split

from skdgm import FVBN, MADE, NADE, EoNADE
from skdgm.options import Columns
from skdgm.plotting import ReconstructionDisplay, SamplesDisplay

# %%
# Binary images: pixels are 1 where they are more than half on. All models stop early,
# when the likelihood of held-out rows no longer increases.

X = (load_digits().data > 7.5).astype(np.float32)
X, X_test = train_test_split(X, test_size=500, random_state=0)
COMMON = {"early_stopping": True, "n_iter": 200, "random_state": 0}
models = [
    FVBN(alpha=0.3, **COMMON),
    NADE(128, **COMMON),
    MADE((128,), **COMMON),
    EoNADE((128, 128), n_orderings=16, **COMMON),
]
for model in models:
    start = time.perf_counter()
    model.fit(X)
    seconds, nats = time.perf_counter() - start, model.score(X_test)
    print(f"{type(model).__name__:8} {nats:7.2f} nats a row, in {seconds:.0f} s")

# %%
# Exact draws from a model, and images with hidden parts (the lower half, or half of the
# pixels at random) that the orderless model fills in.

figure = plt.figure(figsize=(11, 4.6), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=(1, 1.3))
ax = left.subplots()
SamplesDisplay.from_estimator(models[1], random_state=0, ax=ax)
ax.set_title("draws of NADE")

whole, rng = X_test[:10], np.random.default_rng(0)
half = np.where(np.arange(64) < 32, whole, np.nan)
holes = np.where(rng.random(whole.shape) < 0.5, whole, np.nan)
for ax, given, title in zip(right.subplots(2), (half, holes), ("halves", "holes")):
    show = {"X_true": whole, "ax": ax}
    ReconstructionDisplay.from_estimator(models[-1], given, **show)
    ax.set_title(f"{title}, filled by EoNADE")
plt.show()

# %%
# A table of numbers: the least likely wine, and its most unlikely column given all the
# others.

wine = load_wine(as_frame=True).data
table = EoNADE((64,), column_types=Columns(n_mixtures=2), n_iter=300, random_state=0)
table.fit(wine)
oddest = wine.iloc[[table.score_samples(wine).argmin()]]
surprise = -table.score_features(oddest, given="others").iloc[0]
usual = -table.score_features(wine, given="others").mean()
column = (surprise - usual).idxmax()
hidden = oddest.astype(float).assign(**{column: np.nan})
expected, given = table.impute(hidden)[column].iloc[0], oddest[column].iloc[0]
print(f"row {oddest.index[0]} is the least likely wine: its {column} is {given:g},")
print(f"where {expected:.3g} is to be expected of the other columns")
