"""What tests of fine-tuned belief networks share."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

X, Y = load_digits(return_X_y=True)
TRAIN, TEST, Y_TRAIN, Y_TEST = train_test_split(
    X / 16, Y, test_size=1 / 3, random_state=0, stratify=Y
)
FEW, FEW_Y = TRAIN[:200], Y_TRAIN[:200]


def assert_same_net(a, b):
    for one, other in zip(a.coefs_ + a.intercepts_, b.coefs_ + b.intercepts_):
        np.testing.assert_array_equal(one, other)
