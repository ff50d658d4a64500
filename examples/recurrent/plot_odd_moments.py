"""
Odd moments of several series
=============================

Six pumps have three sensors each for load, temperature and vibration, which depend on
each other. One model learns the series of all pumps, as a list of tables, and scores
each step of another pump given all previous steps. Unlikely steps are alarms;
``score_features`` identifies the faulty sensor.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score

from skdgm import RNNNADE

# %%
# The load of a pump rises and falls with the hour, at a pace of its own; temperature
# follows it slowly, vibration at once. The pump is switched off now and then.

SENSORS = ["load", "temperature", "vibration"]


def pump(rng, n_steps=400):
    pace, phase = rng.uniform(18, 30), rng.uniform(0, 30)
    wave = 1 + np.sin(2 * np.pi * (np.arange(n_steps) + phase) / pace)
    off = np.repeat(rng.random(n_steps // 20) < 0.15, 20)
    load = np.where(off, 0, wave) + 0.05 * rng.normal(size=n_steps)
    warm = np.zeros(n_steps)
    for t in range(1, n_steps):
        warm[t] = 0.9 * warm[t - 1] + 0.1 * load[t] + 0.01 * rng.normal()
    shake = 0.2 + 0.5 * load**2 + 0.05 * rng.normal(size=n_steps)
    return pd.DataFrame({"load": load, "temperature": warm, "vibration": shake})


rng = np.random.default_rng(0)
train, test = [pump(rng) for _ in range(6)], [pump(rng) for _ in range(4)]

# %%
# Four faults in each series of the test, none of which leaves the usual range of a
# sensor: a temperature that stands still, one that jumps, vibration that no longer
# follows the load, and a moment that is told in the wrong order.


def broken(table, rng):
    table, odd = table.copy(), np.zeros(len(table), bool)
    starts = 60 + 80 * np.arange(4) + rng.integers(0, 30, 4)
    stuck, jump, loose, order = (slice(s, s + 10) for s in starts)
    warm, shake = (table.columns.get_loc(name) for name in SENSORS[1:])
    table.iloc[stuck, warm] = table.iloc[stuck.start, warm]
    table.iloc[jump.start, warm] += 0.3
    table.iloc[loose, shake] = rng.permutation(table["vibration"])[:10]
    table.iloc[order] = table.iloc[order].to_numpy()[::-1]
    for fault in stuck, slice(jump.start, jump.start + 1), loose, order:
        odd[fault] = True
    return table, odd


test, odd = zip(*(broken(table, rng) for table in test))

# %%
# The model reads series of any length; a score is in nats of a step. An isolation
# forest has no time: its rows are windows of a step and the four before it.

model = RNNNADE(30, column_types="gaussian", n_recurrent=40, random_state=0)
model.set_params(learning_rate=0.01, n_iter=150).fit(train)
scores = model.score_samples(test)


def lagged(table, n_lags=4):
    parts = [table.shift(lag, fill_value=0.0).to_numpy() for lag in range(n_lags + 1)]
    return np.hstack(parts)


forest = IsolationForest(random_state=0).fit(np.vstack([lagged(x) for x in train]))
rival = [forest.score_samples(lagged(table)) for table in test]
truth = np.concatenate(odd)
for name, found in ("recurrent net", scores), ("forest of lags", rival):
    share = average_precision_score(truth, -np.concatenate(found))
    print(f"{name}: average precision {share:.2f} (by chance {truth.mean():.2f})")

# %%
# The first series of the test, with its faults shaded; and the surprise of each sensor,
# above what is usual of it.

surprise = -model.score_features([test[0]])[0]
surprise -= np.median(surprise, axis=0)
figure, axes = plt.subplots(4, 1, figsize=(9, 8), sharex=True, layout="constrained")
axes[0].plot(test[0], label=SENSORS)
axes[0].set(ylabel="sensors")
axes[1].plot(scores[0], color="black")
axes[1].set(ylabel="nats, given the past")
axes[2].plot(np.maximum(surprise, 0), label=SENSORS)
axes[2].set(ylabel="surprise, nats")
axes[3].plot(rival[0], color="black")
axes[3].set(ylabel="score of the forest", xlabel="step")
edges = np.flatnonzero(np.diff(odd[0].astype(int), prepend=0, append=0))
for ax in axes:
    for begin, end in edges.reshape(-1, 2):
        ax.axvspan(begin - 0.5, end - 0.5, color="tab:red", alpha=0.2)
axes[0].legend(loc="upper right", ncols=3)
plt.show()

# %%
# What was expected of the sensor that is to blame: the most surprising entry is taken
# out, and filled given the others and the past.

step, sensor = np.unravel_index(np.argmax(surprise), surprise.shape)
hidden = test[0].copy()
hidden.iloc[step, sensor] = np.nan
expected = model.impute(hidden).iloc[step, sensor]
told = test[0].iloc[step, sensor]
print(f"step {step}: {SENSORS[sensor]} is {told:.2f}, expected {expected:.2f}")
