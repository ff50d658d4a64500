"""
Pseudo-inputs of a VampPrior
============================

The prior of this variational autoencoder is learned: it is the mixture of the encoder's
distributions for pseudo-inputs, which are trained jointly with the nets (VampPrior).
Pseudo-inputs look like rows, and samples from the mixture avoid latent regions without
rows. The scores of held-out digits are above the scores of the standard normal prior.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdgm import VAE
from skdgm.options import ELBO, Prior
from skdgm.plotting import SamplesDisplay

X, X_test = train_test_split(load_digits().data / 16, test_size=500, random_state=0)
how = {"n_components": 8, "n_iter": 100, "random_state": 0}

models = {}
for name, prior in {"normal": "normal", "vamp": Prior("vamp", n_components=40)}.items():
    vae = VAE(**how, prior=prior, objective=ELBO(warm_up=10))
    models[name] = vae.fit(X)
    print(f"prior {name}: {vae.score(X_test):.2f} nats a held-out digit")

# %%
# The pseudo-inputs, and draws of both models: of a standard normal prior, and of the
# mixture of what the encoder infers of the pseudo-inputs. Pixels are means of bits.

vamp = models["vamp"]
shown = {"pseudo-inputs of the VampPrior": vamp.pseudo_inputs_}
for prior, vae in models.items():
    codes = vae.transform(vae.sample(40, random_state=0))
    shown[f'draws, prior="{prior}"'] = vae.inverse_transform(codes)
figure, axes = plt.subplots(1, 3, figsize=(11, 3.2), layout="constrained")
for ax, (title, rows) in zip(axes, shown.items()):
    SamplesDisplay(rows).plot(ax, n_columns=8)
    ax.set_title(title, size=10)
plt.show()
