"""
A label drawn with its image
============================

The chain of a hybrid :class:`~skdgm.GSNClassifier` draws digits and their labels
together, or digits given a label, and the network classifies digits.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdgm import GSNClassifier
from skdgm.options import Hybrid
from skdgm.plotting import SamplesDisplay

X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
X, X_test, y, y_test = train_test_split(X, y, test_size=300, random_state=0)
clf = GSNClassifier(
    (128, 64),
    objective=Hybrid(generative_weight=1.0),
    corruption_level=0.2,
    label_corruption=0.3,
    n_iter=100,
    random_state=0,
).fit(X, y)
print(f"accuracy of unseen digits: {clf.score(X_test, y_test):.3f}")

# %%
# Digits and the labels that were drawn with them, each at the end of a chain. What is
# shown is expected given what was drawn.

drawn, labels = clf.sample(40, random_state=0, return_y=True)
figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
expected = clf.inverse_transform(clf.transform(drawn))
SamplesDisplay(expected).plot(axes[0], n_columns=10)
axes[0].set_title("\n".join(map(str, labels.reshape(4, 10))), fontsize="small")

# %%
# Digits given labels from 0 to 9. Half of the chains, which begin with noise, come to
# digits of their label.

given = clf.sample(40, random_state=0, y=np.tile(clf.classes_, 4))
expected = clf.inverse_transform(clf.transform(given))
SamplesDisplay(expected).plot(axes[1], n_columns=10)
axes[1].set_title("with labels from 0 to 9")
plt.show()
