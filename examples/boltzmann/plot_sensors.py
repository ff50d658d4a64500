"""
A fault in the series of sensors
================================

The readings of several sensors depend on each other and on the past. A conditional
machine of the last steps computes the probability of each new step: a fault is
improbable even if no single value is unusual. The example compares it with an isolation
forest on the same lags, and imputes a gap in the series of one sensor from the rows
before and after the gap.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

from skdgm import ConditionalRBM

# %%
# Three sensors of a machine that turns, at a speed which changes now and then: two are
# out of phase, and the third is warm where the machine has been fast.

rng = np.random.default_rng(0)


def recorded(n_steps):
    """A recording of the three sensors."""
    speed = np.repeat(rng.choice([0.2, 0.5], n_steps // 50), 50)
    angle, heat = np.cumsum(speed), np.zeros(n_steps)
    for t in range(1, n_steps):
        heat[t] = 0.95 * heat[t - 1] + 0.05 * (speed[t] > 0.3)
    X = np.column_stack([np.sin(angle), np.cos(angle), 2 * heat - 1])
    return X + rng.normal(0, 0.1, X.shape)


train = [recorded(800) for _ in range(3)]
test = recorded(600)
# The fault: for a while the first sensor is some steps late. Its values are as ever.
faulty = np.zeros(600, bool)
faulty[300:360] = True
test[faulty, 0] = test[296:356, 0]

# %%
# Each step given the four before it. Log-likelihoods are by step; a sum over some steps
# says when something is wrong.

model = ConditionalRBM(n_lags=4, n_iter=30, random_state=0).fit(train)
nats = model.score_samples(test)


def smooth(values):
    """Mean over ten steps."""
    return np.convolve(values, np.ones(10) / 10, mode="same")


def lagged(X):
    """Each row beside the four before it."""
    whole = np.concatenate([np.tile(X[:1], (4, 1)), X])
    return np.concatenate([whole[4 - k : len(whole) - k] for k in range(5)], axis=1)


forest = IsolationForest(random_state=0).fit(np.concatenate(list(map(lagged, train))))
rival = forest.score_samples(lagged(test))
for name, score in ("conditional machine", nats), ("isolation forest", rival):
    print(f"{name}: area under the curve {roc_auc_score(faulty, -smooth(score)):.3f}")

# %%
# A gap of 12 steps in the second sensor is filled given the others, and the steps
# before and after it.

holed = test.copy()
holed[100:112, 1] = np.nan
filled = model.impute(holed)

figure, (top, middle, below) = plt.subplots(3, 1, figsize=(8, 7), layout="constrained")
top.plot(test[250:420])
top.axvspan(50, 110, alpha=0.2, color="tab:red")
top.set(title="Sensors; the first one is late in the shaded steps", xticks=[])
middle.plot(smooth(nats)[250:420])
middle.axvspan(50, 110, alpha=0.2, color="tab:red")
middle.set(
    title="Log-likelihood of a step given those before, mean of ten", ylabel="nats"
)
below.plot(np.arange(90, 122), test[90:122, 1], label="second sensor")
below.plot(np.arange(100, 112), filled[100:112, 1], "o--", label="filled")
below.set(title="A gap, filled", xlabel="step")
below.legend()
plt.show()
