r"""Ratio matching: ratios of the probabilities of neighbours.

.. math:: -J(v) = \sum_i g\!\left(\frac{p(v)}{p(v^{(i)})}\right)^2, \qquad
   g(u) = \frac{1}{1 + u}

for bits v and :math:`v^{(i)}`, which has bit i flipped [1]_. With :math:`s_i = \log
p(v^{(i)}) - \log p(v)` a term is :math:`\varphi(s_i) = \sigma(s_i)^2`, the squared
probability of the other value of bit i. It is bounded, so that outliers count little.

References
----------
.. [1] Hyvärinen (2007). Some extensions of score matching. Computational Statistics
   and Data Analysis.
"""

from skdgm.utils.math import sigmoid


def slope(s):
    """Derivative of phi, for an array of s."""
    other = sigmoid(s)
    return 2 * other * other * (1 - other)
