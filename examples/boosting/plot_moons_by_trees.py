r"""
Two moons by classifiers
========================

The initial density is normal. Classifiers distinguish rows from samples of the current
density, one after the other, and each adds its log odds to the log density [1]_. Trees
give a step function, which becomes finer with more trees; a logistic regression on
polynomials gives a smooth density.

.. math::

    p(x) = \frac{1}{Z} \, p_0(x) \, \exp \Bigl( \sum_t \alpha_t f_t(x) \Bigr)

.. [1] Welling, Zemel and Hinton (2002). Self supervised boosting. NIPS.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from skdgm import SelfSupervisedBoosting

# %%
# Fit
# ---
#
# Held-out rows decide how much of each classifier is added, and when to stop.

X, _ = make_moons(3000, noise=0.08, random_state=0)
test, _ = make_moons(3000, noise=0.08, random_state=1)
smooth = make_pipeline(
    StandardScaler(), PolynomialFeatures(4), LogisticRegression(max_iter=1000)
)
models = {
    "5 trees": SelfSupervisedBoosting(n_iter=5, random_state=0),
    "trees": SelfSupervisedBoosting(random_state=0),
    "polynomials": SelfSupervisedBoosting(classifier=smooth, random_state=0),
}
for model in models.values():
    model.fit(X)

# %%
# Densities
# ---------

grid = np.stack(np.meshgrid(np.linspace(-1.7, 2.7, 200), np.linspace(-1.2, 1.7, 150)))
points = grid.reshape(2, -1).T
figure, axes = plt.subplots(2, 4, figsize=(11, 5), layout="constrained")
first = models["trees"].estimator_
shown = {"normal": first, **models}
for (name, model), column in zip(shown.items(), axes.T):
    density = np.exp(model.score_samples(points)).reshape(grid.shape[1:])
    column[0].pcolormesh(*grid, density, cmap="Blues", vmax=0.7)
    column[0].set_title(f"{name}: {model.score(test):.2f} nats")
    drawn = model.sample(1000, random_state=0)
    column[1].scatter(*drawn.T, s=2, alpha=0.5)
    column[1].set(xlim=(-1.7, 2.7), ylim=(-1.2, 1.7))
plt.show()

# %%
# Weights
# -------
#
# The first classifiers weigh most. Rows are told from fewer and fewer draws.

plt.figure(figsize=(5, 3))
plt.plot(models["trees"].weights_, label="trees")
plt.plot(models["polynomials"].weights_, label="polynomials")
plt.xlabel("round")
plt.ylabel("weight")
plt.legend()
plt.show()
