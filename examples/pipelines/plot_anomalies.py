"""
Unlikely rows, and the column to blame
======================================

Some rows of a table of cell nuclei are corrupted: a measurement of another patient
replaces one of ten measurements, so that each single value is usual. A density detects
such rows, because it models the dependence of columns. The example compares it with
``IsolationForest`` and ``LocalOutlierFactor``, and identifies the wrong entry.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import IsolationForest
from sklearn.metrics import RocCurveDisplay
from sklearn.neighbors import LocalOutlierFactor
from sklearn.preprocessing import power_transform

from skdgm import DensityOutlierDetector, EoNADE
from skdgm.metrics import anomaly_report
from skdgm.options import Columns

cells = load_breast_cancer()
names, X = cells.feature_names[:10], power_transform(cells.data[:, :10])
rng = np.random.default_rng(0)
clean, broken = np.arange(len(X)) % 2 == 0, np.arange(len(X)) % 4 == 1
column = np.full(len(X), -1)
dirty = X.copy()
for row in np.flatnonzero(broken):
    column[row] = rng.integers(10)
    dirty[row, column[row]] = X[rng.integers(len(X)), column[row]]

# %%
# All detectors learn from clean rows; half of the others are broken.

eonade = EoNADE(
    (64,), column_types=Columns("gaussian", n_mixtures=1), n_iter=150, random_state=0
)
detectors = {
    "EoNADE": DensityOutlierDetector(eonade, contamination=0.1),
    "IsolationForest": IsolationForest(random_state=0),
    "LocalOutlierFactor": LocalOutlierFactor(novelty=True),
}
rest = ~clean
scores = {
    name: detector.fit(X[clean]).score_samples(dirty[rest])
    for name, detector in detectors.items()
}
for name, found in scores.items():
    report = anomaly_report(broken[rest], found)
    print(
        f"{name:18} ROC-AUC {report.roc_auc:.2f}, precision {report.precision_at_k:.2f}"
    )

# %%
# The entry to blame is the one that is least likely given all others, compared with
# what is usual in its column.

density = detectors["EoNADE"].estimator_
usual = density.score_features(X[clean], given="others").mean(axis=0)
blame = usual - density.score_features(dirty, given="others")
worst = [row for row in np.argsort(density.score_samples(dirty)) if broken[row]][:20]
right = np.mean(blame.argmax(axis=1)[worst] == column[worst])
print(f"of the {len(worst)} least likely broken rows, the right entry: {right:.0%}")

figure, axes = plt.subplots(
    1, 2, figsize=(12, 5), width_ratios=(1, 1.25), layout="constrained"
)
for name, found in scores.items():
    RocCurveDisplay.from_predictions(broken[rest], -found, name=name, ax=axes[0])
axes[0].set_title("broken rows found")
share = blame[worst] / blame[worst].max(axis=1, keepdims=True)
shown = axes[1].imshow(share, cmap="magma_r", vmin=0, vmax=1, aspect="auto")
axes[1].scatter(
    column[worst],
    np.arange(len(worst)),
    marker="s",
    s=130,
    facecolor="none",
    edgecolor="c",
)
axes[1].set_xticks(
    range(len(names)), [name.removeprefix("mean ") for name in names], rotation=90
)
axes[1].set(yticks=[], ylabel="least likely broken rows")
axes[1].set_title("how unusual each entry is; boxes: what was replaced")
figure.colorbar(shown, ax=axes[1])
plt.show()
