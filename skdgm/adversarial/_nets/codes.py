r"""Interpretable codes among the latent units, and their distributions given a row.

Categorical codes are uniform, and continuous codes are uniform between -1 and 1. Given
the outputs of a net for a row, a categorical code has softmax probabilities, and a
continuous code is normal. With the entropy H of the codes,

.. math:: \mathbb{E}_{c, x} [\log q(c \mid x)] + H(c) \le I(c; x)

is a lower bound on the mutual information of codes and generated rows [1]_.

References
----------
.. [1] Chen, Duan, Houthooft, Schulman, Sutskever and Abbeel (2016). InfoGAN:
   interpretable representation learning by information maximizing generative
   adversarial nets. NeurIPS.
.. [2] Ji, Henriques and Vedaldi (2019). Invariant information clustering for
   unsupervised image classification and segmentation. ICCV.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.special import expit, log_softmax, softmax
from sklearn.utils import check_array

from skdgm.utils.math import LOG_2PI, softplus

# Smallest learned variance.
_MIN_VARIANCE = 1e-2


class LatentCodes(NamedTuple):
    """Categorical codes with numbers of ``categories``, and ``n_real`` continuous
    codes, whose ``variance`` given a row is a number or "learned". ``fixed`` codes,
    (n_rows, n_codes), replace draws unless NaN."""

    categories: tuple
    n_real: int
    variance: object = "learned"
    fixed: object = None

    @property
    def n_codes(self):
        """Number of codes."""
        return len(self.categories) + self.n_real

    @property
    def width(self):
        """Number of latent units: one for each category or continuous code."""
        return sum(self.categories) + self.n_real

    @property
    def n_outputs(self):
        """Number of outputs of a net for the distributions of codes."""
        return self.width + (self.n_real if self.variance == "learned" else 0)

    def draw(self, rng, n_rows, dtype):
        """Draw latent units of codes, (n_rows, width), with a random stream for each
        row or one for all."""
        shape = n_rows, self.n_codes
        by_row = len(rng.ids) == n_rows
        u = rng.uniform(self.n_codes) if by_row else rng.generator().random(shape)
        sizes = np.array(self.categories, int)
        n = len(sizes)
        u[:, :n] = np.floor(u[:, :n] * sizes)
        u[:, n:] = 2 * u[:, n:] - 1
        if self.fixed is not None:
            u = np.where(np.isnan(self.fixed), u, self.fixed)
        return self.units(u).astype(dtype)

    def given(self, codes, n_rows):
        """These codes with ``fixed`` values for all rows or for each; NaN entries are
        drawn. Raises ValueError for invalid categories or shapes."""
        values = check_array(
            np.atleast_2d(codes), ensure_all_finite="allow-nan", input_name="codes"
        ).astype(float)
        if values.shape[1] != self.n_codes or len(values) not in (1, n_rows):
            raise ValueError(
                f"codes must have a number for each of the {self.n_codes} codes, of "
                f"all rows or of each of {n_rows}; got shape {np.shape(codes)}."
            )
        for k, size in enumerate(self.categories):
            column = values[~np.isnan(values[:, k]), k]
            invalid = column[~np.isin(column, np.arange(size))]
            if len(invalid):
                raise ValueError(
                    f"codes has {invalid[0]:g} in column {k}, but its "
                    f"categories are 0 to {size - 1}."
                )
        return self._replace(fixed=values)

    def units(self, codes):
        """Latent units, (n_rows, width), of codes, (n_rows, n_codes); categories are
        one-hot."""
        one_hot_codes = [
            np.eye(size)[codes[:, k].astype(int)]
            for k, size in enumerate(self.categories)
        ]
        return np.concatenate([*one_hot_codes, codes[:, len(one_hot_codes) :]], axis=1)

    def groups(self):
        """Slices of the units of each categorical code."""
        bounds = np.cumsum((0, *self.categories)).tolist()
        return [slice(start, stop) for start, stop in pairwise(bounds)]

    def posterior(self, out):
        """Probabilities of categories and means of continuous codes, (n_rows,
        width)."""
        posterior = out[:, : self.width].copy()
        for group in self.groups():
            posterior[:, group] = softmax(out[:, group], axis=1)
        return posterior

    def information(self, out, units):
        """Log-probability, plus entropy, of the codes from which rows were generated,
        (n_rows,), in float64; its mean is the bound on the mutual information, in nats.
        """
        out = out.astype(float)
        bound = np.full(len(out), np.log(self.categories).sum())
        bound += self.n_real * np.log(2)
        for group in self.groups():
            bound += (log_softmax(out[:, group], axis=1) * units[:, group]).sum(axis=1)
        gap, variance, _ = self._normal(out, units)
        return bound - 0.5 * (gap**2 / variance + np.log(variance) + LOG_2PI).sum(
            axis=1
        )

    def slope(self, out, units):
        """Gradient of the negative log-probability of codes with respect to outputs,
        (n_rows, n_outputs)."""
        gradient = np.zeros_like(out)
        for group in self.groups():
            gradient[:, group] = softmax(out[:, group], axis=1) - units[:, group]
        gap, variance, by_output = self._normal(out, units)
        real = slice(self.width - self.n_real, self.width)
        gradient[:, real] = gap / variance
        if self.variance == "learned":
            by_variance = 0.5 * (1 - gap**2 / variance) / variance
            gradient[:, self.width :] = by_variance * by_output
        return gradient

    def shared(self, out, other):
        r"""Mutual information, in nats, of the categories of two views of rows, and its
        gradients with respect to the outputs for each view.

        .. math:: \sum_{c, c'} J_{c c'} \log \frac{J_{c c'}}{J_c \, J_{c'}}, \qquad
           J = \tfrac{1}{2n} (P^\top P' + P'^\top P)

        where P and P' are the probabilities of categories given each view [2]_.
        """
        information, gradients = 0.0, (np.zeros_like(out), np.zeros_like(other))
        for group in self.groups():
            shares = [softmax(view[:, group], axis=1) for view in (out, other)]
            joint = shares[0].T @ shares[1] / len(out)
            joint = np.maximum((joint + joint.T) / 2, np.finfo(joint.dtype).tiny)
            log_marginal = np.log(joint.sum(axis=1))
            gain = np.log(joint) - log_marginal - log_marginal[:, None]
            information += float((joint * gain).sum())
            for grad, p, partner in zip(gradients, shares, shares[::-1]):
                slope = partner @ gain / len(out)
                grad[:, group] = p * (slope - (p * slope).sum(axis=1, keepdims=True))
        return information, gradients

    def _normal(self, out, units):
        """Means of continuous codes minus the codes, variances, and derivatives of
        variances with respect to outputs."""
        real = slice(self.width - self.n_real, self.width)
        gap = out[:, real] - units[:, real]
        if self.variance == "learned":
            raw = out[:, self.width :]
            return gap, out.dtype.type(_MIN_VARIANCE) + softplus(raw), expit(raw)
        return gap, np.full_like(gap, self.variance), None
