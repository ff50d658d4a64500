"""
A figure that walks on
======================

The joint angles of a walking figure are a series with a row for each frame. A
conditional machine learns each frame given the previous frames, as in [1]_ for recorded
motion. It then generates new motion and imputes missing parts of a recording.

.. [1] Taylor, Hinton and Roweis (2007). Modeling human motion using binary latent
   variables. NeurIPS.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import Ridge

from skdgm import ConditionalRBM

# %%
# Angles of thighs, knees and arms, left and right, at a pace that differs between
# recordings and wavers within them. Legs swing in opposite phases; a knee bends while
# its leg swings forward.

rng = np.random.default_rng(0)
NAMES = [
    "left thigh",
    "right thigh",
    "left knee",
    "right knee",
    "left arm",
    "right arm",
]


def recorded(n_frames):
    """Angles of a walk, in radians."""
    pace = 0.25 + 0.05 * rng.normal() + 0.02 * rng.normal(size=n_frames)
    phase = np.cumsum(pace) + rng.uniform(0, 2 * np.pi)
    legs = [phase, phase + np.pi]
    thighs = [0.5 * np.sin(p) for p in legs]
    knees = [0.1 + 0.7 * np.exp(2 * (np.cos(p) - 1)) for p in legs]
    arms = [-0.4 * np.sin(p) for p in legs]
    X = np.column_stack([*thighs, *knees, *arms])
    return X + rng.normal(0, 0.05, X.shape)


walks = [recorded(300) for _ in range(6)]
train, test = walks[:5], walks[5]
model = ConditionalRBM(12, n_lags=6, n_iter=40, random_state=0).fit(train)

# %%
# The error of the next frame, in degrees, beside the frame before, and a linear
# regression on the same six frames.


def lagged(X):
    """The six frames before each from the seventh on."""
    return np.concatenate([X[6 - k : len(X) - k] for k in range(1, 7)], axis=1)


linear = Ridge(1e-3).fit(
    np.concatenate([lagged(X) for X in train]), np.concatenate([X[6:] for X in train])
)
for name, found in {
    "the frame before": test[5:-1],
    "linear regression": linear.predict(lagged(test)),
    "conditional machine": model.predict(test)[6:],
}.items():
    error = np.sqrt(np.mean((found - test[6:]) ** 2))
    print(f"{name}: {np.degrees(error):.2f} degrees")

# %%
# The machine walks on by itself from six frames.

(walk,) = model.sample_sequences(600, prefix=test[:6], random_state=0)

# %%
# And it fills in one leg that the cameras did not see for 20 frames, given the rest of
# the body and the frames before and after.

holed = test.copy()
holed[100:120, [0, 2]] = np.nan
filled = model.impute(holed)
error = np.degrees(np.abs(filled - test)[100:120, [0, 2]].mean())
print(f"left leg, filled in: {error:.2f} degrees")

# %%
# Stick figures, a frame in four, and curves.


def limbs(angles):
    """Ends of the lines of a figure: both legs, both arms, the trunk with its head."""
    hip, neck, lines = np.zeros(2), np.array([0, 0.9]), []
    for thigh, knee in angles[[0, 2]], angles[[1, 3]]:
        bend = hip + 0.55 * np.array([np.sin(thigh), -np.cos(thigh)])
        foot = bend + 0.55 * np.array([np.sin(thigh - knee), -np.cos(thigh - knee)])
        lines.append(np.array([hip, bend, foot]))
    for arm in angles[4:]:
        lines.append(
            np.array([neck, neck + 0.7 * np.array([np.sin(arm), -np.cos(arm)])])
        )
    return [*lines, np.array([hip, [0, 1.2]])]


COLORS = "tab:blue", "tab:orange", "tab:blue", "tab:orange", "black"
figure, axes = plt.subplots(3, 1, figsize=(9, 8), layout="constrained")
for axis, X, title in [
    (axes[0], test[6:], "Recorded"),
    (axes[1], walk[300:], "Walking on, 300 frames later"),
]:
    for place, frame in enumerate(X[:64:4]):
        for line, color in zip(limbs(frame), COLORS, strict=True):
            axis.plot(*(line + [0.9 * place, 0]).T, color=color)
    axis.set(title=title, aspect="equal", xticks=[], yticks=[])
t = np.arange(80, 140)
axes[2].plot(t, np.degrees(test[80:140, [0, 2]]), label=[NAMES[0], NAMES[2]])
gap = slice(100, 120)
axes[2].plot(
    t[20:40], np.degrees(filled[gap, 0]), "o", color="tab:blue", label="filled"
)
axes[2].plot(t[20:40], np.degrees(filled[gap, 2]), "o", color="tab:orange")
axes[2].set(title="A leg that was not seen", xlabel="frame", ylabel="degrees")
axes[2].legend()
plt.show()
