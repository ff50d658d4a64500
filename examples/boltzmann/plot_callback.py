"""
A callback that plots while fitting
===================================

scikit-learn's callbacks are called after each epoch, with the estimator in its current
state. This callback draws the state of an RBM during training: filters, samples and
likelihood, after 1, 2, 4, 8 … epochs. It could also write to a file or stop the fit.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from skdgm import BernoulliRBM
from skdgm.plotting import ComponentsDisplay, SamplesDisplay

X = (load_digits().data > 7).astype(np.float32)
SHOWN = (1, 4, 16, 64)

# %%
# A callback has four methods. ``on_fit_task_end`` gets ``fitted_estimator``, which can
# do all that it could do if the fit ended now; ``context`` says that it was an epoch,
# and which. To return True ends the fit.


class Gallery:
    """Callback that draws filters and samples after some epochs."""

    def __init__(self, figure, epochs):
        self.axes = dict(zip(epochs, figure.subplots(2, len(epochs)).T))
        self.nats = []

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, **data):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None, **data):
        if context.task_name != "epoch":
            return False
        epoch = 1 + context.task_id
        self.nats.append(fitted_estimator.score(X))
        if epoch in self.axes:
            above, below = self.axes[epoch]
            ComponentsDisplay.from_estimator(fitted_estimator, order="first", ax=above)
            drawn = {"n_samples": 16, "random_state": 0, "means": True}
            drawn |= {"init": "noise", "n_steps": 500}
            SamplesDisplay.from_estimator(fitted_estimator, ax=below, **drawn)
            above.set_title(f"epoch {epoch}: {self.nats[-1]:.1f} nats")
        return False

    def teardown(self, estimator, context):
        pass


# %%
# Above: the weights of 16 hidden units. Below: samples from noise. With so few units
# the likelihood is exact, and cheap enough to be computed in every epoch.

gallery = Gallery(plt.figure(figsize=(11, 5.8), layout="constrained"), SHOWN)
rbm = BernoulliRBM(16, n_iter=64, learning_rate=0.05, random_state=0)
rbm.set_callbacks(gallery).fit(X)
plt.show()

# %%
# The likelihood, epoch by epoch.

figure, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
ax.plot(range(1, 65), gallery.nats)
ax.scatter(SHOWN, [gallery.nats[epoch - 1] for epoch in SHOWN], color="tab:orange")
ax.set(xlabel="epoch", ylabel="nats, exact")
plt.show()
