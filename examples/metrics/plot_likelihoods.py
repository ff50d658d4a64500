"""
Likelihoods side by side
========================

Log-likelihoods of four models of handwritten digits, in nats and in bits per pixel:
exact for small machines, and with a lower and an upper estimate for large machines. The
figure shows forward and reverse annealed importance sampling, and the movement of the
chains.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdgm import DBM, DBN, BernoulliRBM
from skdgm.metrics import likelihood_table, nearest_training_neighbors
from skdgm.plotting import ChainDisplay, LikelihoodBracketDisplay
from skdgm.preprocessing import BernoulliBinarizer

# The bits are drawn once, so that all models are compared on the same data.
X = BernoulliBinarizer().fit_transform(load_digits().data / 16)
train, valid = train_test_split(X, test_size=0.3, random_state=0)
models = {
    "RBM, 16 units": BernoulliRBM(16, n_iter=60, random_state=0),
    "RBM, 100 units": BernoulliRBM(100, n_iter=60, random_state=0),
    "DBM, 100-50": DBM((100, 50), n_iter=60, random_state=0),
    "DBN, 100-50": DBN((100, 50), n_iter=60, random_state=0),
}
for model in models.values():
    model.fit(train)
table = likelihood_table(models, valid)
print(table[["nats", "lower", "upper", "kind"]])

wide = models["RBM, 100 units"]
copies = nearest_training_neighbors(wide.sample(500, random_state=0), train, valid)
print(f"a sample is nearer to a training row than a held-out row: {copies.closer:.2f}")

figure = plt.figure(figsize=(9, 6), layout="constrained")
above, below = figure.subfigures(2)
LikelihoodBracketDisplay.from_estimator(wide, ax=above.subplots())
ChainDisplay.from_estimator(wide, random_state=0, ax=below.subplots(1, 2))
plt.show()
