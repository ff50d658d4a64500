r"""Gains and shifts of single columns, as functions of two parameters each.

.. math:: y = x e^a + b, \qquad a = c \tanh(r / c)

for parameters r and b; log gains a are bounded by c.
"""

import numpy as np

# Largest magnitude of log gains.
_LOG_GAIN = 2.0


def gain(x, raw, bound=None):
    """Transformed values and log gains, both (n_rows, n_columns). ``raw``,
    (n_rows, n_columns, 2), are the parameters r and b."""
    log_gain = _log_gain(raw)
    return x * np.exp(log_gain) + raw[..., 1], log_gain


def inverse(y, raw, bound=None):
    """Values that :func:`gain` transforms into y."""
    return (y - raw[..., 1]) * np.exp(-_log_gain(raw))


def gradients(x, raw, bound, by_y, by_log):
    """Gradients by x and by ``raw``, given gradients by the results of :func:`gain`."""
    log_gain, by_raw = _log_gain(raw), np.empty_like(raw)
    by_x = by_y * np.exp(log_gain)
    by_raw[..., 0] = (by_log + by_x * x) * (1 - (log_gain / _LOG_GAIN) ** 2)
    by_raw[..., 1] = by_y
    return by_x, by_raw


def _log_gain(raw):
    return _LOG_GAIN * np.tanh(raw[..., 0] / _LOG_GAIN)
