"""
Topics of documents
===================

A replicated softmax learns binary topics of documents. Here the documents are
docstrings of scikit-learn's estimators. The example counts their words, fits the model
and samples documents.
"""

import inspect

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.utils import all_estimators

from skdgm import ReplicatedSoftmax

# %%
# A document is the docstring of an estimator or of one of its methods. The most
# frequent 300 words are counted, in a sparse table.

texts = set()
for _, estimator in all_estimators():
    texts.add(inspect.getdoc(estimator))
    methods = inspect.getmembers(estimator, inspect.isfunction)
    texts |= {inspect.getdoc(m) for name, m in methods if not name.startswith("_")}
texts = sorted(text for text in texts if text and len(text) > 200)
counter = CountVectorizer(
    max_features=300, stop_words="english", token_pattern="[a-z]{3,}"
)
X = counter.fit_transform(texts)
words = counter.get_feature_names_out()
print(X.shape)

# %%
# Twelve hidden units, so that likelihoods are exact. Perplexity per word is that of a
# word drawn evenly from as many; words by their shares alone have more.

model = ReplicatedSoftmax(12, n_iter=30, random_state=0).fit(X)
shares = np.asarray(X.sum(axis=0)).ravel() / X.sum()
alone = np.exp(-np.log(shares) @ shares)
print(f"perplexity {model.perplexity(X):.0f}, of shares alone {alone:.0f}")

# %%
# A hidden unit that is on multiplies the odds of a word by the exponential of its
# weight. Its topic is what the words with the largest weights have in common.

figure, axes = plt.subplots(3, 4, figsize=(11, 7), layout="constrained")
for weights, ax in zip(model.components_, axes.flat):
    top = np.argsort(weights)[-8:]
    ax.barh(words[top], weights[top])
fraction = model.transform(X).mean(axis=0)
for unit, ax in enumerate(axes.flat):
    ax.set_title(f"unit {unit}, on in {fraction[unit]:.0%}")
figure.supxlabel("weight, nats per word")
plt.show()

# %%
# The longer a document, the surer are its hidden units: the field of a unit is a sum
# over words. Rows with words of one estimator tell less than whole documents do.

h = model.transform(X)
lengths = np.asarray(X.sum(axis=1)).ravel()
figure, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
ax.scatter(lengths, (h * (1 - h)).mean(axis=1), s=6)
ax.set(xscale="log", xlabel="words", ylabel="mean variance of the hidden units")
plt.show()

# %%
# Draws are documents of a length that is given.

for row in model.sample(3, random_state=0, lengths=12):
    print(" ".join(np.repeat(words, row.astype(int))))
