"""
From small images to large ones
===============================

Images can be drawn in steps: small ones first, then details that make them larger. A
Laplacian pyramid of adversarial networks [1]_ adds details to the small image; in a
stack [2]_ each generator draws the whole image again. Both draw digits here, by class.

.. [1] Denton, Chintala, Szlam and Fergus (2015). Deep generative image models using a
   Laplacian pyramid of adversarial networks. NeurIPS.
.. [2] Zhang, Xu, Li, Zhang, Wang, Huang and Metaxas (2017). StackGAN: text to
   photo-realistic image synthesis with stacked generative adversarial networks. ICCV.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from skdgm import LAPGAN, StackGAN

X, y = load_digits(return_X_y=True)
X = X / 16


def show(images, title):
    """Images in lines of ten."""
    images = images.reshape(-1, 10, 8, 8)
    fig, axes = plt.subplots(len(images), 10, figsize=(5, 0.5 * len(images) + 0.4))
    for axis, image in zip(axes.ravel(), images.reshape(-1, 8, 8)):
        axis.imshow(image, cmap="gray", vmin=0, vmax=1)
        axis.axis("off")
    fig.suptitle(title)


# %%
# Images of 2 x 2, 4 x 4 and 8 x 8 pixels have a generator and a discriminator each, and
# all learn from the same batches.
models = {
    "Laplacian pyramid": LAPGAN(class_conditional=True, n_iter=40, random_state=0),
    "stack": StackGAN(class_conditional=True, n_iter=40, random_state=0),
}
nearest = KNeighborsClassifier(1).fit(X, y)
asked = np.tile(np.arange(10), 20)
for name, model in models.items():
    model.fit(X, y)
    rows = model.sample(200, random_state=0, y=asked)
    right = (nearest.predict(rows) == asked).mean()
    shapes = [shape[:2] for shape in model.pyramid_shapes_]
    print(
        f"{name}, {shapes}: {right:.0%} of draws are nearest to a digit of their class"
    )
    show(rows[:50], name)

# %%
# Latent units of one line are the same for the smallest images, and differ for details:
# the pyramid keeps to the small image, and draws other strokes in it. Lines differ in
# all of them.
pyramid, rng = models["Laplacian pyramid"], np.random.default_rng(0)
n = pyramid.n_components
Z = rng.standard_normal((5, 10, n * len(pyramid.pyramid_shapes_)))
Z[:, :, :n] = Z[:, :1, :n]
show(pyramid.generate(Z.reshape(50, -1), y=np.repeat([0, 3, 5, 8, 9], 10)), "details")
plt.show()
