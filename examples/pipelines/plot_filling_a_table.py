"""
Filling in a table
==================

Thirty per cent of the entries of a table of wines are hidden and filled in again: by
column means, by scikit-learn's ``IterativeImputer`` and ``KNNImputer``, and by two
models of this package, the multivariate normal distribution (``FVBN``) and ``EoNADE``.
All learn from the incomplete table.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.preprocessing import scale

from skdgm import FVBN, EoNADE
from skdgm.options import Columns

wine = load_wine(as_frame=True).data
names = wine.columns
X = scale(wine)
rng = np.random.default_rng(0)
hidden = rng.random(X.shape) < 0.3
holes = np.where(hidden, np.nan, X)

# %%
# Estimators of this package fill in by ``impute``, imputers by ``transform``.

eonade = EoNADE(
    (64,),
    column_types=Columns("gaussian", n_mixtures=1),
    n_iter=300,
    alpha=3.0,
    random_state=0,
)
filled = {
    "column means": SimpleImputer().fit_transform(holes),
    "KNNImputer": KNNImputer().fit_transform(holes),
    "IterativeImputer": IterativeImputer(max_iter=30, random_state=0).fit_transform(
        holes
    ),
    "FVBN": FVBN(column_types="gaussian", alpha=3.0).fit(holes).impute(holes),
    "EoNADE": eonade.fit(holes).impute(holes),
}
errors = {
    name: np.array(
        [np.sqrt(np.mean((table - X)[hidden[:, j], j] ** 2)) for j in range(X.shape[1])]
    )
    for name, table in filled.items()
}
for name, found in errors.items():
    print(f"{name:18} root mean squared error {np.sqrt(np.mean(found**2)):.3f}")

# %%
# A mean is the best single guess, but a table of means varies too little. Draws have
# the spread of the data; the standard deviation of several says how sure the model is.

drawn = np.stack(
    [eonade.impute(holes, method="sample", random_state=s) for s in range(9)]
)
print(f"variance of hidden entries: {X[hidden].var():.2f}")
print(f"filled with means: {filled['EoNADE'][hidden].var():.2f}")
print(f"filled with draws: {drawn[:, hidden].var():.2f}")

figure, axes = plt.subplots(
    1, 2, figsize=(11, 4.6), width_ratios=(1.4, 1), layout="constrained"
)
height = 0.8 / len(errors)
for k, (name, found) in enumerate(errors.items()):
    axes[0].barh(np.arange(len(names)) + k * height, found, height, label=name)
axes[0].set_yticks(np.arange(len(names)) + 0.3, names)
axes[0].invert_yaxis()
axes[0].set(title="error in standard deviations", xlim=(0, 1.75))
axes[0].legend(loc="lower right")
j, k = (
    list(names).index("flavanoids"),
    list(names).index("od280/od315_of_diluted_wines"),
)
axes[1].scatter(X[:, j], X[:, k], s=14, color="0.75", label="the table")
which = np.flatnonzero(hidden[:, k] & ~hidden[:, j])
axes[1].errorbar(
    X[which, j],
    filled["EoNADE"][which, k],
    drawn[:, which, k].std(axis=0),
    fmt="o",
    markersize=4,
    linewidth=1,
    color="tab:purple",
    label="filled in, with its spread",
)
axes[1].set(xlabel=names[j], ylabel="od280/od315", title="guesses and their spread")
axes[1].legend(loc="lower right")
plt.show()
