"""
A search without labels
=======================

``score`` of every density is the mean log-likelihood of rows. Hence ``GridSearchCV``
needs no labels and no ``scoring``: it selects the model with the highest likelihood of
held-out rows. Here it selects the size and the learning rate of an RBM. For comparison,
the same search uses the pseudo-likelihood, the only score of scikit-learn's RBM.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split

from skdgm import BernoulliRBM

X = (load_digits().data > 7).astype(np.float32)
X, X_test = train_test_split(X, test_size=500, random_state=0)

# %%
# The search, by the default score. Machines of up to 20 hidden units have an
# exact likelihood; that of larger ones is estimated by annealed importance sampling.

sizes, rates = [8, 16, 32, 64, 128], [0.02, 0.05, 0.1, 0.2]
grid = {"n_components": sizes, "learning_rate": rates}
rbm = BernoulliRBM(n_iter=20, random_state=0)
search = GridSearchCV(rbm, grid, cv=2).fit(X)
print(f"chosen: {search.best_params_}")
print(f"held-out images: {search.score(X_test):.2f} nats")

# %%
# The same by pseudo-likelihood, which looks at one pixel at a time.


def pseudo_likelihood(model, X, y=None):
    """Mean pseudo-likelihood of rows."""
    return model.pseudo_likelihood(X).mean()


other = GridSearchCV(rbm, grid, cv=2, scoring=pseudo_likelihood).fit(X)
print(f"chosen by pseudo-likelihood: {other.best_params_}")
print(f"held-out images: {other.best_estimator_.score(X_test):.2f} nats")

# %%
# Both tables. They agree on the learning rate, not on the size: by log-likelihood the
# two largest machines are about equal, by pseudo-likelihood the largest is best. The
# pseudo-likelihood looks at the neighborhood of rows only, and does not notice
# probability that a machine gives to images far away from them.

figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for ax, found, title in (
    (axes[0], search, "log-likelihood"),
    (axes[1], other, "pseudo-likelihood"),
):
    scores = found.cv_results_["mean_test_score"].reshape(len(rates), len(sizes))
    shown = ax.imshow(scores, cmap="viridis", vmin=np.quantile(scores, 0.2))
    for (row, column), value in np.ndenumerate(scores):
        best = value == scores.max()
        style = {"ha": "center", "va": "center", "weight": "bold" if best else None}
        dark = value < scores.mean()
        ax.text(
            column, row, f"{value:.1f}", color="white" if dark else "black", **style
        )
    ax.set(title=f"{title} in two folds, nats", xlabel="hidden units")
    ax.set(ylabel="learning rate")
    ax.set_xticks(range(len(sizes)), sizes)
    ax.set_yticks(range(len(rates)), rates)
plt.show()
