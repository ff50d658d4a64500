"""Small belief networks, worked out by listing all states; written out once more."""

from copy import copy
from itertools import product

import numpy as np
from scipy.special import expit, logsumexp
from scipy.stats import norm

from skdgm import DBN, GenerativeDBNClassifier
from skdgm.belief._stack import attributes_of
from tests.options import grouped

RNG = np.random.default_rng(0)


def random_dbn(
    n_features, sizes, seed=0, untied=False, scale=1.0, n_labels=0, **options
):
    """A network with normal weights and biases, untied with others on the way up; with
    labels on top, if there are any."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 2, (30, n_features)).astype(np.float64)
    if options.get("column_types") == "gaussian":
        X = X * [1.0, 5.0][:n_features] + rng.normal(size=X.shape)
    kind = GenerativeDBNClassifier if n_labels else DBN
    y = np.arange(30) % n_labels if n_labels else None
    dbn = grouped(kind, sizes, n_iter=0, random_state=0, **options).fit(X, y)

    def another(machine):
        shape = machine.components_.shape
        machine.components_ = rng.normal(0, scale, shape)
        machine.intercept_hidden_ = rng.normal(size=shape[0])
        machine.intercept_visible_ = rng.normal(size=shape[1])
        if hasattr(machine, "label_components_"):
            machine.label_components_ = rng.normal(0, 2 * scale, (shape[0], n_labels))
            machine.intercept_label_ = rng.normal(size=n_labels)
        return machine.density_.pair()[1]

    ways = [
        (another(m), another(m) if untied else m.density_.pair()[1])
        for m in dbn.layers_
    ]
    dbn._forget()
    vars(dbn).update(attributes_of(dbn.layers_, ways[:-1] if untied else ()))
    return dbn


def bits(n):
    """All states of so many units."""
    return np.array(list(product([0.0, 1.0], repeat=n)))


class Listed:
    """All states of a network's hidden layers but for the last, with log P and log Q.

    Parameters
    ----------
    dbn : {DBN, GenerativeDBNClassifier}
    """

    def __init__(self, dbn):
        self.dbn, top = dbn, dbn.layers_[-1]
        tables = [bits(W.shape[1]) for W in dbn.coefs_[:-1]]
        codes = np.indices([len(table) for table in tables]).reshape(len(tables), -1)
        self.h = [table[code] for table, code in zip(tables, codes)]
        weight = self.top_weight(top, self.h[-1])
        states = bits(top.components_.shape[1])
        self.log_p = weight - logsumexp(self.top_weight(top, states))
        for k in range(1, len(self.h)):
            self.log_p += self.log_bits(self.h[k - 1], self.down(k, self.h[k]))

    @staticmethod
    def label_weights(top, x):
        """Log weights of the top's visible states with each label; with the only one,
        where there are none."""
        U = getattr(top, "label_components_", np.zeros((len(top.components_), 1)))
        field = (top.intercept_hidden_ + x @ top.components_.T)[:, None, :] + U.T
        own = getattr(top, "intercept_label_", np.zeros(1))
        alone = (x @ top.intercept_visible_)[:, None]
        return alone + own + np.logaddexp(0, field).sum(axis=2)

    @classmethod
    def top_weight(cls, top, x):
        return logsumexp(cls.label_weights(top, x), axis=1)

    def given_label(self, code):
        """The same network where the label has a value: its log P is of it and of the
        states."""
        other, top = copy(self), self.dbn.layers_[-1]
        weights = self.label_weights(top, self.h[-1])
        other.log_p = self.log_p + weights[:, code] - logsumexp(weights, axis=1)
        return other

    @staticmethod
    def log_bits(x, field, known=slice(None)):
        each = x * field - np.logaddexp(0, field)
        return each[..., known].sum(axis=-1)

    def down(self, k, h):
        return self.dbn.generative_intercepts_[k] + h @ self.dbn.generative_coefs_[k]

    def up(self, k, x):
        if k == 0 and self.dbn.column_types == "gaussian":
            bottom = self.dbn.layers_[0]
            x = (x - bottom.mean_) * bottom.scale_ * bottom.precision_
        return self.dbn.intercepts_[k] + x @ self.dbn.coefs_[k]

    def given_h(self, v):
        """Log P(v | h) of what is known of a row, for each state."""
        known, field = ~np.isnan(v), self.down(0, self.h[0])
        if self.dbn.column_types == "gaussian":
            bottom = self.dbn.layers_[0]
            mean = field * bottom.scale_ + bottom.mean_
            each = norm.logpdf(v, mean, bottom.precision_**-0.5)
            return each[:, known].sum(axis=1)
        return self.log_bits(np.nan_to_num(v), field, known)

    def log_joint(self, v):
        """Log p(v, h) for each state."""
        return self.log_p + self.given_h(v)

    def log_prob(self, v):
        """Log p(v) of a row."""
        return logsumexp(self.log_joint(v))

    def log_q(self, v):
        """Log Q(h | v) for each state."""
        total, below = 0.0, v
        for k, h in enumerate(self.h):
            total, below = total + self.log_bits(h, self.up(k, below)), h
        return total

    def bound(self, v):
        """The variational bound on log p(v)."""
        log_q = self.log_q(v)
        return np.exp(log_q) @ (self.log_joint(v) - log_q)

    def mean(self, v):
        """Means of the visible units given what is known of them; binary only."""
        log_w = self.log_joint(v)
        return np.exp(log_w - logsumexp(log_w)) @ expit(self.down(0, self.h[0]))
